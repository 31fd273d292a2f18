/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random histories of one user against what may never happen, whatever the order.  The seed is
 * fixed: a history that fails does so again.
 */
#include "decide.h"

#define HISTORIES 250
#define EVENTS	  120
#define CODES_MAX 4

static char const *const recovery_codes[CODES_MAX] = {"BCDF-GHJK-LMNP", "CDFG-HJKL-MNPQ",
						      "DFGH-JKLM-NPQR", "FGHJ-KLMN-PQRS"};
static char const *const devices[] = {
	"otpauth://totp/a?secret=" RFC_KEY,
	"otpauth://totp/b?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&period=60&digits=8",
	"otpauth://totp/c?secret=KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU&algorithm=SHA512&period=45"};

static struct user user, late;
static uint64_t random_state;

/** What was seen so far in this history */
static struct {
	int64_t now_s;
	int64_t last_start_s; //!< Where the step begins that was used last.
	char nonce[MFA_NONCE_TEXT_SIZE];
	unsigned logins;
	bool recovery_used[CODES_MAX];
	unsigned accepted, wrong, replayed, locked, conflicts; //!< Over all histories.
} seen;

/** splitmix64: enough for a test, the same everywhere */
static uint32_t pick(uint32_t below)
{
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ z >> 31) % below);
}

static void begin_history(uint64_t seed)
{
	random_state = seed;
	user_init(&user, devices[0]);
	for (uint32_t i = 1; i <= pick(3); i++) entry_add(&user.entry, MFA_ATTR_SECRET, devices[i]);
	for (size_t i = 0; i < CODES_MAX; i++) {
		struct mfa_code const code = code_of(recovery_codes[i]);
		char value[MFA_HASH_SIZE];

		assert_int_equal(mfa_recovery_format(value, &user.ring, user.entry.id, &code),
				 MFA_OK);
		entry_add(&user.entry, MFA_ATTR_RECOVERY_CODE, value);
		seen.recovery_used[i] = false;
	}
	user.policy.window = pick(3);
	user.policy.drift_max = pick(6);
	seen.now_s = NOW + pick(1000);
	seen.last_start_s = -1;
	seen.logins = 0;
	(void)user_password(&user, seen.now_s);
}

static void new_login(void)
{
	(void)snprintf(seen.nonce, sizeof(seen.nonce), "login-%010u", seen.logins++);
}

static uint32_t failures_of(struct user const *of)
{
	struct mfa_failures failures;

	if (mfa_entry_count(&of->entry, MFA_ATTR_FAILURES) == 0) return 0;
	assert_int_equal(mfa_failures_parse(&failures, value_of(of, MFA_ATTR_FAILURES)), MFA_OK);
	return failures.count;
}

/** What holds for every decision */
static void check_decision(struct user const *of)
{
	struct mfa_decision const *decision = &of->decision;

	assert_int_equal(of->record.state, MFA_STATE_ENROLLED);
	assert_false(decision->change.overflow);
	assert_true(decision->reason.text[0]);
	if (decision->result == MFA_RESULT_REPLAYED || decision->result == MFA_RESULT_LOCKED)
		assert_int_equal(decision->verdict, MFA_REJECT);
	if (mfa_lock_wait_s(&of->record.failures, &of->policy, seen.now_s) > 0) {
		assert_int_equal(decision->result, MFA_RESULT_LOCKED);
		assert_int_equal(decision->change.count, 0);
	}
	seen.replayed += decision->result == MFA_RESULT_REPLAYED ? 1 : 0;
	seen.locked += decision->result == MFA_RESULT_LOCKED ? 1 : 0;
}

/** Write what was decided; the count of failures goes up by one at most, and to zero on success */
static void write_decision(void)
{
	uint32_t const before = failures_of(&user);
	bool const accepted = user.decision.verdict == MFA_ACCEPT;
	bool const changes = user.decision.change.count > 0;

	user_commit(&user);
	if (!changes) {
		assert_int_equal(failures_of(&user), before);
	} else if (accepted) {
		assert_int_equal(failures_of(&user), 0);
	} else {
		assert_int_equal(failures_of(&user), before + 1);
	}
}

