/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What page and command do to a record: each rule once, on a record in memory. */
#include "decide.h"

#include "core/devices.h"

#define KEY_A  "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
#define KEY_B  "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"
#define PAST   "20200101000000Z"
#define FUTURE "20990101000000Z"

static struct user user;
static struct mfa_change change;
static struct mfa_diag text;
static struct mfa_enrollment record;

/** A record with the flag and a secret, where they are given */
static void have(char const *flag, char const *secret)
{
	user_init(&user, NULL);
	if (flag) entry_add(&user.entry, MFA_ATTR_ENABLED, flag);
	if (secret) entry_add(&user.entry, MFA_ATTR_SECRET, secret);
}

/** What a device leaves behind */
static void have_leftovers(void)
{
	entry_add(&user.entry, MFA_ATTR_RECOVERY_CODE, "k1$code");
	entry_add(&user.entry, MFA_ATTR_TRUSTED_DEVICE, "k1$hash 1800000000 AA");
	entry_add(&user.entry, MFA_ATTR_FAILURES, "100 1700000000 tag");
}

static struct mfa_enrollment *look(void)
{
	mfa_change_init(&change);
	record = (struct mfa_enrollment){.entry = &user.entry,
					 .ring = &user.ring,
					 .change = &change,
					 .text = &text,
					 .now_s = NOW,
					 .use_class = true};
	mfa_enrollment_look(&record);
	return &record;
}

/** The outcome; what was decided is carried out */
static void become(enum mfa_outcome wanted, enum mfa_outcome outcome)
{
	if (outcome != wanted) fail_msg("outcome %d: %s", (int)outcome, text.text);
	if (outcome == MFA_OUTCOME_CHANGED) {
		assert_true(change.count > 0);
		assert_true(user_write(&user, &change, true));
	}
	assert_true(text.text[0] != '\0');
}

static size_t count(enum mfa_attr attr)
{
	return mfa_entry_count(&user.entry, attr);
}

static void flag_is(char const *flag)
{
	assert_bytes(mfa_entry_get(&user.entry, MFA_ATTR_ENABLED, 0), flag);
}

static struct mfa_new_device device_of(char const *key, char const *name)
{
	struct mfa_new_device device = {.used_step = -1};

	assert_int_equal(
		mfa_secret_parse(&device.totp, NULL, &user.ring, user.entry.id, mfa_bytes_of(key)),
		MFA_OK);
	(void)snprintf(device.totp.name, sizeof(device.totp.name), "%s", name);
	return device;
}

static struct mfa_totp stored(size_t n)
{
	struct mfa_totp totp;

	assert_int_equal(mfa_secret_parse(&totp, NULL, &user.ring, user.entry.id,
					  mfa_entry_get(&user.entry, MFA_ATTR_SECRET, n)),
			 MFA_OK);
	return totp;
}

static bool adds_class(void)
{
	for (size_t i = 0; i < change.count; i++) {
		if (change.list[i].op == MFA_OP_ADD_CLASS) return true;
	}
	return false;
}

static void the_first_device_turns_on_and_clears_what_is_left(void **state)
{
	struct mfa_new_device const device = device_of(KEY_A, "");

	(void)state;
	have(NULL, NULL);
	have_leftovers();
	entry_add(&user.entry, MFA_ATTR_VOUCHER, "k1$voucher 1800000000");
	become(MFA_OUTCOME_CHANGED, mfa_devices_add(look(), &device));
	flag_is("TRUE");
	assert_true(adds_class());
	assert_int_equal(count(MFA_ATTR_SECRET), 1);
	assert_int_equal(count(MFA_ATTR_RECOVERY_CODE) + count(MFA_ATTR_TRUSTED_DEVICE) +
				 count(MFA_ATTR_FAILURES) + count(MFA_ATTR_VOUCHER),
			 0);
	assert_string_equal(stored(0).name, "device 1");
	assert_int_equal(stored(0).added_s, NOW);
}

static void a_further_device_leaves_what_is_there(void **state)
{
	struct mfa_new_device const device = device_of(KEY_B, "tablet");

	(void)state;
	have("TRUE", KEY_A);
	have_leftovers();
	become(MFA_OUTCOME_CHANGED, mfa_devices_add(look(), &device));
	assert_int_equal(count(MFA_ATTR_SECRET), 2);
	assert_int_equal(count(MFA_ATTR_RECOVERY_CODE), 1);
	assert_int_equal(count(MFA_ATTR_TRUSTED_DEVICE), 1);
	assert_int_equal(count(MFA_ATTR_FAILURES), 1);
	become(MFA_OUTCOME_UNCHANGED, mfa_devices_add(look(), &device));
}

