/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/filter.h"
#include "core/modify.h"
#include "core/read.h"
#include "directory.h"

#define LAST "peruserMfaLastUse"

static struct directory directory;
static struct mfa_config config;
static struct mfa_store store;
static struct mfa_conn *conn;
static struct mfa_entry entry;
static struct mfa_change change;
static struct mfa_diag diag;

static struct mfa_where const people = {
	.base = PEOPLE, .scope = MFA_SCOPE_SUB, .filter = "(uid=anna)"};

static int start_directory(void **state)
{
	(void)state;
	directory_start(&directory);
	directory_add(&directory, "anna",
		      "peruserMfaEnabled=TRUE\tperuserMfaSecret=" RFC_KEY
		      "\tperuserMfaRecoveryCode=new$one\tperuserMfaRecoveryCode=new$two");
	directory_add(&directory, "bert", "");
	directory_add(&directory, "*)(uid=*", "");
	return 0;
}

static int stop_directory(void **state)
{
	(void)state;
	directory_stop(&directory);
	return 0;
}

/** Each test has a connection of its own and anna as she was */
static int set_up(void **state)
{
	(void)state;
	store_init(&store, &config, &directory);
	directory_set(&directory, "anna", LAST, "");
	directory_set(&directory, "anna", "peruserMfaEnabled", "TRUE");
	(void)directory_do(&directory, "proxy\tpass");
	return mfa_conn_alloc(&conn, &store) == MFA_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mfa_conn_free(&conn);
	mfa_config_clear(&config, mfa_config_items);
	return 0;
}

static enum mfa_rc read_as(enum mfa_side side, struct mfa_where const *where)
{
	diag.text[0] = '\0';
	return mfa_conn_read(&entry, &diag, conn, side, where);
}

static void must_read(void)
{
	if (read_as(MFA_SIDE_WRITE, &people) != MFA_OK) fail_msg("%s", diag.text);
}

static enum mfa_rc write_change(void)
{
	diag.text[0] = '\0';
	return mfa_conn_modify(&diag, conn, entry.dn, &change);
}

/** Replace the last use that was read */
static enum mfa_rc swap_use(char const *value)
{
	mfa_change_init(&change);
	mfa_change_swap(&change, &entry, MFA_ATTR_LAST_USE, value);
	return write_change();
}

/* ---- reading */

static void an_entry_is_read_by_a_filter(void **state)
{
	(void)state;
	must_read();
	assert_bytes(entry.dn, "uid=anna," PEOPLE);
	assert_int_equal(entry.id.len, 36);
	assert_bytes(raw(entry.id.data, entry.id.len),
		     directory_get(&directory, "anna", "entryUUID"));
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_ENABLED, 0), "TRUE");
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_SECRET, 0), RFC_KEY);
	assert_int_equal(mfa_entry_count(&entry, MFA_ATTR_RECOVERY_CODE), 2);
	assert_int_equal(mfa_entry_count(&entry, MFA_ATTR_LAST_USE), 0);
	assert_false(entry.has_class);
}

static void an_entry_is_read_by_its_dn(void **state)
{
	struct mfa_where const where = {.base = "uid=anna," PEOPLE, .scope = MFA_SCOPE_BASE};

	(void)state;
	assert_int_equal(read_as(MFA_SIDE_READ, &where), MFA_OK);
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_ENABLED, 0), "TRUE");
}

static void a_user_without_our_class_has_an_empty_record(void **state)
{
	struct mfa_where const where = {
		.base = PEOPLE, .scope = MFA_SCOPE_ONE, .filter = "(uid=bert)"};

	(void)state;
	store.read_class = true;
	assert_int_equal(read_as(MFA_SIDE_READ, &where), MFA_OK);
	assert_int_equal(entry.count, 0);
	assert_false(entry.has_class);
	must_read();
	assert_true(entry.has_class);
}

