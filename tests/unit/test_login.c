/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole login against a real slapd: read, decide, write, and again when somebody was faster. */
#include "directory.h"

#define NOW	1111111109 /* RFC 6238 appendix B, with six digits: */
#define CODE	"081804"
#define NONCE_A "aaaaaaaaaaaaaaaa"
#define NONCE_B "bbbbbbbbbbbbbbbb"
#define LAST	"peruserMfaLastUse"

static struct directory directory;
static struct mfa_config config;
static struct mfa_store store;
static struct mfa_conn *conn;
static struct mfa_keyring ring;
static struct mfa_login *login;
static struct mfa_code code;

static struct mfa_where const anna = {.base = "uid=anna," PEOPLE, .scope = MFA_SCOPE_BASE};
static struct mfa_where const nobody = {.base = "uid=nobody," PEOPLE, .scope = MFA_SCOPE_BASE};
static struct mfa_policy const policy = {.window = 1,
					 .lock_threshold = 5,
					 .lock_base_s = 30,
					 .lock_max_s = 3600,
					 .attempts = 3,
					 .lifetime_s = 120};

static int start_directory(void **state)
{
	(void)state;
	ring_parse(&ring, TWO_KEYS);
	directory_start(&directory);
	directory_add(&directory, "anna", "peruserMfaEnabled=TRUE\tperuserMfaSecret=" RFC_KEY);
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
	store_init(&store, &config, &directory);
	directory_set(&directory, "anna", LAST, "");
	directory_set(&directory, "anna", "peruserMfaFailures", "");
	directory_set(&directory, "anna", "peruserMfaEnabled", "TRUE");
	(void)directory_do(&directory, "proxy\tpass");
	login = mfa_login_alloc();
	return login && mfa_conn_alloc(&conn, &store) == MFA_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mfa_login_free(&login);
	mfa_conn_free(&conn);
	mfa_config_clear(&config, mfa_config_items);
	return 0;
}

static enum mfa_rc ask(char const *typed, char const *nonce, mfa_login_hook hook)
{
	struct mfa_login_context const ctx = {
		.conn = conn, .where = &anna, .ring = &ring, .policy = &policy};
	struct mfa_request const request = {
		.now_s = NOW, .code = typed ? &code : NULL, .nonce = nonce, .prompt = 1};

	if (typed) code = code_of(typed);
	return mfa_login_run(login, &ctx, &request, hook, NULL);
}

static void assert_answer(enum mfa_verdict verdict, enum mfa_result result)
{
	if (login->decision.verdict != verdict || login->decision.result != result)
		fail_msg("%s: %s", mfa_result_name(login->decision.result),
			 login->decision.reason.text);
}

static void a_new_login_refuses_until_it_is_asked(void **state)
{
	(void)state;
	assert_answer(MFA_REJECT, MFA_RESULT_REJECTED);
	assert_false(login->have_entry);
}

static void a_password_is_answered_by_a_challenge(void **state)
{
	(void)state;
	assert_int_equal(ask(NULL, NULL, NULL), MFA_OK);
	assert_answer(MFA_CHALLENGE, MFA_RESULT_CHALLENGED);
	directory_set(&directory, "anna", "peruserMfaEnabled", "FALSE");
	login->have_entry = false;
	assert_int_equal(ask(NULL, NULL, NULL), MFA_OK);
	assert_answer(MFA_ACCEPT, MFA_RESULT_OFF);
}

static void an_accepted_code_is_in_the_directory(void **state)
{
	(void)state;
	assert_int_equal(ask(CODE, NONCE_A, NULL), MFA_OK);
	assert_answer(MFA_ACCEPT, MFA_RESULT_ACCEPTED);
	assert_string_equal(directory_get(&directory, "anna", LAST),
			    "37037036 1111111109 " NONCE_A);
}

static void a_wrong_code_is_in_the_directory(void **state)
{
	(void)state;
	assert_int_equal(ask("000000", NONCE_A, NULL), MFA_OK);
	assert_answer(MFA_CHALLENGE, MFA_RESULT_CHALLENGED);
	assert_int_equal(strncmp(directory_get(&directory, "anna", "peruserMfaFailures"),
				 "1 1111111109 ", 13),
			 0);
}

/* ---- a server that cannot check the conditions of a modify, such as 389 Directory Server */

static char const *meanwhile_attr, *meanwhile_value;

/** What somebody else does between the first read and the write */
static bool meanwhile(struct mfa_login *which, void *uctx)
{
	(void)uctx;
	if (which->decision.change.count > 0 && meanwhile_attr) {
		directory_set(&directory, "anna", meanwhile_attr, meanwhile_value);
		meanwhile_attr = NULL;
	}
	return true;
}

static enum mfa_rc ask_unasserted(char const *attr, char const *value)
{
	struct mfa_login_context const ctx = {
		.conn = conn, .where = &anna, .ring = &ring, .policy = &policy, .recheck = true};
	struct mfa_request const request = {
		.now_s = NOW, .code = &code, .nonce = NONCE_A, .prompt = 1};

