/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/modify.h"
#include "core/password.h"
#include "core/read.h"
#include "directory.h"

#include <time.h>

/* A port that nobody listens on: reserved for tcpmux, which is not in use. */
#define DEAD_URI "ldap://127.0.0.1:1"

static struct directory directory, other;
static struct mfa_config config;
static struct mfa_store store;
static struct mfa_conn *conn;
static struct mfa_entry entry;
static struct mfa_change change;
static struct mfa_diag diag;

static struct mfa_where const anna = {.base = "uid=anna," PEOPLE, .scope = MFA_SCOPE_BASE};

static int start_directories(void **state)
{
	(void)state;
	directory_start(&directory);
	directory_start(&other);
	directory_add(&directory, "anna", "peruserMfaEnabled=TRUE");
	directory_add(&other, "anna", "peruserMfaEnabled=FALSE");
	return 0;
}

static int stop_directories(void **state)
{
	(void)state;
	directory_stop(&directory);
	directory_stop(&other);
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

static enum mfa_rc read_side(enum mfa_side side)
{
	diag.text[0] = '\0';
	mfa_conn_start(conn);
	return mfa_conn_read(&entry, &diag, conn, side, &anna);
}

static enum mfa_rc write_use(char const *value)
{
	mfa_change_init(&change);
	mfa_change_swap(&change, &entry, MFA_ATTR_LAST_USE, value);
	return mfa_conn_modify(&diag, conn, entry.dn, &change);
}

/** Read, and assert what came, that it came, and that who waits sleeps */
static void read_in_time(enum mfa_rc expected)
{
	clock_t const start = clock();
	int64_t const start_ms = monotonic_ms();
	enum mfa_rc const rc = read_side(MFA_SIDE_READ);
	int64_t const took_ms = monotonic_ms() - start_ms;
	int64_t const busy_ms = (int64_t)(clock() - start) * 1000 / CLOCKS_PER_SEC;

	if (rc != expected) fail_msg("%s: %s", mfa_rc_name(rc), diag.text);
	if (took_ms > IN_TIME_MS) fail_msg("took %lld ms", (long long)took_ms);
	if (busy_ms > 400)
		fail_msg("busy for %lld of %lld ms", (long long)busy_ms, (long long)took_ms);
	if (rc != MFA_OK) assert_true(diag.text[0]);
}

/* ---- gone */

static void a_server_that_is_gone_is_unavailable_at_once(void **state)
{
	(void)state;
	config_set(&config, "ldap", "uri", DEAD_URI);
	read_in_time(MFA_ERR_UNAVAILABLE);
	assert_non_null(strstr(diag.text, DEAD_URI));
	config_set(&config, "ldap", "uri", "ldap://no.such.host.invalid");
	read_in_time(MFA_ERR_UNAVAILABLE);
	config_set(&config, "ldap", "uri", "ldaps://127.0.0.1:1");
	read_in_time(MFA_ERR_UNAVAILABLE);
	config_set(&config, "ldap", "uri", "ldapi://%2Fnonexistent");
	read_in_time(MFA_ERR_UNAVAILABLE);
}

static void an_open_connection_needs_a_server(void **state)
{
	struct mfa_conn *open = NULL;

	(void)state;
	assert_int_equal(mfa_conn_open(&open, &diag, &store), MFA_OK);
	assert_non_null(open);
	mfa_conn_free(&open);
	assert_null(open);
	config_set(&config, "ldap", "uri", DEAD_URI);
	assert_int_equal(mfa_conn_open(&open, &diag, &store), MFA_ERR_UNAVAILABLE);
	assert_null(open);
	mfa_conn_free(&open);
}

static void the_next_server_of_the_list_is_asked(void **state)
{
	char uris[512];

	(void)state;
	(void)snprintf(uris, sizeof(uris), " " DEAD_URI "  ldap://[::1]:1 %s", directory.uri);
	config_set(&config, "ldap", "uri", uris);
	read_in_time(MFA_OK);
}

static void a_silent_server_does_not_use_up_the_time_of_the_next(void **state)
{
	char uris[512];

	(void)state;
	config_set(&config, "ldap", "timeout", "3");
	(void)snprintf(uris, sizeof(uris), "%s %s", directory.uri, other.uri);
	config_set(&config, "ldap", "uri", uris);
	store.account.password = other.password;
	(void)directory_do(&directory, "sigstop");
	read_in_time(MFA_OK);
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_ENABLED, 0), "FALSE");
}

static char told[MFA_DIAG_SIZE];

static void keep_line(char const *line)
{
	(void)snprintf(told, sizeof(told), "%s", line);
}