static void whoever_is_not_there_is_not_found(void **state)
{
	static struct mfa_where const nobody[] = {
		{.base = PEOPLE, .scope = MFA_SCOPE_SUB, .filter = "(uid=nobody)"},
		{.base = PEOPLE, .scope = MFA_SCOPE_SUB, .filter = "(uid=)"},
		{.base = PEOPLE, .scope = MFA_SCOPE_BASE, .filter = "(uid=anna)"},
		{.base = "ou=nowhere,dc=example,dc=org",
		 .scope = MFA_SCOPE_SUB,
		 .filter = "(uid=anna)"},
		{.base = "uid=nobody," PEOPLE, .scope = MFA_SCOPE_BASE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(nobody); i++) {
		assert_int_equal(read_as(MFA_SIDE_READ, &nobody[i]), MFA_ERR_NOT_FOUND);
		assert_int_equal(entry.count, 0);
		assert_null(entry.dn.data);
		assert_true(diag.text[0]);
	}
}

static void two_users_of_one_name_are_ambiguous(void **state)
{
	static struct mfa_where const two = {
		.base = PEOPLE, .scope = MFA_SCOPE_SUB, .filter = "(|(uid=anna)(uid=bert))"};
	static struct mfa_where const all = {
		.base = PEOPLE, .scope = MFA_SCOPE_SUB, .filter = "(objectClass=inetOrgPerson)"};

	(void)state;
	assert_int_equal(read_as(MFA_SIDE_READ, &two), MFA_ERR_AMBIGUOUS);
	assert_int_equal(entry.count, 0);
	assert_int_equal(read_as(MFA_SIDE_READ, &all), MFA_ERR_AMBIGUOUS);
}

static void a_name_is_never_taken_for_a_filter(void **state)
{
	char filter[256];
	struct mfa_where const where = {.base = PEOPLE, .scope = MFA_SCOPE_SUB, .filter = filter};
	static char const *const hostile[] = {"*",    "anna)(uid=*", "an*",
					      "\\2a", "*)(|(uid=*",  "an\\na"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hostile); i++) {
		assert_int_equal(mfa_filter_expand(filter, sizeof(filter), &diag, config.filter,
						   bytes(hostile[i])),
				 MFA_OK);
		assert_int_equal(read_as(MFA_SIDE_READ, &where), MFA_ERR_NOT_FOUND);
	}
	assert_int_equal(
		mfa_filter_expand(filter, sizeof(filter), &diag, config.filter, bytes("*)(uid=*")),
		MFA_OK);
	assert_int_equal(read_as(MFA_SIDE_READ, &where), MFA_OK);
	assert_non_null(strstr((char const *)entry.dn.data, "uid=*)(uid"));
}

static void an_entry_that_is_too_large_is_refused(void **state)
{
	struct mfa_where const where = {
		.base = PEOPLE, .scope = MFA_SCOPE_SUB, .filter = "(uid=dora)"};
	char values[6000];
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i <= MFA_ENTRY_VALUES; i++)
		n += (size_t)snprintf(values + n, sizeof(values) - n,
				      "%speruserMfaRecoveryCode=new$%u", i ? "\t" : "", i);
	directory_add(&directory, "dora", values);
	assert_int_equal(read_as(MFA_SIDE_READ, &where), MFA_ERR_SPACE);
	assert_int_equal(entry.count, 0);
	must_read();
}

static void an_entry_needs_an_id(void **state)
{
	(void)state;
	config_set(&config, "attribute", "id", "nsUniqueId");
	assert_int_equal(read_as(MFA_SIDE_READ, &people), MFA_ERR_FORMAT);
	assert_non_null(strstr(diag.text, "no readable 'nsUniqueId'"));
}

/* ---- writing */

static void of_two_first_uses_one_is_written(void **state)
{
	(void)state;
	must_read();
	assert_int_equal(swap_use("1 30 a"), MFA_OK);
	assert_int_equal(swap_use("1 30 b"), MFA_ERR_CONFLICT);
	assert_string_equal(directory_get(&directory, "anna", LAST), "1 30 a");
}

static void only_what_was_read_is_replaced(void **state)
{
	(void)state;
	directory_set(&directory, "anna", LAST, "1 30 a");
	must_read();
	assert_int_equal(swap_use("2 60 b"), MFA_OK);
	assert_int_equal(swap_use("2 60 c"), MFA_ERR_CONFLICT);
	assert_string_equal(directory_get(&directory, "anna", LAST), "2 60 b");
	must_read();
	assert_int_equal(swap_use(NULL), MFA_OK);
	assert_string_equal(directory_get(&directory, "anna", LAST), "");
}

