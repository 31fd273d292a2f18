/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide.h"

static struct user user;

static void enrolled(void)
{
	user_init(&user, RFC_KEY);
	assert_int_equal(user_password(&user, NOW), MFA_CHALLENGE);
}

/** A wrong code, a different one for each seed, written down */
static void fail_once(int64_t now_s, unsigned seed, uint32_t attempt)
{
	(void)user_code(&user, now_s, wrong_code(&user, NOW, seed, 6), NONCE_A, attempt);
	user_commit(&user);
}

static uint32_t failures(void)
{
	return user_failures(&user);
}

static void set_failures(unsigned count, int64_t time_s)
{
	char value[MFA_FAILURES_SIZE];

	enrolled();
	(void)snprintf(value, sizeof(value), "%u %lld AAAA", count, (long long)time_s);
	entry_add(&user.entry, MFA_ATTR_FAILURES, value);
}

static void a_wrong_code_is_asked_for_again_until_the_attempts_are_used(void **state)
{
	(void)state;
	enrolled();
	for (uint32_t attempt = 1; attempt <= 3; attempt++) {
		fail_once(NOW, attempt * 10, attempt);
		assert_true(user.decision.wrong);
		assert_int_equal(user.decision.verdict, attempt < 3 ? MFA_CHALLENGE : MFA_REJECT);
		assert_int_equal(user.decision.result,
				 attempt < 3 ? MFA_RESULT_CHALLENGED : MFA_RESULT_REJECTED);
		assert_int_equal(failures(), attempt);
	}
}

/* The first State again and again: the record counts, not the number of the prompt. */
static void an_older_state_does_not_bring_attempts_back(void **state)
{
	(void)state;
	set_failures(1, NOW - 100);
	for (uint32_t i = 1; i <= 12; i++) {
		(void)user_answer(&user, NOW, wrong_code(&user, NOW, i * 10, 6), NONCE_A, 1, 1);
		assert_int_equal(user.decision.verdict, i < 3 ? MFA_CHALLENGE : MFA_REJECT);
		user_commit(&user);
		assert_int_equal(failures(), i < 3 ? 1 + i : 4);
		assert_int_equal(user.decision.change.count > 0, i <= 3);
	}
	assert_int_equal(user_answer(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1, 1), MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_REJECTED);
	assert_int_equal(user.decision.change.count, 0);
	assert_int_equal(user_answer(&user, NOW, shown(&user, 0, NOW), NONCE_B, 1, 4), MFA_ACCEPT);
}

static void a_count_that_was_cleared_counts_from_zero(void **state)
{
	(void)state;
	set_failures(2, NOW - 100);
	assert_int_equal(user_answer(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1, 4), MFA_ACCEPT);
	set_failures(3, NOW - 100);
	assert_int_equal(user_answer(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1, 4), MFA_REJECT);
}

/* Behind a password, or at the page: nobody is asked again, and earlier logins do not matter. */
static void a_code_without_a_prompt_is_tried_once(void **state)
{
	(void)state;
	set_failures(4, NOW - 100);
	assert_int_equal(user_answer(&user, NOW, shown(&user, 0, NOW), NONCE_A, 0, 0), MFA_ACCEPT);
	set_failures(3, NOW - 100);
	assert_int_equal(user_answer(&user, NOW, "000000", NONCE_A, 0, 0), MFA_REJECT);
	assert_true(user.decision.wrong);
}

static void a_wrong_code_may_count_as_several(void **state)
{
	struct mfa_code const code = code_of("000000");
	struct mfa_request request = {.now_s = NOW, .code = &code, .nonce = NONCE_A, .guesses = 3};

	(void)state;
	enrolled();
	assert_int_equal(user_ask(&user, &request), MFA_REJECT);
	user_commit(&user);
	assert_int_equal(failures(), 3);
	request.now_s += 60;
	assert_int_equal(user_ask(&user, &request), MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_LOCKED);
	user_commit(&user);
	assert_int_equal(failures(), 6);
}

/* A client that repeats one wrong code by itself is not asked for ever, though it counts once. */
static void the_number_of_prompts_is_limited_as_well(void **state)
{
	(void)state;
	enrolled();
	for (uint32_t prompt = 1; prompt <= 3; prompt++) {
		char const *typed = wrong_code(&user, NOW, 1, 6);

		assert_int_equal(user_answer(&user, NOW, typed, NONCE_A, prompt, 0),
				 prompt < 3 ? MFA_CHALLENGE : MFA_REJECT);
		user_commit(&user);
		assert_int_equal(failures(), 1);
	}
}

