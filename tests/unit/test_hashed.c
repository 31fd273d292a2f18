/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/hashed.h"
#include "unit.h"

#define NOW  1700000000
#define CODE "BCDF-GHJK-LMNP"

static struct mfa_keyring ring, old_ring;
static struct mfa_entry entry;
static struct mfa_record record;
static struct mfa_totp const phone = {
	.key = "12345678901234567890", .key_len = 20, .digits = 6, .period_s = 30};
static struct mfa_totp const tablet = {
	.key = "abcdefghijabcdefghij", .key_len = 20, .digits = 6, .period_s = 30};

static int read_rings(void **state)
{
	(void)state;
	ring_parse(&ring, TWO_KEYS);
	ring_parse(&old_ring, "old ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n");
	return 0;
}

static void codes_are_consonants_in_groups_of_four(void **state)
{
	char text[200][MFA_RECOVERY_TEXT_SIZE];
	bool seen[256] = {false};
	unsigned kinds = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(text); i++) {
		assert_int_equal(mfa_recovery_generate(text[i]), MFA_OK);
		assert_int_equal(strlen(text[i]), 14);
		assert_int_equal(code_of(text[i]).kind, MFA_CODE_RECOVERY);
		for (size_t n = 0; n < 14; n++) {
			assert_int_equal(text[i][n] == '-', n % 5 == 4);
			assert_non_null(strchr("BCDFGHJKLMNPQRSTVWXZ-", text[i][n]));
			seen[(unsigned char)text[i][n]] = true;
		}
		for (size_t j = 0; j < i; j++) assert_string_not_equal(text[i], text[j]);
	}
	for (size_t i = 0; i < COUNT_OF(seen); i++) kinds += seen[i] ? 1 : 0;
	assert_int_equal(kinds, 21);
}

static void a_recovery_code_is_found_by_its_hash(void **state)
{
	struct mfa_code const code = code_of(CODE), other = code_of("bcdfghjklmnq");
	char value[MFA_HASH_SIZE];
	size_t index = 7;

	(void)state;
	entry_new(&entry);
	entry_add(&entry, MFA_ATTR_RECOVERY_CODE, "garbage");
	entry_add(&entry, MFA_ATTR_RECOVERY_CODE, "");
	assert_int_equal(mfa_recovery_format(value, &ring, entry.id, &code), MFA_OK);
	assert_int_equal(strncmp(value, "new$", 4), 0);
	assert_null(strstr(value, "BCDF"));
	assert_int_equal(mfa_recovery_find(&index, &entry, &ring, &code), MFA_ERR_NOT_FOUND);
	assert_int_equal(index, 0);
	entry_add(&entry, MFA_ATTR_RECOVERY_CODE, value);
	assert_int_equal(mfa_recovery_find(&index, &entry, &ring, &code), MFA_OK);
	assert_int_equal(index, 2);
	assert_int_equal(mfa_recovery_find(&index, &entry, &ring, &other), MFA_ERR_NOT_FOUND);
	assert_int_equal(index, 0);
}

/* The value that an independent program computes:
 * HMAC-SHA-256(HKDF(key, "peruser-mfa recovery"), len ENTRY_ID len "BCDFGHJKLMNP"). */
static void a_hash_is_what_the_format_says(void **state)
{
	struct mfa_code const code = code_of(CODE);
	char value[MFA_HASH_SIZE];

	(void)state;
	entry_new(&entry);
	assert_int_equal(mfa_recovery_format(value, &ring, entry.id, &code), MFA_OK);
	assert_string_equal(value, "new$t41SxCXJDHVctHJQpRIgn66wAo-oQlk5r23AFFnDMIg");
}