static void a_change_is_made_whole_or_not_at_all(void **state)
{
	(void)state;
	must_read();
	mfa_change_init(&change);
	mfa_change_add(&change, MFA_ATTR_LAST_USE, "1 30 a");
	mfa_change_delete(&change, MFA_ATTR_RECOVERY_CODE, bytes("new$one"));
	mfa_change_delete(&change, MFA_ATTR_RECOVERY_CODE, bytes("new$three"));
	assert_int_equal(write_change(), MFA_ERR_CONFLICT);
	assert_string_equal(directory_get(&directory, "anna", LAST), "");
	assert_string_equal(directory_get(&directory, "anna", "peruserMfaRecoveryCode"),
			    "new$one\tnew$two");
}

static void nothing_to_write_is_no_operation(void **state)
{
	(void)state;
	must_read();
	mfa_change_init(&change);
	assert_int_equal(write_change(), MFA_OK);
	mfa_change_clear(&change, MFA_ATTR_FAILURES);
	assert_int_equal(write_change(), MFA_OK);
	change.overflow = true;
	assert_int_equal(write_change(), MFA_ERR_SPACE);
	assert_true(diag.text[0]);
}

/** Write a use under the condition that the flag is as it was read, after somebody changed it */
static enum mfa_rc write_under_a_condition(void)
{
	must_read();
	directory_set(&directory, "anna", "peruserMfaEnabled", "FALSE");
	mfa_change_init(&change);
	mfa_change_swap(&change, &entry, MFA_ATTR_LAST_USE, "1 30 a");
	mfa_change_assert(&change, &entry, MFA_ATTR_ENABLED);
	mfa_change_assert(&change, &entry, MFA_ATTR_SECRET);
	mfa_change_assert(&change, &entry, MFA_ATTR_FAILURES);
	return write_change();
}

static void a_condition_is_checked_by_the_directory(void **state)
{
	(void)state;
	assert_int_equal(write_under_a_condition(), MFA_ERR_CONFLICT);
	assert_string_equal(directory_get(&directory, "anna", LAST), "");
	must_read();
	mfa_change_init(&change);
	mfa_change_swap(&change, &entry, MFA_ATTR_LAST_USE, "1 30 a");
	mfa_change_assert(&change, &entry, MFA_ATTR_ENABLED);
	mfa_change_assert(&change, &entry, MFA_ATTR_SECRET);
	mfa_change_assert(&change, &entry, MFA_ATTR_LAST_USE);
	assert_int_equal(write_change(), MFA_OK);
	assert_false(store.no_assert);
}

static void a_condition_names_values_of_any_length(void **state)
{
	char value[4001];

	(void)state;
	memset(value, '*', 4000);
	value[4000] = '\0';
	must_read();
	mfa_change_init(&change);
	mfa_change_add(&change, MFA_ATTR_TRUSTED_DEVICE, value);
	assert_int_equal(write_change(), MFA_OK);
	must_read();
	mfa_change_init(&change);
	mfa_change_swap(&change, &entry, MFA_ATTR_LAST_USE, "1 30 a");
	mfa_change_swap(&change, &entry, MFA_ATTR_TRUSTED_DEVICE, NULL);
	mfa_change_assert(&change, &entry, MFA_ATTR_TRUSTED_DEVICE);
	assert_int_equal(write_change(), MFA_OK);
	/* The value that was asserted is gone now, and the same condition does not hold any more. */
	mfa_change_init(&change);
	mfa_change_clear(&change, MFA_ATTR_LAST_USE);
	mfa_change_assert(&change, &entry, MFA_ATTR_TRUSTED_DEVICE);
	assert_int_equal(write_change(), MFA_ERR_CONFLICT);
}

static void a_server_without_assertions_is_asked_without(void **state)
{
	(void)state;
	config_set(&config, "ldap", "uri", directory.proxy_uri);
	(void)directory_do(&directory, "proxy\tno_assert");
	assert_int_equal(write_under_a_condition(), MFA_OK);
	assert_true(store.no_assert);
	assert_string_equal(directory_get(&directory, "anna", LAST), "1 30 a");
	directory_set(&directory, "anna", LAST, "");
	assert_int_equal(write_under_a_condition(), MFA_OK);
}

