/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is accepted without a TOTP code: a recovery code, a remembered device; and a
 * TOTP code of which only a CHAP response arrived.
 */
#include "decide.h"

#include <openssl/evp.h>

#define FIRST  "BCDF-GHJK-LMNP"
#define SECOND "ZXWV-TSRQ-PNML"

static struct user user;

static void add_recovery(char const *text)
{
	struct mfa_code const code = code_of(text);
	char value[MFA_HASH_SIZE];

	assert_int_equal(mfa_recovery_format(value, &user.ring, user.entry.id, &code), MFA_OK);
	entry_add(&user.entry, MFA_ATTR_RECOVERY_CODE, value);
}

static void enrolled(void)
{
	user_init(&user, RFC_KEY);
	add_recovery(FIRST);
	add_recovery(SECOND);
	assert_int_equal(user_password(&user, NOW), MFA_CHALLENGE);
}

static void a_recovery_code_is_used_up(void **state)
{
	(void)state;
	enrolled();
	assert_int_equal(user_code(&user, NOW, SECOND, NONCE_A, 1), MFA_ACCEPT);
	assert_int_equal(user.decision.result, MFA_RESULT_RECOVERY);
	assert_int_equal(user.decision.recovery_left, 1);
	user_commit(&user);
	assert_int_equal(mfa_entry_count(&user.entry, MFA_ATTR_RECOVERY_CODE), 1);
	assert_int_equal(user_code(&user, NOW, SECOND, NONCE_B, 1), MFA_CHALLENGE);
	assert_true(user.decision.wrong);
	assert_int_equal(user_code(&user, NOW, "bcdfghjklmnp", NONCE_B, 1), MFA_ACCEPT);
	assert_int_equal(user.decision.recovery_left, 0);
}

static void a_recovery_code_clears_the_failures(void **state)
{
	(void)state;
	enrolled();
	entry_add(&user.entry, MFA_ATTR_FAILURES, "4 1700000000 AAAA");
	assert_int_equal(user_code(&user, NOW, FIRST, NONCE_A, 1), MFA_ACCEPT);
	user_commit(&user);
	assert_int_equal(mfa_entry_count(&user.entry, MFA_ATTR_FAILURES), 0);
}

static void a_lock_holds_recovery_codes_off_as_well(void **state)
{
	(void)state;
	enrolled();
	entry_add(&user.entry, MFA_ATTR_FAILURES, "5 1700000000 AAAA");
	assert_int_equal(user_code(&user, NOW, FIRST, NONCE_A, 1), MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_LOCKED);
	assert_int_equal(user.decision.change.count, 0);
}

static void its_retransmission_is_accepted_and_nobody_else_is(void **state)
{
	(void)state;
	enrolled();
	(void)user_code(&user, NOW, FIRST, NONCE_A, 1);
	user_commit(&user);
	assert_int_equal(user_code(&user, NOW + 5, FIRST, NONCE_A, 1), MFA_ACCEPT);
	assert_int_equal(user.decision.result, MFA_RESULT_RECOVERY);
	assert_int_equal(user.decision.change.count, 0);
	assert_int_equal(user.decision.recovery_left, 1);
	assert_int_equal(user_code(&user, NOW + 5, FIRST, NONCE_B, 1), MFA_CHALLENGE);
	assert_int_equal(user_code(&user, NOW + 5, "BCDF-GHJK-LMNQ", NONCE_A, 1), MFA_CHALLENGE);
}

/** The same login and code again, after so many seconds; behind the password, or at a prompt */
static enum mfa_verdict again(char const *typed, int64_t later_s, uint32_t prompt)
{
	enum mfa_verdict const verdict =
		user_answer(&user, NOW + later_s, typed, NONCE_A, prompt, 0);

	if (verdict == MFA_ACCEPT) assert_int_equal(user.decision.change.count, 0);
	return verdict;
}

