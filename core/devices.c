/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/devices.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

static enum mfa_outcome end(struct mfa_enrollment const *enrollment, enum mfa_outcome outcome,
			    char const *text)
{
	mfa_diag_say(enrollment->text, text);
	return outcome;
}

/* ---- a device's first code */

/** The second at or before which all codes of this device count as used; -1: none */
static int64_t used_until(struct mfa_enrollment const *enrollment, uint32_t period_s)
{
	struct mfa_bytes const value = mfa_entry_get(enrollment->entry, MFA_ATTR_LAST_USE, 0);
	struct mfa_last_use use;
	uint32_t known_s;

	if (!value.data || mfa_last_use_parse(&use, value) != MFA_OK) return -1;
	known_s = mfa_last_use_period_s(&use);
	return use.step * (known_s > 0 ? known_s : period_s);
}

static bool is_locked(struct mfa_proof *proof, struct mfa_enrollment const *enrollment,
		      struct mfa_policy const *policy)
{
	struct mfa_bytes const value = mfa_entry_get(enrollment->entry, MFA_ATTR_FAILURES, 0);
	struct mfa_failures failures;

	if (enrollment->secrets == 0 || !value.data) return false;
	if (mfa_failures_parse(&failures, value) != MFA_OK) return false;
	proof->wait_s = mfa_lock_wait_s(&failures, policy, enrollment->now_s);
	return proof->wait_s > 0;
}

void mfa_devices_prove(struct mfa_proof *proof, struct mfa_enrollment const *enrollment,
		       struct mfa_policy const *policy, struct mfa_totp const *totp,
		       struct mfa_code const *code)
{
	struct mfa_totp_window const window = {.steps = policy->window,
					       .not_after = used_until(enrollment, totp->period_s)};
	struct mfa_totp_match match;

	*proof = (struct mfa_proof){.result = MFA_RESULT_REJECTED, .step = -1};
	mfa_diag_say(&proof->reason, "wrong code");
	if (is_locked(proof, enrollment, policy)) {
		proof->result = MFA_RESULT_LOCKED;
		mfa_diag_say(&proof->reason, "locked after wrong codes");
	} else if (mfa_totp_match(&match, totp, &window, code, enrollment->now_s) != MFA_OK) {
		mfa_diag_say(&proof->reason, "TOTP could not be computed");
	} else if (match.fresh) {
		proof->result = MFA_RESULT_ACCEPTED;
		proof->step = match.step;
		mfa_diag_say(&proof->reason, "code accepted");
	} else if (match.used) {
		proof->result = MFA_RESULT_REPLAYED;
		mfa_diag_say(&proof->reason, "code was used before");
	}
}

/* ---- devices */

/** What is there already */
struct present {
	bool same; //!< This very secret.
	char names[MFA_SECRETS_MAX][MFA_TOTP_NAME_MAX + 1];
	size_t count;
	size_t readable;
};

static bool is_same(struct mfa_totp const *a, struct mfa_totp const *b)
{
	return a->hash == b->hash && a->digits == b->digits && a->period_s == b->period_s &&
	       mfa_bytes_equal((struct mfa_bytes){a->key, a->key_len},
			       (struct mfa_bytes){b->key, b->key_len});
}

static void look_at_devices(struct present *present, struct mfa_enrollment const *enrollment,
			    struct mfa_totp const *wanted)
{
	memset(present, 0, sizeof(*present));
	for (size_t i = 0; i < enrollment->secrets && i < MFA_SECRETS_MAX; i++) {
		struct mfa_totp totp;

		if (mfa_secret_parse(&totp, NULL, enrollment->ring, enrollment->entry->id,
				     mfa_entry_get(enrollment->entry, MFA_ATTR_SECRET, i)) !=
		    MFA_OK) {
			continue;
		}
		present->readable++;
		present->same |= wanted && is_same(&totp, wanted);
		memcpy(present->names[present->count++], totp.name, sizeof(totp.name));
		OPENSSL_cleanse(&totp, sizeof(totp));
	}
}

static bool is_taken(struct present const *present, char const *name)
{
	if (name[0] == '\0') return false;
	for (size_t i = 0; i < present->count; i++) {
		if (strcmp(present->names[i], name) == 0) return true;
	}
	return false;
}

