/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop of reading, deciding and writing, as far as it needs no directory. */
#include "unit.h"

#include "core/change.h"
#include "core/update.h"

static struct mfa_entry entry;
static struct mfa_change change;
static struct mfa_diag diag;

/** What the decision does */
struct script {
	enum mfa_rc rc;
	bool change, overflow, read_again;
	unsigned calls;
};

static enum mfa_rc decide(struct mfa_update *update, struct mfa_diag *why)
{
	struct script *script = update->uctx;

	script->calls++;
	mfa_change_init(update->change);
	if (script->change) mfa_change_add(update->change, MFA_ATTR_SECRET, "value");
	update->change->overflow = script->overflow;
	update->have_entry = !script->read_again;
	if (script->rc != MFA_OK) mfa_diag_say(why, "decided so");
	return script->rc;
}

/** Run it on an entry in hand, without a connection */
static enum mfa_rc run(struct script *script, bool dry_run)
{
	struct mfa_update update = {.entry = &entry,
				    .change = &change,
				    .decide = decide,
				    .uctx = script,
				    .have_entry = true,
				    .dry_run = dry_run};
	enum mfa_rc rc;

	diag.text[0] = '\0';
	rc = mfa_update_run(&update, &diag);
	assert_false(update.sent);
	assert_false(update.fresh);
	assert_int_equal(script->calls, 1);
	return rc;
}

static void an_empty_change_needs_no_directory(void **state)
{
	struct script script = {.rc = MFA_OK};

	(void)state;
	assert_int_equal(run(&script, false), MFA_OK);
}

static void a_change_that_does_not_fit_is_refused_whole(void **state)
{
	struct script script = {.rc = MFA_OK, .change = true, .overflow = true}, again = script;

	(void)state;
	assert_int_equal(run(&script, false), MFA_ERR_SPACE);
	assert_string_equal(diag.text, "the record is too large");
	assert_int_equal(run(&again, true), MFA_ERR_SPACE);
}

static void a_dry_run_decides_and_writes_nothing(void **state)
{
	struct script script = {.rc = MFA_OK, .change = true};

	(void)state;
	assert_int_equal(run(&script, true), MFA_OK);
	assert_int_equal(change.count, 1);
}

static void without_a_connection_nothing_is_written_or_read(void **state)
{
	struct script script = {.rc = MFA_OK, .change = true}, reading = {.read_again = true};

	(void)state;
	assert_int_equal(run(&script, false), MFA_ERR_INTERNAL);
	assert_int_equal(run(&reading, false), MFA_ERR_INTERNAL);
}

static void what_the_decision_fails_with_is_the_result(void **state)
{
	enum mfa_rc const codes[] = {MFA_ERR_CRYPTO, MFA_ERR_NOT_FOUND, MFA_ERR_NOMEM};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct script script = {.rc = codes[i], .change = true};

		assert_int_equal(run(&script, false), codes[i]);
		assert_string_equal(diag.text, "decided so");
	}
}

int main(void)
{
	struct CMUnitTest const tests[] = {
		cmocka_unit_test(an_empty_change_needs_no_directory),
		cmocka_unit_test(a_change_that_does_not_fit_is_refused_whole),
		cmocka_unit_test(a_dry_run_decides_and_writes_nothing),
		cmocka_unit_test(without_a_connection_nothing_is_written_or_read),
		cmocka_unit_test(what_the_decision_fails_with_is_the_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
