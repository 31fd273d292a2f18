/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/enrollment.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/** What belongs to a device is of no use without it */
static enum mfa_attr const of_devices[] = {MFA_ATTR_SECRET, MFA_ATTR_RECOVERY_CODE,
					   MFA_ATTR_TRUSTED_DEVICE, MFA_ATTR_FAILURES};

#define OF_DEVICES (sizeof(of_devices) / sizeof(of_devices[0]))

static enum mfa_outcome end(struct mfa_enrollment const *enrollment, enum mfa_outcome outcome,
			    char const *text)
{
	mfa_diag_say(enrollment->text, text);
	return outcome;
}

static bool is_word(struct mfa_bytes value, char const *word)
{
	return value.len == strlen(word) &&
	       strncasecmp((char const *)value.data, word, value.len) == 0;
}

void mfa_enrollment_look(struct mfa_enrollment *enrollment)
{
	struct mfa_entry const *entry = enrollment->entry;
	struct mfa_bytes const flag = mfa_entry_get(entry, MFA_ATTR_ENABLED, 0);
	size_t const flags = mfa_entry_count(entry, MFA_ATTR_ENABLED);

	enrollment->text->text[0] = '\0';
	enrollment->flag = flags == 1 && is_word(flag, "TRUE");
	enrollment->flag_bad = flags > 0 && !enrollment->flag && !is_word(flag, "FALSE");
	enrollment->secrets = mfa_entry_count(entry, MFA_ATTR_SECRET);
	enrollment->required_from_s = -1;
	enrollment->required_bad = false;
	if (mfa_entry_count(entry, MFA_ATTR_REQUIRED_FROM) > 0) {
		enrollment->required_bad =
			mfa_time_parse(&enrollment->required_from_s,
				       mfa_entry_get(entry, MFA_ATTR_REQUIRED_FROM, 0)) != MFA_OK;
	}
}

bool mfa_enrollment_is_required(struct mfa_enrollment const *enrollment)
{
	return enrollment->required || enrollment->required_bad ||
	       (mfa_entry_count(enrollment->entry, MFA_ATTR_REQUIRED_FROM) > 0 &&
		enrollment->required_from_s <= enrollment->now_s);
}

/* ---- pieces of changes */

static void assert_is(struct mfa_enrollment *enrollment, enum mfa_attr attr)
{
	mfa_change_assert(enrollment->change, enrollment->entry, attr);
}

static void swap(struct mfa_enrollment *enrollment, enum mfa_attr attr, char const *value)
{
	mfa_change_swap(enrollment->change, enrollment->entry, attr, value);
}

static void clear(struct mfa_enrollment *enrollment, enum mfa_attr attr)
{
	if (mfa_entry_count(enrollment->entry, attr) > 0)
		mfa_change_clear(enrollment->change, attr);
}

void mfa_enrollment_add_class(struct mfa_enrollment *enrollment)
{
	if (enrollment->use_class && !enrollment->entry->has_class)
		mfa_change_add_class(enrollment->change);
}

void mfa_enrollment_set_flag(struct mfa_enrollment *enrollment, bool flag)
{
	mfa_enrollment_add_class(enrollment);
	swap(enrollment, MFA_ATTR_ENABLED, flag ? "TRUE" : "FALSE");
	assert_is(enrollment, MFA_ATTR_ENABLED);
}

/* A last use that can be read stays: it keeps a code of a moment ago from being used again. */
void mfa_enrollment_clear_bad_use(struct mfa_enrollment *enrollment)
{
	struct mfa_bytes const value = mfa_entry_get(enrollment->entry, MFA_ATTR_LAST_USE, 0);
	struct mfa_last_use use;

	if (value.data && mfa_last_use_parse(&use, value) != MFA_OK)
		clear(enrollment, MFA_ATTR_LAST_USE);
}

static void clear_devices(struct mfa_enrollment *enrollment)
{
	for (size_t i = 0; i < OF_DEVICES; i++) clear(enrollment, of_devices[i]);
}

/* ---- recovery codes, remembered devices, wrong codes */

static bool adds_device(struct mfa_change const *change)
{
	for (size_t i = 0; i < change->count; i++) {
		if (change->list[i].op == MFA_OP_ADD && change->list[i].attr == MFA_ATTR_SECRET)
			return true;
	}
	return false;
}

static enum mfa_rc add_code(struct mfa_enrollment *enrollment, char const *text)
{
	char value[MFA_HASH_SIZE];
	struct mfa_code code;
	enum mfa_rc rc;

	mfa_code_parse(&code,
		       (struct mfa_bytes){(uint8_t const *)text, MFA_RECOVERY_TEXT_SIZE - 1});
	rc = mfa_recovery_format(value, enrollment->ring, enrollment->entry->id, &code);
	mfa_code_clear(&code);
	if (rc == MFA_OK) mfa_change_add(enrollment->change, MFA_ATTR_RECOVERY_CODE, value);
	return rc;
}

