/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide.h"

#define PAST  "20231101000000Z"
#define LATER "20240101000000Z"

static struct user user;

/** Enrolled, read once so that shown() knows the devices */
static void enrolled(char const *secret)
{
	user_init(&user, secret);
	assert_int_equal(user_password(&user, NOW), MFA_CHALLENGE);
}

/* ---- the states */

static struct {
	char const *enabled, *secret, *required_from;
	enum mfa_verdict password;
	enum mfa_result password_result, code_result;
} const table[] = {
	{NULL, NULL, NULL, MFA_ACCEPT, MFA_RESULT_OFF, MFA_RESULT_REJECTED},
	{"FALSE", NULL, LATER, MFA_ACCEPT, MFA_RESULT_OFF, MFA_RESULT_REJECTED},
	{"FALSE", RFC_KEY, NULL, MFA_ACCEPT, MFA_RESULT_OFF, MFA_RESULT_REJECTED},
	{NULL, "unreadable!", NULL, MFA_ACCEPT, MFA_RESULT_OFF, MFA_RESULT_REJECTED},
	{"TRUE", RFC_KEY, NULL, MFA_CHALLENGE, MFA_RESULT_CHALLENGED, MFA_RESULT_CHALLENGED},
	{"FALSE", RFC_KEY, PAST, MFA_CHALLENGE, MFA_RESULT_CHALLENGED, MFA_RESULT_CHALLENGED},
	{"TRUE", NULL, NULL, MFA_REJECT, MFA_RESULT_UNENROLLED, MFA_RESULT_UNENROLLED},
	{NULL, NULL, PAST, MFA_REJECT, MFA_RESULT_UNENROLLED, MFA_RESULT_UNENROLLED},
	{"TRUE", "unreadable!", NULL, MFA_REJECT, MFA_RESULT_BROKEN, MFA_RESULT_BROKEN},
	{NULL, "unreadable!", PAST, MFA_REJECT, MFA_RESULT_BROKEN, MFA_RESULT_BROKEN},
	{"maybe", NULL, NULL, MFA_REJECT, MFA_RESULT_BROKEN, MFA_RESULT_BROKEN},
	{"maybe", RFC_KEY, LATER, MFA_REJECT, MFA_RESULT_BROKEN, MFA_RESULT_BROKEN},
};

static void every_row_of_the_state_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		user_init(&user, NULL);
		if (table[i].enabled) entry_add(&user.entry, MFA_ATTR_ENABLED, table[i].enabled);
		if (table[i].secret) entry_add(&user.entry, MFA_ATTR_SECRET, table[i].secret);
		if (table[i].required_from)
			entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, table[i].required_from);

		assert_int_equal(user_password(&user, NOW), table[i].password);
		assert_int_equal(user.decision.result, table[i].password_result);
		assert_int_equal(user.decision.change.count, 0);
		assert_true(user.decision.reason.text[0]);
		assert_int_not_equal(user_code(&user, NOW, "12345", NONCE_A, 1), MFA_ACCEPT);
		assert_int_equal(user.decision.result, table[i].code_result);
	}
}

static void who_has_to_enrol_gets_what_the_policy_says(void **state)
{
	static struct {
		enum mfa_unenrolled policy;
		enum mfa_verdict password, code;
	} const row[] = {{MFA_UNENROLLED_REJECT, MFA_REJECT, MFA_REJECT},
			 {MFA_UNENROLLED_ACCEPT, MFA_ACCEPT, MFA_REJECT},
			 {MFA_UNENROLLED_CHALLENGE, MFA_REJECT, MFA_REJECT},
			 {MFA_UNENROLLED_ENROLL, MFA_CHALLENGE, MFA_CHALLENGE}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		user_init(&user, NULL);
		entry_add(&user.entry, MFA_ATTR_ENABLED, "TRUE");
		user.policy.unenrolled = row[i].policy;
		assert_int_equal(user_password(&user, NOW), row[i].password);
		assert_int_equal(user.decision.result, MFA_RESULT_UNENROLLED);
		assert_int_equal(user_code(&user, NOW, "123456", NONCE_A, 1), row[i].code);
		assert_int_equal(user.decision.result, MFA_RESULT_UNENROLLED);
		assert_int_equal(user.decision.change.count, 0);
	}
}

