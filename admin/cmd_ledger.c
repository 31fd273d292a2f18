/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"
#include "admin/output.h"

#include <string.h>

static bool is_in_step(struct mfa_entry const *entry, enum mfa_attr attr, unsigned n)
{
	return mfa_bytes_equal(mfa_entry_get(entry, attr, 0), entry->in_directory[n]);
}

/** Write a value again as it is: then it is written wherever it is not */
static void write_again(struct mfa_cli_edit *edit, enum mfa_attr attr)
{
	struct mfa_bytes const value = mfa_entry_get(edit->entry, attr, 0);
	char text[MFA_LAST_USE_SIZE];

	if (value.len == 0 || value.len >= sizeof(text)) return;
	memcpy(text, value.data, value.len);
	text[value.len] = '\0';
	mfa_change_swap(&edit->change, edit->entry, attr, text);
}

static enum mfa_outcome decide(struct mfa_cli_edit *edit)
{
	if (is_in_step(edit->entry, MFA_ATTR_LAST_USE, 0) &&
	    is_in_step(edit->entry, MFA_ATTR_FAILURES, 1)) {
		return MFA_OUTCOME_UNCHANGED;
	}
	write_again(edit, MFA_ATTR_LAST_USE);
	write_again(edit, MFA_ATTR_FAILURES);
	/* What a right code cleared in etcd is cleared in the directory too. */
	if (edit->change.count == 0) mfa_change_clear(&edit->change, MFA_ATTR_FAILURES);
	mfa_diag_say(&edit->text, "brought from etcd to the directory");
	return MFA_OUTCOME_CHANGED;
}

static bool visit(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	(void)mfa_cli_edit_run(cli, uctx, user, entry);
	return !cli->unavailable && !mfa_cli_must_stop(cli);
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct mfa_cli_work work = {.decide = decide, .only_problems = true};
	struct mfa_cli_visitor const all = {
		.visit = visit, .uctx = &work, .what = "entries looked at"};
	struct mfa_diag diag = {.text = ""};
	enum mfa_rc rc;

	if (strcmp(cli->operand[0], "move") != 0) {
		mfa_cli_warn("say 'ledger move'");
		return MFA_CLI_USAGE;
	}
	if (cli->config.ledger_type != MFA_LEDGER_BOTH) {
		mfa_cli_warn(
			"first set type = \"both\" in section ledger at every server, page and "
			"command, then run this");
		return MFA_CLI_REFUSED;
	}
	rc = mfa_cli_walk(cli, &diag, NULL, &all);
	mfa_cli_edit_summary(cli);
	if (rc != MFA_OK && rc != MFA_ERR_NOT_FOUND) {
		mfa_cli_warn("%s; nothing is lost, run it again", diag.text);
		return mfa_cli_exit_of(rc);
	}
	return mfa_cli_tally_exit(cli);
}

static struct mfa_cli_option const options[] = {MFA_CLI_OPTION_END};

struct mfa_cli_command const mfa_cli_ledger = {
	.name = "ledger",
	.operands = "move",
	.summary = "Make directory and etcd say the same of every user, to go over to one of them",
	.operands_min = 1,
	.operands_max = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