static void nothing_that_is_typed_wrong_is_free(void **state)
{
	static char const *const typed[] = {"",	      "12345",	      "1234567",  "letters",
					    "abcdef", "１２３４５６", "*)(uid=*", "BCDFGHJKLMNP"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(typed); i++) {
		enrolled();
		assert_int_equal(user_code(&user, NOW, typed[i], NONCE_A, 1), MFA_CHALLENGE);
		user_commit(&user);
		assert_int_equal(failures(), 1);
	}
}

static void the_same_wrong_code_within_a_minute_counts_once(void **state)
{
	(void)state;
	enrolled();
	fail_once(NOW, 1, 1);
	for (int64_t later_s = 0; later_s < 60; later_s += 5) {
		assert_int_equal(
			user_code(&user, NOW + later_s, wrong_code(&user, NOW, 1, 6), NONCE_B, 1),
			MFA_CHALLENGE);
		assert_true(user.decision.wrong);
		assert_int_equal(user.decision.change.count, 0);
	}
	fail_once(NOW + 60, 1, 1);
	assert_int_equal(failures(), 2);
	fail_once(NOW + 61, 2, 1);
	assert_int_equal(failures(), 3);
	/* Only the last one is known again. */
	fail_once(NOW + 62, 1, 1);
	assert_int_equal(failures(), 4);
}

/* One count, one comparison: else a guess would be tried against five steps in a minute. */
static void the_same_wrong_code_is_compared_with_the_steps_of_its_first_try(void **state)
{
	char future[MFA_TOTP_DIGITS_MAX + 1];

	(void)state;
	enrolled();
	(void)snprintf(future, sizeof(future), "%s", shown(&user, 0, NOW + 60));
	assert_int_equal(user_code(&user, NOW, future, NONCE_A, 1), MFA_CHALLENGE);
	user_commit(&user);
	for (int64_t later_s = 0; later_s < 60; later_s += 10) {
		assert_int_equal(user_code(&user, NOW + later_s, future, NONCE_B, 1),
				 MFA_CHALLENGE);
		assert_int_equal(user.decision.change.count, 0);
	}
	assert_int_equal(failures(), 1);
	assert_int_equal(user_code(&user, NOW + 59, shown(&user, 0, NOW + 30), NONCE_B, 1),
			 MFA_ACCEPT);
	assert_int_equal(user_code(&user, NOW + 60, future, NONCE_B, 1), MFA_ACCEPT);
}

static void a_tag_does_not_give_the_code_away(void **state)
{
	struct mfa_failures one, two;

	(void)state;
	enrolled();
	fail_once(NOW, 1, 1);
	assert_int_equal(mfa_failures_parse(&one, value_of(&user, MFA_ATTR_FAILURES)), MFA_OK);
	enrolled();
	assert_int_equal(mfa_entry_set_id(&user.entry, bytes("another")), MFA_OK);
	fail_once(NOW, 1, 1);
	assert_int_equal(mfa_failures_parse(&two, value_of(&user, MFA_ATTR_FAILURES)), MFA_OK);
	assert_int_equal(strlen(one.tag), MFA_TAG_TEXT_SIZE - 1);
	assert_string_not_equal(one.tag, two.tag);
}

static void the_wait_doubles_up_to_its_limit(void **state)
{
	static uint32_t const wait_s[] = {0,   0,   0,	 0,   0,    30,	  60,
					  120, 240, 480, 960, 1920, 3600, 3600};

	(void)state;
	for (uint32_t count = 1; count < 99; count++) {
		uint32_t const expected = count < COUNT_OF(wait_s) ? wait_s[count] : 3600;
		struct mfa_failures const f = {.present = true, .count = count, .time_s = NOW};

		assert_int_equal(mfa_lock_wait_s(&f, &usual, NOW), expected);
		if (expected == 0) continue;
		assert_int_equal(mfa_lock_wait_s(&f, &usual, NOW + 1), expected - 1);
		assert_int_equal(mfa_lock_wait_s(&f, &usual, NOW + expected - 1), 1);
		assert_int_equal(mfa_lock_wait_s(&f, &usual, NOW + expected), 0);
	}
}