static void a_date_to_come_is_told(void **state)
{
	(void)state;
	user_init(&user, NULL);
	(void)user_password(&user, NOW);
	assert_int_equal(user.decision.required_from_s, -1);
	entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, LATER);
	(void)user_password(&user, NOW);
	assert_int_equal(user.decision.required_from_s, 1704067200);
	(void)user_password(&user, 1704067200);
	assert_int_equal(user.decision.required_from_s, -1);
}

static void memory_that_nobody_wrote_refuses(void **state)
{
	static struct mfa_decision zero;
	static struct mfa_record nothing;
	struct mfa_code const code = code_of("123456");
	struct mfa_request const request = {
		.now_s = NOW, .code = &code, .nonce = NONCE_A, .prompt = 1};

	(void)state;
	assert_int_equal(zero.verdict, MFA_REJECT);
	assert_int_equal(zero.result, MFA_RESULT_REJECTED);
	user_init(&user, NULL);
	nothing.entry = &user.entry;
	memset(&user.decision, 0xff, sizeof(user.decision));
	mfa_decide(&user.decision, &nothing, &user.ring, &usual, &request);
	assert_int_equal(user.decision.verdict, MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_BROKEN);
	assert_int_equal(user.decision.change.count, 0);
	assert_int_equal(user.decision.change.assert_count, 0);
	assert_false(user.decision.change.overflow);
}

/* Should a caller make up a record that is enrolled without a device. */
static void without_a_device_no_code_is_right(void **state)
{
	(void)state;
	enrolled(RFC_KEY);
	user.record.secret_count = 0;
	{
		struct mfa_code const code = code_of("");
		struct mfa_request const request = {
			.now_s = NOW, .code = &code, .nonce = NONCE_A, .prompt = 3};

		mfa_decide(&user.decision, &user.record, &user.ring, &usual, &request);
		assert_int_equal(user.decision.verdict, MFA_REJECT);
	}
}

/* ---- the code */

static void a_right_code_is_accepted_and_written_down(void **state)
{
	(void)state;
	enrolled(RFC_KEY);
	assert_int_equal(user_code(&user, NOW + 7, shown(&user, 0, NOW), NONCE_A, 1), MFA_ACCEPT);
	assert_int_equal(user.decision.result, MFA_RESULT_ACCEPTED);
	assert_int_equal(user.decision.secret, 0);
	assert_false(user.decision.wrong);
	user_commit(&user);
	assert_bytes(value_of(&user, MFA_ATTR_LAST_USE), "56666667 1700000017 " NONCE_A);
}

/** Whether a change fails when an attribute is not as it was read: by a condition, or by taking it away */
static bool is_checked(struct mfa_change const *change, enum mfa_attr attr)
{
	for (size_t i = 0; i < change->assert_count; i++) {
		if (change->asserts[i].attr == attr) return true;
	}
	for (size_t i = 0; i < change->count; i++) {
		if (change->list[i].attr == attr && change->list[i].op == MFA_OP_DELETE)
			return true;
	}
	return false;
}

static void what_was_decided_upon_is_checked(void **state)
{
	struct mfa_change const *change = &user.decision.change;

	(void)state;
	enrolled(RFC_KEY);
	for (unsigned i = 0; i < 3; i++) {
		/* Never used; used; used, and a wrong code since. */
		if (i == 2) {
			(void)user_code(&user, NOW + 60, "000000", NONCE_B, 1);
			user_commit(&user);
		}
		assert_int_equal(user_code(&user, NOW + i * 30, shown(&user, 0, NOW + i * 30),
					   i ? NONCE_B : NONCE_A, 1),
				 MFA_ACCEPT);
		assert_true(is_checked(change, MFA_ATTR_ENABLED));
		assert_true(is_checked(change, MFA_ATTR_SECRET));
		assert_true(is_checked(change, MFA_ATTR_FAILURES));
		assert_true(is_checked(change, MFA_ATTR_LAST_USE));
		user_commit(&user);
	}
}

static void every_hash_length_and_period_works(void **state)
{
	static char const *const hash[] = {"SHA1", "SHA256", "SHA512"};
	char uri[256];

	(void)state;
	for (unsigned i = 0; i < 3 * 3 * 4; i++) {
		static unsigned const period_s[] = {15, 30, 60, 120};

		(void)snprintf(uri, sizeof(uri),
			       "otpauth://totp/?secret=" RFC_KEY
			       "&algorithm=%s&digits=%u&period=%u",
			       hash[i % 3], 6 + i / 3 % 3, period_s[i / 9]);
		enrolled(uri);
		assert_int_equal(user_code(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1),
				 MFA_ACCEPT);
		user_commit(&user);
		assert_int_equal(user_code(&user, NOW, shown(&user, 0, NOW), NONCE_B, 1),
				 MFA_REJECT);
		assert_int_equal(user.decision.result, MFA_RESULT_REPLAYED);
	}
}

