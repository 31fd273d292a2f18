/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/devices.h"

enum mfa_rc mfa_device_token(char token[static MFA_TOKEN_SIZE], struct mfa_web const *web,
			     struct mfa_bytes value)
{
	return mfa_token_make(token, &web->app->ring,
			      (struct mfa_bytes){web->session.entry, sizeof(web->session.entry)},
			      value);
}

enum mfa_rc mfa_device_find(size_t *index, struct mfa_web const *web, enum mfa_attr attr,
			    char const *token)
{
	struct mfa_entry const *entry = &web->login->entry;
	struct mfa_bytes const id = {web->session.entry, sizeof(web->session.entry)};
	size_t const count = mfa_entry_count(entry, attr);

	*index = 0;
	for (size_t i = 0; i < count; i++) {
		if (!mfa_token_check(&web->app->ring, id, mfa_entry_get(entry, attr, i), token))
			continue;
		*index = i;
		return MFA_OK;
	}
	return MFA_ERR_NOT_FOUND;
}

struct mfa_totp const *mfa_device_totp(struct mfa_web const *web, size_t index)
{
	struct mfa_record const *record = &web->login->record;

	for (size_t i = 0; i < record->secret_count; i++) {
		if (record->secret_index[i] == index) return &record->secret[i];
	}
	return NULL;
}

char const *mfa_device_name(struct mfa_totp const *totp)
{
	if (!totp) return _("A device that cannot be read");
	return totp->name[0] != '\0' ? totp->name : _("Device without a name");
}