/** "device 1", or "NAME 2", or the next number that is free; a long name keeps its beginning */
static void choose_name(struct mfa_totp *totp, struct present const *present)
{
	char base[MFA_TOTP_NAME_MAX - 3];
	size_t len = strnlen(totp->name, sizeof(base) - 1);

	/* Never within a character of UTF-8. */
	while (len > 0 && ((uint8_t)totp->name[len] & 0xc0u) == 0x80u) len--;
	memcpy(base, totp->name, len);
	base[len] = '\0';
	for (unsigned n = len > 0 ? 2 : 1; n < 100; n++) {
		(void)snprintf(totp->name, sizeof(totp->name), "%s %u", len > 0 ? base : "device",
			       n);
		if (!is_taken(present, totp->name)) return;
	}
}

/** Why it may not be added; MFA_OUTCOME_CHANGED when it may */
static enum mfa_outcome check_device(struct mfa_enrollment const *enrollment,
				     struct mfa_new_device const *device,
				     struct present const *present)
{
	if (present->same)
		return end(enrollment, MFA_OUTCOME_UNCHANGED, "this device is there already");
	if (enrollment->flag_bad || enrollment->required_bad)
		return end(enrollment, MFA_OUTCOME_REFUSED,
			   "the record is broken: flag or date cannot be read");
	if (enrollment->secrets > 0 && !enrollment->flag && !device->suspended &&
	    !mfa_enrollment_is_required(enrollment)) {
		return end(enrollment, MFA_OUTCOME_REFUSED,
			   "is suspended: resume, or reset it first");
	}
	return MFA_OUTCOME_CHANGED;
}

/** Whether it fits beside those that are there */
static enum mfa_outcome check_room(struct mfa_enrollment const *enrollment,
				   struct mfa_new_device const *device,
				   struct present const *present)
{
	if (enrollment->secrets >= MFA_SECRETS_MAX) {
		mfa_diag_set(enrollment->text, "has %zu devices, more are not allowed",
			     enrollment->secrets);
	} else if (!device->number_name && is_taken(present, device->totp.name)) {
		mfa_diag_set(enrollment->text, "has a device '%s' already", device->totp.name);
	} else {
		return MFA_OUTCOME_CHANGED;
	}
	return MFA_OUTCOME_REFUSED;
}

/** The code that proved the device must not log anybody in */
static void use_up(struct mfa_enrollment *enrollment, struct mfa_new_device const *device)
{
	uint32_t const period_s = device->totp.period_s;
	struct mfa_last_use use = {
		.present = true, .step = device->used_step, .time_s = enrollment->now_s};
	char text[MFA_LAST_USE_SIZE];

	if (device->used_step < 0) return;
	if (used_until(enrollment, period_s) < use.step * period_s) {
		(void)snprintf(use.nonce, sizeof(use.nonce), "%s", device->nonce);
		mfa_last_use_format(text, &use);
		mfa_change_swap(enrollment->change, enrollment->entry, MFA_ATTR_LAST_USE, text);
	}
	mfa_change_assert(enrollment->change, enrollment->entry, MFA_ATTR_LAST_USE);
}

/** Write the device, and what goes with it */
static enum mfa_outcome write_device(struct mfa_enrollment *enrollment,
				     struct mfa_new_device const *device,
				     struct mfa_totp const *totp)
{
	bool const turn_on = !device->suspended && !enrollment->flag;
	char value[MFA_SECRET_SIZE];

	if (mfa_secret_format(value, totp, enrollment->ring, enrollment->entry->id) != MFA_OK)
		return end(enrollment, MFA_OUTCOME_FAILED, "the secret could not be sealed");
	use_up(enrollment, device);
	if (turn_on) {
		mfa_enrollment_set_flag(enrollment, true);
	} else {
		mfa_enrollment_add_class(enrollment);
		mfa_change_assert(enrollment->change, enrollment->entry, MFA_ATTR_ENABLED);
	}
	mfa_change_add(enrollment->change, MFA_ATTR_SECRET, value);
	mfa_change_swap(enrollment->change, enrollment->entry, MFA_ATTR_VOUCHER, NULL);
	mfa_change_assert(enrollment->change, enrollment->entry, MFA_ATTR_SECRET);
	mfa_diag_set(enrollment->text, "device '%s' added%s", totp->name,
		     device->suspended && !enrollment->flag ? ", suspended" : "");
	return MFA_OUTCOME_CHANGED;
}

