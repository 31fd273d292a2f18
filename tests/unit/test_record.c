/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/record.h"
#include "unit.h"

#define NOW   1700000000
#define PAST  "20231101000000Z"
#define LATER "20240101000000Z"
#define TAG   "AAAAAAAAAAAAAAAAAAAAAA"

static struct mfa_keyring ring;
static struct mfa_entry entry;
static struct mfa_record record;
static struct mfa_diag diag;

static int read_ring(void **state)
{
	(void)state;
	ring_parse(&ring, TWO_KEYS);
	return 0;
}

static enum mfa_state parse(bool required)
{
	mfa_record_parse(&record, &diag, &entry, &ring, required, NOW);
	return record.state;
}

/* Secrets in words: what the table below means by them. */
#define NONE   NULL
#define SEALED "{GCM}lost$AAAA"

static struct {
	char const *enabled, *secret, *required_from;
	enum mfa_state state;
} const table[] = {
	{NULL, NONE, NULL, MFA_STATE_OFF},
	{NULL, RFC_KEY, NULL, MFA_STATE_SUSPENDED},
	{NULL, SEALED, NULL, MFA_STATE_SUSPENDED},
	{NULL, NONE, LATER, MFA_STATE_OFF},
	{NULL, RFC_KEY, LATER, MFA_STATE_SUSPENDED},
	{"FALSE", NONE, NULL, MFA_STATE_OFF},
	{"FALSE", RFC_KEY, NULL, MFA_STATE_SUSPENDED},
	{"FALSE", NONE, LATER, MFA_STATE_OFF},
	{"FALSE", RFC_KEY, LATER, MFA_STATE_SUSPENDED},

	{"TRUE", RFC_KEY, NULL, MFA_STATE_ENROLLED},
	{"TRUE", RFC_KEY, PAST, MFA_STATE_ENROLLED},
	{"TRUE", RFC_KEY, LATER, MFA_STATE_ENROLLED},
	{"FALSE", RFC_KEY, PAST, MFA_STATE_ENROLLED},
	{NULL, RFC_KEY, PAST, MFA_STATE_ENROLLED},

	{"TRUE", NONE, NULL, MFA_STATE_INVITED},
	{"TRUE", NONE, PAST, MFA_STATE_INVITED},
	{"TRUE", NONE, LATER, MFA_STATE_INVITED},
	{"FALSE", NONE, PAST, MFA_STATE_OVERDUE},
	{NULL, NONE, PAST, MFA_STATE_OVERDUE},

	{"TRUE", SEALED, NULL, MFA_STATE_BROKEN},
	{"TRUE", SEALED, PAST, MFA_STATE_BROKEN},
	{"TRUE", "", NULL, MFA_STATE_BROKEN},
	{"TRUE", "not base32!", LATER, MFA_STATE_BROKEN},
	{"FALSE", SEALED, PAST, MFA_STATE_BROKEN},
	{NULL, SEALED, PAST, MFA_STATE_BROKEN},

	{"", NONE, NULL, MFA_STATE_BROKEN},
	{"1", NONE, NULL, MFA_STATE_BROKEN},
	{"yes", NONE, NULL, MFA_STATE_BROKEN},
	{"TRUE ", RFC_KEY, NULL, MFA_STATE_BROKEN},
	{"FALSE\n", RFC_KEY, PAST, MFA_STATE_BROKEN},
	{"NULL", RFC_KEY, LATER, MFA_STATE_BROKEN},

	{NULL, NONE, "", MFA_STATE_BROKEN},
	{"FALSE", RFC_KEY, "tomorrow", MFA_STATE_BROKEN},
	{"TRUE", RFC_KEY, "20231301000000Z", MFA_STATE_BROKEN},
};

static void every_row_of_the_state_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		entry_new(&entry);
		if (table[i].enabled) entry_add(&entry, MFA_ATTR_ENABLED, table[i].enabled);
		if (table[i].secret) entry_add(&entry, MFA_ATTR_SECRET, table[i].secret);
		if (table[i].required_from)
			entry_add(&entry, MFA_ATTR_REQUIRED_FROM, table[i].required_from);
		if (parse(false) != table[i].state)
			fail_msg("row %zu: %s, expected %s", i, mfa_state_name(record.state),
				 mfa_state_name(table[i].state));
		assert_int_equal(diag.text[0] != '\0', record.state == MFA_STATE_BROKEN);
	}
}

