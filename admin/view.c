/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/view.h"

#include "admin/output.h"
#include "core/hashed.h"

#include <openssl/crypto.h>

#include <string.h>

char const *mfa_cli_state_words(enum mfa_state state)
{
	switch (state) {
	case MFA_STATE_OFF: return "the password alone";
	case MFA_STATE_SUSPENDED: return "the password alone, though a device is there";
	case MFA_STATE_ENROLLED: return "a code is asked for at login";
	case MFA_STATE_INVITED: return "has to enrol; the flag is set and no device is there";
	case MFA_STATE_OVERDUE: return "has to enrol; required, and no device is there";
	case MFA_STATE_BROKEN:
	case MFA_STATE_COUNT: break;
	}
	return "cannot be understood; every login is refused";
}

static void take_devices(struct mfa_cli_view *view, struct mfa_cli const *cli)
{
	struct mfa_entry const *entry = view->entry;
	size_t const count = mfa_entry_count(entry, MFA_ATTR_SECRET);

	for (size_t i = 0; i < count && i < MFA_SECRETS_MAX; i++) {
		struct mfa_cli_device *device = &view->device[view->device_count++];
		struct mfa_bytes const value = mfa_entry_get(entry, MFA_ATTR_SECRET, i);

		device->key_id = mfa_secret_key_id(value);
		device->readable = mfa_secret_parse(&device->totp, &device->diag, &cli->ring,
						    entry->id, value) == MFA_OK;
	}
}

static void take_use(struct mfa_cli_view *view, struct mfa_cli const *cli)
{
	struct mfa_entry const *entry = view->entry;

	if (mfa_entry_count(entry, MFA_ATTR_LAST_USE) > 0) {
		view->last_use_bad =
			mfa_last_use_parse(&view->last_use,
					   mfa_entry_get(entry, MFA_ATTR_LAST_USE, 0)) != MFA_OK;
	}
	if (mfa_entry_count(entry, MFA_ATTR_FAILURES) > 0) {
		view->failures_bad =
			mfa_failures_parse(&view->failures,
					   mfa_entry_get(entry, MFA_ATTR_FAILURES, 0)) != MFA_OK;
	}
	view->last_use_period_s = mfa_last_use_period_s(&view->last_use);
	if (view->last_use_period_s > 0) {
		view->drift = view->last_use.step - view->last_use.time_s / view->last_use_period_s;
	}
	view->locked_s = mfa_lock_wait_s(&view->failures, &cli->policy, cli->now_s);
}

/** The expiry behind a voucher's hash */
static int64_t voucher_until(struct mfa_entry const *entry)
{
	struct mfa_bytes rest = mfa_entry_get(entry, MFA_ATTR_VOUCHER, 0), word;
	int64_t until_s;

	if (!rest.data || !mfa_text_word(&word, &rest) || !mfa_text_word(&word, &rest) ||
	    mfa_text_number(&until_s, word, INT64_MAX) != MFA_OK) {
		return -1;
	}
	return until_s;
}

void mfa_cli_view_make(struct mfa_cli_view *view, struct mfa_cli const *cli,
		       struct mfa_entry const *entry)
{
	struct mfa_record record;

	memset(view, 0, sizeof(*view));
	view->entry = entry;
	mfa_record_parse(&record, &view->diag, entry, &cli->ring, false, cli->now_s);
	view->state = record.state;
	view->flag = record.enabled;
	view->required_from_s = record.required_from_s;
	if (mfa_entry_count(entry, MFA_ATTR_REQUIRED_FROM) == 0) view->required_from_s = -1;
	mfa_record_clear(&record);
	take_devices(view, cli);
	take_use(view, cli);
	view->recovery_count = mfa_entry_count(entry, MFA_ATTR_RECOVERY_CODE);
	view->trusted_count = mfa_entry_count(entry, MFA_ATTR_TRUSTED_DEVICE);
	view->voucher_until_s = voucher_until(entry);
}

void mfa_cli_view_clear(struct mfa_cli_view *view)
{
	OPENSSL_cleanse(view, sizeof(*view));
}

