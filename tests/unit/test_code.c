/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

static void digits_are_a_totp_code(void **state)
{
	static struct {
		char const *typed, *text;
	} const good[] = {
		{"123456", "123456"},
		{"123 456", "123456"},
		{" 1 2-3 4 5 6 ", "123456"},
		{"12345678", "12345678"},
		{"1", "1"},
		{"000000", "000000"},
		{"12345", "12345"},
		{"----123456", "123456"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct mfa_code const code = code_of(good[i].typed);

		assert_int_equal(code.kind, MFA_CODE_DIGITS);
		assert_string_equal(code.text, good[i].text);
		assert_int_equal(code.len, strlen(good[i].text));
	}
}

static void twelve_letters_are_a_recovery_code(void **state)
{
	static char const *const same[] = {"BCDF-GHJK-LMNP", "bcdfghjklmnp", "Bcdf Ghjk Lmnp",
					   "bcdf--ghjk  lmnp"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		struct mfa_code const code = code_of(same[i]);

		assert_int_equal(code.kind, MFA_CODE_RECOVERY);
		assert_string_equal(code.text, "BCDFGHJKLMNP");
	}
	assert_int_equal(code_of("bcdfghjklmn").kind, MFA_CODE_NONE);
	assert_int_equal(code_of("bcdfghjklmnpq").kind, MFA_CODE_NONE);
}

static void everything_else_is_no_code(void **state)
{
	static char const *const typed[] = {"",
					    " ",
					    "-",
					    "12345a",
					    "a12345",
					    "123.456",
					    "123\t456",
					    "123456\n",
					    "１２３４５６",
					    "+12345",
					    "0x1234",
					    "bcdf_ghjk_lmnp",
					    "bcdfghjklmné",
					    "*)(uid=*",
					    "\\",
					    "letters"};
	static char const nul[] = "123\000456";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(typed); i++)
		assert_int_equal(code_of(typed[i]).kind, MFA_CODE_NONE);
	{
		struct mfa_code code;

		mfa_code_parse(&code, raw(nul, sizeof(nul) - 1));
		assert_int_equal(code.kind, MFA_CODE_NONE);
		mfa_code_parse(&code, raw(NULL, 0));
		assert_int_equal(code.kind, MFA_CODE_NONE);
	}
}

static void sixty_four_characters_are_looked_at(void **state)
{
	char typed[MFA_CODE_MAX + 2];
	struct mfa_code code;

	(void)state;
	memset(typed, '7', sizeof(typed));
	mfa_code_parse(&code, raw(typed, MFA_CODE_MAX));
	assert_int_equal(code.kind, MFA_CODE_DIGITS);
	assert_int_equal(code.len, MFA_CODE_MAX);
	assert_int_equal(strlen(code.text), MFA_CODE_MAX);
	mfa_code_parse(&code, raw(typed, MFA_CODE_MAX + 1));
	assert_int_equal(code.kind, MFA_CODE_NONE);
	assert_zero(&code, sizeof(code));
}

static void only_the_same_digits_are_equal(void **state)
{
	struct mfa_code code = code_of("123456");

	(void)state;
	assert_true(mfa_code_equals(&code, "123456"));
	assert_false(mfa_code_equals(&code, "123457"));
	assert_false(mfa_code_equals(&code, "12345"));
	assert_false(mfa_code_equals(&code, "1234567"));
	assert_false(mfa_code_equals(&code, ""));
	code = code_of("bcdfghjklmnp");
	assert_false(mfa_code_equals(&code, "BCDFGHJKLMNP"));
	code = code_of("");
	assert_false(mfa_code_equals(&code, ""));
	memset(&code, 0, sizeof(code));
	assert_false(mfa_code_equals(&code, ""));
}

/* printf '\x2a123456challenge' | md5sum */
static uint8_t const response[18] = {0x2a, 0x7b, 0xf3, 0x5f, 0x11, 0x35, 0xd6, 0xa9, 0x30,
				     0x51, 0xfb, 0x4c, 0x6f, 0x67, 0xdf, 0x7f, 0x00};

static void a_chap_response_is_checked_against_a_guess(void **state)
{
	struct mfa_code code;

	(void)state;
	mfa_code_parse_chap(&code, raw(response, 17), bytes("challenge"));
	assert_int_equal(code.kind, MFA_CODE_CHAP);
	assert_true(mfa_code_equals(&code, "123456"));
	assert_false(mfa_code_equals(&code, "123457"));
	assert_false(mfa_code_equals(&code, "123456c"));
	assert_false(mfa_code_equals(&code, ""));
	code.chap_id++;
	assert_false(mfa_code_equals(&code, "123456"));
	mfa_code_parse_chap(&code, raw(response, 17), bytes("challengf"));
	assert_false(mfa_code_equals(&code, "123456"));
}

static void a_chap_response_has_its_size(void **state)
{
	static uint8_t const challenge[MFA_CODE_MAX + 1];
	struct mfa_code code;

	(void)state;
	for (size_t n = 0; n <= 17; n++) {
		mfa_code_parse_chap(&code, raw(response, n), bytes("challenge"));
		assert_int_equal(code.kind, n == 17 ? MFA_CODE_CHAP : MFA_CODE_NONE);
	}
	mfa_code_parse_chap(&code, raw(response, 18), bytes("challenge"));
	assert_int_equal(code.kind, MFA_CODE_NONE);
	mfa_code_parse_chap(&code, raw(response, 17), raw(challenge, MFA_CODE_MAX));
	assert_int_equal(code.kind, MFA_CODE_CHAP);
	mfa_code_parse_chap(&code, raw(response, 17), raw(challenge, MFA_CODE_MAX + 1));
	assert_int_equal(code.kind, MFA_CODE_NONE);
	mfa_code_parse_chap(&code, raw(response, 17), raw(NULL, 0));
	assert_int_equal(code.kind, MFA_CODE_NONE);
	mfa_code_parse_chap(&code, raw(NULL, 0), raw(NULL, 0));
	assert_int_equal(code.kind, MFA_CODE_NONE);
}

static void a_cleared_code_holds_nothing(void **state)
{
	struct mfa_code code = code_of("123456");

	(void)state;
	mfa_code_clear(&code);
	assert_zero(&code, sizeof(code));
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(digits_are_a_totp_code),
		cmocka_unit_test(twelve_letters_are_a_recovery_code),
		cmocka_unit_test(everything_else_is_no_code),
		cmocka_unit_test(sixty_four_characters_are_looked_at),
		cmocka_unit_test(only_the_same_digits_are_equal),
		cmocka_unit_test(a_chap_response_is_checked_against_a_guess),
		cmocka_unit_test(a_chap_response_has_its_size),
		cmocka_unit_test(a_cleared_code_holds_nothing),
	};

	return RUN(tests);
}