static void directories_spell_booleans_in_either_case(void **state)
{
	static char const *const yes[] = {"TRUE", "true", "True"};
	static char const *const no[] = {"FALSE", "false", "False"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(yes); i++) {
		entry_new(&entry);
		entry_add(&entry, MFA_ATTR_ENABLED, yes[i]);
		assert_int_equal(parse(false), MFA_STATE_INVITED);
		entry_new(&entry);
		entry_add(&entry, MFA_ATTR_ENABLED, no[i]);
		assert_int_equal(parse(false), MFA_STATE_OFF);
	}
}

static void required_begins_with_its_very_second(void **state)
{
	static struct {
		char const *from;
		bool required;
	} const row[] = {
		{"20231114221319Z", true},  {"20231114221320Z", true},	 {"20231114221321Z", false},
		{"19700101000000Z", true},  {"19691231235959Z", true},	 {"19000101000000Z", true},
		{"99991231235959Z", false}, {"20231114231320+01", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		entry_new(&entry);
		entry_add(&entry, MFA_ATTR_REQUIRED_FROM, row[i].from);
		if (parse(false) != (row[i].required ? MFA_STATE_OVERDUE : MFA_STATE_OFF))
			fail_msg("%s: %s", row[i].from, mfa_state_name(record.state));
	}
}

static void a_login_may_require_it(void **state)
{
	(void)state;
	entry_new(&entry);
	assert_int_equal(parse(true), MFA_STATE_OVERDUE);
	entry_add(&entry, MFA_ATTR_SECRET, RFC_KEY);
	assert_int_equal(parse(true), MFA_STATE_ENROLLED);
	entry_add(&entry, MFA_ATTR_ENABLED, "FALSE");
	assert_int_equal(parse(true), MFA_STATE_ENROLLED);
}

static void two_values_where_one_may_be_are_broken(void **state)
{
	static struct {
		enum mfa_attr attr;
		char const *value;
	} const twice[] = {
		{MFA_ATTR_ENABLED, "TRUE"},
		{MFA_ATTR_ENABLED, "FALSE"},
		{MFA_ATTR_REQUIRED_FROM, LATER},
		{MFA_ATTR_LAST_USE, "56666666 1700000000 n"},
		{MFA_ATTR_FAILURES, "1 1700000000 " TAG},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(twice); i++) {
		entry_new(&entry);
		entry_add(&entry, MFA_ATTR_SECRET, RFC_KEY);
		entry_add(&entry, twice[i].attr, twice[i].value);
		assert_int_not_equal(parse(true), MFA_STATE_BROKEN);
		entry_add(&entry, twice[i].attr, twice[i].value);
		assert_int_equal(parse(true), MFA_STATE_BROKEN);
	}
}

static void one_readable_device_is_enough(void **state)
{
	(void)state;
	entry_new(&entry);
	entry_add(&entry, MFA_ATTR_ENABLED, "TRUE");
	entry_add(&entry, MFA_ATTR_SECRET, SEALED);
	entry_add(&entry, MFA_ATTR_SECRET, "otpauth://totp/a?secret=" RFC_KEY);
	entry_add(&entry, MFA_ATTR_SECRET, "?");
	entry_add(&entry, MFA_ATTR_SECRET, "otpauth://totp/b?secret=" RFC_KEY);
	assert_int_equal(parse(false), MFA_STATE_ENROLLED);
	assert_int_equal(record.secret_count, 2);
	assert_int_equal(record.unreadable_count, 2);
	assert_string_equal(record.secret[0].name, "a");
	assert_int_equal(record.secret_index[0], 1);
	assert_string_equal(record.secret[1].name, "b");
	assert_int_equal(record.secret_index[1], 3);
	assert_true(diag.text[0]);
}

static void at_most_five_devices(void **state)
{
	(void)state;
	entry_new(&entry);
	entry_add(&entry, MFA_ATTR_ENABLED, "TRUE");
	for (unsigned i = 0; i < MFA_SECRETS_MAX; i++) entry_add(&entry, MFA_ATTR_SECRET, RFC_KEY);
	assert_int_equal(parse(false), MFA_STATE_ENROLLED);
	assert_int_equal(record.secret_count, MFA_SECRETS_MAX);
	entry_add(&entry, MFA_ATTR_SECRET, RFC_KEY);
	assert_int_equal(parse(false), MFA_STATE_BROKEN);
}

/* What cannot be read could hide a replay or a lock. */
static void a_use_or_a_failure_that_cannot_be_read_is_broken(void **state)
{
	static char const *const bad[] = {
		"",
		"x",
		"1",
		"1 2",
		"1 2 ",
		"1  2 n",
		" 1 2 n",
		"1 2 n ",
		"1 2 n m",
		"-1 2 n",
		"1 -2 n",
		"01 2 n",
		"1 2 n\xff",
		"1 2 \xc3\xa9",
		"1 2\tn",
		"1.5 2 n",
		"253402300800 2 n",
		"1 253402300800 n",
	};
	static enum mfa_attr const attr[] = {MFA_ATTR_LAST_USE, MFA_ATTR_FAILURES};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad) * COUNT_OF(attr); i++) {
		entry_new(&entry);
		entry_add(&entry, MFA_ATTR_ENABLED, "TRUE");
		entry_add(&entry, MFA_ATTR_SECRET, RFC_KEY);
		entry_add(&entry, attr[i % 2], bad[i / 2]);
		if (parse(false) != MFA_STATE_BROKEN) fail_msg("'%s' is read", bad[i / 2]);
	}
}