static void a_name_that_is_taken_is_refused_or_numbered(void **state)
{
	struct mfa_new_device device = device_of(KEY_B, "my phone");
	struct mfa_totp totp = device_of(KEY_A, "my phone").totp;
	char value[MFA_SECRET_SIZE];

	(void)state;
	have("TRUE", NULL);
	assert_int_equal(mfa_secret_format(value, &totp, &user.ring, user.entry.id), MFA_OK);
	entry_add(&user.entry, MFA_ATTR_SECRET, value);
	become(MFA_OUTCOME_REFUSED, mfa_devices_add(look(), &device));
	device.number_name = true;
	become(MFA_OUTCOME_CHANGED, mfa_devices_add(look(), &device));
	assert_string_equal(stored(1).name, "my phone 2");
}

static void a_device_is_not_added_to_every_record(void **state)
{
	struct mfa_new_device device = device_of(KEY_B, "");

	(void)state;
	have("FALSE", KEY_A);
	become(MFA_OUTCOME_REFUSED, mfa_devices_add(look(), &device));
	device.suspended = true;
	become(MFA_OUTCOME_CHANGED, mfa_devices_add(look(), &device));
	flag_is("FALSE");
	device.suspended = false;
	have("FALSE", KEY_A);
	entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, PAST);
	become(MFA_OUTCOME_CHANGED, mfa_devices_add(look(), &device));
	flag_is("TRUE");
	have("yes", NULL);
	become(MFA_OUTCOME_REFUSED, mfa_devices_add(look(), &device));
	have("TRUE", NULL);
	entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, "soon");
	become(MFA_OUTCOME_REFUSED, mfa_devices_add(look(), &device));
	have("TRUE", KEY_A);
	for (unsigned i = 1; i < MFA_SECRETS_MAX; i++)
		entry_add(&user.entry, MFA_ATTR_SECRET, "unreadable");
	become(MFA_OUTCOME_REFUSED, mfa_devices_add(look(), &device));
}

static void a_new_device_takes_the_place_of_all(void **state)
{
	struct mfa_new_device const device = device_of(KEY_B, "new");

	(void)state;
	have("TRUE", KEY_A);
	have_leftovers();
	become(MFA_OUTCOME_CHANGED, mfa_devices_replace(look(), &device));
	assert_int_equal(count(MFA_ATTR_SECRET), 1);
	assert_string_equal(stored(0).name, "new");
	assert_int_equal(count(MFA_ATTR_TRUSTED_DEVICE) + count(MFA_ATTR_FAILURES), 0);
	assert_int_equal(count(MFA_ATTR_RECOVERY_CODE), 1);
	have("FALSE", KEY_A);
	become(MFA_OUTCOME_REFUSED, mfa_devices_replace(look(), &device));
}

static void the_last_device_that_works_is_not_removed(void **state)
{
	(void)state;
	have("TRUE", KEY_A);
	become(MFA_OUTCOME_REFUSED, mfa_devices_remove(look(), mfa_bytes_of(KEY_A)));
	become(MFA_OUTCOME_UNCHANGED, mfa_devices_remove(look(), mfa_bytes_of(KEY_B)));
	entry_add(&user.entry, MFA_ATTR_SECRET, "unreadable");
	become(MFA_OUTCOME_REFUSED, mfa_devices_remove(look(), mfa_bytes_of(KEY_A)));
	become(MFA_OUTCOME_CHANGED, mfa_devices_remove(look(), mfa_bytes_of("unreadable")));
	entry_add(&user.entry, MFA_ATTR_SECRET, KEY_B);
	become(MFA_OUTCOME_CHANGED, mfa_devices_remove(look(), mfa_bytes_of(KEY_A)));
	assert_int_equal(count(MFA_ATTR_SECRET), 1);
}

/** Judge the code that a key has at a moment */
static enum mfa_result judge(struct mfa_proof *proof, char const *key, int64_t at_s)
{
	struct mfa_totp const totp = device_of(key, "").totp;
	struct mfa_code code;
	char digits[MFA_TOTP_DIGITS_MAX + 1];