static void a_retransmission_ends_as_that_of_a_totp_code_does(void **state)
{
	char const *const typed[] = {FIRST, NULL};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(typed); i++) {
		char code[MFA_RECOVERY_TEXT_SIZE];

		enrolled();
		user.policy.window = 10; /* the code's step is in reach all the time */
		(void)snprintf(code, sizeof(code), "%s",
			       typed[i] ? typed[i] : shown(&user, 0, NOW));
		assert_int_equal(user_code(&user, NOW, code, NONCE_A, 1), MFA_ACCEPT);
		user_commit(&user);
		assert_int_equal(again(code, 120, 1), MFA_ACCEPT);
		assert_int_not_equal(again(code, 121, 1), MFA_ACCEPT);
		assert_int_equal(again(code, 10, 0), MFA_ACCEPT);
		assert_int_not_equal(again(code, 11, 0), MFA_ACCEPT);
		assert_int_equal(again(code, -10, 0), MFA_ACCEPT);
		assert_int_not_equal(again(code, -11, 0), MFA_ACCEPT);
	}
}

static void a_retransmission_ends_with_a_reset(void **state)
{
	(void)state;
	enrolled();
	(void)user_code(&user, NOW, FIRST, NONCE_A, 1);
	user_commit(&user);
	assert_int_equal(again(FIRST, 1, 1), MFA_ACCEPT);
	mfa_change_init(&user.decision.change);
	mfa_change_delete(&user.decision.change, MFA_ATTR_SECRET, bytes(RFC_KEY));
	mfa_change_add(&user.decision.change, MFA_ATTR_SECRET, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
	user_commit(&user);
	assert_int_equal(again(FIRST, 1, 1), MFA_CHALLENGE);
}

static void the_order_of_the_secrets_does_not_matter_to_it(void **state)
{
	(void)state;
	enrolled();
	entry_add(&user.entry, MFA_ATTR_SECRET, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
	(void)user_code(&user, NOW, FIRST, NONCE_A, 1);
	user_commit(&user);
	mfa_change_init(&user.decision.change);
	mfa_change_delete(&user.decision.change, MFA_ATTR_SECRET, bytes(RFC_KEY));
	mfa_change_add(&user.decision.change, MFA_ATTR_SECRET, RFC_KEY);
	user_commit(&user);
	assert_int_equal(again(FIRST, 1, 1), MFA_ACCEPT);
}

static void it_does_not_make_an_old_totp_code_fresh(void **state)
{
	(void)state;
	enrolled();
	(void)user_code(&user, NOW, shown(&user, 0, NOW), NONCE_A, 1);
	user_commit(&user);
	assert_int_equal(user_code(&user, NOW + 1, FIRST, NONCE_B, 1), MFA_ACCEPT);
	user_commit(&user);
	assert_int_equal(user_code(&user, NOW + 2, shown(&user, 0, NOW), "cccccccccccccccc", 1),
			 MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_REPLAYED);
	assert_int_equal(user_code(&user, NOW + 2, shown(&user, 0, NOW + 30), NONCE_B, 1),
			 MFA_ACCEPT);
}

static void of_two_servers_one_takes_it(void **state)
{
	static struct user rival, directory;

	(void)state;
	enrolled();
	rival = user;
	directory = user;
	/* Copies point into what they were copied from, which nobody changes here. */
	(void)user_code(&rival, NOW, FIRST, NONCE_A, 1);
	(void)user_code(&user, NOW, FIRST, NONCE_B, 1);
	assert_int_equal(rival.decision.verdict, MFA_ACCEPT);
	assert_int_equal(user.decision.verdict, MFA_ACCEPT);
	assert_true(user_write(&directory, &rival.decision.change, false));
	assert_false(user_write(&directory, &user.decision.change, false));
}

/* ---- remembered devices */

#define LAPTOP "02-00-00-00-00-01"

static void remembering(void)
{
	enrolled();
	user.policy.remember_s = 1000;
}

static enum mfa_verdict password_from(char const *device, int64_t now_s)
{
	struct mfa_request const request = {.now_s = now_s, .device = bytes(device)};

	return user_ask(&user, &request);
}

static enum mfa_verdict code_from(char const *device, int64_t now_s)
{
	struct mfa_code const code = code_of(shown(&user, 0, now_s));
	struct mfa_request const request = {.now_s = now_s,
					    .code = &code,
					    .nonce = NONCE_A,
					    .prompt = 1,
					    .device = bytes(device)};

	return user_ask(&user, &request);
}

static size_t devices(void)
{
	return mfa_entry_count(&user.entry, MFA_ATTR_TRUSTED_DEVICE);
}

static void a_device_is_remembered_for_a_while(void **state)
{
	(void)state;
	remembering();
	assert_int_equal(password_from(LAPTOP, NOW), MFA_CHALLENGE);
	assert_int_equal(code_from(LAPTOP, NOW), MFA_ACCEPT);
	user_commit(&user);
	assert_int_equal(devices(), 1);
	assert_int_equal(password_from(LAPTOP, NOW + 999), MFA_ACCEPT);
	assert_int_equal(user.decision.result, MFA_RESULT_TRUSTED);
	assert_int_equal(user.decision.change.count, 0);
	assert_int_equal(password_from("02-00-00-00-00-02", NOW + 1), MFA_CHALLENGE);
	assert_int_equal(password_from("", NOW + 1), MFA_CHALLENGE);
	assert_int_equal(password_from(LAPTOP, NOW + 1000), MFA_CHALLENGE);
	user.policy.remember_s = 0;
	assert_int_equal(password_from(LAPTOP, NOW + 1), MFA_CHALLENGE);
}

static void nothing_is_remembered_unless_the_policy_says_so(void **state)
{
	(void)state;
	enrolled();
	assert_int_equal(code_from(LAPTOP, NOW), MFA_ACCEPT);
	user_commit(&user);
	assert_int_equal(devices(), 0);
	user.policy.remember_s = 1000;
	assert_int_equal(code_from("", NOW + 30), MFA_ACCEPT);
	user_commit(&user);
	assert_int_equal(devices(), 0);
}

static void a_recovery_code_makes_no_device_known(void **state)
{
	struct mfa_code const code = code_of(FIRST);
	struct mfa_request const request = {.now_s = NOW,
					    .code = &code,
					    .nonce = NONCE_A,
					    .prompt = 1,
					    .device = bytes(LAPTOP)};

	(void)state;
	remembering();
	assert_int_equal(user_ask(&user, &request), MFA_ACCEPT);
	user_commit(&user);
	assert_int_equal(devices(), 0);
}

static void a_device_stands_there_once(void **state)
{
	(void)state;
	remembering();
	for (int64_t i = 0; i < 5; i++) {
		assert_int_equal(code_from(LAPTOP, NOW + 30 * i), MFA_ACCEPT);
		user_commit(&user);
		assert_int_equal(devices(), 1);
	}
	assert_int_equal(password_from(LAPTOP, NOW + 1119), MFA_ACCEPT);
}

static void of_twenty_the_oldest_goes(void **state)
{
	char name[32];

	(void)state;
	remembering();
	user.policy.remember_s = 100000;
	for (int64_t i = 0; i < 25; i++) {
		(void)snprintf(name, sizeof(name), "device-%d", (int)i);
		assert_int_equal(code_from(name, NOW + 30 * i), MFA_ACCEPT);
		user_commit(&user);
		assert_int_equal(devices(), i < 20 ? (size_t)i + 1 : 20);
	}
	for (int i = 0; i < 25; i++) {
		(void)snprintf(name, sizeof(name), "device-%d", i);
		assert_int_equal(password_from(name, NOW + 1000),
				 i < 5 ? MFA_CHALLENGE : MFA_ACCEPT);
	}
}

static void what_expired_or_cannot_be_read_makes_room(void **state)
{
	(void)state;
	remembering();
	entry_add(&user.entry, MFA_ATTR_TRUSTED_DEVICE, "garbage");
	entry_add(&user.entry, MFA_ATTR_TRUSTED_DEVICE, "new$hash 1700000010 expired just now");
	entry_add(&user.entry, MFA_ATTR_TRUSTED_DEVICE, "new$hash 1700000011 not yet");
	assert_int_equal(code_from(LAPTOP, NOW), MFA_ACCEPT);
	user_commit(&user);
	assert_int_equal(devices(), 2);
	assert_bytes(value_of(&user, MFA_ATTR_TRUSTED_DEVICE), "new$hash 1700000011 not yet");
}

static void a_device_is_forgotten_with_its_secret(void **state)
{
	(void)state;
	remembering();
	assert_int_equal(code_from(LAPTOP, NOW), MFA_ACCEPT);
	user_commit(&user);
	assert_int_equal(password_from(LAPTOP, NOW + 1), MFA_ACCEPT);
	{
		struct mfa_change *change = &user.decision.change;

		mfa_change_init(change);
		mfa_change_delete(change, MFA_ATTR_SECRET, bytes(RFC_KEY));
		mfa_change_add(change, MFA_ATTR_SECRET, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
		user_commit(&user);
	}
	assert_int_equal(password_from(LAPTOP, NOW + 1), MFA_CHALLENGE);
}

static void a_lock_holds_remembered_devices_off_as_well(void **state)
{
	(void)state;
	remembering();
	assert_int_equal(code_from(LAPTOP, NOW), MFA_ACCEPT);
	user_commit(&user);
	entry_add(&user.entry, MFA_ATTR_FAILURES, "5 1700000010 AAAA");
	assert_int_equal(password_from(LAPTOP, NOW + 1), MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_LOCKED);
}

/* What cannot be read is dropped some at a time: never more than one change holds. */
static void rubbish_among_the_devices_does_not_keep_a_right_code_out(void **state)
{
	char value[64];

	(void)state;
	remembering();
	for (unsigned i = 0; i < 90; i++) {
		(void)snprintf(value, sizeof(value), i % 2 ? "rubbish%u" : "new$h%u 1 long ago", i);
		entry_add(&user.entry, MFA_ATTR_TRUSTED_DEVICE, value);
	}
	for (int64_t i = 1; i <= 3; i++) {
		assert_int_equal(code_from(LAPTOP, NOW + 30 * i), MFA_ACCEPT);
		user_commit(&user);
		assert_int_equal(devices(), i < 3 ? 91 - 40 * i : 1);
		assert_int_equal(password_from(LAPTOP, NOW + 30 * i), MFA_ACCEPT);
	}
}

/* ---- a code that arrives as a CHAP response */

static struct mfa_code chap_of(char const *code)
{
	char text[64];
	uint8_t response[MFA_CHAP_SIZE + 1] = {42};
	struct mfa_code chap;
	int const len = snprintf(text, sizeof(text), "%c%s%s", 42, code, "challenge");

	assert_int_equal(EVP_Digest(text, (size_t)len, response + 1, NULL, EVP_md5(), NULL), 1);
	mfa_code_parse_chap(&chap, raw(response, sizeof(response)), bytes("challenge"));
	return chap;
}

static void a_chap_response_over_the_code_is_accepted_once(void **state)
{
	struct mfa_code code;
	struct mfa_request request = {.now_s = NOW, .code = &code, .nonce = NONCE_A, .prompt = 1};

	(void)state;
	enrolled();
	code = chap_of(shown(&user, 0, NOW + 30));
	assert_int_equal(user_ask(&user, &request), MFA_ACCEPT);
	user_commit(&user);
	assert_int_equal(user_ask(&user, &request), MFA_ACCEPT);
	assert_int_equal(user.decision.change.count, 0);
	request.nonce = NONCE_B;
	assert_int_equal(user_ask(&user, &request), MFA_REJECT);
	assert_int_equal(user.decision.result, MFA_RESULT_REPLAYED);
	code = chap_of(shown(&user, 0, NOW + 90));
	assert_int_equal(user_ask(&user, &request), MFA_CHALLENGE);
	code = chap_of("");
	assert_int_equal(user_ask(&user, &request), MFA_CHALLENGE);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(a_recovery_code_is_used_up),
		cmocka_unit_test(a_recovery_code_clears_the_failures),
		cmocka_unit_test(a_lock_holds_recovery_codes_off_as_well),
		cmocka_unit_test(its_retransmission_is_accepted_and_nobody_else_is),
		cmocka_unit_test(a_retransmission_ends_as_that_of_a_totp_code_does),
		cmocka_unit_test(a_retransmission_ends_with_a_reset),
		cmocka_unit_test(the_order_of_the_secrets_does_not_matter_to_it),
		cmocka_unit_test(it_does_not_make_an_old_totp_code_fresh),
		cmocka_unit_test(of_two_servers_one_takes_it),
		cmocka_unit_test(a_device_is_remembered_for_a_while),
		cmocka_unit_test(nothing_is_remembered_unless_the_policy_says_so),
		cmocka_unit_test(a_recovery_code_makes_no_device_known),
		cmocka_unit_test(a_device_stands_there_once),
		cmocka_unit_test(of_twenty_the_oldest_goes),
		cmocka_unit_test(what_expired_or_cannot_be_read_makes_room),
		cmocka_unit_test(a_device_is_forgotten_with_its_secret),
		cmocka_unit_test(a_lock_holds_remembered_devices_off_as_well),
		cmocka_unit_test(rubbish_among_the_devices_does_not_keep_a_right_code_out),
		cmocka_unit_test(a_chap_response_over_the_code_is_accepted_once),
	};

	return RUN(tests);
}
