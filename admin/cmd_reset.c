/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"

#include "core/record.h"

/** What belongs to a device is of no use without it */
static enum mfa_attr const device_attrs[] = {MFA_ATTR_SECRET, MFA_ATTR_RECOVERY_CODE,
					     MFA_ATTR_TRUSTED_DEVICE, MFA_ATTR_FAILURES};

/* A last use that can be read stays: it keeps a code of a moment ago from being used again. */
static bool use_is_bad(struct mfa_entry const *entry)
{
	struct mfa_last_use use;

	return mfa_entry_count(entry, MFA_ATTR_LAST_USE) > 0 &&
	       mfa_last_use_parse(&use, mfa_entry_get(entry, MFA_ATTR_LAST_USE, 0)) != MFA_OK;
}

static enum mfa_cli_outcome decide(struct mfa_cli_edit *edit)
{
	for (size_t i = 0; i < sizeof(device_attrs) / sizeof(device_attrs[0]); i++) {
		if (mfa_entry_count(edit->entry, device_attrs[i]) > 0)
			mfa_change_clear(&edit->change, device_attrs[i]);
	}
	if (use_is_bad(edit->entry)) mfa_change_clear(&edit->change, MFA_ATTR_LAST_USE);
	if (edit->change.count == 0) {
		mfa_diag_set(&edit->text, "there is no device");
		return MFA_CLI_UNCHANGED;
	}
	/* A phone that was enrolled a moment ago is not the one that was lost. */
	if (edit->secrets <= MFA_SECRETS_MAX)
		mfa_change_assert(&edit->change, edit->entry, MFA_ATTR_SECRET);
	mfa_diag_set(&edit->text, "%zu device%s forgotten", edit->secrets,
		     edit->secrets == 1 ? "" : "s");
	return MFA_CLI_CHANGED;
}

struct mfa_cli_command const mfa_cli_reset = {
	.name = "reset",
	.operands = "[USER...]",
	.summary = "Forget the devices of users who lost them; they have to enrol again",
	.operands_max = -1,
	.takes_users = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.option = mfa_cli_edit_options,
	.run = mfa_cli_edit_command,
	.decide = decide,
};
