/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/decide.h"

#include "core/ledger_text.h"

#define USE	 "56666667 1700000017 AAAAAAAAAAAAAAAA"
#define FAILURES "3 1700000000 BBBBBBBBBBBBBBBB"
#define MARK	 "ABEiM0RVZneImaq7zN3u_w"
#define ALL	 "{\"last_use\":\"" USE "\",\"failures\":\"" FAILURES "\",\"used\":[\"" MARK "\"]}"

static struct mfa_ledger ledger;
static struct mfa_change change;
static struct mfa_entry entry;

static int set_up(void **state)
{
	(void)state;
	memset(&ledger, 0, sizeof(ledger));
	mfa_change_init(&change);
	mfa_entry_init(&entry);
	return 0;
}

static enum mfa_rc parse(char const *text)
{
	return mfa_ledger_parse(&ledger, mfa_bytes_of(text));
}

static void assert_text(char const *expected)
{
	static char text[MFA_LEDGER_TEXT_SIZE];
	size_t len;

	assert_int_equal(mfa_ledger_format(text, &len, sizeof(text), &ledger), MFA_OK);
	assert_string_equal(text, expected);
	assert_int_equal(len, strlen(expected));
}

static void test_text_is_read_as_it_was_written(void **state)
{
	static char const *const text[] = {"{}", ALL, "{\"last_use\":\"" USE "\"}",
					   "{\"used\":[\"" MARK "\"]}"};

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		assert_int_equal(parse(text[i]), MFA_OK);
		assert_text(text[i]);
	}
	assert_int_equal(parse(""), MFA_OK);
	assert_text("{}");
}

static void test_text_that_is_not_understood_is_refused(void **state)
{
	static char const *const text[] = {"x",
					   "[]",
					   "{",
					   "{\"last_use\":7}",
					   "{\"last_use\":\"\"}",
					   "{\"more\":\"x\"}",
					   "{\"used\":\"" MARK "\"}",
					   "{\"used\":[\"short\"]}",
					   "{\"used\":[7]}",
					   "{\"last_use\":\"a\\u0000b\"}",
					   "{\"last_use\":\"a\",\"last_use\":\"b\"}",
					   "{} {}"};

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		assert_int_equal(parse(text[i]), MFA_ERR_FORMAT);
		assert_text("{}");
	}
}

static void test_the_ledger_replaces_what_the_entry_says(void **state)
{
	(void)state;
	entry_add(&entry, MFA_ATTR_LAST_USE, "1 30 old");
	entry_add(&entry, MFA_ATTR_FAILURES, "9 30 old");
	entry.left_out = MFA_ATTR_BIT(MFA_ATTR_LAST_USE) | MFA_ATTR_BIT(MFA_ATTR_VOUCHER);
	assert_int_equal(parse("{\"last_use\":\"" USE "\"}"), MFA_OK);
	assert_int_equal(mfa_ledger_show(&entry, &ledger), MFA_OK);
	assert_int_equal(mfa_entry_count(&entry, MFA_ATTR_LAST_USE), 1);
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_LAST_USE, 0), USE);
	assert_int_equal(mfa_entry_count(&entry, MFA_ATTR_FAILURES), 0);
	assert_int_equal(entry.left_out, MFA_ATTR_BIT(MFA_ATTR_VOUCHER));
}

static void test_a_used_recovery_code_is_hidden(void **state)
{
	(void)state;
	entry_add(&entry, MFA_ATTR_RECOVERY_CODE, "k1$one");
	entry_add(&entry, MFA_ATTR_RECOVERY_CODE, "k1$two");
	entry_add(&entry, MFA_ATTR_RECOVERY_CODE, "k1$three");
	mfa_change_delete(&change, MFA_ATTR_RECOVERY_CODE, mfa_bytes_of("k1$two"));
	mfa_change_delete(&change, MFA_ATTR_RECOVERY_CODE, mfa_bytes_of("k1$two"));
	assert_int_equal(mfa_ledger_apply(&ledger, &change), MFA_OK);
	assert_int_equal(ledger.mark_count, 1);
	assert_int_equal(mfa_ledger_show(&entry, &ledger), MFA_OK);
	assert_int_equal(mfa_entry_count(&entry, MFA_ATTR_RECOVERY_CODE), 2);
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_RECOVERY_CODE, 1), "k1$three");
}