	code = code_of(CODE);
	meanwhile_attr = attr;
	meanwhile_value = value;
	store.no_assert = true;
	return mfa_login_run(login, &ctx, &request, meanwhile, NULL);
}

static void without_assertions_a_login_is_accepted_as_well(void **state)
{
	(void)state;
	assert_int_equal(ask_unasserted(NULL, NULL), MFA_OK);
	assert_answer(MFA_ACCEPT, MFA_RESULT_ACCEPTED);
	assert_string_equal(login->decision.reason.text, "code accepted");
}

static void without_assertions_failures_that_came_meanwhile_count(void **state)
{
	(void)state;
	assert_int_equal(ask_unasserted("peruserMfaFailures", "5 1111111109 AAAA"), MFA_OK);
	assert_answer(MFA_REJECT, MFA_RESULT_LOCKED);
}

static void without_assertions_a_reset_that_came_meanwhile_counts(void **state)
{
	(void)state;
	assert_int_equal(ask_unasserted("peruserMfaSecret", "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"),
			 MFA_OK);
	assert_answer(MFA_CHALLENGE, MFA_RESULT_CHALLENGED);
	directory_set(&directory, "anna", "peruserMfaSecret", RFC_KEY);
}

static void without_assertions_a_suspension_that_came_meanwhile_counts(void **state)
{
	(void)state;
	assert_int_equal(ask_unasserted("peruserMfaEnabled", "FALSE"), MFA_OK);
	assert_answer(MFA_REJECT, MFA_RESULT_REJECTED);
}

/* The entry was read before another server took the code. */
static void who_comes_second_decides_again(void **state)
{
	struct mfa_diag diag;

	(void)state;
	assert_int_equal(mfa_login_read(login, &diag, conn, MFA_SIDE_READ, &anna), MFA_OK);
	directory_set(&directory, "anna", LAST, "37037036 1111111105 " NONCE_B);
	assert_int_equal(ask(CODE, NONCE_A, NULL), MFA_OK);
	assert_answer(MFA_REJECT, MFA_RESULT_REPLAYED);
}

static void an_admin_who_came_in_between_is_obeyed(void **state)
{
	struct mfa_diag diag;

	(void)state;
	assert_int_equal(mfa_login_read(login, &diag, conn, MFA_SIDE_READ, &anna), MFA_OK);
	directory_set(&directory, "anna", "peruserMfaEnabled", "FALSE");
	assert_int_equal(ask(CODE, NONCE_A, NULL), MFA_OK);
	assert_int_equal(login->decision.verdict, MFA_REJECT);
	assert_string_equal(directory_get(&directory, "anna", LAST), "");
}

static void an_answer_that_got_lost_is_no_replay(void **state)
{
	struct mfa_diag diag;

	(void)state;
	(void)directory_do(&directory, "proxy\tlose");
	config_set(&config, "ldap", "write_uri", directory.proxy_uri);
	assert_int_equal(mfa_login_read(login, &diag, conn, MFA_SIDE_READ, &anna), MFA_OK);
	assert_int_equal(ask(CODE, NONCE_A, NULL), MFA_OK);
	assert_answer(MFA_ACCEPT, MFA_RESULT_ACCEPTED);
	assert_string_equal(directory_get(&directory, "anna", LAST),
			    "37037036 1111111109 " NONCE_A);
}

static void a_write_that_never_arrives_gives_up(void **state)
{
	(void)state;
	config_set(&config, "ldap", "uri", directory.proxy_uri);
	(void)directory_do(&directory, "proxy\tdeaf");
	assert_int_not_equal(ask(CODE, NONCE_A, NULL), MFA_OK);
	assert_int_equal(login->decision.verdict, MFA_REJECT);
	assert_true(login->decision.reason.text[0]);
	assert_string_equal(directory_get(&directory, "anna", LAST), "");
}

static void a_directory_that_is_away_is_told_from_a_wrong_code(void **state)
{
	(void)state;
	config_set(&config, "ldap", "uri", "ldap://127.0.0.1:1");
	assert_int_equal(ask(CODE, NONCE_A, NULL), MFA_ERR_UNAVAILABLE);
	assert_answer(MFA_REJECT, MFA_RESULT_UNAVAILABLE);
}

/* Typed behind a password, a recovery code is only known as one after the record was read. */
static void what_was_left_out_is_read_when_it_is_needed(void **state)
{
	static char const typed[] = "BCDF-GHJK-LMNP";
	char hash[MFA_HASH_SIZE];
	struct mfa_login_context const ctx = {
		.conn = conn, .where = &anna, .ring = &ring, .policy = &policy, .lean = true};
	struct mfa_request request = {.now_s = NOW, .nonce = NONCE_A, .prompt = 1};

	(void)state;
	assert_int_equal(mfa_login_run(login, &ctx, &request, NULL, NULL), MFA_OK);
	assert_answer(MFA_CHALLENGE, MFA_RESULT_CHALLENGED);
	code = code_of(typed);
	assert_int_equal(mfa_recovery_format(hash, &ring, login->entry.id, &code), MFA_OK);
	directory_set(&directory, "anna", "peruserMfaRecoveryCode", hash);
	login->have_entry = false;
	assert_int_equal(mfa_login_run(login, &ctx, &request, NULL, NULL), MFA_OK);
	assert_int_equal(mfa_entry_count(&login->entry, MFA_ATTR_RECOVERY_CODE), 0);
	assert_true(login->entry.left_out & MFA_ATTR_BIT(MFA_ATTR_RECOVERY_CODE));

	request.code = &code;
	assert_int_equal(mfa_login_run(login, &ctx, &request, NULL, NULL), MFA_OK);
	assert_answer(MFA_ACCEPT, MFA_RESULT_RECOVERY);
	assert_string_equal(directory_get(&directory, "anna", "peruserMfaRecoveryCode"), "");
}

