/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/record.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TIME_MAX INT64_C(253402300799) /* the end of the year 9999 */

char const *mfa_state_name(enum mfa_state state)
{
	switch (state) {
	case MFA_STATE_OFF: return "off";
	case MFA_STATE_SUSPENDED: return "suspended";
	case MFA_STATE_ENROLLED: return "enrolled";
	case MFA_STATE_INVITED: return "invited";
	case MFA_STATE_OVERDUE: return "overdue";
	case MFA_STATE_BROKEN:
	case MFA_STATE_COUNT: break;
	}
	return "broken";
}

/** Copy the last word: printable ASCII that fits, nothing behind it */
static enum mfa_rc last_word(char *out, size_t out_size, struct mfa_bytes *rest)
{
	struct mfa_bytes word;

	if (!mfa_text_word(&word, rest) || rest->data || word.len >= out_size)
		return MFA_ERR_FORMAT;
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] <= ' ' || word.data[i] > '~') return MFA_ERR_FORMAT;
	}
	memcpy(out, word.data, word.len);
	out[word.len] = '\0';
	return MFA_OK;
}

enum mfa_rc mfa_last_use_parse(struct mfa_last_use *last_use, struct mfa_bytes text)
{
	struct mfa_bytes word;

	memset(last_use, 0, sizeof(*last_use));
	if (!mfa_text_word(&word, &text) ||
	    mfa_text_number(&last_use->step, word, TIME_MAX) != MFA_OK ||
	    !mfa_text_word(&word, &text) ||
	    mfa_text_number(&last_use->time_s, word, TIME_MAX) != MFA_OK ||
	    last_word(last_use->nonce, sizeof(last_use->nonce), &text) != MFA_OK) {
		memset(last_use, 0, sizeof(*last_use));
		return MFA_ERR_FORMAT;
	}
	last_use->present = true;
	return MFA_OK;
}

void mfa_last_use_format(char out[static MFA_LAST_USE_SIZE], struct mfa_last_use const *last_use)
{
	(void)snprintf(out, MFA_LAST_USE_SIZE, "%lld %lld %s", (long long)last_use->step,
		       (long long)last_use->time_s, last_use->nonce);
}

enum mfa_rc mfa_nonce_make(char nonce[static MFA_NONCE_TEXT_SIZE])
{
	uint8_t random[MFA_NONCE_SIZE];
	enum mfa_rc const rc = mfa_random(random, sizeof(random));

	if (rc != MFA_OK) return rc;
	return mfa_base64url_encode(nonce, MFA_NONCE_TEXT_SIZE, random, sizeof(random));
}

uint32_t mfa_last_use_period_s(struct mfa_last_use const *last_use)
{
	int64_t period_s, drift_s;

	if (!last_use->present || last_use->step < 1) return 0;
	period_s = (last_use->time_s + last_use->step / 2) / last_use->step;
	if (period_s < MFA_TOTP_PERIOD_MIN || period_s > MFA_TOTP_PERIOD_MAX) return 0;
	drift_s = last_use->time_s - last_use->step * period_s;
	if (drift_s < -period_s * (MFA_TOTP_DRIFT_MAX + MFA_TOTP_WINDOW_MAX) ||
	    drift_s > period_s * (MFA_TOTP_DRIFT_MAX + MFA_TOTP_WINDOW_MAX + 1)) {
		return 0;
	}
	return (uint32_t)period_s;
}

enum mfa_rc mfa_failures_parse(struct mfa_failures *failures, struct mfa_bytes text)
{
	struct mfa_bytes word;
	int64_t count;

	memset(failures, 0, sizeof(*failures));
	if (!mfa_text_word(&word, &text) || mfa_text_number(&count, word, 1000000) != MFA_OK ||
	    !mfa_text_word(&word, &text) ||
	    mfa_text_number(&failures->time_s, word, TIME_MAX) != MFA_OK ||
	    last_word(failures->tag, sizeof(failures->tag), &text) != MFA_OK) {
		memset(failures, 0, sizeof(*failures));
		return MFA_ERR_FORMAT;
	}
	failures->count = (uint32_t)count;
	failures->present = true;
	return MFA_OK;
}

void mfa_failures_format(char out[static MFA_FAILURES_SIZE], struct mfa_failures const *failures)
{
	(void)snprintf(out, MFA_FAILURES_SIZE, "%u %lld %s", failures->count,
		       (long long)failures->time_s, failures->tag);
}

static bool is_word(struct mfa_bytes value, char const *word)
{
	return value.len == strlen(word) &&
	       strncasecmp((char const *)value.data, word, value.len) == 0;
}