static void test_the_oldest_mark_goes_when_they_are_full(void **state)
{
	static char text[MFA_LEDGER_TEXT_SIZE];
	char value[32], first[MFA_LEDGER_MARK_SIZE];
	size_t len;

	(void)state;
	for (unsigned i = 0; i <= MFA_LEDGER_MARKS; i++) {
		(void)snprintf(value, sizeof(value), "k1$%u", i);
		mfa_change_init(&change);
		mfa_change_delete(&change, MFA_ATTR_RECOVERY_CODE, mfa_bytes_of(value));
		if (i == 1) memcpy(first, ledger.mark[0], sizeof(first));
		assert_int_equal(mfa_ledger_apply(&ledger, &change), MFA_OK);
	}
	assert_int_equal(ledger.mark_count, MFA_LEDGER_MARKS);
	assert_string_not_equal(ledger.mark[0], first);
	assert_int_equal(mfa_ledger_format(text, &len, sizeof(text), &ledger), MFA_OK);
}

static void test_a_change_is_carried_out(void **state)
{
	(void)state;
	assert_int_equal(parse(ALL), MFA_OK);
	mfa_change_delete(&change, MFA_ATTR_LAST_USE, mfa_bytes_of(USE));
	mfa_change_add(&change, MFA_ATTR_LAST_USE, "2 60 n");
	mfa_change_clear(&change, MFA_ATTR_FAILURES);
	mfa_change_clear(&change, MFA_ATTR_RECOVERY_CODE);
	mfa_change_add(&change, MFA_ATTR_SECRET, "s");
	assert_true(mfa_ledger_spends(&change));
	assert_int_equal(mfa_ledger_apply(&ledger, &change), MFA_OK);
	assert_text("{\"last_use\":\"2 60 n\",\"used\":[\"" MARK "\"]}");
}

static void test_a_value_that_is_too_long_is_refused(void **state)
{
	char value[MFA_LAST_USE_SIZE + 1];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	mfa_change_add(&change, MFA_ATTR_LAST_USE, value);
	assert_int_equal(mfa_ledger_apply(&ledger, &change), MFA_ERR_SPACE);
}

static void test_keys_of_users_differ(void **state)
{
	char key[MFA_LEDGER_KEY_SIZE];
	uint8_t const bytes[] = {0x00, 0xff, 0x2d};
	uint8_t full[MFA_ENTRY_ID_MAX];

	(void)state;
	mfa_ledger_key(key, mfa_bytes_of("01234567-89ab-cdef"));
	assert_string_equal(key, "01234567-89ab-cdef");
	mfa_ledger_key(key, (struct mfa_bytes){bytes, sizeof(bytes)});
	assert_string_equal(key, "00ff2d");
	mfa_ledger_key(key, mfa_bytes_of("../x"));
	assert_string_equal(key, "2e2e2f78");
	memset(full, 0xab, sizeof(full));
	mfa_ledger_key(key, (struct mfa_bytes){full, sizeof(full)});
	assert_int_equal(strlen(key), sizeof(full) * 2);
}

int main(void)
{
	struct CMUnitTest const tests[] = {
		cmocka_unit_test_setup(test_text_is_read_as_it_was_written, set_up),
		cmocka_unit_test_setup(test_text_that_is_not_understood_is_refused, set_up),
		cmocka_unit_test_setup(test_the_ledger_replaces_what_the_entry_says, set_up),
		cmocka_unit_test_setup(test_a_used_recovery_code_is_hidden, set_up),
		cmocka_unit_test_setup(test_the_oldest_mark_goes_when_they_are_full, set_up),
		cmocka_unit_test_setup(test_a_change_is_carried_out, set_up),
		cmocka_unit_test_setup(test_a_value_that_is_too_long_is_refused, set_up),
		cmocka_unit_test_setup(test_keys_of_users_differ, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
