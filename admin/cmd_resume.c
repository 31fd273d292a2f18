/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"

static enum mfa_cli_outcome decide(struct mfa_cli_edit *edit)
{
	if (edit->secrets == 0) {
		mfa_diag_set(&edit->text, "has no device: 'invite' or 'enroll' is what you want");
		return MFA_CLI_NOT_ALLOWED;
	}
	if (edit->flag) {
		mfa_diag_set(&edit->text, "enrolled already");
		return MFA_CLI_UNCHANGED;
	}
	mfa_cli_change_flag(edit, true);
	mfa_change_assert(&edit->change, edit->entry, MFA_ATTR_SECRET);
	mfa_diag_set(&edit->text, "resumed");
	return MFA_CLI_CHANGED;
}

struct mfa_cli_command const mfa_cli_resume = {
	.name = "resume",
	.operands = "[USER...]",
	.summary = "Ask for codes again, after suspend",
	.operands_max = -1,
	.takes_users = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.option = mfa_cli_edit_options,
	.run = mfa_cli_edit_command,
	.decide = decide,
};
