/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The odds of a guess, as docs/threat-model.md has them: the codes that are right at a moment are
 * counted by asking about each code that a device shows around it.
 */
#include "decide.h"

#define REACH 100 /* steps on either side that are tried; window and drift reach 50 */

static char const *const keys[] = {
	"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
	"KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU", "MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK",
	"NNWG23TPOBYXE43UNNWG23TPOBYXE43U"};

/** One row of the table */
struct odds {
	uint32_t window;
	int64_t drift;
	size_t devices;
	uint32_t digits;
	unsigned right;	  //!< Codes that are right at a moment, of 10^digits.
	double until_cap; //!< Of a hit among MFA_FAILURES_CAP guesses, in percent.
};

static struct odds const table[] = {
	{1, 0, 1, 6, 3, 0.03},	 {1, 2, 1, 6, 5, 0.05},	   {1, 4, 1, 6, 6, 0.06},
	{1, 4, 2, 6, 12, 0.12},	 {1, 4, 5, 6, 30, 0.3},	   {1, 0, 1, 8, 3, 0.0003},
	{1, 4, 1, 8, 6, 0.0006}, {10, 40, 5, 6, 210, 2.1}, {0, 0, 1, 6, 1, 0.01},
};

static struct user user;

/** A user whose last use, long ago, shows a drift of the token's clock */
static void enroll(struct odds const *odds)
{
	char value[128];

	user_init(&user, NULL);
	user.policy.window = odds->window;
	user.policy.drift_max = 40;
	entry_add(&user.entry, MFA_ATTR_ENABLED, "TRUE");
	for (size_t i = 0; i < odds->devices; i++) {
		(void)snprintf(value, sizeof(value), "otpauth://totp/%zu?secret=%s&digits=%u", i,
			       keys[i], odds->digits);
		entry_add(&user.entry, MFA_ATTR_SECRET, value);
	}
	(void)snprintf(value, sizeof(value), "%lld %d " NONCE_B,
		       (long long)(NOW / 30 - 10000 + odds->drift), NOW - 300000);
	entry_add(&user.entry, MFA_ATTR_LAST_USE, value);
	assert_int_equal(user_password(&user, NOW), MFA_CHALLENGE);
}

/** How many codes are accepted at this moment */
static unsigned count_right(void)
{
	unsigned right = 0;

	for (size_t device = 0; device < user.record.secret_count; device++) {
		for (int64_t i = -REACH; i <= REACH; i++) {
			char code[MFA_TOTP_DIGITS_MAX + 1];

			(void)snprintf(code, sizeof(code), "%s",
				       shown(&user, device, NOW + 30 * i));
			right += user_code(&user, NOW, code, NONCE_A, 1) == MFA_ACCEPT ? 1 : 0;
		}
	}
	return right;
}

/** In percent: 1 - (1 - p)^100, and p is that many in 10^digits */
static double percent_until_cap(unsigned right, uint32_t digits)
{
	double codes = 1, miss = 1;

	for (uint32_t i = 0; i < digits; i++) codes *= 10;
	for (unsigned i = 0; i < MFA_FAILURES_CAP; i++) miss *= 1 - right / codes;
	return 100 * (1 - miss);
}

static void so_many_codes_are_right_at_a_moment(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct odds const *odds = &table[i];
		int64_t const window = 2 * (int64_t)odds->window + 1;
		int64_t const steps = window + (odds->drift < window ? odds->drift : window);
		double const percent = percent_until_cap(odds->right, odds->digits);

		enroll(odds);
		assert_int_equal(count_right(), odds->right);
		assert_int_equal((int64_t)odds->devices * steps, odds->right);
		assert_true(percent > odds->until_cap * 0.98);
		assert_true(percent < odds->until_cap * 1.02);
	}
}

/* Whoever guesses as often as the lock lets them, from one right code of the user to the next. */
static void so_many_guesses_fit_into_a_day(void **state)
{
	struct mfa_failures failures = {.present = true};
	unsigned guesses = 0;

	(void)state;
	for (int64_t now_s = 0; now_s < 86400; guesses++) {
		failures.count++;
		failures.time_s = now_s;
		now_s += mfa_lock_wait_s(&failures, &usual, now_s);
	}
	assert_int_equal(guesses, 34);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(so_many_codes_are_right_at_a_moment),
		cmocka_unit_test(so_many_guesses_fit_into_a_day),
	};

	return RUN(tests);
}