enum mfa_outcome mfa_enrollment_codes(struct mfa_enrollment *enrollment, char const *codes)
{
	if (enrollment->secrets == 0 && !adds_device(enrollment->change))
		return end(enrollment, MFA_OUTCOME_REFUSED,
			   "has no device: recovery codes stand in for one");
	mfa_change_clear(enrollment->change, MFA_ATTR_RECOVERY_CODE);
	for (size_t i = 0; i < MFA_RECOVERY_COUNT; i++) {
		if (add_code(enrollment, codes + i * MFA_RECOVERY_TEXT_SIZE) != MFA_OK)
			return end(enrollment, MFA_OUTCOME_FAILED,
				   "a recovery code could not be made");
	}
	/* Codes must not outlive a reset of the devices that they belong to. */
	if (enrollment->secrets > 0) assert_is(enrollment, MFA_ATTR_SECRET);
	mfa_diag_set(enrollment->text, "%u new recovery codes; the old ones are void",
		     MFA_RECOVERY_COUNT);
	return MFA_OUTCOME_CHANGED;
}

enum mfa_outcome mfa_enrollment_forget(struct mfa_enrollment *enrollment, struct mfa_bytes value)
{
	size_t const count = mfa_entry_count(enrollment->entry, MFA_ATTR_TRUSTED_DEVICE);

	if (!value.data) {
		clear(enrollment, MFA_ATTR_TRUSTED_DEVICE);
		return count > 0 ? end(enrollment, MFA_OUTCOME_CHANGED, "forgotten")
				 : end(enrollment, MFA_OUTCOME_UNCHANGED, "nothing is remembered");
	}
	for (size_t i = 0; i < count; i++) {
		if (!mfa_bytes_equal(mfa_entry_get(enrollment->entry, MFA_ATTR_TRUSTED_DEVICE, i),
				     value))
			continue;
		mfa_change_delete(enrollment->change, MFA_ATTR_TRUSTED_DEVICE, value);
		return end(enrollment, MFA_OUTCOME_CHANGED, "forgotten");
	}
	return end(enrollment, MFA_OUTCOME_UNCHANGED, "is not remembered");
}

enum mfa_outcome mfa_enrollment_unlock(struct mfa_enrollment *enrollment)
{
	size_t const count = mfa_entry_count(enrollment->entry, MFA_ATTR_FAILURES);

	if (count == 0) return end(enrollment, MFA_OUTCOME_UNCHANGED, "no wrong codes");
	for (size_t i = 0; i < count; i++)
		mfa_change_delete(enrollment->change, MFA_ATTR_FAILURES,
				  mfa_entry_get(enrollment->entry, MFA_ATTR_FAILURES, i));
	return end(enrollment, MFA_OUTCOME_CHANGED, "unlocked");
}

/* ---- on and off */

enum mfa_outcome mfa_enrollment_turn_off(struct mfa_enrollment *enrollment)
{
	if (mfa_enrollment_is_required(enrollment))
		return end(enrollment, MFA_OUTCOME_REFUSED, "codes are required");
	mfa_enrollment_set_flag(enrollment, false);
	clear_devices(enrollment);
	mfa_enrollment_clear_bad_use(enrollment);
	assert_is(enrollment, MFA_ATTR_REQUIRED_FROM);
	return end(enrollment, MFA_OUTCOME_CHANGED, "turned off");
}

enum mfa_outcome mfa_enrollment_reset(struct mfa_enrollment *enrollment)
{
	size_t const before = enrollment->change->count;

	clear_devices(enrollment);
	mfa_enrollment_clear_bad_use(enrollment);
	if (enrollment->change->count == before)
		return end(enrollment, MFA_OUTCOME_UNCHANGED, "there is no device");
	/* A phone that was enrolled a moment ago is not the one that was lost. */
	if (enrollment->secrets <= MFA_SECRETS_MAX) assert_is(enrollment, MFA_ATTR_SECRET);
	mfa_diag_set(enrollment->text, "%zu device%s forgotten", enrollment->secrets,
		     enrollment->secrets == 1 ? "" : "s");
	return MFA_OUTCOME_CHANGED;
}

enum mfa_outcome mfa_enrollment_suspend(struct mfa_enrollment *enrollment)
{
	if (mfa_enrollment_is_required(enrollment))
		return end(enrollment, MFA_OUTCOME_REFUSED,
			   "codes are required: 'require --remove' comes first");
	if (!enrollment->flag && !enrollment->flag_bad)
		return end(enrollment, MFA_OUTCOME_UNCHANGED,
			   enrollment->secrets ? "suspended already" : "off already");
	mfa_enrollment_set_flag(enrollment, false);
	assert_is(enrollment, MFA_ATTR_REQUIRED_FROM);
	/* Without a device it was an invitation, which is withdrawn with its voucher. */
	if (enrollment->secrets == 0) clear(enrollment, MFA_ATTR_VOUCHER);
	return end(enrollment, MFA_OUTCOME_CHANGED,
		   enrollment->secrets ? "suspended" : "invitation withdrawn");
}