/** A code that some device shows at some moment near now */
static void type_a_shown_code(void)
{
	size_t const device = pick((uint32_t)user.record.secret_count);
	int64_t const period_s = user.record.secret[device].period_s;
	int64_t const step = seen.now_s / period_s + (int64_t)pick(13) - 6;
	int64_t const reach = user.policy.window + user.policy.drift_max;
	bool const in_reach =
		step >= seen.now_s / period_s - reach && step <= seen.now_s / period_s + reach;

	(void)user_code(&user, seen.now_s, shown(&user, device, step * period_s), seen.nonce,
			1 + pick(3));
	check_decision(&user);
	if (user.decision.verdict == MFA_ACCEPT) {
		assert_true(in_reach);
		if (user.decision.change.count > 0) {
			/* Never twice, and never an older one: whatever the device. */
			assert_true(step * period_s > seen.last_start_s);
			seen.last_start_s = step * period_s;
		} else {
			assert_int_equal(step * period_s, seen.last_start_s);
			assert_string_equal(user.record.last_use.nonce, seen.nonce);
		}
		seen.accepted++;
	}
	write_decision();
}

static void type_a_wrong_code(void)
{
	uint32_t const digits = pick(2) ? 6 : 8;

	(void)user_code(&user, seen.now_s, wrong_code(&user, seen.now_s, pick(5), digits),
			seen.nonce, 1 + pick(3));
	check_decision(&user);
	assert_int_not_equal(user.decision.verdict, MFA_ACCEPT);
	assert_int_not_equal(user.decision.result, MFA_RESULT_REPLAYED);
	seen.wrong++;
	write_decision();
}

static void type_a_recovery_code(void)
{
	uint32_t const i = pick(CODES_MAX);
	size_t const left = mfa_entry_count(&user.entry, MFA_ATTR_RECOVERY_CODE);

	(void)user_code(&user, seen.now_s, recovery_codes[i], seen.nonce, 1);
	check_decision(&user);
	write_decision();
	if (user.decision.verdict == MFA_ACCEPT && user.decision.change.count > 0) {
		assert_false(seen.recovery_used[i]);
		seen.recovery_used[i] = true;
		assert_int_equal(mfa_entry_count(&user.entry, MFA_ATTR_RECOVERY_CODE), left - 1);
	} else {
		assert_int_equal(mfa_entry_count(&user.entry, MFA_ATTR_RECOVERY_CODE), left);
	}
}

static void copy_entry(struct mfa_entry *to, struct mfa_entry const *from)
{
	entry_new(to);
	for (size_t i = 0; i < from->count; i++)
		assert_int_equal(mfa_entry_add(to, from->list[i].attr, from->list[i].value),
				 MFA_OK);
}

/** Another server read the entry at the same time and decides on the same code */
static void type_at_two_servers(void)
{
	char const *code = shown(&user, 0, seen.now_s);
	int64_t const start_s = seen.now_s / 30 * 30;
	bool const assertions = pick(2);

	late.ring = user.ring;
	late.policy = user.policy;
	copy_entry(&late.entry, &user.entry);
	(void)user_code(&late, seen.now_s, code, "late-login-00001", 1);
	(void)user_code(&user, seen.now_s, code, seen.nonce, 1);
	check_decision(&user);
	check_decision(&late);
	if (user.decision.verdict == MFA_ACCEPT && user.decision.change.count > 0)
		seen.last_start_s = start_s;
	write_decision();
	if (late.decision.verdict == MFA_ACCEPT && late.decision.change.count > 0) {
		seen.conflicts++;
		assert_false(user_write(&user, &late.decision.change, assertions));
	}
}

static void let_time_pass(void)
{
	seen.now_s += pick(8) ? pick(100) : pick(8000);
	if (pick(30) == 0) seen.now_s -= pick(200);
}

static void an_administrator_unlocks(void)
{
	struct mfa_change *change = &late.decision.change;

	mfa_change_init(change);
	mfa_change_swap(change, &user.entry, MFA_ATTR_FAILURES, NULL);
	assert_true(user_write(&user, change, true));
}

static void happen(void)
{
	switch (pick(14)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 5: type_a_shown_code(); break;
	case 4: type_a_wrong_code(); break;
	case 6: type_a_recovery_code(); break;
	case 7: type_at_two_servers(); break;
	case 8: new_login(); break;
	case 9:
		assert_int_not_equal(user_password(&user, seen.now_s), MFA_ACCEPT);
		check_decision(&user);
		break;
	case 10: an_administrator_unlocks(); break;
	default: let_time_pass(); break;
	}
}

static void no_history_lets_anybody_in_who_should_not_be(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
		begin_history(seed * 1000003);
		new_login();
		for (unsigned i = 0; i < EVENTS; i++) happen();
	}
	/* Otherwise nothing of interest was tried. */
	assert_true(seen.accepted > 1000);
	assert_true(seen.wrong > 1000);
	assert_true(seen.replayed > 300);
	assert_true(seen.locked > 300);
	assert_true(seen.conflicts > 100);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(no_history_lets_anybody_in_who_should_not_be),
	};

	return RUN(tests);
}