int64_t mfa_cli_view_since_s(struct mfa_cli_view const *view)
{
	int64_t since_s = -1;

	for (size_t i = 0; i < view->device_count; i++) {
		int64_t const added_s = view->device[i].totp.added_s;

		if (added_s > 0 && (since_s < 0 || added_s < since_s)) since_s = added_s;
	}
	return since_s;
}

static json_t *device_json(struct mfa_cli_device const *device)
{
	json_t *object = json_object();

	(void)json_object_set_new(object, "key_id",
				  device->key_id.len ? mfa_cli_json_text(device->key_id)
						     : json_null());
	(void)json_object_set_new(object, "readable", json_boolean(device->readable));
	if (!device->readable) {
		(void)json_object_set_new(object, "problem", json_string(device->diag.text));
		return object;
	}
	(void)json_object_set_new(object, "name",
				  mfa_cli_json_text(mfa_bytes_of(device->totp.name)));
	(void)json_object_set_new(object, "algorithm",
				  json_string(mfa_totp_hash_name(device->totp.hash)));
	(void)json_object_set_new(object, "digits", json_integer(device->totp.digits));
	(void)json_object_set_new(object, "period_s", json_integer(device->totp.period_s));
	(void)json_object_set_new(
		object, "added",
		mfa_cli_json_time(device->totp.added_s > 0 ? device->totp.added_s : -1));
	return object;
}

static json_t *failures_json(struct mfa_cli_view const *view)
{
	json_t *object = json_object();

	(void)json_object_set_new(object, "count", json_integer(view->failures.count));
	(void)json_object_set_new(
		object, "last",
		mfa_cli_json_time(view->failures.present ? view->failures.time_s : -1));
	(void)json_object_set_new(object, "locked", json_boolean(view->locked_s > 0));
	(void)json_object_set_new(object, "locked_s",
				  view->locked_s == MFA_WAIT_FOREVER
					  ? json_null()
					  : json_integer((json_int_t)view->locked_s));
	return object;
}

static json_t *last_use_json(struct mfa_cli_view const *view)
{
	json_t *object;

	if (!view->last_use.present) return json_null();
	object = json_object();
	(void)json_object_set_new(object, "time", mfa_cli_json_time(view->last_use.time_s));
	(void)json_object_set_new(object, "drift_steps",
				  view->last_use_period_s ? json_integer(view->drift)
							  : json_null());
	return object;
}

json_t *mfa_cli_view_json(struct mfa_cli_view const *view, char const *user)
{
	json_t *object = json_object(), *devices = json_array();

	for (size_t i = 0; i < view->device_count; i++)
		(void)json_array_append_new(devices, device_json(&view->device[i]));
	(void)json_object_set_new(object, "user", mfa_cli_json_text(mfa_bytes_of(user)));
	(void)json_object_set_new(object, "dn", mfa_cli_json_text(view->entry->dn));
	(void)json_object_set_new(object, "state", json_string(mfa_state_name(view->state)));
	(void)json_object_set_new(object, "problem",
				  view->diag.text[0]
					  ? mfa_cli_json_text(mfa_bytes_of(view->diag.text))
					  : json_null());
	(void)json_object_set_new(object, "enabled", json_boolean(view->flag));
	(void)json_object_set_new(object, "required_from",
				  mfa_cli_json_time(view->required_from_s));
	(void)json_object_set_new(object, "since", mfa_cli_json_time(mfa_cli_view_since_s(view)));
	(void)json_object_set_new(object, "devices", devices);
	(void)json_object_set_new(object, "last_use", last_use_json(view));
	(void)json_object_set_new(object, "failures", failures_json(view));
	(void)json_object_set_new(object, "recovery_codes",
				  json_integer((json_int_t)view->recovery_count));
	(void)json_object_set_new(object, "trusted_devices",
				  json_integer((json_int_t)view->trusted_count));
	(void)json_object_set_new(object, "voucher_until",
				  mfa_cli_json_time(view->voucher_until_s));
	return object;
}