static void a_hash_of_another_entry_or_an_unknown_key_is_of_no_use(void **state)
{
	struct mfa_code const code = code_of(CODE);
	char value[MFA_HASH_SIZE];
	size_t index;

	(void)state;
	entry_new(&entry);
	assert_int_equal(mfa_recovery_format(value, &ring, bytes("another"), &code), MFA_OK);
	entry_add(&entry, MFA_ATTR_RECOVERY_CODE, value);
	assert_int_equal(mfa_recovery_find(&index, &entry, &ring, &code), MFA_ERR_NOT_FOUND);
	assert_int_equal(mfa_recovery_format(value, &ring, entry.id, &code), MFA_OK);
	entry_add(&entry, MFA_ATTR_RECOVERY_CODE, value);
	assert_int_equal(mfa_recovery_find(&index, &entry, &old_ring, &code), MFA_ERR_NOT_FOUND);
	assert_int_equal(mfa_recovery_find(&index, &entry, &ring, &code), MFA_OK);
}

static void a_hash_stays_valid_while_its_key_is_on_the_ring(void **state)
{
	struct mfa_code const code = code_of(CODE);
	char value[MFA_HASH_SIZE];
	size_t index;

	(void)state;
	entry_new(&entry);
	assert_int_equal(mfa_recovery_format(value, &old_ring, entry.id, &code), MFA_OK);
	entry_add(&entry, MFA_ATTR_RECOVERY_CODE, value);
	assert_int_equal(mfa_recovery_find(&index, &entry, &ring, &code), MFA_OK);
}

static void digits_are_no_recovery_code(void **state)
{
	struct mfa_code const code = code_of("123456");
	char value[MFA_VOUCHER_SIZE];
	size_t index;

	(void)state;
	entry_new(&entry);
	assert_int_equal(mfa_recovery_format(value, &ring, entry.id, &code), MFA_ERR_ARG);
	assert_string_equal(value, "");
	assert_int_equal(mfa_voucher_format(value, &ring, entry.id, &code, NOW), MFA_ERR_ARG);
	assert_string_equal(value, "");
	assert_int_equal(mfa_recovery_find(&index, &entry, &ring, &code), MFA_ERR_NOT_FOUND);
	assert_int_equal(mfa_voucher_check(&entry, &ring, &code, NOW), MFA_ERR_NOT_FOUND);
}

static void a_voucher_holds_until_it_expires(void **state)
{
	struct mfa_code const code = code_of(CODE), other = code_of("bcdfghjklmnq");
	char value[MFA_VOUCHER_SIZE];

	(void)state;
	entry_new(&entry);
	assert_int_equal(mfa_voucher_check(&entry, &ring, &code, NOW), MFA_ERR_NOT_FOUND);
	assert_int_equal(mfa_voucher_format(value, &ring, entry.id, &code, NOW + 60), MFA_OK);
	entry_add(&entry, MFA_ATTR_VOUCHER, value);
	assert_int_equal(mfa_voucher_check(&entry, &ring, &code, NOW), MFA_OK);
	assert_int_equal(mfa_voucher_check(&entry, &ring, &code, NOW + 59), MFA_OK);
	assert_int_equal(mfa_voucher_check(&entry, &ring, &code, NOW + 60), MFA_ERR_NOT_FOUND);
	assert_int_equal(mfa_voucher_check(&entry, &ring, &other, NOW), MFA_ERR_NOT_FOUND);
	assert_int_equal(mfa_voucher_check(&entry, &old_ring, &code, NOW), MFA_ERR_NOT_FOUND);
}

static void a_voucher_is_no_recovery_code_and_none_is_a_voucher(void **state)
{
	struct mfa_code const code = code_of(CODE);
	char value[MFA_VOUCHER_SIZE], hash[MFA_HASH_SIZE];
	size_t index;

	(void)state;
	entry_new(&entry);
	assert_int_equal(mfa_voucher_format(value, &ring, entry.id, &code, NOW + 60), MFA_OK);
	*strchr(value, ' ') = '\0';
	entry_add(&entry, MFA_ATTR_RECOVERY_CODE, value);
	assert_int_equal(mfa_recovery_find(&index, &entry, &ring, &code), MFA_ERR_NOT_FOUND);
	assert_int_equal(mfa_recovery_format(hash, &ring, entry.id, &code), MFA_OK);
	(void)snprintf(value, sizeof(value), "%s %d", hash, NOW + 60);
	entry_add(&entry, MFA_ATTR_VOUCHER, value);
	assert_int_equal(mfa_voucher_check(&entry, &ring, &code, NOW), MFA_ERR_NOT_FOUND);
}

