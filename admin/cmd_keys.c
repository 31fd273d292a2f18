/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/event.h"
#include "admin/keys/ringfile.h"
#include "admin/keys/usage.h"
#include "admin/output.h"

#include <stdlib.h>
#include <string.h>

/** Take a key off the ring or put it in front, and write the file */
static enum mfa_rc rewrite(struct mfa_diag *diag, struct mfa_cli const *cli)
{
	struct mfa_cli_ringfile *file = calloc(1, sizeof(*file));
	enum mfa_rc rc;

	if (!file) return MFA_ERR_NOMEM;
	rc = mfa_cli_ringfile_open(file, diag, cli->config.key_ring);
	if (rc == MFA_OK) {
		rc = cli->args.remove_key ? mfa_cli_ringfile_remove(file, cli->args.remove_key)
					  : mfa_cli_ringfile_promote(file, cli->args.first_key);
		if (rc != MFA_OK) mfa_diag_set(diag, "no such key on the ring");
	}
	if (rc == MFA_OK) rc = mfa_cli_ringfile_write(file, diag, cli->args.dry_run > 0);
	mfa_cli_ringfile_close(file);
	free(file);
	return rc;
}

/** Whether it is proved that nothing needs the key any more; says why not */
static bool may_remove(struct mfa_cli *cli, struct mfa_cli_usage const *users, char const *id)
{
	struct mfa_cli_usage *directory = calloc(1, sizeof(*directory));
	struct mfa_diag why = {.text = "no memory"};
	bool may = directory && cli->failed == 0 &&
		   mfa_cli_usage_count_directory(directory, cli) == MFA_CLI_DONE &&
		   cli->failed == 0;

	if (may) {
		may = mfa_cli_usage_proves_unused(&why, users, directory, id);
	} else if (directory) {
		mfa_diag_set(&why, "not every entry could be looked at");
	}
	if (!may)
		mfa_cli_warn("key '%s' stays: %s (--force removes it nevertheless)", id, why.text);
	free(directory);
	return may;
}

static void say_done(struct mfa_cli *cli, char const *id)
{
	bool const removed = cli->args.remove_key != NULL;
	struct mfa_diag text;

	mfa_diag_set(&text, "key '%s' %s", id, removed ? "was removed" : "encrypts");
	if (!cli->args.dry_run) mfa_cli_event(cli, cli->event, NULL, NULL, "changed", text.text);
	mfa_cli_say(cli, "key '%s' %s%s\n", id, removed ? "is off the ring" : "seals from now on",
		    cli->args.dry_run ? " (dry run: nothing was written)" : "");
	if (removed && !cli->args.dry_run)
		mfa_cli_say(cli,
			    "It is kept in %s" MFA_CLI_RING_REMOVED
			    ": delete that file when no login fails for want of it.\n",
			    cli->config.key_ring);
	mfa_cli_json(cli,
		     json_pack("{s:s, s:s, s:b}", "key", id, "done", removed ? "removed" : "first",
			       "dry_run", cli->args.dry_run > 0));
}

static enum mfa_cli_exit change_ring(struct mfa_cli *cli, struct mfa_cli_usage const *usage)
{
	char const *id = cli->args.remove_key ? cli->args.remove_key : cli->args.first_key;
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc rc;

	if (cli->args.remove_key && !cli->args.force && !may_remove(cli, usage, id))
		return MFA_CLI_REFUSED;
	rc = rewrite(&diag, cli);
	if (rc == MFA_OK) {
		say_done(cli, id);
	} else {
		mfa_cli_warn("%s", diag.text);
	}
	return mfa_cli_exit_of(rc);
}

static void show(struct mfa_cli const *cli, struct mfa_cli_usage const *usage)
{
	if (cli->failed)
		mfa_cli_warn("%llu entries are not counted: this is not the whole",
			     (unsigned long long)cli->failed);
	mfa_cli_usage_say(usage, cli);
	mfa_cli_json(cli, json_pack("{s:s, s:o, s:I, s:I}", "file", cli->config.key_ring, "keys",
				    mfa_cli_usage_json(usage), "unsealed_secrets",
				    (json_int_t)usage->unsealed, "unknown_values",
				    (json_int_t)usage->unknown));
}

static enum mfa_cli_exit run_action(struct mfa_cli *cli)
{
	struct mfa_cli_usage *usage = calloc(1, sizeof(*usage));
	bool const count = !cli->args.ring_only && !cli->args.first_key && !cli->args.force;
	enum mfa_cli_exit status = MFA_CLI_DONE;

	if (!usage) return MFA_CLI_REFUSED;
	if (cli->args.first_key && cli->args.remove_key) {
		mfa_cli_warn("--first and --remove exclude each other");
		status = MFA_CLI_USAGE;
	}
	mfa_cli_usage_init(usage, &cli->ring);
	if (status == MFA_CLI_DONE && count) {
		status = mfa_cli_open(cli, MFA_CLI_NEED_DIRECTORY);
		if (status == MFA_CLI_DONE) status = mfa_cli_usage_count(usage, cli);
	}
	if (status == MFA_CLI_DONE) {
		if (cli->args.first_key || cli->args.remove_key) {
			status = change_ring(cli, usage);
		} else {
			show(cli, usage);
			status = mfa_cli_tally_exit(cli);
		}
	}
	free(usage);
	return status;
}

/** "first ID" and "remove ID" are the same as the options; "list" is what happens without */
static bool take_words(struct mfa_cli *cli)
{
	char const *action = cli->operand_count ? cli->operand[0] : "list";
	char const *id = cli->operand_count > 1 ? cli->operand[1] : NULL;

	if (strcmp(action, "list") == 0 && !id) return true;
	if (id && !cli->args.first_key && !cli->args.remove_key) {
		if (strcmp(action, "first") == 0) cli->args.first_key = id;
		if (strcmp(action, "remove") == 0) cli->args.remove_key = id;
		if (cli->args.first_key || cli->args.remove_key) return true;
	}
	mfa_cli_warn("say 'keys list', 'keys first ID' or 'keys remove ID'");
	return false;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	if (!take_words(cli)) return MFA_CLI_USAGE;
	return run_action(cli);
}

static struct mfa_cli_option const options[] = {
	{0, "ring-only", NULL, "do not ask the directory", MFA_CLI_FLAG, MFA_CLI_AT(ring_only), 0,
	 0, NULL},
	{0, "first", "ID", "put this key in front of the others: it seals from now on",
	 MFA_CLI_STRING, MFA_CLI_AT(first_key), 0, 0, NULL},
	{0, "remove", "ID", "take this key off the ring, when nothing needs it any more",
	 MFA_CLI_STRING, MFA_CLI_AT(remove_key), 0, 0, NULL},
	{0, "force", NULL, "take it off without any proof that nothing needs it", MFA_CLI_FLAG,
	 MFA_CLI_AT(force), 0, 0, NULL},
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_keys = {
	.name = "keys",
	.event = MFA_EVENT_KEY_RING,
	.operands = "[list | first ID | remove ID]",
	.summary = "List the keys and how many values need each of them",
	.operands_max = 2,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