static void last_words_have_a_largest_size(void **state)
{
	struct mfa_last_use use;
	struct mfa_failures failures;

	(void)state;
	assert_int_equal(mfa_last_use_parse(&use, bytes("1 2 0123456789abcdef")), MFA_OK);
	assert_string_equal(use.nonce, "0123456789abcdef");
	assert_int_equal(mfa_last_use_parse(&use, bytes("1 2 0123456789abcdefg")), MFA_ERR_FORMAT);
	assert_false(use.present);
	assert_int_equal(mfa_failures_parse(&failures, bytes("1 2 " TAG)), MFA_OK);
	assert_int_equal(mfa_failures_parse(&failures, bytes("1 2 " TAG "A")), MFA_ERR_FORMAT);
	assert_int_equal(mfa_failures_parse(&failures, bytes("1000000 2 t")), MFA_OK);
	assert_int_equal(mfa_failures_parse(&failures, bytes("1000001 2 t")), MFA_ERR_FORMAT);
	assert_zero(&failures, sizeof(failures));
}

static void uses_and_failures_are_read_back(void **state)
{
	static int64_t const number[] = {0, 1, 56666666, 1700000000, 253402300799};
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(number) * COUNT_OF(number); i++) {
		struct mfa_last_use use, in = {.present = true,
					       .step = number[i % COUNT_OF(number)],
					       .time_s = number[i / COUNT_OF(number)],
					       .nonce = "0123456789abcdef"};
		struct mfa_failures failures, fin = {.present = true,
						     .count = (uint32_t)i + 1,
						     .time_s = number[i / COUNT_OF(number)],
						     .tag = TAG};

		mfa_last_use_format(text, &in);
		assert_int_equal(mfa_last_use_parse(&use, bytes(text)), MFA_OK);
		assert_true(use.present);
		assert_int_equal(use.step, in.step);
		assert_int_equal(use.time_s, in.time_s);
		assert_string_equal(use.nonce, in.nonce);
		mfa_failures_format(text, &fin);
		assert_int_equal(mfa_failures_parse(&failures, bytes(text)), MFA_OK);
		assert_int_equal(failures.count, fin.count);
		assert_int_equal(failures.time_s, fin.time_s);
		assert_string_equal(failures.tag, fin.tag);
	}
}

