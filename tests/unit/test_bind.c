/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/password.h"
#include "directory.h"

static struct directory directory;
static struct mfa_config config;
static struct mfa_store store;
static struct mfa_conn *conn;
static struct mfa_entry entry;
static struct mfa_diag diag;

static int start_directory(void **state)
{
	(void)state;
	directory_start(&directory);
	directory_add(&directory, "anna", "peruserMfaEnabled=TRUE");
	return 0;
}

static int stop_directory(void **state)
{
	(void)state;
	directory_stop(&directory);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	return hasty_conn(&conn, &store, &config, &directory);
}

static int tear_down(void **state)
{
	(void)state;
	return end_hasty_conn(&conn, &config, &directory);
}

/* ---- the password alone */

static enum mfa_rc check(char const *dn, struct mfa_bytes password)
{
	diag.text[0] = '\0';
	return mfa_conn_check_password(&diag, conn, bytes(dn), password);
}

static void a_password_is_checked_by_a_bind(void **state)
{
	char const *dn = "uid=anna," PEOPLE;

	(void)state;
	assert_int_equal(check(dn, bytes("password-anna")), MFA_OK);
	assert_int_equal(check(dn, bytes("password-bert")), MFA_ERR_DENIED);
	assert_null(strstr(diag.text, "password-bert"));
	assert_int_equal(check(dn, raw("password-annaX", 13)), MFA_OK);
	assert_int_equal(check("uid=nobody," PEOPLE, bytes("password-anna")), MFA_ERR_DENIED);
	assert_int_equal(check("no dn at all", bytes("password-anna")), MFA_ERR_DENIED);
}

/* An empty password, or an empty name, is an anonymous bind: it always succeeds. */
static void an_empty_password_is_never_right(void **state)
{
	char const *dn = "uid=anna," PEOPLE;

	(void)state;
	assert_int_equal(check(dn, raw(NULL, 0)), MFA_ERR_DENIED);
	assert_int_equal(check(dn, raw("", 0)), MFA_ERR_DENIED);
	assert_int_equal(check(dn, raw("\0password-anna", 14)), MFA_ERR_DENIED);
	assert_int_equal(check(dn, raw("password-anna\0", 14)), MFA_ERR_DENIED);
	assert_int_equal(check("", bytes("password-anna")), MFA_ERR_DENIED);
}

/* ---- the entry and the password */

/** Read and bind: who is known by DN, or is searched for */
static enum mfa_rc read_and_bind(struct mfa_where const *where, struct mfa_bytes password)
{
	diag.text[0] = '\0';
	mfa_conn_start(conn);
	return mfa_conn_read_and_bind(&entry, &diag, conn, where, password);
}

static struct mfa_where const anna = {
	.base = "uid=anna," PEOPLE, .scope = MFA_SCOPE_BASE, .bind_at_once = true};
static struct mfa_where const search_anna = {.base = PEOPLE, .filter = "(uid=anna)"};
static struct mfa_where const *const ways[] = {&anna, &search_anna};

static void an_entry_and_its_password_are_asked_for_together(void **state)
{
	struct mfa_where nobody = anna, filtered = anna, nowhere = anna;

	(void)state;
	nobody.base = "uid=nobody," PEOPLE;
	filtered.filter = "(description=nothing)";
	nowhere.base = "";
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		for (unsigned again = 0; again < 2; again++) {
			assert_int_equal(read_and_bind(ways[i], bytes("password-anna")), MFA_OK);
			assert_bytes(mfa_entry_get(&entry, MFA_ATTR_ENABLED, 0), "TRUE");
			assert_int_equal(read_and_bind(ways[i], bytes("password-bert")),
					 MFA_ERR_DENIED);
			assert_null(strstr(diag.text, "password-bert"));
			assert_int_equal(entry.count, 0);
			assert_int_equal(read_and_bind(ways[i], raw("", 0)), MFA_ERR_DENIED);
			assert_int_equal(entry.count, 0);
		}
		/* The right password of an entry that is not the one looked for leaves nothing behind. */
		assert_int_equal(read_and_bind(&filtered, bytes("password-anna")),
				 MFA_ERR_NOT_FOUND);
		assert_int_equal(read_and_bind(ways[i], bytes("password-bert")), MFA_ERR_DENIED);
		assert_int_equal(read_and_bind(&nobody, bytes("password-anna")), MFA_ERR_NOT_FOUND);
		assert_int_equal(read_and_bind(ways[i], bytes("password-anna")), MFA_OK);
	}
	assert_int_equal(read_and_bind(&nowhere, bytes("password-anna")), MFA_ERR_FORMAT);
}

static void a_restart_is_not_noticed_by_who_binds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		assert_int_equal(read_and_bind(ways[i], bytes("password-anna")), MFA_OK);
		directory_restart(&directory);
		assert_int_equal(read_and_bind(ways[i], bytes("password-bert")), MFA_ERR_DENIED);
		directory_restart(&directory);
		assert_int_equal(read_and_bind(ways[i], bytes("password-anna")), MFA_OK);
	}
}

static void a_silent_server_lets_nobody_bind(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		int64_t start_ms;

		assert_int_equal(read_and_bind(ways[i], bytes("password-anna")), MFA_OK);
		(void)directory_do(&directory, "sigstop");
		start_ms = monotonic_ms();
		assert_int_equal(read_and_bind(ways[i], bytes("password-anna")),
				 MFA_ERR_UNAVAILABLE);
		assert_true(monotonic_ms() - start_ms < IN_TIME_MS);
		assert_int_equal(entry.count, 0);
		(void)directory_do(&directory, "sigcont");
		assert_int_equal(read_and_bind(ways[i], bytes("password-bert")), MFA_ERR_DENIED);
		assert_int_equal(read_and_bind(ways[i], bytes("password-anna")), MFA_OK);
	}
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
#define BIND_TEST(_f) cmocka_unit_test_setup_teardown(_f, set_up, tear_down)
		BIND_TEST(a_password_is_checked_by_a_bind),
		BIND_TEST(an_empty_password_is_never_right),
		BIND_TEST(an_entry_and_its_password_are_asked_for_together),
		BIND_TEST(a_restart_is_not_noticed_by_who_binds),
		BIND_TEST(a_silent_server_lets_nobody_bind),
	};

	return cmocka_run_group_tests(tests, start_directory, stop_directory);
}