enum mfa_outcome mfa_enrollment_resume(struct mfa_enrollment *enrollment)
{
	if (enrollment->secrets == 0)
		return end(enrollment, MFA_OUTCOME_REFUSED,
			   "has no device: 'invite' or 'enroll' is what you want");
	if (enrollment->flag) return end(enrollment, MFA_OUTCOME_UNCHANGED, "enrolled already");
	mfa_enrollment_set_flag(enrollment, true);
	assert_is(enrollment, MFA_ATTR_SECRET);
	return end(enrollment, MFA_OUTCOME_CHANGED, "resumed");
}

/** Write a voucher's value in place of an old one */
static enum mfa_rc add_voucher(struct mfa_enrollment *enrollment, char const *voucher,
			       int64_t expires_s)
{
	char value[MFA_VOUCHER_SIZE];
	struct mfa_code code;
	enum mfa_rc rc;

	mfa_code_parse(&code, mfa_bytes_of(voucher));
	rc = mfa_voucher_format(value, enrollment->ring, enrollment->entry->id, &code, expires_s);
	mfa_code_clear(&code);
	if (rc == MFA_OK) swap(enrollment, MFA_ATTR_VOUCHER, value);
	return rc;
}

enum mfa_outcome mfa_enrollment_invite(struct mfa_enrollment *enrollment, char const *voucher,
				       int64_t expires_s)
{
	if (enrollment->flag_bad)
		return end(enrollment, MFA_OUTCOME_REFUSED,
			   "the flag is not TRUE or FALSE; correct it by hand");
	if (enrollment->secrets > 0)
		return end(enrollment,
			   enrollment->flag && !voucher ? MFA_OUTCOME_UNCHANGED
							: MFA_OUTCOME_REFUSED,
			   enrollment->flag ? "enrolled already"
					    : "has a device: resume, or reset it first");
	if (enrollment->flag && !voucher)
		return end(enrollment, MFA_OUTCOME_UNCHANGED, "invited already");
	if (!enrollment->flag) mfa_enrollment_set_flag(enrollment, true);
	assert_is(enrollment, MFA_ATTR_SECRET);
	if (voucher && add_voucher(enrollment, voucher, expires_s) != MFA_OK)
		return end(enrollment, MFA_OUTCOME_FAILED, "a voucher could not be made");
	return end(enrollment, MFA_OUTCOME_CHANGED, "invited");
}

/** "required from 2026-12-01T00:00:00Z", as people read it */
static void say_required(struct mfa_enrollment const *enrollment, char const *what, int64_t from_s,
			 char const *more)
{
	char raw[MFA_TIME_SIZE] = "";

	if (mfa_time_format(raw, from_s) != MFA_OK) memset(raw, 0, sizeof(raw));
	mfa_diag_set(enrollment->text, "%s %.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ%s", what, raw, raw + 4,
		     raw + 6, raw + 8, raw + 10, raw + 12, more);
}

enum mfa_outcome mfa_enrollment_require(struct mfa_enrollment *enrollment, int64_t from_s,
					bool exactly)
{
	int64_t const old_s = enrollment->required_bad ? -1 : enrollment->required_from_s;
	char const *more = enrollment->secrets ? "" : "; has no device yet";
	char value[MFA_TIME_SIZE];

	if (old_s == from_s || (old_s >= 0 && !exactly && old_s <= from_s)) {
		say_required(enrollment, "required already, from", old_s, "");
		return MFA_OUTCOME_UNCHANGED;
	}
	if (mfa_time_format(value, from_s) != MFA_OK)
		return end(enrollment, MFA_OUTCOME_FAILED, "the date cannot be written");
	mfa_enrollment_add_class(enrollment);
	swap(enrollment, MFA_ATTR_REQUIRED_FROM, value);
	assert_is(enrollment, MFA_ATTR_REQUIRED_FROM);
	if (from_s == 0) {
		mfa_diag_set(enrollment->text, "required until that is removed%s", more);
	} else {
		say_required(enrollment, "required from", from_s, more);
	}
	return MFA_OUTCOME_CHANGED;
}

enum mfa_outcome mfa_enrollment_unrequire(struct mfa_enrollment *enrollment)
{
	size_t const count = mfa_entry_count(enrollment->entry, MFA_ATTR_REQUIRED_FROM);

	if (count == 0) return end(enrollment, MFA_OUTCOME_UNCHANGED, "not required");
	for (size_t i = 0; i < count; i++)
		mfa_change_delete(enrollment->change, MFA_ATTR_REQUIRED_FROM,
				  mfa_entry_get(enrollment->entry, MFA_ATTR_REQUIRED_FROM, i));
	return end(enrollment, MFA_OUTCOME_CHANGED, "not required any more");
}
