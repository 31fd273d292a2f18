/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

static void every_code_has_its_name(void **state)
{
	static char const *const name[] = {
		"MFA_OK",	    "MFA_ERR_INTERNAL",	   "MFA_ERR_NOMEM",  "MFA_ERR_ARG",
		"MFA_ERR_FORMAT",   "MFA_ERR_SPACE",	   "MFA_ERR_CRYPTO", "MFA_ERR_NOT_FOUND",
		"MFA_ERR_CONFLICT", "MFA_ERR_UNAVAILABLE", "MFA_ERR_DENIED", "MFA_ERR_AMBIGUOUS",
		"MFA_ERR_BROKEN",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(name); i++)
		assert_string_equal(mfa_rc_name((enum mfa_rc)(-(int)i)), name[i]);
	assert_string_equal(mfa_rc_name((enum mfa_rc)(-13)), "MFA_ERR_UNKNOWN");
	assert_string_equal(mfa_rc_name((enum mfa_rc)1), "MFA_ERR_UNKNOWN");
}

static void a_diagnosis_is_one_line(void **state)
{
	struct mfa_diag diag;

	(void)state;
	mfa_diag_set(&diag, "user '%s'", "a\nFri: forged\r\t\x1b[31m\x7f");
	assert_string_equal(diag.text, "user 'a?Fri: forged???[31m?'");
}

static void a_diagnosis_is_cut_when_it_is_too_long(void **state)
{
	struct mfa_diag diag;
	char text[2 * MFA_DIAG_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	mfa_diag_set(&diag, "%s", text);
	assert_int_equal(strlen(diag.text), MFA_DIAG_SIZE - 1);
}

static void nobody_has_to_want_a_diagnosis(void **state)
{
	(void)state;
	mfa_diag_set(NULL, "%s", "nobody listens");
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(every_code_has_its_name),
		cmocka_unit_test(a_diagnosis_is_one_line),
		cmocka_unit_test(a_diagnosis_is_cut_when_it_is_too_long),
		cmocka_unit_test(nobody_has_to_want_a_diagnosis),
	};

	return RUN(tests);
}
