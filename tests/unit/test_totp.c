/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

static struct mfa_totp totp_of(char const *key, enum mfa_totp_hash hash, uint32_t digits)
{
	struct mfa_totp totp = {.hash = hash, .digits = digits, .period_s = 30};

	totp.key_len = strlen(key);
	memcpy(totp.key, key, totp.key_len);
	return totp;
}

static struct mfa_totp plain(void)
{
	return totp_of("12345678901234567890", MFA_TOTP_SHA1, 6);
}

/** Ask whether the code of one step is right at a moment */
static struct mfa_totp_match match_step(struct mfa_totp const *totp,
					struct mfa_totp_window const *window, int64_t step,
					int64_t now_s)
{
	char text[MFA_TOTP_DIGITS_MAX + 1];
	struct mfa_totp_match match;
	struct mfa_code code;

	assert_int_equal(mfa_totp_generate(text, totp, step), MFA_OK);
	code = code_of(text);
	assert_int_equal(mfa_totp_match(&match, totp, window, &code, now_s), MFA_OK);
	return match;
}

static void rfc_4226_appendix_d(void **state)
{
	static char const *const expected[] = {"755224", "287082", "359152", "969429", "338314",
					       "254676", "287922", "162583", "399871", "520489"};
	struct mfa_totp const totp = plain();
	char code[MFA_TOTP_DIGITS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		assert_int_equal(mfa_totp_generate(code, &totp, (int64_t)i), MFA_OK);
		assert_string_equal(code, expected[i]);
	}
}

static void rfc_6238_appendix_b(void **state)
{
	static char const key64[] =
		"1234567890123456789012345678901234567890123456789012345678901234";
	static struct {
		int64_t time_s;
		char const *code[3];
	} const vector[] = {
		{59, {"94287082", "46119246", "90693936"}},
		{1111111109, {"07081804", "68084774", "25091201"}},
		{1111111111, {"14050471", "67062674", "99943326"}},
		{1234567890, {"89005924", "91819424", "93441116"}},
		{2000000000, {"69279037", "90698825", "38618901"}},
		{20000000000, {"65353130", "77737706", "47863826"}},
	};
	static size_t const key_len[] = {20, 32, 64};
	char code[MFA_TOTP_DIGITS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(vector); i++) {
		for (unsigned hash = 0; hash < 3; hash++) {
			struct mfa_totp totp = totp_of(key64, (enum mfa_totp_hash)hash, 8);

			totp.key_len = key_len[hash];
			assert_int_equal(mfa_totp_generate(code, &totp, vector[i].time_s / 30),
					 MFA_OK);
			assert_string_equal(code, vector[i].code[hash]);
		}
	}
}

/* A time step is a time step: the period only says when it begins. */
static void the_period_does_not_change_the_code_of_a_step(void **state)
{
	struct mfa_totp totp = plain();
	char code[MFA_TOTP_DIGITS_MAX + 1];

	(void)state;
	for (uint32_t period_s = MFA_TOTP_PERIOD_MIN; period_s <= MFA_TOTP_PERIOD_MAX; period_s++) {
		totp.period_s = period_s;
		assert_int_equal(mfa_totp_generate(code, &totp, 9), MFA_OK);
		assert_string_equal(code, "520489");
	}
}

static void seven_digits_keep_their_zeros(void **state)
{
	struct mfa_totp totp = totp_of("12345678901234567890", MFA_TOTP_SHA1, 7);
	char code[MFA_TOTP_DIGITS_MAX + 1];

	(void)state;
	assert_int_equal(mfa_totp_generate(code, &totp, 1111111109 / 30), MFA_OK);
	assert_string_equal(code, "7081804");
	totp.digits = 8;
	assert_int_equal(mfa_totp_generate(code, &totp, 1111111109 / 30), MFA_OK);
	assert_string_equal(code, "07081804");
}

static void what_is_out_of_range_has_no_code(void **state)
{
	struct mfa_totp_window const window = {.steps = 1, .not_after = -1};
	struct mfa_code const code = code_of("755224");
	struct mfa_totp bad[7];
	char text[MFA_TOTP_DIGITS_MAX + 1];
	struct mfa_totp_match match;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) bad[i] = plain();
	bad[0].key_len = MFA_TOTP_KEY_MIN - 1;
	bad[1].key_len = MFA_TOTP_KEY_MAX + 1;
	bad[2].digits = 5;
	bad[3].digits = 9;
	bad[4].period_s = 14;
	bad[5].period_s = 121;
	bad[6].key_len = 0;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		text[0] = 'x';
		assert_int_equal(mfa_totp_generate(text, &bad[i], 1), MFA_ERR_ARG);
		assert_zero(text, sizeof(text));
		match.fresh = true;
		assert_int_equal(mfa_totp_match(&match, &bad[i], &window, &code, 59), MFA_ERR_ARG);
		assert_false(match.fresh);
	}
}