static void a_voucher_that_was_tampered_with_is_refused(void **state)
{
	static char const *const tail[] = {"",
					   " ",
					   " x",
					   " -1",
					   " 1700000060 ",
					   " 1700000060 x",
					   "  1700000060",
					   " 01700000060",
					   " 9999999999999999999"};
	struct mfa_code const code = code_of(CODE);
	char value[MFA_VOUCHER_SIZE], changed[2 * MFA_VOUCHER_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(tail); i++) {
		entry_new(&entry);
		assert_int_equal(mfa_voucher_format(value, &ring, entry.id, &code, NOW + 60),
				 MFA_OK);
		*strchr(value, ' ') = '\0';
		(void)snprintf(changed, sizeof(changed), "%s%s", value, tail[i]);
		entry_add(&entry, MFA_ATTR_VOUCHER, changed);
		if (mfa_voucher_check(&entry, &ring, &code, NOW) == MFA_OK)
			fail_msg("'%s' is taken", tail[i]);
	}
	entry_new(&entry);
	assert_int_equal(mfa_voucher_format(value, &ring, entry.id, &code, NOW + 60), MFA_OK);
	entry_add(&entry, MFA_ATTR_VOUCHER, value);
	entry_add(&entry, MFA_ATTR_VOUCHER, value);
	assert_int_equal(mfa_voucher_check(&entry, &ring, &code, NOW), MFA_ERR_NOT_FOUND);
}

static void a_remembered_device_is_split_into_its_parts(void **state)
{
	struct mfa_device device;

	(void)state;
	assert_int_equal(mfa_device_parse(&device, bytes("k$hash 1700000000 my old phone")),
			 MFA_OK);
	assert_bytes(device.hash, "k$hash");
	assert_int_equal(device.expires_s, 1700000000);
	assert_bytes(device.label, "my old phone");
	assert_int_equal(mfa_device_parse(&device, bytes("h 1")), MFA_OK);
	assert_bytes(device.label, "");
	assert_int_equal(mfa_device_parse(&device, bytes("")), MFA_ERR_FORMAT);
	assert_int_equal(mfa_device_parse(&device, bytes("h")), MFA_ERR_FORMAT);
	assert_int_equal(mfa_device_parse(&device, bytes("h ")), MFA_ERR_FORMAT);
	assert_int_equal(mfa_device_parse(&device, bytes("h x label")), MFA_ERR_FORMAT);
	assert_int_equal(mfa_device_parse(&device, bytes(" 1 label")), MFA_ERR_FORMAT);
}

/** An entry whose record has these devices, without going through its secrets */
static void record_of(struct mfa_totp const *one, struct mfa_totp const *two)
{
	memset(&record, 0, sizeof(record));
	record.entry = &entry;
	record.state = MFA_STATE_ENROLLED;
	if (one) record.secret[record.secret_count++] = *one;
	if (two) record.secret[record.secret_count++] = *two;
}

static void a_device_is_remembered_until_it_expires(void **state)
{
	char value[MFA_DEVICE_SIZE];

	(void)state;
	entry_new(&entry);
	record_of(&phone, NULL);
	assert_int_equal(mfa_device_format(value, &ring, entry.id, bytes("02-00-00-00-00-01"),
					   &phone, NOW + 60),
			 MFA_OK);
	assert_non_null(strstr(value, " 1700000060 02-00-00-00-00-01"));
	assert_false(mfa_device_known(&record, &ring, bytes("02-00-00-00-00-01"), NOW));
	entry_add(&entry, MFA_ATTR_TRUSTED_DEVICE, "garbage");
	entry_add(&entry, MFA_ATTR_TRUSTED_DEVICE, value);
	assert_true(mfa_device_known(&record, &ring, bytes("02-00-00-00-00-01"), NOW));
	assert_true(mfa_device_known(&record, &ring, bytes("02-00-00-00-00-01"), NOW + 59));
	assert_false(mfa_device_known(&record, &ring, bytes("02-00-00-00-00-01"), NOW + 60));
	assert_true(mfa_device_same(&record, &ring, bytes("02-00-00-00-00-01"), bytes(value)));
	assert_false(mfa_device_known(&record, &ring, bytes("02-00-00-00-00-02"), NOW));
	assert_false(mfa_device_known(&record, &ring, raw(NULL, 0), NOW));
	assert_false(mfa_device_known(&record, &old_ring, bytes("02-00-00-00-00-01"), NOW));
}