static int64_t time_to_read(void)
{
	int64_t const start_ms = monotonic_ms();

	assert_int_equal(read_side(MFA_SIDE_READ), MFA_OK);
	return monotonic_ms() - start_ms;
}

static void a_server_that_hangs_costs_one_login_its_time(void **state)
{
	struct mfa_conn *old, *fresh = NULL;
	char uris[512];

	(void)state;
	config_set(&config, "ldap", "timeout", "4");
	(void)snprintf(uris, sizeof(uris), "%s %s", directory.uri, other.uri);
	config_set(&config, "ldap", "uri", uris);
	store.log = keep_line;
	told[0] = '\0';
	/* Two connections of one process, both at the first server. */
	assert_true(time_to_read() < 4000);
	old = conn;
	assert_int_equal(mfa_conn_alloc(&conn, &store), MFA_OK);
	assert_true(time_to_read() < 4000);
	store.account.password = other.password;
	(void)directory_do(&directory, "sigstop");
	assert_int_equal(read_side(MFA_SIDE_READ), MFA_ERR_UNAVAILABLE);
	/* Neither that one, nor the other one, nor a new one waits for it again. */
	assert_true(time_to_read() < 900);
	assert_non_null(strstr(told, other.uri));
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_ENABLED, 0), "FALSE");
	fresh = conn;
	conn = old;
	assert_true(time_to_read() < 900);
	mfa_conn_free(&conn);
	assert_int_equal(mfa_conn_alloc(&conn, &store), MFA_OK);
	assert_true(time_to_read() < 900);
	mfa_conn_free(&fresh);
}

static void new_connections_go_back_to_the_first_server(void **state)
{
	char uris[512];

	(void)state;
	(void)snprintf(uris, sizeof(uris), "%s %s", directory.uri, other.uri);
	config_set(&config, "ldap", "uri", uris);
	store.log = keep_line;
	store.failed_until_ms[MFA_SIDE_READ][0] = INT64_MAX;
	store.account.password = other.password;
	read_in_time(MFA_OK);
	assert_non_null(strstr(told, other.uri));
	assert_non_null(strstr(told, "does not answer"));
	mfa_conn_free(&conn);
	assert_int_equal(mfa_conn_alloc(&conn, &store), MFA_OK);
	store.account.password = directory.password;
	/* The time of the failure is over. */
	store.failed_until_ms[MFA_SIDE_READ][0] = 1;
	read_in_time(MFA_OK);
	assert_non_null(strstr(told, directory.uri));
	assert_non_null(strstr(told, "works again"));
}

static void when_all_have_failed_all_are_tried(void **state)
{
	(void)state;
	store.failed_until_ms[MFA_SIDE_READ][0] = INT64_MAX;
	read_in_time(MFA_OK);
	assert_int_equal(store.failed_until_ms[MFA_SIDE_READ][0], 0);
}

static void a_refused_bind_ends_the_list(void **state)
{
	char uris[512];

	(void)state;
	(void)snprintf(uris, sizeof(uris), "%s %s", directory.uri, other.uri);
	config_set(&config, "ldap", "uri", uris);
	store.account.password = other.password;
	read_in_time(MFA_ERR_DENIED);
	assert_non_null(strstr(diag.text, directory.uri));
	assert_null(strstr(diag.text, other.password));
}

/* ---- silent */

static void silent(char const *item, char const *value)
{
	if (item) config_set(&config, "ldap", item, value);
	(void)directory_do(&directory, "sigcont");
	read_in_time(MFA_OK);
	/* On a connection that is there. */
	(void)directory_do(&directory, "sigstop");
	read_in_time(MFA_ERR_UNAVAILABLE);
	/* On a new one. */
	read_in_time(MFA_ERR_UNAVAILABLE);
	(void)directory_do(&directory, "sigcont");
	read_in_time(MFA_OK);
}

static void a_silent_server_is_unavailable_in_time(void **state)
{
	(void)state;
	silent(NULL, NULL);
}

static void a_silent_server_is_unavailable_in_time_over_ldaps(void **state)
{
	(void)state;
	silent("uri", directory.ldaps_uri);
}

static void a_silent_server_is_unavailable_in_time_with_start_tls(void **state)
{
	(void)state;
	silent("start_tls", "yes");
}

static void a_silent_server_is_unavailable_in_time_over_ldapi(void **state)
{
	(void)state;
	silent("uri", directory.ldapi_uri);
}

