/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/utf8.h"
#include "enroll/cookie.h"
#include "enroll/form.h"
#include "enroll/lang.h"
#include "enroll/out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct mfa_field const fields[] = {
	{"name", 8, MFA_ALPHABET_TEXT, true},
	{"token", 4, MFA_ALPHABET_TOKEN, false},
	{"password", 8, MFA_ALPHABET_SECRET, false},
	{NULL, 0, MFA_ALPHABET_TEXT, false},
};

static struct mfa_form form;

static enum mfa_rc parse(char const *body)
{
	return mfa_form_parse(&form, fields, mfa_bytes_of(body));
}

static void test_a_form_is_decoded(void **state)
{
	(void)state;
	assert_int_equal(parse("name=a+%C3%A4%2B&token=a-_.&password=%0Ax"), MFA_OK);
	assert_string_equal(mfa_form_get(&form, "name"), "a \xc3\xa4+");
	assert_string_equal(mfa_form_get(&form, "token"), "a-_.");
	assert_string_equal(mfa_form_get(&form, "password"), "\nx");
	assert_string_equal(mfa_form_get(&form, "nothing"), "");
}

static void test_what_the_table_does_not_allow_is_refused(void **state)
{
	static char const *const bad[] = {"",
					  "token=a",
					  "name=a&name=b",
					  "name=a&other=b",
					  "name=a&",
					  "&name=a",
					  "name",
					  "name=%4",
					  "name=%zz",
					  "name=%00",
					  "name=123456789",
					  "name=%0a",
					  "name=%C0%AF",
					  "name=%FF",
					  "name=%C2%85",
					  "name=a&token=a b",
					  "name=a&token=a%20",
					  "name=a&token=abcde",
					  "name=a&password=a%00",
					  "NAME=a",
					  "name=%7f",
					  "name=%ED%A0%80"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i]), MFA_ERR_FORMAT);
		assert_string_equal(mfa_form_get(&form, "name"), "");
	}
}

static void test_a_large_body_is_refused(void **state)
{
	static uint8_t large[MFA_FORM_BODY_MAX + 1];

	(void)state;
	memset(large, 'a', sizeof(large));
	assert_int_equal(mfa_form_parse(&form, fields, (struct mfa_bytes){large, sizeof(large)}),
			 MFA_ERR_SPACE);
}

static void expect_cookie(char const *header, char const *expected)
{
	struct mfa_bytes value;
	enum mfa_rc const rc = mfa_cookie_find(&value, mfa_bytes_of(header), "mfa");

	assert_int_equal(rc, expected ? MFA_OK : MFA_ERR_NOT_FOUND);
	if (expected) assert_true(mfa_bytes_equal(value, mfa_bytes_of(expected)));
}

static void test_a_cookie_is_found_once_and_clean(void **state)
{
	(void)state;
	expect_cookie("mfa=abc", "abc");
	expect_cookie("a=b; mfa=abc; c=d", "abc");
	expect_cookie("  mfa=a.b-c_d  ", "a.b-c_d");
	expect_cookie("", NULL);
	expect_cookie("xmfa=abc; mfax=abc", NULL);
	expect_cookie("mfa=a; mfa=a", NULL);
	expect_cookie("mfa=", NULL);
	expect_cookie("mfa=\"a\"", NULL);
	expect_cookie("mfa=a=b", NULL);
	expect_cookie("mfa", NULL);
}

static void test_text_is_escaped_in_one_place(void **state)
{
	struct mfa_out *out = calloc(1, sizeof(*out));

	(void)state;
	assert_non_null(out);
	mfa_out_text(out, "\"'<&>\x01\xff\xc3\xa4");
	assert_int_equal(out->len,
			 strlen("&quot;&#39;&lt;&amp;&gt;\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4"));
	assert_memory_equal(out->data, "&quot;&#39;&lt;&amp;&gt;\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4",
			    out->len);
	for (unsigned i = 0; i < MFA_OUT_SIZE / 8 && !out->failed; i++)
		mfa_out_raw(out, "12345678");
	mfa_out_raw(out, "1");
	assert_true(out->failed);
	free(out);
}

static void test_the_language_is_the_one_that_is_preferred(void **state)
{
	(void)state;
	assert_string_equal(mfa_lang_choose(NULL), "en");
	assert_string_equal(mfa_lang_choose("de-AT, en;q=0.5"), "de");
	assert_string_equal(mfa_lang_choose("fi, en;q=0.2, de;q=0.30"), "de");
	assert_string_equal(mfa_lang_choose("en, de"), "en");
	assert_string_equal(mfa_lang_choose("de;q=0"), "en");
	assert_string_equal(mfa_lang_choose("deutsch, ,;q=, *"), "en");
}

static void test_utf8_is_well_formed_or_not(void **state)
{
	(void)state;
	assert_int_equal(mfa_utf8_length(mfa_bytes_of("\xf0\x9f\x93\xb1")), 4);
	assert_int_equal(mfa_utf8_length(mfa_bytes_of("\xe2\x82")), 0);
	assert_int_equal(mfa_utf8_length(mfa_bytes_of("\xf4\x90\x80\x80")), 0);
	assert_int_equal(mfa_utf8_length(mfa_bytes_of("")), 0);
	assert_true(mfa_utf8_is_printable(mfa_bytes_of("Stra\xc3\x9f"
						       "e \xe2\x82\xac")));
	assert_false(mfa_utf8_is_printable(mfa_bytes_of("a\nb")));
}

int main(void)
{
	struct CMUnitTest const tests[] = {
		cmocka_unit_test(test_a_form_is_decoded),
		cmocka_unit_test(test_what_the_table_does_not_allow_is_refused),
		cmocka_unit_test(test_a_large_body_is_refused),
		cmocka_unit_test(test_a_cookie_is_found_once_and_clean),
		cmocka_unit_test(test_text_is_escaped_in_one_place),
		cmocka_unit_test(test_the_language_is_the_one_that_is_preferred),
		cmocka_unit_test(test_utf8_is_well_formed_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