/* Every period that a device may have, over fifty years, with every drift that is followed. */
static void a_use_gives_its_period_away(void **state)
{
	int64_t const reach = MFA_TOTP_DRIFT_MAX + MFA_TOTP_WINDOW_MAX;

	(void)state;
	for (int64_t now_s = 1600000000; now_s < 3200000000; now_s += 123456789) {
		for (int64_t period_s = MFA_TOTP_PERIOD_MIN; period_s <= MFA_TOTP_PERIOD_MAX;
		     period_s++) {
			for (int64_t drift = -reach; drift <= reach; drift++) {
				struct mfa_last_use const use = {.present = true,
								 .step = now_s / period_s + drift,
								 .time_s = now_s};

				assert_int_equal(mfa_last_use_period_s(&use), period_s);
			}
		}
	}
}

static void numbers_that_do_not_belong_together_have_no_period(void **state)
{
	static struct mfa_last_use const use[] = {
		{.present = false, .step = 56666666, .time_s = 1700000000},
		{.present = true, .step = 0, .time_s = 1700000000},
		{.present = true, .step = 1, .time_s = 1700000000},
		{.present = true, .step = 1700000000, .time_s = 1700000000},
		{.present = true, .step = 56666666, .time_s = 0},
		{.present = true, .step = 253402300799, .time_s = 253402300799},
		{.present = true, .step = 56666666 + 200, .time_s = 1700000000},
		{.present = true, .step = 56666666 - 200, .time_s = 1700000000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(use); i++)
		assert_int_equal(mfa_last_use_period_s(&use[i]), 0);
}

static void states_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(mfa_state_name(MFA_STATE_BROKEN), "broken");
	assert_string_equal(mfa_state_name(MFA_STATE_OFF), "off");
	assert_string_equal(mfa_state_name(MFA_STATE_SUSPENDED), "suspended");
	assert_string_equal(mfa_state_name(MFA_STATE_ENROLLED), "enrolled");
	assert_string_equal(mfa_state_name(MFA_STATE_INVITED), "invited");
	assert_string_equal(mfa_state_name(MFA_STATE_OVERDUE), "overdue");
	assert_string_equal(mfa_state_name(MFA_STATE_COUNT), "broken");
}

static void a_record_of_zeros_is_broken_and_so_is_a_cleared_one(void **state)
{
	struct mfa_record const zero = {0};

	(void)state;
	assert_int_equal(zero.state, MFA_STATE_BROKEN);
	entry_new(&entry);
	entry_add(&entry, MFA_ATTR_ENABLED, "TRUE");
	entry_add(&entry, MFA_ATTR_SECRET, RFC_KEY);
	assert_int_equal(parse(false), MFA_STATE_ENROLLED);
	mfa_record_clear(&record);
	assert_zero(&record, sizeof(record));
}

static void a_class_without_any_attribute_is_told(void **state)
{
	(void)state;
	entry_new(&entry);
	entry.has_class = true;
	assert_int_equal(parse(false), MFA_STATE_OFF);
	assert_non_null(strstr(diag.text, "no attribute of it can be read"));
	entry_add(&entry, MFA_ATTR_ENABLED, "FALSE");
	assert_int_equal(parse(false), MFA_STATE_OFF);
	assert_string_equal(diag.text, "");
	entry_new(&entry);
	assert_int_equal(parse(false), MFA_STATE_OFF);
	assert_string_equal(diag.text, "");
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(every_row_of_the_state_table),
		cmocka_unit_test(directories_spell_booleans_in_either_case),
		cmocka_unit_test(required_begins_with_its_very_second),
		cmocka_unit_test(a_login_may_require_it),
		cmocka_unit_test(two_values_where_one_may_be_are_broken),
		cmocka_unit_test(one_readable_device_is_enough),
		cmocka_unit_test(at_most_five_devices),
		cmocka_unit_test(a_use_or_a_failure_that_cannot_be_read_is_broken),
		cmocka_unit_test(last_words_have_a_largest_size),
		cmocka_unit_test(uses_and_failures_are_read_back),
		cmocka_unit_test(a_use_gives_its_period_away),
		cmocka_unit_test(numbers_that_do_not_belong_together_have_no_period),
		cmocka_unit_test(states_have_their_names),
		cmocka_unit_test(a_class_without_any_attribute_is_told),
		cmocka_unit_test(a_record_of_zeros_is_broken_and_so_is_a_cleared_one),
	};

	return cmocka_run_group_tests(tests, read_ring, NULL);
}
