/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"

static enum mfa_outcome decide(struct mfa_cli_edit *edit)
{
	return mfa_enrollment_unlock(&edit->record);
}

struct mfa_cli_command const mfa_cli_unlock = {
	.name = "unlock",
	.event = MFA_EVENT_UNLOCKED,
	.operands = "[USER...]",
	.summary = "Forget wrong codes",
	.operands_max = -1,
	.takes_users = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_ATTR_BIT(MFA_ATTR_FAILURES),
	.option = mfa_cli_edit_options,
	.run = mfa_cli_edit_command,
	.decide = decide,
};