static void a_range_of_the_values_is_not_taken_for_all(void **state)
{
	(void)state;
	config_set(&config, "ldap", "uri", directory.proxy_uri);
	(void)directory_do(&directory, "proxy\trange");
	assert_int_equal(read_as(MFA_SIDE_READ, &people), MFA_ERR_SPACE);
	assert_non_null(strstr(diag.text, "range"));
	(void)directory_do(&directory, "proxy\tpass");
	must_read();
}

static void a_refused_write_names_attribute_and_account(void **state)
{
	(void)state;
	must_read();
	mfa_change_init(&change);
	mfa_change_add(&change, MFA_ATTR_SECRET, RFC_KEY RFC_KEY);
	mfa_change_add(&change, MFA_ATTR_LAST_USE, "1 30 a");
	assert_int_equal(write_change(), MFA_ERR_DENIED);
	assert_non_null(strstr(diag.text, "peruserMfaSecret, peruserMfaLastUse"));
	assert_non_null(strstr(diag.text, RADIUS_DN));
	assert_null(strstr(diag.text, RFC_KEY));
	assert_string_equal(directory_get(&directory, "anna", LAST), "");
}

static void an_attribute_that_the_schema_lacks_is_named(void **state)
{
	(void)state;
	config_set(&config, "attribute", "last_use", "noSuchAttribute");
	must_read();
	assert_int_equal(swap_use("1 30 a"), MFA_ERR_DENIED);
	assert_non_null(strstr(diag.text, "noSuchAttribute"));
}

static void a_user_who_is_gone_is_not_found(void **state)
{
	(void)state;
	must_read();
	assert_int_equal(mfa_entry_set_dn(&entry, bytes("uid=gone," PEOPLE)), MFA_OK);
	assert_int_equal(swap_use("1 30 a"), MFA_ERR_NOT_FOUND);
}

/** Ask through the proxy, which breaks the connection at the modify */
static void break_at_modify(char const *mode)
{
	char command[32];

	config_set(&config, "ldap", "uri", directory.proxy_uri);
	must_read();
	(void)snprintf(command, sizeof(command), "proxy\t%s", mode);
	(void)directory_do(&directory, command);
	assert_int_equal(swap_use("1 30 a"), MFA_ERR_BROKEN);
	(void)directory_do(&directory, "proxy\tpass");
}

static void an_answer_that_got_lost_is_looked_up(void **state)
{
	(void)state;
	break_at_modify("lose");
	must_read();
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_LAST_USE, 0), "1 30 a");
}

static void a_request_that_got_lost_is_looked_up(void **state)
{
	(void)state;
	break_at_modify("deaf");
	must_read();
	assert_int_equal(mfa_entry_count(&entry, MFA_ATTR_LAST_USE), 0);
	assert_int_equal(swap_use("1 30 b"), MFA_OK);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
#define STORE_TEST(_f) cmocka_unit_test_setup_teardown(_f, set_up, tear_down)
		STORE_TEST(an_entry_is_read_by_a_filter),
		STORE_TEST(an_entry_is_read_by_its_dn),
		STORE_TEST(a_user_without_our_class_has_an_empty_record),
		STORE_TEST(whoever_is_not_there_is_not_found),
		STORE_TEST(two_users_of_one_name_are_ambiguous),
		STORE_TEST(a_name_is_never_taken_for_a_filter),
		STORE_TEST(an_entry_that_is_too_large_is_refused),
		STORE_TEST(an_entry_needs_an_id),
		STORE_TEST(of_two_first_uses_one_is_written),
		STORE_TEST(only_what_was_read_is_replaced),
		STORE_TEST(a_change_is_made_whole_or_not_at_all),
		STORE_TEST(nothing_to_write_is_no_operation),
		STORE_TEST(a_condition_is_checked_by_the_directory),
		STORE_TEST(a_condition_names_values_of_any_length),
		STORE_TEST(a_server_without_assertions_is_asked_without),
		STORE_TEST(a_range_of_the_values_is_not_taken_for_all),
		STORE_TEST(a_refused_write_names_attribute_and_account),
		STORE_TEST(an_attribute_that_the_schema_lacks_is_named),
		STORE_TEST(a_user_who_is_gone_is_not_found),
		STORE_TEST(an_answer_that_got_lost_is_looked_up),
		STORE_TEST(a_request_that_got_lost_is_looked_up),
	};

	return cmocka_run_group_tests(tests, start_directory, stop_directory);
}
