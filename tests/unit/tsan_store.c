/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many threads, each with a connection of its own on one store, race for one entry.
 * Built with the thread sanitizer, which is the other half of each test.
 */
#include "core/modify.h"
#include "core/read.h"
#include "directory.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS 8
#define ROUNDS	25

static struct directory directory;
static struct mfa_config config;
static struct mfa_store store;
static struct mfa_where const anna = {.base = "uid=anna," PEOPLE, .scope = MFA_SCOPE_BASE};

/** What one thread needs; too large for its stack */
struct racer {
	pthread_t thread;
	unsigned number;
	struct mfa_conn *conn;
	struct mfa_entry entry;
	struct mfa_change change;
	struct mfa_diag diag;
	unsigned wins, conflicts, failures;
};

static struct racer racers[THREADS];
static pthread_barrier_t barrier;
static atomic_uint winners[ROUNDS];
static atomic_bool go_on;

static int start_directory(void **state)
{
	(void)state;
	directory_start(&directory);
	directory_add(&directory, "anna", "peruserMfaEnabled=TRUE\tperuserMfaSecret=" RFC_KEY);
	store_init(&store, &config, &directory);
	config_set(&config, "ldap", "timeout", "20");
	config_set(&config, "ldap", "connect_timeout", "10");
	return 0;
}

static int stop_directory(void **state)
{
	(void)state;
	mfa_config_clear(&config, mfa_config_items);
	directory_stop(&directory);
	return 0;
}

static void run_racers(void *(*run)(void *racer))
{
	for (unsigned i = 0; i < THREADS; i++) {
		struct racer *racer = &racers[i];

		memset(racer, 0, sizeof(*racer));
		racer->number = i;
		assert_int_equal(mfa_conn_alloc(&racer->conn, &store), MFA_OK);
		assert_int_equal(pthread_create(&racer->thread, NULL, run, racer), 0);
	}
}

static void join_racers(void)
{
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
		mfa_conn_free(&racers[i].conn);
	}
}

static enum mfa_rc read_anna(struct racer *racer, enum mfa_side side)
{
	mfa_conn_start(racer->conn);
	return mfa_conn_read(&racer->entry, &racer->diag, racer->conn, side, &anna);
}

/** Replace what this thread read; with the assertion on top, where it is wanted */
static enum mfa_rc swap(struct racer *racer, unsigned round)
{
	char value[MFA_LAST_USE_SIZE];

	(void)snprintf(value, sizeof(value), "%u %u thread", round + 1, racer->number);
	mfa_change_init(&racer->change);
	mfa_change_swap(&racer->change, &racer->entry, MFA_ATTR_LAST_USE, value);
	mfa_change_assert(&racer->change, &racer->entry, MFA_ATTR_LAST_USE);
	return mfa_conn_modify(&racer->diag, racer->conn, racer->entry.dn, &racer->change);
}

static void count(struct racer *racer, enum mfa_rc rc)
{
	racer->wins += rc == MFA_OK ? 1 : 0;
	racer->conflicts += rc == MFA_ERR_CONFLICT ? 1 : 0;
	racer->failures += rc != MFA_OK && rc != MFA_ERR_CONFLICT ? 1 : 0;
}

