/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/event.h"
#include "admin/keys/ringfile.h"
#include "admin/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ID_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/** "k20260131", and with a number behind it when there is one of today already */
static void choose_id(char id[static MFA_KEY_ID_MAX + 1], struct mfa_cli const *cli,
		      struct mfa_cli_ringfile const *file)
{
	time_t const now = (time_t)cli->now_s;
	char day[16] = "";
	struct tm tm;

	if (gmtime_r(&now, &tm)) (void)strftime(day, sizeof(day), "k%Y%m%d", &tm);
	(void)snprintf(id, MFA_KEY_ID_MAX + 1, "%s", day);
	for (unsigned n = 2; mfa_cli_ringfile_has(file, id); n++)
		(void)snprintf(id, MFA_KEY_ID_MAX + 1, "%s-%u", day, n);
}

static enum mfa_rc add_key(char id[static MFA_KEY_ID_MAX + 1], struct mfa_diag *diag,
			   struct mfa_cli const *cli, struct mfa_cli_ringfile *file)
{
	char const *wanted = cli->args.key_id;
	enum mfa_rc rc;

	if (wanted && (wanted[0] == '\0' || strlen(wanted) > MFA_KEY_ID_MAX ||
		       wanted[strspn(wanted, ID_CHARACTERS)] != '\0')) {
		mfa_diag_set(diag, "--id: 1 to %u letters, digits, '.', '_' or '-'",
			     MFA_KEY_ID_MAX);
		return MFA_ERR_ARG;
	}
	if (wanted) {
		(void)snprintf(id, MFA_KEY_ID_MAX + 1, "%s", wanted);
	} else {
		choose_id(id, cli, file);
	}
	rc = mfa_cli_ringfile_add(file, id, cli->args.last > 0);
	if (rc == MFA_OK) return mfa_cli_ringfile_write(file, diag, cli->args.dry_run > 0);
	mfa_diag_set(diag, "no room for another key");
	return rc;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct mfa_cli_ringfile *file = calloc(1, sizeof(*file));
	struct mfa_diag diag = {.text = "no memory"};
	char id[MFA_KEY_ID_MAX + 1] = "";
	enum mfa_rc rc;

	if (!file) return MFA_CLI_REFUSED;
	rc = mfa_cli_ringfile_open(file, &diag, cli->config.key_ring);
	if (rc == MFA_OK) rc = add_key(id, &diag, cli, file);
	if (rc == MFA_OK) {
		bool const first = !cli->args.last || !file->exists;

		if (!cli->args.dry_run)
			mfa_cli_event(cli, cli->event, NULL, NULL, "changed",
				      first ? "a new key encrypts" : "a new key decrypts");

		mfa_cli_say(cli, "key '%s' %s %s%s\n", id,
			    first ? "seals from now on:" : "opens from now on:", file->path,
			    cli->args.dry_run ? " (dry run: nothing was written)" : "");
		mfa_cli_json(cli,
			     json_pack("{s:s, s:s, s:s, s:b, s:b}", "key", id, "role",
				       first ? "seals" : "opens", "file", file->path, "new_file",
				       !file->exists, "dry_run", cli->args.dry_run > 0));
		if (!file->exists && !cli->args.dry_run)
			mfa_cli_warn("%s is new: let its group be the one of the programs that "
				     "need it (mode is 0640)",
				     file->path);
	} else {
		mfa_cli_warn("%s", diag.text);
	}
	mfa_cli_ringfile_close(file);
	free(file);
	return mfa_cli_exit_of(rc);
}

static struct mfa_cli_option const options[] = {
	{'i', "id", "ID", "key id: letters, digits, '.', '_', '-'; default: k and the date",
	 MFA_CLI_STRING, MFA_CLI_AT(key_id), 0, 0, NULL},
	{0, "last", NULL, "put it behind the others: it only opens, until it is on every server",
	 MFA_CLI_FLAG, MFA_CLI_AT(last), 0, 0, NULL},
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_keygen = {
	.name = "keygen",
	.event = MFA_EVENT_KEY_RING,
	.operands = "",
	.summary = "Add a fresh key to the key ring, or begin one",
	.operands_max = 0,
	.needs = MFA_CLI_NEED_CONFIG,
	.option = options,
	.run = run,
};