/** Read a Boolean (RFC 4517 section 3.3.3) that may be absent */
static bool parse_flag(bool *flag, struct mfa_diag *diag, struct mfa_entry const *entry)
{
	size_t const count = mfa_entry_count(entry, MFA_ATTR_ENABLED);
	struct mfa_bytes const value = mfa_entry_get(entry, MFA_ATTR_ENABLED, 0);

	*flag = count == 1 && is_word(value, "TRUE");
	if (count == 0 || *flag || (count == 1 && is_word(value, "FALSE"))) return true;
	mfa_diag_set(diag, "the flag is not TRUE or FALSE");
	return false;
}

static bool parse_required(int64_t *required_from_s, struct mfa_diag *diag,
			   struct mfa_entry const *entry)
{
	size_t const count = mfa_entry_count(entry, MFA_ATTR_REQUIRED_FROM);

	*required_from_s = -1;
	if (count == 0) return true;
	if (count == 1 &&
	    mfa_time_parse(required_from_s, mfa_entry_get(entry, MFA_ATTR_REQUIRED_FROM, 0)) ==
		    MFA_OK) {
		/* A date before 1970 has passed as well; below zero it would mean "not set". */
		if (*required_from_s < 0) *required_from_s = 0;
		return true;
	}
	mfa_diag_set(diag, "the date from which MFA is required is not a Generalized Time");
	return false;
}

/** Read what can be read; one device that works is enough */
static bool parse_secrets(struct mfa_record *record, struct mfa_diag *diag,
			  struct mfa_keyring const *ring)
{
	struct mfa_entry const *entry = record->entry;
	size_t const count = mfa_entry_count(entry, MFA_ATTR_SECRET);

	if (count > MFA_SECRETS_MAX) {
		mfa_diag_set(diag, "%zu secrets, at most %u are allowed", count, MFA_SECRETS_MAX);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		struct mfa_totp *totp = &record->secret[record->secret_count];

		if (mfa_secret_parse(totp, diag, ring, entry->id,
				     mfa_entry_get(entry, MFA_ATTR_SECRET, i)) == MFA_OK) {
			record->secret_index[record->secret_count++] = i;
		} else {
			record->unreadable_count++;
		}
	}
	return count == 0 || record->secret_count > 0;
}

/** Read the two values that RADIUS writes; a value that cannot be read could hide a replay */
static bool parse_use(struct mfa_record *record, struct mfa_diag *diag)
{
	struct mfa_entry const *entry = record->entry;
	size_t const uses = mfa_entry_count(entry, MFA_ATTR_LAST_USE);
	size_t const failures = mfa_entry_count(entry, MFA_ATTR_FAILURES);

	if (uses > 1 || (uses == 1 && mfa_last_use_parse(&record->last_use,
							 mfa_entry_get(entry, MFA_ATTR_LAST_USE,
								       0)) != MFA_OK)) {
		mfa_diag_set(diag, "the last use is not of the form 'step time nonce'");
		return false;
	}
	if (failures > 1 ||
	    (failures == 1 &&
	     mfa_failures_parse(&record->failures, mfa_entry_get(entry, MFA_ATTR_FAILURES, 0)) !=
		     MFA_OK)) {
		mfa_diag_set(diag, "the failures are not of the form 'count time tag'");
		return false;
	}
	return true;
}

void mfa_record_parse(struct mfa_record *record, struct mfa_diag *diag,
		      struct mfa_entry const *entry, struct mfa_keyring const *ring, bool required,
		      int64_t now_s)
{
	bool const has_secret = mfa_entry_count(entry, MFA_ATTR_SECRET) > 0;

	memset(record, 0, sizeof(*record));
	diag->text[0] = '\0';
	record->entry = entry;
	record->state = MFA_STATE_BROKEN;
	if (!parse_flag(&record->enabled, diag, entry)) return;
	if (!parse_required(&record->required_from_s, diag, entry)) return;
	if (record->required_from_s >= 0 && record->required_from_s <= now_s) required = true;

	if (!record->enabled && !required) {
		record->state = has_secret ? MFA_STATE_SUSPENDED : MFA_STATE_OFF;
		if (entry->has_class && entry->count == 0)
			mfa_diag_set(diag, "the entry has the class but no attribute of it can be "
					   "read: empty, or kept from us by an access rule");
		return;
	}
	if (!has_secret) {
		record->state = record->enabled ? MFA_STATE_INVITED : MFA_STATE_OVERDUE;
		return;
	}
	if (parse_secrets(record, diag, ring) && parse_use(record, diag))
		record->state = MFA_STATE_ENROLLED;
}

void mfa_record_clear(struct mfa_record *record)
{
	OPENSSL_cleanse(record, sizeof(*record));
}