/** All read the same value, and only then does anybody write */
static void *race(void *arg)
{
	struct racer *racer = arg;

	for (unsigned round = 0; round < ROUNDS; round++) {
		enum mfa_rc rc = read_anna(racer, MFA_SIDE_READ);

		(void)pthread_barrier_wait(&barrier);
		if (racer->number == 0)
			__atomic_store_n(&store.no_assert, round % 2 == 1, __ATOMIC_RELAXED);
		if (rc == MFA_OK) rc = swap(racer, round);
		if (rc == MFA_OK) atomic_fetch_add(&winners[round], 1);
		count(racer, rc);
		(void)pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void of_many_threads_exactly_one_wins_each_round(void **state)
{
	unsigned conflicts = 0;

	(void)state;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	run_racers(race);
	join_racers();
	(void)pthread_barrier_destroy(&barrier);
	for (unsigned round = 0; round < ROUNDS; round++)
		assert_int_equal(atomic_load(&winners[round]), 1);
	for (unsigned i = 0; i < THREADS; i++) {
		if (racers[i].failures) fail_msg("thread %u: %s", i, racers[i].diag.text);
		conflicts += racers[i].conflicts;
	}
	assert_int_equal(conflicts, ROUNDS * (THREADS - 1));
	assert_int_equal(strncmp(directory_get(&directory, "anna", "peruserMfaLastUse"), "25 ", 3),
			 0);
}

/** Count wrong codes until told to stop, whatever the server does meanwhile */
static void *count_up(void *arg)
{
	struct racer *racer = arg;
	struct mfa_failures failures;
	char value[MFA_FAILURES_SIZE];

	while (atomic_load(&go_on)) {
		enum mfa_rc rc = read_anna(racer, MFA_SIDE_WRITE);

		if (rc != MFA_OK ||
		    mfa_failures_parse(&failures, mfa_entry_get(&racer->entry, MFA_ATTR_FAILURES,
								0)) != MFA_OK) {
			count(racer, rc == MFA_OK ? MFA_ERR_FORMAT : rc);
			continue;
		}
		failures.count++;
		mfa_failures_format(value, &failures);
		mfa_change_init(&racer->change);
		mfa_change_swap(&racer->change, &racer->entry, MFA_ATTR_FAILURES, value);
		rc = mfa_conn_modify(&racer->diag, racer->conn, racer->entry.dn, &racer->change);
		count(racer, rc);
	}
	return NULL;
}

static void pause_ms(unsigned ms)
{
	struct timespec const pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	(void)nanosleep(&pause, NULL);
}

static void no_count_is_lost_while_the_server_restarts(void **state)
{
	struct mfa_failures failures;
	unsigned wins = 0, conflicts = 0;

	(void)state;
	directory_set(&directory, "anna", "peruserMfaFailures", "0 1700000000 tag");
	atomic_store(&go_on, true);
	run_racers(count_up);
	pause_ms(500);
	for (int i = 0; i < 2; i++) {
		directory_restart(&directory);
		pause_ms(500);
	}
	atomic_store(&go_on, false);
	join_racers();
	for (unsigned i = 0; i < THREADS; i++) {
		wins += racers[i].wins;
		conflicts += racers[i].conflicts;
	}
	assert_true(wins > THREADS);
	assert_true(conflicts > 0);
	assert_int_equal(mfa_failures_parse(&failures, bytes(directory_get(&directory, "anna",
									   "peruserMfaFailures"))),
			 MFA_OK);
	/* A write whose answer got lost in a restart may have been made: one a thread and restart. */
	assert_true(failures.count >= wins && failures.count <= wins + 2 * THREADS);
}

/** A whole login with the code that everybody has */
static void *log_in(void *arg)
{
	struct racer *racer = arg;
	struct mfa_login *login = mfa_login_alloc();
	static struct mfa_policy const policy = {.window = 1,
						 .lock_threshold = 5,
						 .lock_base_s = 30,
						 .lock_max_s = 3600,
						 .attempts = 3,
						 .lifetime_s = 120};
	static struct mfa_keyring ring; /* read only: no secret is sealed here */
	struct mfa_login_context const ctx = {
		.conn = racer->conn, .where = &anna, .ring = &ring, .policy = &policy};
	/* RFC 6238 appendix B: time 1111111109, in six digits. */
	struct mfa_code const code = code_of("081804");
	char nonce[MFA_NONCE_TEXT_SIZE];
	struct mfa_request const request = {
		.now_s = 1111111109, .code = &code, .nonce = nonce, .prompt = 1};

	(void)snprintf(nonce, sizeof(nonce), "nonce-of-thread%u", racer->number % 10);
	mfa_conn_start(racer->conn);
	(void)pthread_barrier_wait(&barrier);
	if (mfa_login_run(login, &ctx, &request, NULL, NULL) != MFA_OK) racer->failures++;
	racer->wins += login->decision.verdict == MFA_ACCEPT ? 1 : 0;
	racer->conflicts += login->decision.result == MFA_RESULT_REPLAYED ? 1 : 0;
	mfa_login_free(&login);
	return NULL;
}

static void of_many_logins_with_one_code_one_gets_in(void **state)
{
	(void)state;
	__atomic_store_n(&store.no_assert, false, __ATOMIC_RELAXED);
	directory_set(&directory, "anna", "peruserMfaFailures", "");
	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (unsigned round = 0; round < 5; round++) {
		unsigned accepted = 0, replayed = 0;

		directory_set(&directory, "anna", "peruserMfaLastUse", "");
		run_racers(log_in);
		join_racers();
		for (unsigned i = 0; i < THREADS; i++) {
			assert_int_equal(racers[i].failures, 0);
			accepted += racers[i].wins;
			replayed += racers[i].conflicts;
		}
		assert_int_equal(accepted, 1);
		assert_int_equal(replayed, THREADS - 1);
	}
	(void)pthread_barrier_destroy(&barrier);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(of_many_threads_exactly_one_wins_each_round),
		cmocka_unit_test(no_count_is_lost_while_the_server_restarts),
		cmocka_unit_test(of_many_logins_with_one_code_one_gets_in),
	};

	return cmocka_run_group_tests(tests, start_directory, stop_directory);
}
