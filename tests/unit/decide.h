/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file tests/unit/decide.h
 * @brief A user in memory who logs in: what the tests of the decision share.
 */
#ifndef MFA_TESTS_DECIDE_H
#define MFA_TESTS_DECIDE_H

#include "core/verdict.h"
#include "unit.h"

#define NOW	1700000010 /* where steps of 15, 30 s begin, and half of one of 60 s is over */
#define NONCE_A "aaaaaaaaaaaaaaaa"
#define NONCE_B "bbbbbbbbbbbbbbbb"

static struct mfa_policy const usual = {.window = 1,
					.drift_max = 4,
					.lock_threshold = 5,
					.lock_base_s = 30,
					.lock_max_s = 3600,
					.attempts = 3,
					.lifetime_s = 120,
					.retransmission_s = 10};

/** Everything of one user; static in the tests, since it is large */
struct user {
	struct mfa_keyring ring;
	struct mfa_policy policy;
	struct mfa_entry entry;
	struct mfa_record record;
	struct mfa_decision decision;
	struct mfa_entry next; //!< Room for user_write().
};

static inline void user_init(struct user *user, char const *secret)
{
	ring_parse(&user->ring, TWO_KEYS);
	user->policy = usual;
	entry_new(&user->entry);
	if (!secret) return;
	entry_add(&user->entry, MFA_ATTR_ENABLED, "TRUE");
	entry_add(&user->entry, MFA_ATTR_SECRET, secret);
}

static inline enum mfa_verdict user_ask(struct user *user, struct mfa_request const *request)
{
	struct mfa_diag diag;

	memset(&user->decision, 0xff, sizeof(user->decision));
	mfa_record_parse(&user->record, &diag, &user->entry, &user->ring, false, request->now_s);
	mfa_decide(&user->decision, &user->record, &user->ring, &user->policy, request);
	return user->decision.verdict;
}

/** The first packet */
static inline enum mfa_verdict user_password(struct user *user, int64_t now_s)
{
	struct mfa_request const request = {.now_s = now_s};

	return user_ask(user, &request);
}

static inline uint32_t user_failures(struct user const *user)
{
	struct mfa_failures failures = {0};

	if (mfa_entry_count(&user->entry, MFA_ATTR_FAILURES) == 0) return 0;
	assert_int_equal(
		mfa_failures_parse(&failures, mfa_entry_get(&user->entry, MFA_ATTR_FAILURES, 0)),
		MFA_OK);
	return failures.count;
}

/** The second packet: the answer to a State that was made after so many wrong codes */
static inline enum mfa_verdict user_answer(struct user *user, int64_t now_s, char const *typed,
					   char const *nonce, uint32_t prompt,
					   uint32_t failures_before)
{
	struct mfa_code const code = code_of(typed);
	struct mfa_request const request = {.now_s = now_s,
					    .code = &code,
					    .nonce = nonce,
					    .prompt = prompt,
					    .failures_before = failures_before};

	return user_ask(user, &request);
}

/** The second packet; the State was made just now */
static inline enum mfa_verdict user_code(struct user *user, int64_t now_s, char const *typed,
					 char const *nonce, uint32_t prompt)
{
	return user_answer(user, now_s, typed, nonce, prompt, user_failures(user));
}

/** Whether an entry has this very value; its place in the list */
static inline bool find_value(size_t *at, struct mfa_entry const *entry, enum mfa_attr attr,
			      struct mfa_bytes value)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (entry->list[i].attr == attr && mfa_bytes_equal(entry->list[i].value, value)) {
			*at = i;
			return true;
		}
	}
	return false;
}

static inline void remove_at(struct mfa_entry *entry, size_t at)
{
	entry->count--;
	for (; at < entry->count; at++) entry->list[at] = entry->list[at + 1];
}

/** One operation, as a directory does it (RFC 4511 section 4.6) */
static inline bool apply_one(struct mfa_entry *entry, enum mfa_op op, enum mfa_attr attr,
			     struct mfa_bytes value)
{
	size_t at;

	switch (op) {
	case MFA_OP_ADD:
		if (find_value(&at, entry, attr, value)) return false;
		if (mfa_attr_is_single(attr) && mfa_entry_count(entry, attr) > 0) return false;
		return mfa_entry_add(entry, attr, value) == MFA_OK;
	case MFA_OP_DELETE:
		if (!find_value(&at, entry, attr, value)) return false;
		remove_at(entry, at);
		return true;
	case MFA_OP_CLEAR:
		for (size_t i = entry->count; i-- > 0;) {
			if (entry->list[i].attr == attr) remove_at(entry, i);
		}
		return true;
	case MFA_OP_ADD_CLASS: entry->has_class = true; return true;
	}
	return false;
}

/** Carry out what was decided, all of it or nothing; false for a conflict
 *
 * @param[in] assertions whether this directory offers the assertion control.
 */
static inline bool user_write(struct user *user, struct mfa_change const *change, bool assertions)
{
	size_t at;

	if (change->overflow) return false;
	for (size_t i = 0; assertions && i < change->assert_count; i++) {
		enum mfa_attr const attr = change->asserts[i].attr;

		if (!change->asserts[i].value.data
			    ? mfa_entry_count(&user->entry, attr) > 0
			    : !find_value(&at, &user->entry, attr, change->asserts[i].value)) {
			return false;
		}
	}
	entry_new(&user->next);
	for (size_t i = 0; i < user->entry.count; i++)
		assert_int_equal(mfa_entry_add(&user->next, user->entry.list[i].attr,
					       user->entry.list[i].value),
				 MFA_OK);
	for (size_t i = 0; i < change->count; i++) {
		if (!apply_one(&user->next, change->list[i].op, change->list[i].attr,
			       change->list[i].value)) {
			return false;
		}
	}
	entry_new(&user->entry);
	for (size_t i = 0; i < user->next.count; i++)
		assert_int_equal(mfa_entry_add(&user->entry, user->next.list[i].attr,
					       user->next.list[i].value),
				 MFA_OK);
	return true;
}

/** Write the last decision; it must be possible */
static inline void user_commit(struct user *user)
{
	assert_true(user_write(user, &user->decision.change, true));
}

/** What the device shows at a moment; the n-th secret of the record that was read last */
static inline char const *shown(struct user const *user, size_t secret, int64_t now_s)
{
	static char code[MFA_TOTP_DIGITS_MAX + 1];
	struct mfa_totp const *totp = &user->record.secret[secret];

	assert_true(secret < user->record.secret_count);
	assert_int_equal(mfa_totp_generate(code, totp, now_s / totp->period_s), MFA_OK);
	return code;
}

/** A code of this length that no device of the user shows within half an hour of a moment */
static inline char const *wrong_code(struct user const *user, int64_t near_s, unsigned seed,
				     uint32_t digits)
{
	static char code[16];
	static unsigned const powers[] = {1000000, 10000000, 100000000};

	for (;; seed++) {
		bool taken = false;

		(void)snprintf(code, sizeof(code), "%0*u", (int)digits,
			       seed * 7919u % powers[digits - 6]);
		for (size_t i = 0; i < user->record.secret_count && !taken; i++) {
			for (int64_t at_s = near_s - 1800; at_s < near_s + 1800 && !taken;
			     at_s += 15)
				taken = strcmp(shown(user, i, at_s), code) == 0;
		}
		if (!taken) return code;
	}
}

static inline struct mfa_bytes value_of(struct user const *user, enum mfa_attr attr)
{
	return mfa_entry_get(&user->entry, attr, 0);
}

#endif /* MFA_TESTS_DECIDE_H */