static void any_device_will_do(void **state)
{
	(void)state;
	enrolled("otpauth://totp/a?secret=" RFC_KEY);
	entry_add(&user.entry, MFA_ATTR_SECRET, "cannot be read");
	entry_add(&user.entry, MFA_ATTR_SECRET,
		  "otpauth://totp/b?secret=" RFC_KEY "&algorithm=SHA512&digits=8");
	(void)user_password(&user, NOW);
	assert_int_equal(user_code(&user, NOW, shown(&user, 1, NOW), NONCE_A, 1), MFA_ACCEPT);
	assert_string_equal(user.record.secret[user.decision.secret].name, "b");
	assert_int_equal(user.record.secret_index[user.decision.secret], 2);
}

static void the_window_is_one_step_on_either_side(void **state)
{
	(void)state;
	for (int64_t offset = -5; offset <= 5; offset++) {
		enrolled(RFC_KEY);
		(void)user_code(&user, NOW, shown(&user, 0, NOW + 30 * offset), NONCE_A, 1);
		assert_int_equal(user.decision.verdict,
				 offset >= -1 && offset <= 1 ? MFA_ACCEPT : MFA_CHALLENGE);
	}
}

static void a_drifting_token_is_followed(void **state)
{
	(void)state;
	for (int64_t drift = -6; drift <= 6; drift++) {
		int64_t const followed = drift < -4 ? -4 : drift > 4 ? 4 : drift;
		char use[MFA_LAST_USE_SIZE];

		for (int64_t offset = -8; offset <= 8; offset++) {
			bool const inside = (offset >= -1 && offset <= 1) ||
					    (offset >= followed - 1 && offset <= followed + 1);

			enrolled(RFC_KEY);
			(void)snprintf(use, sizeof(use), "%lld %lld " NONCE_A,
				       (long long)(NOW / 30 - 1000 + drift),
				       (long long)NOW - 30000);
			entry_add(&user.entry, MFA_ATTR_LAST_USE, use);
			(void)user_code(&user, NOW, shown(&user, 0, NOW + 30 * offset), NONCE_B, 1);
			assert_int_equal(user.decision.verdict,
					 inside ? MFA_ACCEPT : MFA_CHALLENGE);
		}
	}
}

/* ---- once */

static void a_code_is_used_once(void **state)
{
	(void)state;
	enrolled(RFC_KEY);
	(void)user_code(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1);
	user_commit(&user);
	for (int64_t later_s = 0; later_s < 60; later_s += 10) {
		assert_int_equal(user_code(&user, NOW + later_s, shown(&user, 0, NOW), NONCE_B, 1),
				 MFA_REJECT);
		assert_int_equal(user.decision.result, MFA_RESULT_REPLAYED);
		assert_int_equal(user.decision.change.count, 0);
		assert_null(strstr(user.decision.reason.text, "behind"));
	}
}

static void an_older_code_of_the_window_is_used_up_as_well(void **state)
{
	(void)state;
	enrolled(RFC_KEY);
	(void)user_code(&user, NOW, shown(&user, 0, NOW + 30), NONCE_A, 1);
	user_commit(&user);
	for (int64_t offset = -1; offset <= 1; offset++) {
		(void)user_code(&user, NOW, shown(&user, 0, NOW + 30 * offset), NONCE_B, 1);
		assert_int_equal(user.decision.result, MFA_RESULT_REPLAYED);
	}
	assert_int_equal(user_code(&user, NOW + 30, shown(&user, 0, NOW + 60), NONCE_B, 1),
			 MFA_ACCEPT);
}

