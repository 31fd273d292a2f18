/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/session.h"
#include "enroll/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1800000000)

static struct mfa_keyring ring, other;
static char path[] = "/tmp/mfa-throttle-XXXXXX";

static void make_ring(struct mfa_keyring *out, char const *key)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "k1 %s\n", key);
	assert_int_equal(mfa_keyring_parse(out, NULL, mfa_bytes_of(text)), MFA_OK);
}

static int set_up(void **state)
{
	int const fd = mkstemp(path);

	(void)state;
	make_ring(&ring, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	make_ring(&other, "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	return fd >= 0 ? close(fd) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static struct mfa_session signed_in(void)
{
	struct mfa_session session;

	assert_int_equal(mfa_session_begin(&session, NOW), MFA_OK);
	session.signed_in = true;
	session.password_s = NOW;
	session.flash = MFA_FLASH_DEVICE_ADDED;
	(void)snprintf(session.user, sizeof(session.user), "user1");
	(void)snprintf(session.dn, sizeof(session.dn), "uid=user1,dc=example,dc=org");
	return session;
}

static void test_a_session_comes_back_as_it_was(void **state)
{
	struct mfa_session const session = signed_in();
	struct mfa_session read;
	char text[MFA_SESSION_TEXT_MAX + 1];
	bool expired;

	(void)state;
	assert_int_equal(mfa_session_seal(text, &session, &ring), MFA_OK);
	mfa_session_open(&read, &expired, &ring, text, NOW + 1800);
	assert_memory_equal(&read, &session, sizeof(read));
	assert_true(mfa_session_needs_password(&read, NOW + 301));
	assert_false(mfa_session_needs_password(&read, NOW + 300));
}

static void test_a_session_ends(void **state)
{
	struct mfa_session const session = signed_in();
	struct mfa_session read;
	char text[MFA_SESSION_TEXT_MAX + 1];
	bool expired;

	(void)state;
	assert_int_equal(mfa_session_seal(text, &session, &ring), MFA_OK);
	mfa_session_open(&read, &expired, &ring, text, NOW + 1801);
	assert_true(expired && !read.present && read.user[0] == '\0');
	mfa_session_open(&read, &expired, &ring, text, NOW - 61);
	assert_false(read.present);
}

static void test_an_altered_or_foreign_session_is_none(void **state)
{
	struct mfa_session const session = signed_in();
	struct mfa_session read;
	char text[MFA_SESSION_TEXT_MAX + 1];
	bool expired;

	(void)state;
	assert_int_equal(mfa_session_seal(text, &session, &ring), MFA_OK);
	mfa_session_open(&read, &expired, &other, text, NOW);
	assert_false(read.present);
	for (size_t i = 0; text[i]; i++) {
		char const kept = text[i];

		text[i] = kept == 'A' ? 'B' : 'A';
		mfa_session_open(&read, &expired, &ring, text, NOW);
		assert_false(read.present || expired);
		text[i] = kept;
	}
}

static void open_throttle(struct mfa_throttle *throttle)
{
	static uint8_t const key[MFA_KEY_SIZE] = {1};
	struct mfa_diag diag;

	assert_int_equal(mfa_throttle_open(throttle, &diag, path, key), MFA_OK);
	for (unsigned i = 0; i < MFA_THROTTLE_KINDS; i++)
		throttle->limit[i] = (struct mfa_throttle_limit){3, 30, 100, 100};
}

static struct mfa_throttle_guess guess_of(char const *who)
{
	struct mfa_throttle_guess guess = {.kind = MFA_THROTTLE_NAME};

	(void)snprintf(guess.who, sizeof(guess.who), "%s", who);
	return guess;
}

static uint32_t take_as(struct mfa_throttle const *throttle, struct mfa_throttle_guess *guess,
			int64_t now_s)
{
	uint32_t wait_s = 0;

	assert_int_equal(mfa_throttle_take(&wait_s, throttle, guess, now_s), MFA_OK);
	return wait_s;
}

static uint32_t take(struct mfa_throttle const *throttle, char const *who, int64_t now_s)
{
	struct mfa_throttle_guess guess = guess_of(who);

	return take_as(throttle, &guess, now_s);
}

static void test_guesses_make_one_wait_longer_and_longer(void **state)
{
	struct mfa_throttle_guess guess = guess_of("a");
	struct mfa_throttle throttle;

	(void)state;
	open_throttle(&throttle);
	for (unsigned i = 0; i < 3; i++) assert_int_equal(take(&throttle, "a", NOW), 0);
	assert_int_equal(take(&throttle, "a", NOW), 30);
	assert_int_equal(take(&throttle, "b", NOW), 0);
	mfa_throttle_close(&throttle);
	open_throttle(&throttle); /* as after a restart */
	assert_int_equal(take(&throttle, "a", NOW + 29), 1);
	assert_int_equal(take(&throttle, "a", NOW + 30), 0);
	assert_int_equal(take(&throttle, "a", NOW + 30), 60);
	assert_int_equal(take(&throttle, "a", NOW + 90), 0);
	assert_int_equal(take(&throttle, "a", NOW + 90), 100);
	assert_int_equal(take(&throttle, "a", NOW - 100000), 100);
	mfa_throttle_clear(&throttle, &guess);
	assert_int_equal(take(&throttle, "a", NOW + 91), 0);
	mfa_throttle_close(&throttle);
}

static void test_guesses_are_forgotten_one_by_one(void **state)
{
	struct mfa_throttle throttle;

	(void)state;
	open_throttle(&throttle);
	for (unsigned i = 0; i < 3; i++) assert_int_equal(take(&throttle, "d", NOW), 0);
	assert_int_equal(take(&throttle, "d", NOW + 29), 1);
	/* One is forgotten, so there is room for one. */
	assert_int_equal(take(&throttle, "d", NOW + 100), 0);
	assert_int_equal(take(&throttle, "d", NOW + 100), 30);
	/* All are. */
	for (unsigned i = 0; i < 3; i++) assert_int_equal(take(&throttle, "d", NOW + 400), 0);
	assert_int_equal(take(&throttle, "d", NOW + 400), 30);
	mfa_throttle_close(&throttle);
}

static void test_a_guess_that_was_right_leaves_no_trace(void **state)
{
	struct mfa_throttle_guess guess = guess_of("c");
	struct mfa_throttle throttle;

	(void)state;
	open_throttle(&throttle);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(take_as(&throttle, &guess, NOW), 0);
		mfa_throttle_give_back(&throttle, &guess);
	}
	for (unsigned i = 0; i < 3; i++) assert_int_equal(take(&throttle, "c", NOW), 0);
	/* Past the wait a right one neither counts nor begins another wait. */
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(take_as(&throttle, &guess, NOW + 30), 0);
		mfa_throttle_give_back(&throttle, &guess);
	}
	assert_int_equal(take(&throttle, "c", NOW + 30), 0);
	assert_int_equal(take(&throttle, "c", NOW + 31), 59);
	/* One that was taken up before a wrong one takes nothing of its wait away. */
	assert_int_equal(take_as(&throttle, &guess, NOW + 91), 0);
	assert_int_equal(take(&throttle, "c", NOW + 91), 100);
	mfa_throttle_close(&throttle);
}

static void test_strangers_do_not_push_a_counter_out(void **state)
{
	struct mfa_throttle throttle;
	char who[32];

	(void)state;
	open_throttle(&throttle);
	for (unsigned i = 0; i < 3; i++) assert_int_equal(take(&throttle, "victim", NOW), 0);
	for (unsigned i = 0; i < 200000; i++) {
		(void)snprintf(who, sizeof(who), "stranger %u", i);
		(void)take(&throttle, who, NOW);
	}
	assert_int_equal(take(&throttle, "victim", NOW), 30);
	mfa_throttle_close(&throttle);
}

static void test_the_pace_is_that_of_the_slowest_answer(void **state)
{
	struct mfa_throttle throttle;

	(void)state;
	open_throttle(&throttle);
	assert_int_equal(mfa_throttle_pace_ms(&throttle, NOW), 400);
	mfa_throttle_note_pace(&throttle, 1000, NOW);
	mfa_throttle_note_pace(&throttle, 20, NOW);
	assert_int_equal(mfa_throttle_pace_ms(&throttle, NOW), 1250);
	mfa_throttle_close(&throttle);
	open_throttle(&throttle);
	assert_int_equal(mfa_throttle_pace_ms(&throttle, NOW + 3599), 1250);
	assert_int_equal(mfa_throttle_pace_ms(&throttle, NOW + 3600), 625);
	mfa_throttle_note_pace(&throttle, 60000, NOW + 7200);
	assert_int_equal(mfa_throttle_pace_ms(&throttle, NOW + 7200), 5000);
	assert_int_equal(mfa_throttle_pace_ms(&throttle, NOW + 1000000), 400);
	assert_int_equal(mfa_throttle_pace_ms(&throttle, NOW), 5000);
	mfa_throttle_close(&throttle);
}

static void test_the_table_stays_as_large_as_it_is(void **state)
{
	struct mfa_throttle throttle;
	char who[16];
	FILE *file;

	(void)state;
	open_throttle(&throttle);
	for (unsigned i = 0; i < 5000; i++) {
		(void)snprintf(who, sizeof(who), "user %u", i);
		(void)take(&throttle, who, NOW);
	}
	mfa_throttle_close(&throttle);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	assert_int_equal(ftell(file), 32 * (long)MFA_THROTTLE_SLOTS + 16);
	assert_int_equal(fclose(file), 0);
}

static void test_a_throttle_file_that_is_none_is_refused(void **state)
{
	static uint8_t const key[MFA_KEY_SIZE] = {1};
	struct mfa_throttle throttle;
	struct mfa_diag diag;

	(void)state;
	assert_int_equal(mfa_throttle_open(&throttle, &diag, "/dev/null", key), MFA_ERR_DENIED);
	assert_int_equal(mfa_throttle_open(&throttle, &diag, "/nowhere/throttle", key),
			 MFA_ERR_NOT_FOUND);
	assert_int_equal(throttle.fd, -1);
}

int main(void)
{
	struct CMUnitTest const tests[] = {
		cmocka_unit_test(test_a_session_comes_back_as_it_was),
		cmocka_unit_test(test_a_session_ends),
		cmocka_unit_test(test_an_altered_or_foreign_session_is_none),
		cmocka_unit_test(test_guesses_make_one_wait_longer_and_longer),
		cmocka_unit_test(test_guesses_are_forgotten_one_by_one),
		cmocka_unit_test(test_a_guess_that_was_right_leaves_no_trace),
		cmocka_unit_test(test_strangers_do_not_push_a_counter_out),
		cmocka_unit_test(test_the_pace_is_that_of_the_slowest_answer),
		cmocka_unit_test(test_the_table_stays_as_large_as_it_is),
		cmocka_unit_test(test_a_throttle_file_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
