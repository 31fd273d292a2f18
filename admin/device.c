/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/device.h"

#include "core/devices.h"
#include "core/secret.h"

#include <openssl/crypto.h>

#include <string.h>

static bool has_name(struct mfa_cli_edit const *edit, size_t at, char const *name)
{
	struct mfa_totp totp;
	bool same;

	same = mfa_secret_parse(&totp, NULL, &edit->cli->ring, edit->entry->id,
				mfa_entry_get(edit->entry, MFA_ATTR_SECRET, at)) == MFA_OK &&
	       strcmp(totp.name, name) == 0;
	OPENSSL_cleanse(&totp, sizeof(totp));
	return same;
}

bool mfa_cli_device_find(size_t *at, struct mfa_cli_edit *edit, char const *name)
{
	size_t found = 0;
	int64_t number;

	for (size_t i = 0; i < edit->record.secrets; i++) {
		if (!has_name(edit, i, name)) continue;
		*at = i;
		found++;
	}
	if (found == 0 && mfa_text_number(&number, mfa_bytes_of(name), INT32_MAX) == MFA_OK &&
	    number >= 1 && (size_t)number <= edit->record.secrets) {
		*at = (size_t)number - 1;
		found = 1;
	}
	if (found == 1) return true;
	mfa_diag_set(
		&edit->text,
		found ? "several devices are called '%s': give the number that 'device list' shows"
		      : "has no device '%s'",
		name);
	return false;
}

enum mfa_outcome mfa_cli_device_remove(struct mfa_cli_edit *edit, size_t at)
{
	enum mfa_outcome const outcome =
		mfa_devices_remove(&edit->record, mfa_entry_get(edit->entry, MFA_ATTR_SECRET, at));

	if (outcome == MFA_OUTCOME_CHANGED) {
		(void)mfa_enrollment_forget(&edit->record, (struct mfa_bytes){0});
		mfa_diag_set(&edit->text,
			     "the device is removed, and remembered devices are forgotten");
	}
	return outcome;
}