static void one_clock_runs_for_all_operations_of_a_step(void **state)
{
	int64_t start_ms;

	(void)state;
	assert_int_equal(read_side(MFA_SIDE_READ), MFA_OK);
	(void)directory_do(&directory, "sigstop");
	start_ms = monotonic_ms();
	mfa_conn_start(conn);
	/* It was sent: nobody knows what became of it. */
	assert_int_equal(write_use("1 30 a"), MFA_ERR_BROKEN);
	assert_int_equal(mfa_conn_read(&entry, &diag, conn, MFA_SIDE_READ, &anna),
			 MFA_ERR_UNAVAILABLE);
	assert_true(monotonic_ms() - start_ms < IN_TIME_MS);
	(void)directory_do(&directory, "sigcont");
	directory_set(&directory, "anna", "peruserMfaLastUse", "");
}

/* ---- back again */

static void a_restart_costs_nothing(void **state)
{
	static char const *const tls[] = {"no", "yes"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(tls); i++) {
		mfa_conn_free(&conn);
		assert_int_equal(mfa_conn_alloc(&conn, &store), MFA_OK);
		config_set(&config, "ldap", "start_tls", tls[i]);
		read_in_time(MFA_OK);
		directory_restart(&directory);
		read_in_time(MFA_OK);
	}
}

static void a_write_after_a_restart_is_decided_anew(void **state)
{
	(void)state;
	assert_int_equal(read_side(MFA_SIDE_READ), MFA_OK);
	directory_restart(&directory);
	assert_int_equal(write_use("1 30 a"), MFA_ERR_BROKEN);
	assert_int_equal(read_side(MFA_SIDE_WRITE), MFA_OK);
	assert_int_equal(mfa_entry_count(&entry, MFA_ATTR_LAST_USE), 0);
	assert_int_equal(write_use("1 30 a"), MFA_OK);
	assert_int_equal(read_side(MFA_SIDE_READ), MFA_OK);
	assert_int_equal(write_use(NULL), MFA_OK);
}

static void a_server_that_stays_away_is_unavailable(void **state)
{
	(void)state;
	assert_int_equal(read_side(MFA_SIDE_READ), MFA_OK);
	(void)directory_do(&directory, "stop");
	read_in_time(MFA_ERR_UNAVAILABLE);
	assert_int_equal(mfa_conn_check_password(&diag, conn, bytes("uid=anna," PEOPLE),
						 bytes("password-anna")),
			 MFA_ERR_UNAVAILABLE);
	(void)directory_do(&directory, "start");
	read_in_time(MFA_OK);
}

/* ---- one server to read, another to write */

static void writes_go_to_the_provider(void **state)
{
	(void)state;
	directory_set(&other, "anna", "peruserMfaLastUse", "");
	config_set(&config, "ldap", "uri", directory.uri);
	config_set(&config, "ldap", "write_uri", other.uri);
	assert_int_equal(read_side(MFA_SIDE_READ), MFA_OK);
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_ENABLED, 0), "TRUE");
	mfa_conn_start(conn);
	/* One account on both, as in a real cluster; here their passwords differ. */
	store.account.password = other.password;
	assert_int_equal(write_use("1 30 a"), MFA_OK);
	assert_string_equal(directory_get(&other, "anna", "peruserMfaLastUse"), "1 30 a");
	assert_string_equal(directory_get(&directory, "anna", "peruserMfaLastUse"), "");
	assert_int_equal(read_side(MFA_SIDE_WRITE), MFA_OK);
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_ENABLED, 0), "FALSE");
	config_set(&config, "ldap", "write_uri", DEAD_URI);
	assert_int_equal(read_side(MFA_SIDE_READ), MFA_OK);
}

static void a_dead_provider_stops_writes_alone(void **state)
{
	(void)state;
	config_set(&config, "ldap", "write_uri", DEAD_URI);
	assert_int_equal(read_side(MFA_SIDE_READ), MFA_OK);
	assert_int_equal(write_use("1 30 a"), MFA_ERR_UNAVAILABLE);
	assert_int_equal(read_side(MFA_SIDE_WRITE), MFA_ERR_UNAVAILABLE);
	assert_int_equal(read_side(MFA_SIDE_READ), MFA_OK);
}

/* ---- who is at the other end */

static void a_certificate_is_demanded(void **state)
{
	static char const *const start_tls[] = {"no", "yes"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(start_tls); i++) {
		mfa_conn_free(&conn);
		assert_int_equal(mfa_conn_alloc(&conn, &store), MFA_OK);
		config_set(&config, "ldap", "start_tls", start_tls[i]);
		config_set(&config, "ldap", "uri", i ? directory.uri : directory.ldaps_uri);
		/* The authority of the other directory did not sign this one's certificate. */
		config_set(&config, "ldap", "ca_file", other.ca_file);
		read_in_time(MFA_ERR_UNAVAILABLE);
		config_set(&config, "ldap", "ca_file", "");
		read_in_time(MFA_ERR_UNAVAILABLE);
		config_set(&config, "ldap", "ca_file", "/nonexistent");
		read_in_time(MFA_ERR_UNAVAILABLE);
		config_set(&config, "ldap", "ca_file", directory.ca_file);
		read_in_time(MFA_OK);
	}
}