static void steps_and_times_have_limits(void **state)
{
	static int64_t const bad[] = {-1, INT64_MIN, INT64_MAX,
				      INT64_MAX / MFA_TOTP_PERIOD_MAX + 1};
	struct mfa_totp_window const window = {.steps = 1, .not_after = -1};
	struct mfa_totp const totp = plain();
	struct mfa_code const code = code_of("755224");
	char text[MFA_TOTP_DIGITS_MAX + 1];
	struct mfa_totp_match match;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(mfa_totp_generate(text, &totp, bad[i]), MFA_ERR_ARG);
	assert_int_equal(mfa_totp_match(&match, &totp, &window, &code, -1), MFA_ERR_ARG);
	/* At the dawn of time there is no step before the first. */
	assert_int_equal(mfa_totp_match(&match, &totp, &window, &code, 0), MFA_OK);
	assert_true(match.fresh);
	assert_int_equal(match.step, 0);
}

static void windows_have_limits(void **state)
{
	static struct mfa_totp_window const bad[] = {
		{.steps = MFA_TOTP_WINDOW_MAX + 1, .not_after = -1},
		{.steps = 1, .drift = MFA_TOTP_DRIFT_MAX + 1, .not_after = -1},
		{.steps = 1, .drift = -MFA_TOTP_DRIFT_MAX - 1, .not_after = -1},
		{.steps = UINT32_MAX, .not_after = -1},
		{.steps = 1, .drift = INT64_MIN, .not_after = -1},
	};
	struct mfa_totp const totp = plain();
	struct mfa_code const code = code_of("755224");
	struct mfa_totp_match match;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(mfa_totp_match(&match, &totp, &bad[i], &code, 59), MFA_ERR_ARG);
}

static void the_window_is_as_wide_as_it_says(void **state)
{
	struct mfa_totp const totp = plain();
	int64_t const now_s = 1700000010, now = now_s / 30;

	(void)state;
	for (uint32_t steps = 0; steps <= MFA_TOTP_WINDOW_MAX; steps++) {
		struct mfa_totp_window const window = {.steps = steps, .not_after = -1};

		for (int64_t i = -12; i <= 12; i++) {
			bool const inside = i >= -(int64_t)steps && i <= (int64_t)steps;
			struct mfa_totp_match const match =
				match_step(&totp, &window, now + i, now_s);

			assert_int_equal(match.fresh, inside);
			assert_false(match.used);
			assert_int_equal(match.step, inside ? now + i : 0);
		}
	}
}

/* A window around now, another around the drift, and nothing in between. */
static void drift_opens_a_second_window(void **state)
{
	struct mfa_totp const totp = plain();
	int64_t const now_s = 1700000010, now = now_s / 30;

	(void)state;
	for (int64_t drift = -6; drift <= 6; drift++) {
		struct mfa_totp_window const window = {.steps = 1, .drift = drift, .not_after = -1};

		for (int64_t i = -9; i <= 9; i++) {
			bool const inside =
				(i >= -1 && i <= 1) || (i >= drift - 1 && i <= drift + 1);

			assert_int_equal(match_step(&totp, &window, now + i, now_s).fresh, inside);
		}
	}
}

static void a_step_that_is_used_up_is_known_but_not_fresh(void **state)
{
	struct mfa_totp const totp = plain();
	int64_t const now_s = 1700000010, now = now_s / 30;

	(void)state;
	for (int64_t last = now - 2; last <= now + 2; last++) {
		struct mfa_totp_window const window = {.steps = 1, .not_after = last * 30};

		for (int64_t step = now - 1; step <= now + 1; step++) {
			struct mfa_totp_match const match = match_step(&totp, &window, step, now_s);

			assert_int_equal(match.fresh, step > last);
			assert_int_equal(match.used, step <= last);
			assert_int_equal(match.step, step);
		}
	}
}

static void a_code_of_another_length_never_matches(void **state)
{
	static char const *const wrong[] = {"",	      "28708", "2870822", "02870822",
					    "287 08", "x",     "287082x", "28708２"};
	struct mfa_totp_window const window = {.steps = 1, .not_after = -1};
	struct mfa_totp const totp = plain();
	struct mfa_totp_match match;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct mfa_code const code = code_of(wrong[i]);

		assert_int_equal(mfa_totp_match(&match, &totp, &window, &code, 59), MFA_OK);
		assert_false(match.fresh || match.used);
	}
}

static void hashes_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(mfa_totp_hash_name(MFA_TOTP_SHA1), "SHA1");
	assert_string_equal(mfa_totp_hash_name(MFA_TOTP_SHA256), "SHA256");
	assert_string_equal(mfa_totp_hash_name(MFA_TOTP_SHA512), "SHA512");
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(rfc_4226_appendix_d),
		cmocka_unit_test(rfc_6238_appendix_b),
		cmocka_unit_test(the_period_does_not_change_the_code_of_a_step),
		cmocka_unit_test(seven_digits_keep_their_zeros),
		cmocka_unit_test(what_is_out_of_range_has_no_code),
		cmocka_unit_test(steps_and_times_have_limits),
		cmocka_unit_test(windows_have_limits),
		cmocka_unit_test(the_window_is_as_wide_as_it_says),
		cmocka_unit_test(drift_opens_a_second_window),
		cmocka_unit_test(a_step_that_is_used_up_is_known_but_not_fresh),
		cmocka_unit_test(a_code_of_another_length_never_matches),
		cmocka_unit_test(hashes_have_their_names),
	};

	return RUN(tests);
}
