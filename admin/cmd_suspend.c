/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"

static enum mfa_cli_outcome decide(struct mfa_cli_edit *edit)
{
	bool const required = edit->required_bad || (edit->required_from_s >= 0 &&
						     edit->required_from_s <= edit->cli->now_s);

	if (required) {
		mfa_diag_set(&edit->text, "codes are required: 'require --remove' comes first");
		return MFA_CLI_NOT_ALLOWED;
	}
	if (!edit->flag && !edit->flag_bad) {
		mfa_diag_set(&edit->text, edit->secrets ? "suspended already" : "off already");
		return MFA_CLI_UNCHANGED;
	}
	mfa_cli_change_flag(edit, false);
	mfa_change_assert(&edit->change, edit->entry, MFA_ATTR_REQUIRED_FROM);
	/* Without a device it was an invitation, which is withdrawn with its voucher. */
	if (edit->secrets == 0) mfa_cli_change_remove(edit, MFA_ATTR_VOUCHER);
	mfa_diag_set(&edit->text, edit->secrets ? "suspended" : "invitation withdrawn");
	return MFA_CLI_CHANGED;
}

struct mfa_cli_command const mfa_cli_suspend = {
	.name = "suspend",
	.operands = "[USER...]",
	.summary = "Turn codes off for a while; devices are kept",
	.operands_max = -1,
	.takes_users = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.option = mfa_cli_edit_options,
	.run = mfa_cli_edit_command,
	.decide = decide,
};