	assert_int_equal(mfa_totp_generate(digits, &totp, at_s / totp.period_s), MFA_OK);
	code = code_of(digits);
	mfa_devices_prove(proof, look(), &user.policy, &totp, &code);
	return proof->result;
}

static void a_first_code_counts_once_and_never_goes_back(void **state)
{
	struct mfa_new_device device = device_of(KEY_A, "");
	struct mfa_proof proof;

	(void)state;
	have(NULL, NULL);
	assert_int_equal(judge(&proof, KEY_A, NOW), MFA_RESULT_ACCEPTED);
	assert_int_equal(proof.step, NOW / 30);
	assert_int_equal(judge(&proof, KEY_A, NOW + 300), MFA_RESULT_REJECTED);
	assert_int_equal(proof.step, -1);
	device.used_step = NOW / 30;
	device.nonce = NONCE_A;
	become(MFA_OUTCOME_CHANGED, mfa_devices_add(look(), &device));
	assert_bytes(mfa_entry_get(&user.entry, MFA_ATTR_LAST_USE, 0),
		     "56666667 1700000010 " NONCE_A);
	assert_int_equal(judge(&proof, KEY_B, NOW), MFA_RESULT_REPLAYED);
	assert_int_equal(judge(&proof, KEY_B, NOW + 30), MFA_RESULT_ACCEPTED);
	device = device_of(KEY_B, "");
	device.used_step = NOW / 30 - 1;
	device.nonce = NONCE_B;
	become(MFA_OUTCOME_CHANGED, mfa_devices_add(look(), &device));
	assert_bytes(mfa_entry_get(&user.entry, MFA_ATTR_LAST_USE, 0),
		     "56666667 1700000010 " NONCE_A);
}

static void no_device_is_added_while_the_others_are_locked(void **state)
{
	struct mfa_proof proof;

	(void)state;
	have("TRUE", KEY_A);
	entry_add(&user.entry, MFA_ATTR_FAILURES, "100 1700000000 tag");
	assert_int_equal(judge(&proof, KEY_B, NOW), MFA_RESULT_LOCKED);
	assert_int_equal(proof.wait_s, MFA_WAIT_FOREVER);
	have(NULL, NULL);
	entry_add(&user.entry, MFA_ATTR_FAILURES, "100 1700000000 tag");
	assert_int_equal(judge(&proof, KEY_B, NOW), MFA_RESULT_ACCEPTED);
}

static void recovery_codes_need_a_device(void **state)
{
	char codes[MFA_RECOVERY_SET_SIZE];
	struct mfa_code code;
	size_t index;

	(void)state;
	assert_int_equal(mfa_recovery_generate_set(codes), MFA_OK);
	have("TRUE", NULL);
	become(MFA_OUTCOME_REFUSED, mfa_enrollment_codes(look(), codes));
	have("TRUE", KEY_A);
	entry_add(&user.entry, MFA_ATTR_RECOVERY_CODE, "k1$old");
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_codes(look(), codes));
	assert_int_equal(count(MFA_ATTR_RECOVERY_CODE), MFA_RECOVERY_COUNT);
	codes[9 * MFA_RECOVERY_TEXT_SIZE + 14] = '\0';
	code = code_of(codes + 9 * MFA_RECOVERY_TEXT_SIZE);
	assert_int_equal(mfa_recovery_find(&index, &user.entry, &user.ring, &code), MFA_OK);
}

static void codes_go_with_the_first_device(void **state)
{
	struct mfa_new_device const device = device_of(KEY_A, "");
	char codes[MFA_RECOVERY_SET_SIZE];

	(void)state;
	assert_int_equal(mfa_recovery_generate_set(codes), MFA_OK);
	have(NULL, NULL);
	have_leftovers();
	assert_int_equal(mfa_devices_add(look(), &device), MFA_OUTCOME_CHANGED);
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_codes(&record, codes));
	assert_int_equal(count(MFA_ATTR_RECOVERY_CODE), MFA_RECOVERY_COUNT);
	assert_int_equal(count(MFA_ATTR_SECRET), 1);
}