/** Remove what is left of devices, value by value where there are not too many: it can be undone */
static void remove_leftovers(struct mfa_enrollment *enrollment)
{
	static enum mfa_attr const attrs[] = {MFA_ATTR_RECOVERY_CODE, MFA_ATTR_TRUSTED_DEVICE,
					      MFA_ATTR_FAILURES};

	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		size_t const count = mfa_entry_count(enrollment->entry, attrs[i]);

		if (count > MFA_DEVICES_MAX) mfa_change_clear(enrollment->change, attrs[i]);
		for (size_t n = 0; n < count && count <= MFA_DEVICES_MAX; n++)
			mfa_change_delete(enrollment->change, attrs[i],
					  mfa_entry_get(enrollment->entry, attrs[i], n));
	}
}

enum mfa_outcome mfa_devices_add(struct mfa_enrollment *enrollment,
				 struct mfa_new_device const *device)
{
	struct mfa_totp totp = device->totp;
	struct present present;
	enum mfa_outcome outcome;

	look_at_devices(&present, enrollment, &totp);
	outcome = check_device(enrollment, device, &present);
	if (outcome == MFA_OUTCOME_CHANGED) outcome = check_room(enrollment, device, &present);
	if (outcome == MFA_OUTCOME_CHANGED) {
		if (totp.name[0] == '\0' || is_taken(&present, totp.name))
			choose_name(&totp, &present);
		if (totp.added_s == 0) totp.added_s = enrollment->now_s;
		if (enrollment->secrets == 0) remove_leftovers(enrollment);
		if (enrollment->secrets == 0 && device->used_step < 0)
			mfa_enrollment_clear_bad_use(enrollment);
		outcome = write_device(enrollment, device, &totp);
	}
	OPENSSL_cleanse(&totp, sizeof(totp));
	return outcome;
}

enum mfa_outcome mfa_devices_replace(struct mfa_enrollment *enrollment,
				     struct mfa_new_device const *device)
{
	struct mfa_totp totp = device->totp;
	struct present present, none = {0};
	enum mfa_outcome outcome;

	look_at_devices(&present, enrollment, &totp);
	outcome = check_device(enrollment, device, &present);
	if (outcome == MFA_OUTCOME_CHANGED) {
		for (size_t i = 0; i < enrollment->secrets; i++)
			mfa_change_delete(enrollment->change, MFA_ATTR_SECRET,
					  mfa_entry_get(enrollment->entry, MFA_ATTR_SECRET, i));
		mfa_change_clear(enrollment->change, MFA_ATTR_TRUSTED_DEVICE);
		mfa_change_clear(enrollment->change, MFA_ATTR_FAILURES);
		if (totp.name[0] == '\0') choose_name(&totp, &none);
		if (totp.added_s == 0) totp.added_s = enrollment->now_s;
		outcome = write_device(enrollment, device, &totp);
	}
	OPENSSL_cleanse(&totp, sizeof(totp));
	return outcome;
}

enum mfa_outcome mfa_devices_remove(struct mfa_enrollment *enrollment, struct mfa_bytes value)
{
	struct mfa_totp totp;
	struct present present;
	bool there = false, readable;

	for (size_t i = 0; i < enrollment->secrets; i++)
		there |= mfa_bytes_equal(mfa_entry_get(enrollment->entry, MFA_ATTR_SECRET, i),
					 value);
	if (!there) return end(enrollment, MFA_OUTCOME_UNCHANGED, "there is no such device");
	look_at_devices(&present, enrollment, NULL);
	readable = mfa_secret_parse(&totp, NULL, enrollment->ring, enrollment->entry->id, value) ==
		   MFA_OK;
	OPENSSL_cleanse(&totp, sizeof(totp));
	if (readable && present.readable < 2)
		return end(enrollment, MFA_OUTCOME_REFUSED,
			   "is the last device: turn MFA off, or reset it");
	mfa_change_delete(enrollment->change, MFA_ATTR_SECRET, value);
	mfa_change_assert(enrollment->change, enrollment->entry, MFA_ATTR_SECRET);
	return end(enrollment, MFA_OUTCOME_CHANGED, "device removed");
}