static void of_two_servers_one_wins(void **state)
{
	static struct user rival, directory;
	struct user *const all[] = {&directory, &rival, &user};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool const assertions = i & 1, used_before = i & 2;

		for (size_t n = 0; n < COUNT_OF(all); n++) {
			user_init(all[n], RFC_KEY);
			if (used_before)
				entry_add(&all[n]->entry, MFA_ATTR_LAST_USE,
					  "56666600 1699998000 " NONCE_A);
			(void)user_password(all[n], NOW);
		}
		(void)user_code(&rival, NOW, shown(&rival, 0, NOW), NONCE_A, 1);
		(void)user_code(&user, NOW, shown(&user, 0, NOW), NONCE_B, 1);
		assert_int_equal(rival.decision.verdict, MFA_ACCEPT);
		assert_int_equal(user.decision.verdict, MFA_ACCEPT);
		assert_true(user_write(&directory, &rival.decision.change, assertions));
		assert_false(user_write(&directory, &user.decision.change, assertions));
	}
}

static void a_retransmission_is_no_replay(void **state)
{
	(void)state;
	enrolled(RFC_KEY);
	(void)user_code(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1);
	user_commit(&user);
	assert_int_equal(user_code(&user, NOW + 20, shown(&user, 0, NOW), NONCE_A, 1), MFA_ACCEPT);
	assert_int_equal(user.decision.result, MFA_RESULT_ACCEPTED);
	assert_int_equal(user.decision.change.count, 0);
	/* A clock that jumped back does not make a stranger of the login. */
	assert_int_equal(user_code(&user, NOW - 20, shown(&user, 0, NOW), NONCE_A, 1), MFA_ACCEPT);
	/* The same login with another code that is used up. */
	(void)user_code(&user, NOW + 20, shown(&user, 0, NOW - 30), NONCE_A, 1);
	assert_int_equal(user.decision.verdict, MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_REPLAYED);
}

static void a_retransmission_lives_as_long_as_a_challenge(void **state)
{
	(void)state;
	enrolled(RFC_KEY);
	user.policy.lifetime_s = 25;
	(void)user_code(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1);
	user_commit(&user);
	assert_int_equal(user_code(&user, NOW + 25, shown(&user, 0, NOW), NONCE_A, 1), MFA_ACCEPT);
	assert_int_equal(user_code(&user, NOW + 26, shown(&user, 0, NOW), NONCE_A, 1), MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_REPLAYED);
}

static void a_clock_that_jumped_back_is_told(void **state)
{
	(void)state;
	enrolled(RFC_KEY);
	(void)user_code(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1);
	user_commit(&user);
	assert_int_equal(user_code(&user, NOW - 3600, shown(&user, 0, NOW - 3600), NONCE_B, 1),
			 MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_REPLAYED);
	assert_non_null(strstr(user.decision.reason.text, "3600 s behind"));
}

/* Devices of different period share one last use: what counts is when a step begins. */
static void the_starts_of_used_steps_increase_whatever_the_device(void **state)
{
	int64_t last_start_s = -1;
	unsigned accepted[2] = {0};

	(void)state;
	enrolled("otpauth://totp/a?secret=" RFC_KEY);
	entry_add(&user.entry, MFA_ATTR_SECRET, "otpauth://totp/b?secret=" RFC_KEY "&period=60");
	(void)user_password(&user, NOW);
	for (int64_t now_s = NOW; now_s < NOW + 3600; now_s += 10) {
		size_t const device = (size_t)(now_s / 10 * 7 % 11 % 2);
		int64_t const period_s = device ? 60 : 30;
		int64_t const start_s = now_s / period_s * period_s;

		(void)user_code(&user, now_s, shown(&user, device, now_s), NONCE_A, 1);
		if (user.decision.verdict != MFA_ACCEPT || user.decision.change.count == 0)
			continue;
		assert_true(start_s > last_start_s);
		last_start_s = start_s;
		accepted[device]++;
		user_commit(&user);
	}
	assert_true(accepted[0] > 30 && accepted[1] > 10);
}

/* The drift of one device says nothing about another one. */
static void a_device_of_another_period_has_no_drift_yet(void **state)
{
	(void)state;
	enrolled("otpauth://totp/b?secret=" RFC_KEY "&period=60");
	entry_add(&user.entry, MFA_ATTR_LAST_USE, "56666603 1699998000 " NONCE_A);
	for (int64_t offset = -5; offset <= 5; offset++) {
		(void)user_code(&user, NOW, shown(&user, 0, NOW + 60 * offset), NONCE_B, 1);
		assert_int_equal(user.decision.verdict,
				 offset >= -1 && offset <= 1 ? MFA_ACCEPT : MFA_CHALLENGE);
	}
}