static void turning_off_takes_all_and_needs_leave(void **state)
{
	(void)state;
	have("TRUE", KEY_A);
	have_leftovers();
	entry_add(&user.entry, MFA_ATTR_LAST_USE, "56666667 1700000010 " NONCE_A);
	look()->required = true;
	become(MFA_OUTCOME_REFUSED, mfa_enrollment_turn_off(&record));
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_turn_off(look()));
	flag_is("FALSE");
	assert_int_equal(user.entry.count, 2); /* the flag, and the last use */
	have("TRUE", KEY_A);
	entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, PAST);
	become(MFA_OUTCOME_REFUSED, mfa_enrollment_turn_off(look()));
	have("TRUE", KEY_A);
	entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, FUTURE);
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_turn_off(look()));
}

static void suspend_and_resume(void **state)
{
	(void)state;
	have("TRUE", KEY_A);
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_suspend(look()));
	flag_is("FALSE");
	assert_int_equal(count(MFA_ATTR_SECRET), 1);
	become(MFA_OUTCOME_UNCHANGED, mfa_enrollment_suspend(look()));
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_resume(look()));
	flag_is("TRUE");
	become(MFA_OUTCOME_UNCHANGED, mfa_enrollment_resume(look()));
	have("TRUE", NULL);
	entry_add(&user.entry, MFA_ATTR_VOUCHER, "k1$voucher 1800000000");
	become(MFA_OUTCOME_REFUSED, mfa_enrollment_resume(look()));
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_suspend(look()));
	assert_int_equal(count(MFA_ATTR_VOUCHER), 0);
	have("TRUE", KEY_A);
	entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, PAST);
	become(MFA_OUTCOME_REFUSED, mfa_enrollment_suspend(look()));
}

static void reset_forgets_devices_and_keeps_the_rest(void **state)
{
	(void)state;
	have("TRUE", KEY_A);
	have_leftovers();
	entry_add(&user.entry, MFA_ATTR_LAST_USE, "garbage");
	entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, PAST);
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_reset(look()));
	assert_int_equal(user.entry.count, 2); /* flag and date */
	become(MFA_OUTCOME_UNCHANGED, mfa_enrollment_reset(look()));
}

static void invitations(void **state)
{
	(void)state;
	have(NULL, NULL);
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_invite(look(), NULL, 0));
	flag_is("TRUE");
	become(MFA_OUTCOME_UNCHANGED, mfa_enrollment_invite(look(), NULL, 0));
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_invite(look(), "BCDF-GHJK-LMNP", NOW + 60));
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_invite(look(), "BCDF-GHJK-LMNQ", NOW + 60));
	assert_int_equal(count(MFA_ATTR_VOUCHER), 1);
	have("TRUE", KEY_A);
	become(MFA_OUTCOME_UNCHANGED, mfa_enrollment_invite(look(), NULL, 0));
	become(MFA_OUTCOME_REFUSED, mfa_enrollment_invite(look(), "BCDF-GHJK-LMNP", NOW));
	have("FALSE", KEY_A);
	become(MFA_OUTCOME_REFUSED, mfa_enrollment_invite(look(), NULL, 0));
	have("yes", NULL);
	become(MFA_OUTCOME_REFUSED, mfa_enrollment_invite(look(), NULL, 0));
}

static void compulsory_from_a_date(void **state)
{
	(void)state;
	have(NULL, NULL);
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_require(look(), NOW, false));
	assert_string_equal(text.text, "required from 2023-11-14T22:13:30Z; has no device yet");
	become(MFA_OUTCOME_UNCHANGED, mfa_enrollment_require(look(), NOW + 60, false));
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_require(look(), NOW + 60, true));
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_require(look(), 0, true));
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_unrequire(look()));
	become(MFA_OUTCOME_UNCHANGED, mfa_enrollment_unrequire(look()));
	entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, "soon");
	assert_true(mfa_enrollment_is_required(look()));
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_require(look(), NOW, false));
	have(NULL, NULL);
	assert_false(mfa_enrollment_is_required(look()));
	entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, FUTURE);
	assert_false(mfa_enrollment_is_required(look()));
}

static void remembered_devices_and_wrong_codes_are_forgotten(void **state)
{
	(void)state;
	have("TRUE", KEY_A);
	have_leftovers();
	entry_add(&user.entry, MFA_ATTR_TRUSTED_DEVICE, "k1$other 1800000000 BB");
	become(MFA_OUTCOME_CHANGED,
	       mfa_enrollment_forget(look(), mfa_bytes_of("k1$other 1800000000 BB")));
	assert_int_equal(count(MFA_ATTR_TRUSTED_DEVICE), 1);
	become(MFA_OUTCOME_UNCHANGED, mfa_enrollment_forget(look(), mfa_bytes_of("k1$other")));
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_forget(look(), (struct mfa_bytes){0}));
	become(MFA_OUTCOME_UNCHANGED, mfa_enrollment_forget(look(), (struct mfa_bytes){0}));
	become(MFA_OUTCOME_CHANGED, mfa_enrollment_unlock(look()));
	become(MFA_OUTCOME_UNCHANGED, mfa_enrollment_unlock(look()));
}