static void a_hundred_in_a_row_and_only_an_administrator_helps(void **state)
{
	struct mfa_failures f = {.present = true, .count = 99, .time_s = NOW};
	struct mfa_policy policy = usual;

	(void)state;
	assert_int_equal(mfa_lock_wait_s(&f, &usual, INT64_MAX / 2), 0);
	f.count = 100;
	assert_int_equal(mfa_lock_wait_s(&f, &usual, INT64_MAX / 2), MFA_WAIT_FOREVER);
	f.count = 1000000;
	assert_int_equal(mfa_lock_wait_s(&f, &usual, NOW), MFA_WAIT_FOREVER);
	policy.lock_threshold = 5000000;
	assert_int_equal(mfa_lock_wait_s(&f, &policy, NOW), MFA_WAIT_FOREVER);
	f.present = false;
	assert_int_equal(mfa_lock_wait_s(&f, &usual, NOW), 0);

	set_failures(100, 1);
	assert_int_equal(user_password(&user, NOW), MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_LOCKED);
	assert_int_equal(user.decision.wait_s, MFA_WAIT_FOREVER);
	assert_non_null(strstr(user.decision.reason.text, "administrator"));
}

/* Every single wrong code that can be tried, from the first to the last. */
static void guessing_ends_after_a_hundred(void **state)
{
	int64_t now_s = NOW;
	unsigned tried = 0;

	(void)state;
	enrolled();
	for (unsigned i = 0; i < 300; i++) {
		char code[8];

		(void)snprintf(code, sizeof(code), "%05u", i);
		(void)user_code(&user, now_s, code, NONCE_A, 1);
		assert_int_not_equal(user.decision.verdict, MFA_ACCEPT);
		tried += user.decision.change.count > 0 ? 1 : 0;
		user_commit(&user);
		now_s += 3600;
	}
	assert_int_equal(tried, 100);
	assert_int_equal(failures(), 100);
}

static void no_limits_make_no_difference(void **state)
{
	struct mfa_policy const wide = {
		.lock_threshold = 1, .lock_base_s = UINT32_MAX - 1, .lock_max_s = UINT32_MAX - 1};
	struct mfa_policy const tight = {.lock_threshold = 1, .lock_base_s = 600, .lock_max_s = 1};
	struct mfa_failures f = {.present = true, .count = 99, .time_s = NOW};

	(void)state;
	assert_int_equal(mfa_lock_wait_s(&f, &wide, NOW), UINT32_MAX - 1);
	assert_int_equal(mfa_lock_wait_s(&f, &tight, NOW), 1);
	f.count = 1;
	assert_int_equal(mfa_lock_wait_s(&f, &tight, NOW), 1);
	assert_int_equal(mfa_lock_wait_s(&f, &wide, NOW + 1), UINT32_MAX - 2);
}

static void a_clock_that_jumped_back_locks_no_longer_than_the_wait(void **state)
{
	struct mfa_failures const f = {.present = true, .count = 5, .time_s = NOW + 1000000};

	(void)state;
	assert_int_equal(mfa_lock_wait_s(&f, &usual, NOW), 30);
	assert_int_equal(mfa_lock_wait_s(&f, &usual, NOW + 1000030), 0);
}

static void the_fifth_wrong_code_locks(void **state)
{
	(void)state;
	enrolled();
	for (unsigned i = 1; i <= 5; i++) fail_once(NOW, i * 10, 1);
	assert_int_equal(user.decision.verdict, MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_LOCKED);
	assert_int_equal(user.decision.wait_s, 30);
	assert_int_equal(failures(), 5);
}

static void who_is_locked_is_asked_nothing_and_burns_nothing(void **state)
{
	(void)state;
	set_failures(5, NOW - 10);
	assert_int_equal(user_password(&user, NOW), MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_LOCKED);
	assert_int_equal(user.decision.wait_s, 20);
	assert_int_equal(user_code(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1), MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_LOCKED);
	assert_int_equal(user.decision.change.count, 0);
	assert_int_equal(user_code(&user, NOW, wrong_code(&user, NOW, 1, 6), NONCE_A, 1),
			 MFA_REJECT);
	assert_int_equal(user.decision.change.count, 0);
	assert_int_equal(user_code(&user, NOW + 20, shown(&user, 0, NOW), NONCE_A, 1), MFA_ACCEPT);
}