/* Somebody wrote a step and a time that do not belong together. */
static void a_step_is_taken_at_its_word(void **state)
{
	static char const *const use[] = {"56666667 1 x", "56666667 253402300799 x"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(use); i++) {
		enrolled(RFC_KEY);
		entry_add(&user.entry, MFA_ATTR_LAST_USE, use[i]);
		(void)user_code(&user, NOW, shown(&user, 0, NOW), NONCE_B, 1);
		assert_int_equal(user.decision.result, MFA_RESULT_REPLAYED);
		assert_int_equal(user_code(&user, NOW, shown(&user, 0, NOW + 30), NONCE_B, 1),
				 MFA_ACCEPT);
	}
}

static void a_login_needs_a_nonce(void **state)
{
	static char const *const bad[] = {NULL, "", "short", NONCE_A "x"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		enrolled(RFC_KEY);
		assert_int_equal(user_code(&user, NOW, shown(&user, 0, NOW), bad[i], 1),
				 MFA_REJECT);
		assert_int_equal(user.decision.change.count, 0);
	}
}

static void results_have_their_names(void **state)
{
	static char const *const name[] = {
		"rejected",    "off",	   "accepted", "recovery",   "trusted",
		"challenged",  "replayed", "locked",   "unenrolled", "broken",
		"unavailable", "expired",  "skipped",
	};

	(void)state;
	assert_int_equal(COUNT_OF(name), MFA_RESULT_COUNT);
	for (size_t i = 0; i < COUNT_OF(name); i++)
		assert_string_equal(mfa_result_name((enum mfa_result)i), name[i]);
	assert_string_equal(mfa_result_name(MFA_RESULT_COUNT), "rejected");
}

/* Servers differ by a second or two, which is no reason to look at a clock. */
static void a_clock_is_named_when_it_is_a_step_behind(void **state)
{
	(void)state;
	user_init(&user, RFC_KEY);
	(void)user_password(&user, NOW);
	for (int64_t behind_s = 1; behind_s <= 31; behind_s += 10) {
		char value[MFA_LAST_USE_SIZE];

		entry_new(&user.entry);
		entry_add(&user.entry, MFA_ATTR_ENABLED, "TRUE");
		entry_add(&user.entry, MFA_ATTR_SECRET, RFC_KEY);
		(void)snprintf(value, sizeof(value), "%d %lld " NONCE_A, NOW / 30,
			       (long long)NOW + behind_s);
		entry_add(&user.entry, MFA_ATTR_LAST_USE, value);
		assert_int_equal(user_code(&user, NOW, shown(&user, 0, NOW), NONCE_B, 1),
				 MFA_REJECT);
		assert_int_equal(user.decision.result, MFA_RESULT_REPLAYED);
		assert_int_equal(strstr(user.decision.reason.text, "clock") != NULL, behind_s > 30);
	}
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(every_row_of_the_state_table),
		cmocka_unit_test(who_has_to_enrol_gets_what_the_policy_says),
		cmocka_unit_test(a_date_to_come_is_told),
		cmocka_unit_test(memory_that_nobody_wrote_refuses),
		cmocka_unit_test(without_a_device_no_code_is_right),
		cmocka_unit_test(a_right_code_is_accepted_and_written_down),
		cmocka_unit_test(what_was_decided_upon_is_checked),
		cmocka_unit_test(every_hash_length_and_period_works),
		cmocka_unit_test(any_device_will_do),
		cmocka_unit_test(the_window_is_one_step_on_either_side),
		cmocka_unit_test(a_drifting_token_is_followed),
		cmocka_unit_test(a_code_is_used_once),
		cmocka_unit_test(an_older_code_of_the_window_is_used_up_as_well),
		cmocka_unit_test(of_two_servers_one_wins),
		cmocka_unit_test(a_retransmission_is_no_replay),
		cmocka_unit_test(a_retransmission_lives_as_long_as_a_challenge),
		cmocka_unit_test(a_clock_that_jumped_back_is_told),
		cmocka_unit_test(the_starts_of_used_steps_increase_whatever_the_device),
		cmocka_unit_test(a_device_of_another_period_has_no_drift_yet),
		cmocka_unit_test(a_step_is_taken_at_its_word),
		cmocka_unit_test(a_login_needs_a_nonce),
		cmocka_unit_test(results_have_their_names),
		cmocka_unit_test(a_clock_is_named_when_it_is_a_step_behind),
	};

	return RUN(tests);
}