static void a_user_who_is_not_there_is_refused(void **state)
{
	struct mfa_login_context const ctx = {
		.conn = conn, .where = &nobody, .ring = &ring, .policy = &policy};
	struct mfa_request const request = {.now_s = NOW};

	(void)state;
	assert_int_equal(mfa_login_run(login, &ctx, &request, NULL, NULL), MFA_ERR_NOT_FOUND);
	assert_answer(MFA_REJECT, MFA_RESULT_REJECTED);
}

static bool say_no(struct mfa_login *asked, void *uctx)
{
	(void)asked;
	(void)uctx;
	return false;
}

static bool turn_off(struct mfa_login *asked, void *uctx)
{
	(void)uctx;
	mfa_change_delete(&asked->decision.change, MFA_ATTR_SECRET, bytes(RFC_KEY));
	return true;
}

static void a_hook_can_refuse(void **state)
{
	(void)state;
	(void)ask(CODE, NONCE_A, say_no);
	assert_answer(MFA_REJECT, MFA_RESULT_REJECTED);
	assert_string_equal(directory_get(&directory, "anna", LAST), "");
}

/* RADIUS may not delete a secret: then the code is not burned either. */
static void a_hook_writes_with_the_code_or_not_at_all(void **state)
{
	(void)state;
	assert_int_equal(ask(CODE, NONCE_A, turn_off), MFA_ERR_DENIED);
	assert_int_equal(login->decision.verdict, MFA_REJECT);
	assert_non_null(strstr(login->decision.reason.text, "peruserMfaSecret"));
	assert_string_equal(directory_get(&directory, "anna", LAST), "");
}

/* At the password step the server may have read the entry already; then nothing can be written. */
static void without_a_connection_nothing_that_needs_writing_is_accepted(void **state)
{
	struct mfa_login_context const ctx = {.where = &anna, .ring = &ring, .policy = &policy};
	struct mfa_request const request = {
		.now_s = NOW, .code = &code, .nonce = NONCE_A, .prompt = 1};
	struct mfa_request const password = {.now_s = NOW};
	struct mfa_diag diag;

	(void)state;
	code = code_of(CODE);
	assert_int_equal(mfa_login_run(login, &ctx, &request, NULL, NULL), MFA_ERR_INTERNAL);
	assert_int_equal(login->decision.verdict, MFA_REJECT);
	assert_int_equal(mfa_login_read(login, &diag, conn, MFA_SIDE_READ, &anna), MFA_OK);
	assert_int_equal(mfa_login_run(login, &ctx, &password, NULL, NULL), MFA_OK);
	assert_answer(MFA_CHALLENGE, MFA_RESULT_CHALLENGED);
	assert_int_equal(mfa_login_run(login, &ctx, &request, NULL, NULL), MFA_ERR_INTERNAL);
	assert_int_equal(login->decision.verdict, MFA_REJECT);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
#define LOGIN_TEST(_f) cmocka_unit_test_setup_teardown(_f, set_up, tear_down)
		LOGIN_TEST(a_new_login_refuses_until_it_is_asked),
		LOGIN_TEST(a_password_is_answered_by_a_challenge),
		LOGIN_TEST(an_accepted_code_is_in_the_directory),
		LOGIN_TEST(a_wrong_code_is_in_the_directory),
		LOGIN_TEST(who_comes_second_decides_again),
		LOGIN_TEST(without_assertions_a_login_is_accepted_as_well),
		LOGIN_TEST(without_assertions_failures_that_came_meanwhile_count),
		LOGIN_TEST(without_assertions_a_reset_that_came_meanwhile_counts),
		LOGIN_TEST(without_assertions_a_suspension_that_came_meanwhile_counts),
		LOGIN_TEST(an_admin_who_came_in_between_is_obeyed),
		LOGIN_TEST(an_answer_that_got_lost_is_no_replay),
		LOGIN_TEST(a_write_that_never_arrives_gives_up),
		LOGIN_TEST(a_directory_that_is_away_is_told_from_a_wrong_code),
		LOGIN_TEST(what_was_left_out_is_read_when_it_is_needed),
		LOGIN_TEST(a_user_who_is_not_there_is_refused),
		LOGIN_TEST(a_hook_can_refuse),
		LOGIN_TEST(a_hook_writes_with_the_code_or_not_at_all),
		LOGIN_TEST(without_a_connection_nothing_that_needs_writing_is_accepted),
	};

	return cmocka_run_group_tests(tests, start_directory, stop_directory);
}
