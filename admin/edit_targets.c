/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/edit.h"
#include "admin/output.h"
#include "admin/targets.h"

static void say_missing(struct mfa_cli *cli, char const *user, struct mfa_diag const *diag)
{
	mfa_cli_edit_row(cli, user, (struct mfa_bytes){0}, MFA_OUTCOME_FAILED, diag->text, NULL);
}

static bool edit_visited(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	if (mfa_cli_is_read(cli)) (void)mfa_cli_edit_run(cli, uctx, user, entry);
	return !mfa_cli_must_stop(cli);
}

enum mfa_outcome mfa_cli_edit_user(struct mfa_cli *cli, struct mfa_cli_work const *work,
				   char const *user)
{
	struct mfa_entry *entry = mfa_cli_entry_alloc();
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_outcome outcome = MFA_OUTCOME_FAILED;
	enum mfa_rc rc = entry ? mfa_cli_find(entry, &diag, cli, user) : MFA_ERR_NOMEM;

	if (rc == MFA_OK) {
		outcome = mfa_cli_edit_run(cli, work, user, entry);
	} else {
		cli->unavailable |= rc == MFA_ERR_UNAVAILABLE;
		say_missing(cli, user, &diag);
	}
	mfa_cli_entry_free(&entry);
	return outcome;
}

enum mfa_cli_exit mfa_cli_edit_targets(struct mfa_cli *cli, struct mfa_cli_work const *work)
{
	struct mfa_cli_work copy = *work;
	struct mfa_cli_visitor const visitor = {
		.visit = edit_visited, .missing = say_missing, .uctx = &copy, .what = "entries"};
	struct mfa_cli_targets targets;
	enum mfa_cli_exit status = mfa_cli_targets_read(&targets, cli);

	if (status == MFA_CLI_DONE) status = mfa_cli_targets_confirm(&targets, cli);
	if (status == MFA_CLI_DONE && work->title && !cli->args.dry_run &&
	    !mfa_cli_can_show(cli, work->title))
		status = MFA_CLI_REFUSED;
	if (status == MFA_CLI_DONE) {
		bool const several = targets.filter || targets.count > 1 || cli->args.users_file;

		status = mfa_cli_targets_visit(&targets, cli, &visitor);
		if (cli->unavailable)
			mfa_cli_warn("the directory does not answer; entries not named above are "
				     "untouched");
		if (several && !cli->mute) mfa_cli_edit_summary(cli);
	}
	mfa_cli_targets_free(&targets);
	return status != MFA_CLI_DONE ? status : mfa_cli_tally_exit(cli);
}

enum mfa_cli_exit mfa_cli_edit_command(struct mfa_cli *cli)
{
	struct mfa_cli_work const work = {.decide = cli->command->decide};

	return mfa_cli_edit_targets(cli, &work);
}

struct mfa_cli_option const mfa_cli_edit_options[] = {
	MFA_CLI_OPTION_USERS, MFA_CLI_OPTION_USERS_FILE, MFA_CLI_OPTION_GROUP,
	MFA_CLI_OPTION_YES,   MFA_CLI_OPTION_DRY_RUN,	 MFA_CLI_OPTION_END,
};