static void success_clears_the_count(void **state)
{
	(void)state;
	set_failures(4, NOW);
	assert_int_equal(user_code(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1), MFA_ACCEPT);
	user_commit(&user);
	assert_int_equal(failures(), 0);
}

static void a_replayed_code_is_no_guess(void **state)
{
	(void)state;
	enrolled();
	(void)user_code(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1);
	user_commit(&user);
	(void)user_code(&user, NOW, shown(&user, 0, NOW), NONCE_B, 1);
	assert_int_equal(user.decision.result, MFA_RESULT_REPLAYED);
	user_commit(&user);
	assert_int_equal(failures(), 0);
}

/* Two servers see the fourth failure and each gets another wrong code: one has to look again. */
static void two_wrong_codes_at_once_count_as_two(void **state)
{
	static struct user rival, directory;
	struct user *const all[] = {&directory, &rival, &user};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		user_init(all[i], RFC_KEY);
		entry_add(&all[i]->entry, MFA_ATTR_FAILURES, "4 1699999000 AAAA");
		(void)user_password(all[i], NOW);
	}
	(void)user_code(&rival, NOW, wrong_code(&rival, NOW, 1, 6), NONCE_A, 1);
	(void)user_code(&user, NOW, wrong_code(&user, NOW, 2, 6), NONCE_B, 1);
	assert_true(user_write(&directory, &rival.decision.change, false));
	assert_false(user_write(&directory, &user.decision.change, false));
	(void)user_code(&directory, NOW, wrong_code(&user, NOW, 2, 6), NONCE_B, 1);
	assert_int_equal(directory.decision.result, MFA_RESULT_LOCKED);
}

static void failed_chap(struct mfa_code *code, uint8_t id)
{
	uint8_t response[MFA_CHAP_SIZE + 1] = {id, 1, 2, 3};

	mfa_code_parse_chap(code, raw(response, sizeof(response)), bytes("challenge"));
}

static void wrong_chap_responses_count_like_wrong_codes(void **state)
{
	struct mfa_code code;
	struct mfa_request const request = {
		.now_s = NOW, .code = &code, .nonce = NONCE_A, .prompt = 1};

	(void)state;
	enrolled();
	failed_chap(&code, 1);
	assert_int_equal(user_ask(&user, &request), MFA_CHALLENGE);
	user_commit(&user);
	assert_int_equal(user_ask(&user, &request), MFA_CHALLENGE);
	assert_int_equal(user.decision.change.count, 0);
	failed_chap(&code, 2);
	assert_int_equal(user_ask(&user, &request), MFA_CHALLENGE);
	user_commit(&user);
	assert_int_equal(failures(), 2);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(a_wrong_code_is_asked_for_again_until_the_attempts_are_used),
		cmocka_unit_test(an_older_state_does_not_bring_attempts_back),
		cmocka_unit_test(a_count_that_was_cleared_counts_from_zero),
		cmocka_unit_test(a_code_without_a_prompt_is_tried_once),
		cmocka_unit_test(the_number_of_prompts_is_limited_as_well),
		cmocka_unit_test(a_wrong_code_may_count_as_several),
		cmocka_unit_test(nothing_that_is_typed_wrong_is_free),
		cmocka_unit_test(the_same_wrong_code_within_a_minute_counts_once),
		cmocka_unit_test(the_same_wrong_code_is_compared_with_the_steps_of_its_first_try),
		cmocka_unit_test(a_tag_does_not_give_the_code_away),
		cmocka_unit_test(the_wait_doubles_up_to_its_limit),
		cmocka_unit_test(a_hundred_in_a_row_and_only_an_administrator_helps),
		cmocka_unit_test(guessing_ends_after_a_hundred),
		cmocka_unit_test(no_limits_make_no_difference),
		cmocka_unit_test(a_clock_that_jumped_back_locks_no_longer_than_the_wait),
		cmocka_unit_test(the_fifth_wrong_code_locks),
		cmocka_unit_test(who_is_locked_is_asked_nothing_and_burns_nothing),
		cmocka_unit_test(success_clears_the_count),
		cmocka_unit_test(a_replayed_code_is_no_guess),
		cmocka_unit_test(two_wrong_codes_at_once_count_as_two),
		cmocka_unit_test(wrong_chap_responses_count_like_wrong_codes),
	};

	return RUN(tests);
}
