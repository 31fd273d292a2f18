/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/filter.h"
#include "unit.h"

static struct mfa_diag diag;

static void what_means_something_in_a_filter_is_escaped(void **state)
{
	static struct {
		char const *in, *out;
	} const pair[] = {
		{"", ""},
		{"anna", "anna"},
		{"anna.b_c-d@example.org", "anna.b_c-d@example.org"},
		{"*)(uid=*", "\\2a\\29\\28uid=\\2a"},
		{"DOMAIN\\user", "DOMAIN\\5cuser"},
		{"é", "é"},
		{"a b&|!=~<>/", "a b&|!=~<>/"},
		{"\x01\x1f\x7f\xff", "\\01\\1f\\7f\xff"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pair); i++) {
		assert_int_equal(mfa_filter_escape(out, sizeof(out), bytes(pair[i].in)),
				 strlen(pair[i].out));
		assert_string_equal(out, pair[i].out);
	}
	assert_int_equal(mfa_filter_escape(out, sizeof(out), raw("a\0b", 3)), 5);
	assert_string_equal(out, "a\\00b");
	assert_int_equal(mfa_filter_escape(out, sizeof(out), raw(NULL, 0)), 0);
	assert_string_equal(out, "");
}

static void in_a_dn_all_but_plain_letters_is_escaped(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(mfa_dn_escape(out, sizeof(out), bytes("anna.b_c-d@e9")), 13);
	assert_string_equal(out, "anna.b_c-d@e9");
	assert_true(mfa_dn_escape(out, sizeof(out), bytes("a,b=c+\"\\<>;# ")) > 0);
	assert_string_equal(out, "a\\2cb\\3dc\\2b\\22\\5c\\3c\\3e\\3b\\23\\20");
	assert_int_equal(mfa_dn_escape(out, sizeof(out), raw("\0", 1)), 3);
	assert_string_equal(out, "\\00");
}

static void what_does_not_fit_is_refused(void **state)
{
	char out[32];

	(void)state;
	assert_int_equal(mfa_filter_escape(out, 0, raw(NULL, 0)), -1);
	assert_int_equal(mfa_filter_escape(out, 1, raw(NULL, 0)), 0);
	for (size_t size = 0; size < 10; size++)
		assert_int_equal(mfa_filter_escape(out, size, bytes("***")), -1);
	assert_int_equal(mfa_filter_escape(out, 10, bytes("***")), 9);
}

static void expand(char const *filter, char const *expected)
{
	char out[128];

	assert_int_equal(mfa_filter_expand(out, sizeof(out), &diag, filter, bytes("a*b")), MFA_OK);
	assert_string_equal(out, expected);
}

static void the_user_stands_where_the_filter_says(void **state)
{
	(void)state;
	expand("(uid=%{User-Name})", "(uid=a\\2ab)");
	expand("(uid=%{Stripped-User-Name})", "(uid=a\\2ab)");
	expand("(uid=%{%{Stripped-User-Name}:-%{User-Name}})", "(uid=a\\2ab)");
	expand("(|(uid=%{User-Name})(mail=%{User-Name}))", "(|(uid=a\\2ab)(mail=a\\2ab))");
	expand("(uid=fixed)", "(uid=fixed)");
	expand("", "");
}

static void no_other_expansion_is_done(void **state)
{
	static char const *const bad[] = {"(uid=%{Calling-Station-Id})",
					  "(uid=%{User-Name)",
					  "%",
					  "(uid=%u)",
					  "(uid=%%)",
					  "(uid=%{%{User-Name}})",
					  "(uid=%{user-name})",
					  "(uid=%{User-Name}%)"};
	char out[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(mfa_filter_expand(out, sizeof(out), &diag, bad[i], bytes("a")),
				 MFA_ERR_FORMAT);
		assert_non_null(strstr(diag.text, "%{User-Name}"));
	}
}

static void an_expansion_that_does_not_fit_is_refused(void **state)
{
	static char user[253];
	char out[1024];

	(void)state;
	memset(user, '*', sizeof(user));
	assert_int_equal(mfa_filter_expand(out, sizeof(out), &diag, "(uid=%{User-Name})",
					   raw(user, sizeof(user))),
			 MFA_OK);
	assert_int_equal(strlen(out), 6 + 3 * sizeof(user));
	for (size_t size = 0; size <= 6 + 3 * sizeof(user); size++)
		assert_int_equal(mfa_filter_expand(out, size, &diag, "(uid=%{User-Name})",
						   raw(user, sizeof(user))),
				 MFA_ERR_SPACE);
	assert_int_equal(mfa_filter_expand(out, 3, &diag, "(u=x)", bytes("")), MFA_ERR_SPACE);
	assert_int_equal(mfa_filter_expand(out, 5, &diag, "(u=x)", bytes("")), MFA_ERR_SPACE);
	assert_int_equal(mfa_filter_expand(out, 6, &diag, "(u=x)", bytes("")), MFA_OK);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(what_means_something_in_a_filter_is_escaped),
		cmocka_unit_test(in_a_dn_all_but_plain_letters_is_escaped),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(the_user_stands_where_the_filter_says),
		cmocka_unit_test(no_other_expansion_is_done),
		cmocka_unit_test(an_expansion_that_does_not_fit_is_refused),
	};

	return RUN(tests);
}