static void a_change_by_somebody_else_is_a_conflict(void **state)
{
	struct mfa_new_device const device = device_of(KEY_B, "");

	(void)state;
	have("TRUE", KEY_A);
	assert_int_equal(mfa_devices_add(look(), &device), MFA_OUTCOME_CHANGED);
	user.entry.list[0].value = mfa_bytes_of("FALSE");
	assert_false(user_write(&user, &change, true));
	have("TRUE", NULL);
	assert_int_equal(mfa_enrollment_invite(look(), "BCDF-GHJK-LMNP", NOW), MFA_OUTCOME_CHANGED);
	entry_add(&user.entry, MFA_ATTR_SECRET, KEY_A);
	assert_false(user_write(&user, &change, true));
	have("TRUE", KEY_A);
	assert_int_equal(mfa_enrollment_turn_off(look()), MFA_OUTCOME_CHANGED);
	entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, PAST);
	assert_false(user_write(&user, &change, true));
}

/* The conditions of the administrator's changes: nothing else would notice. */

static void what_is_required_meanwhile_is_not_suspended(void **state)
{
	(void)state;
	have("TRUE", KEY_A);
	assert_int_equal(mfa_enrollment_suspend(look()), MFA_OUTCOME_CHANGED);
	entry_add(&user.entry, MFA_ATTR_REQUIRED_FROM, PAST);
	assert_false(user_write(&user, &change, true));
	flag_is("TRUE");
}

static void a_device_that_is_gone_meanwhile_is_not_resumed(void **state)
{
	(void)state;
	have("FALSE", KEY_A);
	assert_int_equal(mfa_enrollment_resume(look()), MFA_OUTCOME_CHANGED);
	user.entry.count--; /* the secret was added last */
	assert_int_equal(count(MFA_ATTR_SECRET), 0);
	assert_false(user_write(&user, &change, true));
	flag_is("FALSE");
}

static void a_phone_enrolled_meanwhile_is_not_reset(void **state)
{
	(void)state;
	have("TRUE", KEY_A);
	assert_int_equal(mfa_enrollment_reset(look()), MFA_OUTCOME_CHANGED);
	user.entry.list[user.entry.count - 1].value = mfa_bytes_of(KEY_B);
	assert_false(user_write(&user, &change, true));
	assert_int_equal(count(MFA_ATTR_SECRET), 1);
}

int main(void)
{
	struct CMUnitTest const tests[] = {
		cmocka_unit_test(the_first_device_turns_on_and_clears_what_is_left),
		cmocka_unit_test(a_further_device_leaves_what_is_there),
		cmocka_unit_test(a_name_that_is_taken_is_refused_or_numbered),
		cmocka_unit_test(a_device_is_not_added_to_every_record),
		cmocka_unit_test(a_new_device_takes_the_place_of_all),
		cmocka_unit_test(the_last_device_that_works_is_not_removed),
		cmocka_unit_test(a_first_code_counts_once_and_never_goes_back),
		cmocka_unit_test(no_device_is_added_while_the_others_are_locked),
		cmocka_unit_test(recovery_codes_need_a_device),
		cmocka_unit_test(codes_go_with_the_first_device),
		cmocka_unit_test(turning_off_takes_all_and_needs_leave),
		cmocka_unit_test(suspend_and_resume),
		cmocka_unit_test(reset_forgets_devices_and_keeps_the_rest),
		cmocka_unit_test(invitations),
		cmocka_unit_test(compulsory_from_a_date),
		cmocka_unit_test(remembered_devices_and_wrong_codes_are_forgotten),
		cmocka_unit_test(a_change_by_somebody_else_is_a_conflict),
		cmocka_unit_test(what_is_required_meanwhile_is_not_suspended),
		cmocka_unit_test(a_device_that_is_gone_meanwhile_is_not_resumed),
		cmocka_unit_test(a_phone_enrolled_meanwhile_is_not_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
