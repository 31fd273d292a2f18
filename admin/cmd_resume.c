/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"

static enum mfa_outcome decide(struct mfa_cli_edit *edit)
{
	return mfa_enrollment_resume(&edit->record);
}

struct mfa_cli_command const mfa_cli_resume = {
	.name = "resume",
	.event = MFA_EVENT_RESUMED,
	.operands = "[USER...]",
	.summary = "Ask for codes again, after suspend",
	.operands_max = -1,
	.takes_users = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = mfa_cli_edit_options,
	.run = mfa_cli_edit_command,
	.decide = decide,
};