static void a_device_is_forgotten_with_the_secret_it_was_remembered_by(void **state)
{
	char value[MFA_DEVICE_SIZE];

	(void)state;
	entry_new(&entry);
	assert_int_equal(
		mfa_device_format(value, &ring, entry.id, bytes("laptop"), &phone, NOW + 60),
		MFA_OK);
	entry_add(&entry, MFA_ATTR_TRUSTED_DEVICE, value);
	record_of(&tablet, &phone);
	assert_true(mfa_device_known(&record, &ring, bytes("laptop"), NOW));
	record_of(&tablet, NULL);
	assert_false(mfa_device_known(&record, &ring, bytes("laptop"), NOW));
	record_of(NULL, NULL);
	assert_false(mfa_device_known(&record, &ring, bytes("laptop"), NOW));
}

static void a_device_of_another_entry_is_not_known(void **state)
{
	char value[MFA_DEVICE_SIZE];

	(void)state;
	entry_new(&entry);
	record_of(&phone, NULL);
	assert_int_equal(mfa_device_format(value, &ring, bytes("another"), bytes("laptop"), &phone,
					   NOW + 60),
			 MFA_OK);
	entry_add(&entry, MFA_ATTR_TRUSTED_DEVICE, value);
	assert_false(mfa_device_known(&record, &ring, bytes("laptop"), NOW));
}

static void a_label_is_printable_and_cut(void **state)
{
	char value[MFA_DEVICE_SIZE], name[300];
	struct mfa_device device;

	(void)state;
	memset(name, 'x', sizeof(name));
	memcpy(name, "a\nb\0\xc3\xa9", 6);
	assert_int_equal(mfa_device_format(value, &ring, bytes(ENTRY_ID), raw(name, sizeof(name)),
					   &phone, INT64_MAX),
			 MFA_OK);
	assert_int_equal(mfa_device_parse(&device, bytes(value)), MFA_ERR_FORMAT);
	assert_int_equal(mfa_device_format(value, &ring, bytes(ENTRY_ID), raw(name, sizeof(name)),
					   &phone, NOW),
			 MFA_OK);
	assert_int_equal(mfa_device_parse(&device, bytes(value)), MFA_OK);
	assert_int_equal(device.label.len, MFA_DEVICE_LABEL_MAX);
	assert_memory_equal(device.label.data, "a?b???xx", 8);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(codes_are_consonants_in_groups_of_four),
		cmocka_unit_test(a_recovery_code_is_found_by_its_hash),
		cmocka_unit_test(a_hash_is_what_the_format_says),
		cmocka_unit_test(a_hash_of_another_entry_or_an_unknown_key_is_of_no_use),
		cmocka_unit_test(a_hash_stays_valid_while_its_key_is_on_the_ring),
		cmocka_unit_test(digits_are_no_recovery_code),
		cmocka_unit_test(a_voucher_holds_until_it_expires),
		cmocka_unit_test(a_voucher_is_no_recovery_code_and_none_is_a_voucher),
		cmocka_unit_test(a_voucher_that_was_tampered_with_is_refused),
		cmocka_unit_test(a_remembered_device_is_split_into_its_parts),
		cmocka_unit_test(a_device_is_remembered_until_it_expires),
		cmocka_unit_test(a_device_is_forgotten_with_the_secret_it_was_remembered_by),
		cmocka_unit_test(a_device_of_another_entry_is_not_known),
		cmocka_unit_test(a_label_is_printable_and_cut),
	};

	return cmocka_run_group_tests(tests, read_rings, NULL);
}
