/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"
#include "admin/event.h"
#include "admin/output.h"
#include "admin/process.h"
#include "admin/prompt.h"
#include "admin/view.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool export_device(struct mfa_cli const *cli, struct mfa_totp const *totp, char const *user)
{
	bool fits;
	char uri[MFA_OTPAUTH_LINK_SIZE];

	fits = mfa_otpauth_format(uri, sizeof(uri), totp, cli->settings.issuer, user) == MFA_OK;
	if (fits) {
		mfa_cli_say(cli, "%s\n", uri);
		mfa_cli_json(cli,
			     json_pack("{s:o, s:o, s:s}", "user",
				       mfa_cli_json_text(mfa_bytes_of(user)), "device",
				       mfa_cli_json_text(mfa_bytes_of(totp->name)), "uri", uri));
	}
	OPENSSL_cleanse(uri, sizeof(uri));
	return fits;
}

static bool visit(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	struct mfa_cli_view *view = malloc(sizeof(*view));
	uint64_t *count = uctx;

	if (!view) return false;
	mfa_cli_view_make(view, cli, entry);
	/* Before the first one is shown, so that no signal keeps it out of the log. */
	mfa_cli_event(cli, cli->event, user, entry, "exported", "secrets in clear");
	if (cli->unrecorded) {
		mfa_cli_view_clear(view);
		free(view);
		return false;
	}
	for (size_t i = 0; i < view->device_count; i++) {
		if (!view->device[i].readable) {
			cli->failed++;
			mfa_cli_warn("%s: %s", user, view->device[i].diag.text);
		} else if (!export_device(cli, &view->device[i].totp, user)) {
			cli->failed++;
			mfa_cli_warn("%s: the name is too long for a link", user);
		} else {
			(*count)++;
		}
	}
	mfa_cli_view_clear(view);
	free(view);
	return mfa_cli_flush() && !mfa_cli_interrupted();
}

/** Ask twice, for two different words, so that nobody answers out of habit */
static bool is_meant(struct mfa_cli const *cli)
{
	char line[64];

	mfa_cli_warn("secrets will be written in clear: whoever reads them can log in as those "
		     "users");
	if (mfa_cli_ask(line, sizeof(line), "Type 'export' to go on: ", false) != MFA_OK ||
	    strcmp(line, "export") != 0) {
		return false;
	}
	return mfa_cli_ask(line, sizeof(line),
			   cli->operand_count
				   ? "Type 'clear' if you really want them: "
				   : "Of ALL users. Type 'clear' if you really want them: ",
			   false) == MFA_OK &&
	       strcmp(line, "clear") == 0;
}

static enum mfa_rc export_users(struct mfa_cli *cli, uint64_t *count)
{
	struct mfa_cli_visitor const visitor = {.visit = visit, .uctx = count, .what = NULL};
	struct mfa_diag diag = {.text = "no memory"};
	struct mfa_entry *entry;
	enum mfa_rc rc = MFA_OK;

	if (cli->operand_count == 0) {
		rc = mfa_cli_walk(cli, &diag, NULL, &visitor);
		if (rc != MFA_OK) mfa_cli_warn("%s", diag.text);
		return rc;
	}
	entry = mfa_cli_entry_alloc();
	if (!entry) return MFA_ERR_NOMEM;
	for (int i = 0; i < cli->operand_count && rc != MFA_ERR_UNAVAILABLE; i++) {
		rc = mfa_cli_find(entry, &diag, cli, cli->operand[i]);
		if (rc == MFA_OK) {
			(void)visit(cli, cli->operand[i], entry, count);
			mfa_entry_clear(entry);
		} else {
			cli->failed++;
			mfa_cli_warn("%s: %s", cli->operand[i], diag.text);
		}
	}
	mfa_cli_entry_free(&entry);
	return rc == MFA_ERR_UNAVAILABLE ? rc : MFA_OK;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	uint64_t count = 0;
	char what[64];
	enum mfa_rc rc;

	mfa_cli_warn_if_readable(STDOUT_FILENO, "secrets");
	if (!is_meant(cli)) {
		mfa_cli_warn("nothing was exported");
		return MFA_CLI_REFUSED;
	}
	mfa_cli_warn("audit: this run exports secrets in clear, and writes an event per user");
	rc = export_users(cli, &count);
	(void)snprintf(what, sizeof(what), "exported %llu secrets in clear",
		       (unsigned long long)count);
	mfa_cli_warn("%s", what);
	return rc == MFA_OK ? mfa_cli_tally_exit(cli) : mfa_cli_exit_of(rc);
}

static struct mfa_cli_option const options[] = {MFA_CLI_OPTION_END};

struct mfa_cli_command const mfa_cli_export = {
	.name = "export",
	.event = MFA_EVENT_EXPORTED,
	.operands = "[USER...]",
	.summary = "Write secrets in clear as otpauth URIs, for moving away",
	.operands_max = -1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