static void a_certificate_of_another_name_is_refused(void **state)
{
	char uri[64];

	(void)state;
	(void)snprintf(uri, sizeof(uri), "ldaps://127.0.0.2:%s",
		       strrchr(directory.ldaps_uri, ':') + 1);
	config_set(&config, "ldap", "uri", uri);
	read_in_time(MFA_ERR_UNAVAILABLE);
}

static void a_site_may_do_without(void **state)
{
	(void)state;
	config_set(&config, "ldap", "uri", directory.ldaps_uri);
	config_set(&config, "ldap", "ca_file", "");
	config_set(&config, "ldap", "require_cert", "never");
	read_in_time(MFA_OK);
}

static void a_wrong_account_is_denied(void **state)
{
	(void)state;
	store.account.password = "wrong";
	read_in_time(MFA_ERR_DENIED);
	assert_non_null(strstr(diag.text, RADIUS_DN));
}

static void the_operating_system_can_vouch_for_the_account(void **state)
{
	(void)state;
	config_set(&config, "ldap", "uri", directory.ldapi_uri);
	store.account = (struct mfa_account){.identity = "", .password = "", .external = true};
	/* It is let in, and no rule lets this account see the record. */
	read_in_time(MFA_ERR_DENIED);
	assert_non_null(strstr(diag.text, "'SASL EXTERNAL' may not read"));
	config_set(&config, "ldap", "uri", directory.uri);
	mfa_conn_free(&conn);
	assert_int_equal(mfa_conn_alloc(&conn, &store), MFA_OK);
	read_in_time(MFA_ERR_DENIED);
}

static void the_handle_is_lent_to_those_who_list(void **state)
{
	(void)state;
	assert_non_null(mfa_conn_handle(&diag, conn, MFA_SIDE_READ));
	mfa_conn_free(&conn);
	assert_int_equal(mfa_conn_alloc(&conn, &store), MFA_OK);
	config_set(&config, "ldap", "uri", DEAD_URI);
	assert_null(mfa_conn_handle(&diag, conn, MFA_SIDE_READ));
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
#define OUTAGE_TEST(_f) cmocka_unit_test_setup_teardown(_f, set_up, tear_down)
		OUTAGE_TEST(a_server_that_is_gone_is_unavailable_at_once),
		OUTAGE_TEST(an_open_connection_needs_a_server),
		OUTAGE_TEST(the_next_server_of_the_list_is_asked),
		OUTAGE_TEST(a_silent_server_does_not_use_up_the_time_of_the_next),
		OUTAGE_TEST(a_server_that_hangs_costs_one_login_its_time),
		OUTAGE_TEST(new_connections_go_back_to_the_first_server),
		OUTAGE_TEST(when_all_have_failed_all_are_tried),
		OUTAGE_TEST(a_refused_bind_ends_the_list),
		OUTAGE_TEST(a_silent_server_is_unavailable_in_time),
		OUTAGE_TEST(a_silent_server_is_unavailable_in_time_over_ldaps),
		OUTAGE_TEST(a_silent_server_is_unavailable_in_time_with_start_tls),
		OUTAGE_TEST(a_silent_server_is_unavailable_in_time_over_ldapi),
		OUTAGE_TEST(one_clock_runs_for_all_operations_of_a_step),
		OUTAGE_TEST(a_restart_costs_nothing),
		OUTAGE_TEST(a_write_after_a_restart_is_decided_anew),
		OUTAGE_TEST(a_server_that_stays_away_is_unavailable),
		OUTAGE_TEST(writes_go_to_the_provider),
		OUTAGE_TEST(a_dead_provider_stops_writes_alone),
		OUTAGE_TEST(a_certificate_is_demanded),
		OUTAGE_TEST(a_certificate_of_another_name_is_refused),
		OUTAGE_TEST(a_site_may_do_without),
		OUTAGE_TEST(a_wrong_account_is_denied),
		OUTAGE_TEST(the_operating_system_can_vouch_for_the_account),
		OUTAGE_TEST(the_handle_is_lent_to_those_who_list),
	};

	return cmocka_run_group_tests(tests, start_directories, stop_directories);
}
