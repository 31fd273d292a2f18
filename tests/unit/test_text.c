/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <limits.h>
#include <time.h>

static void bytes_are_equal_only_in_full(void **state)
{
	(void)state;
	assert_true(mfa_bytes_equal(bytes("abc"), bytes("abc")));
	assert_false(mfa_bytes_equal(bytes("abc"), bytes("abd")));
	assert_false(mfa_bytes_equal(bytes("abc"), bytes("abcd")));
	assert_false(mfa_bytes_equal(bytes("abc"), raw(NULL, 0)));
	assert_true(mfa_bytes_equal(raw(NULL, 0), bytes("")));
	assert_true(mfa_bytes_equal(raw("a\0b", 3), raw("a\0b", 3)));
	assert_false(mfa_bytes_equal(raw("a\0b", 3), raw("a\0c", 3)));
}

static void words_are_cut_one_by_one(void **state)
{
	struct mfa_bytes rest = bytes("one  two"), word;

	(void)state;
	assert_true(mfa_text_word(&word, &rest));
	assert_bytes(word, "one");
	assert_false(mfa_text_word(&word, &rest));
	assert_bytes(word, "");
	assert_true(mfa_text_word(&word, &rest));
	assert_bytes(word, "two");
	assert_null(rest.data);
	assert_false(mfa_text_word(&word, &rest));
}

static void a_space_at_the_end_is_told_from_the_end(void **state)
{
	struct mfa_bytes rest = bytes("one "), word;

	(void)state;
	assert_true(mfa_text_word(&word, &rest));
	assert_bytes(word, "one");
	assert_non_null(rest.data);
	assert_int_equal(rest.len, 0);
}

static void numbers_are_plain_digits(void **state)
{
	static struct {
		char const *text;
		int64_t value;
	} const good[] = {
		{"0", 0}, {"1", 1}, {"10", 10}, {"999999999999999999", 999999999999999999}};
	static char const *const bad[] = {"",	"-1",  "+1",  " 1", "1 ", "01",
					  "00", "0x1", "1e3", "1a", "٣",  "1000000000000000000"};
	int64_t value;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_int_equal(mfa_text_number(&value, bytes(good[i].text), INT64_MAX), MFA_OK);
		assert_int_equal(value, good[i].value);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		value = 7;
		assert_int_equal(mfa_text_number(&value, bytes(bad[i]), INT64_MAX), MFA_ERR_FORMAT);
		assert_int_equal(value, 0);
	}
	assert_int_equal(mfa_text_number(&value, raw("1\0002", 3), INT64_MAX), MFA_ERR_FORMAT);
	assert_int_equal(mfa_text_number(&value, bytes("99"), 99), MFA_OK);
	assert_int_equal(mfa_text_number(&value, bytes("100"), 99), MFA_ERR_FORMAT);
}

/** RFC 4648 section 10 */
static struct {
	char const *plain, *base64, *base32;
} const rfc4648[] = {
	{"", "", ""},
	{"f", "Zg==", "MY======"},
	{"fo", "Zm8=", "MZXQ===="},
	{"foo", "Zm9v", "MZXW6==="},
	{"foob", "Zm9vYg==", "MZXW6YQ="},
	{"fooba", "Zm9vYmE=", "MZXW6YTB"},
	{"foobar", "Zm9vYmFy", "MZXW6YTBOI======"},
};

static void rfc_4648_section_10(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rfc4648); i++) {
		struct mfa_bytes const plain = bytes(rfc4648[i].plain);
		size_t const base64_len = strcspn(rfc4648[i].base64, "=");
		size_t const base32_len = strcspn(rfc4648[i].base32, "=");
		uint8_t out[16];
		char text[32];
		size_t len;

		assert_int_equal(
			mfa_base64_decode(out, &len, sizeof(out), bytes(rfc4648[i].base64)),
			MFA_OK);
		assert_bytes(raw(out, len), rfc4648[i].plain);
		assert_int_equal(mfa_base64url_decode(out, &len, sizeof(out),
						      raw(rfc4648[i].base64, base64_len)),
				 MFA_OK);
		assert_bytes(raw(out, len), rfc4648[i].plain);
		assert_int_equal(
			mfa_base32_decode(out, &len, sizeof(out), bytes(rfc4648[i].base32)),
			MFA_OK);
		assert_bytes(raw(out, len), rfc4648[i].plain);

		assert_int_equal(mfa_base64url_encode(text, sizeof(text), plain.data, plain.len),
				 MFA_OK);
		assert_bytes(raw(rfc4648[i].base64, base64_len), text);
		assert_int_equal(mfa_base32_encode(text, sizeof(text), plain.data, plain.len),
				 MFA_OK);
		assert_bytes(raw(rfc4648[i].base32, base32_len), text);
	}
}

static void the_two_base64_alphabets_differ_in_two_letters(void **state)
{
	uint8_t out[8];
	char text[8];
	size_t len;

	(void)state;
	assert_int_equal(mfa_base64_decode(out, &len, sizeof(out), bytes("+/+/")), MFA_OK);
	assert_memory_equal(out, "\xfb\xff\xbf", 3);
	assert_int_equal(mfa_base64url_encode(text, sizeof(text), out, 3), MFA_OK);
	assert_string_equal(text, "-_-_");
	assert_int_equal(mfa_base64_decode(out, &len, sizeof(out), bytes("-_-_")), MFA_ERR_FORMAT);
	assert_int_equal(mfa_base64url_decode(out, &len, sizeof(out), bytes("+/+/")),
			 MFA_ERR_FORMAT);
}

static void every_byte_string_comes_back(void **state)
{
	uint8_t in[64], out[64];
	char text[128];
	size_t len;

	(void)state;
	for (size_t n = 0; n <= sizeof(in); n++) {
		for (size_t i = 0; i < n; i++) in[i] = (uint8_t)(i * 151 + n * 7);
		assert_int_equal(mfa_base64url_encode(text, MFA_BASE64URL_SIZE(n), in, n), MFA_OK);
		assert_int_equal(strlen(text), MFA_BASE64URL_SIZE(n) - 1);
		assert_int_equal(mfa_base64url_decode(out, &len, n, bytes(text)), MFA_OK);
		assert_true(mfa_bytes_equal(raw(in, n), raw(out, len)));
		assert_int_equal(mfa_base32_encode(text, (n * 8 + 4) / 5 + 1, in, n), MFA_OK);
		assert_int_equal(mfa_base32_decode(out, &len, n, bytes(text)), MFA_OK);
		assert_true(mfa_bytes_equal(raw(in, n), raw(out, len)));
	}
}

static void no_two_texts_mean_the_same_bytes(void **state)
{
	static char const *const bad64url[] = {"Zh",	"Zm9",	 "Z",	  "Zg==", "Zg=", "Zm9v\n",
					       "Zm 9v", "Zm9vY", "Zm9vé", "=",	  "*"};
	static char const *const bad64[] = {
		"Zg", "Zg=",	  "Zh==",     "Zm9=",	"Z===", "====",
		"=",  "Zg==Zg==", "Zm9v====", "Zm9v\n", "Zm-v", " Zm9v"};
	uint8_t out[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad64url); i++) {
		len = 99;
		assert_int_equal(mfa_base64url_decode(out, &len, sizeof(out), bytes(bad64url[i])),
				 MFA_ERR_FORMAT);
		assert_int_equal(len, 0);
	}
	for (size_t i = 0; i < COUNT_OF(bad64); i++) {
		len = 99;
		assert_int_equal(mfa_base64_decode(out, &len, sizeof(out), bytes(bad64[i])),
				 MFA_ERR_FORMAT);
		assert_int_equal(len, 0);
	}
	assert_int_equal(mfa_base64url_decode(out, &len, sizeof(out), raw("Zm9v\0", 5)),
			 MFA_ERR_FORMAT);
}

static void base32_is_read_as_people_paste_it(void **state)
{
	static char const *const same[] = {"MZXW6YTBOI",   "mzxw6ytboi",       "MZXW 6YTB OI",
					   "mzxw-6ytb-oi", "MZXW6YTBOI======", "Mzxw6yTb-oI="};
	static char const *const bad[] = {
		"MZXW6YTB0I", "MZXW6YTB1I", "MZXW6YTB8I", "MZXW6YTBOJ",	  "M",
		"MZX",	      "MZXW6Y",	    "MZXW=6YTB",  "MZXW6YTBOI\t", "MZXW_6YTB"};
	uint8_t out[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		assert_int_equal(mfa_base32_decode(out, &len, sizeof(out), bytes(same[i])), MFA_OK);
		assert_bytes(raw(out, len), "foobar");
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(mfa_base32_decode(out, &len, sizeof(out), bytes(bad[i])),
				 MFA_ERR_FORMAT);
		assert_int_equal(len, 0);
	}
	assert_int_equal(mfa_base32_decode(out, &len, sizeof(out), raw("MZXW\0", 5)),
			 MFA_ERR_FORMAT);
}

static void a_buffer_that_is_too_small_is_never_filled_in_part(void **state)
{
	char long32[300], text[16];
	uint8_t out[16];
	size_t len = 99;

	(void)state;
	assert_int_equal(mfa_base64url_encode(text, 8, (uint8_t const *)"foobar", 6),
			 MFA_ERR_SPACE);
	assert_int_equal(mfa_base64url_encode(text, 9, (uint8_t const *)"foobar", 6), MFA_OK);
	assert_int_equal(mfa_base64url_encode(text, 0, (uint8_t const *)"", 0), MFA_ERR_SPACE);
	assert_int_equal(mfa_base32_encode(text, 10, (uint8_t const *)"foobar", 6), MFA_ERR_SPACE);
	assert_int_equal(mfa_base64url_decode(out, &len, 5, bytes("Zm9vYmFy")), MFA_ERR_SPACE);
	assert_int_equal(len, 0);
	assert_int_equal(mfa_base64_decode(out, &len, 5, bytes("Zm9vYmFy")), MFA_ERR_SPACE);
	assert_int_equal(len, 0);
	assert_int_equal(mfa_base32_decode(out, &len, 5, bytes("MZXW6YTBOI")), MFA_ERR_SPACE);
	assert_int_equal(len, 0);
	memset(long32, 'A', sizeof(long32));
	assert_int_equal(mfa_base32_decode(out, &len, sizeof(out), raw(long32, sizeof(long32))),
			 MFA_ERR_SPACE);
}

static void a_key_of_the_longest_size_fits_in_groups_of_four(void **state)
{
	uint8_t key[MFA_TOTP_KEY_MAX], out[MFA_TOTP_KEY_MAX];
	char text[256], grouped[512];
	size_t n = 0, len;

	(void)state;
	memset(key, 0xa5, sizeof(key));
	assert_int_equal(mfa_base32_encode(text, sizeof(text), key, sizeof(key)), MFA_OK);
	for (size_t i = 0; text[i]; i++) {
		if (i > 0 && i % 4 == 0) grouped[n++] = ' ';
		grouped[n++] = text[i];
	}
	assert_int_equal(mfa_base32_decode(out, &len, sizeof(out), raw(grouped, n)), MFA_OK);
	assert_true(mfa_bytes_equal(raw(key, sizeof(key)), raw(out, len)));
}

static void generalized_time_in_every_form(void **state)
{
	static struct {
		char const *text;
		int64_t time_s;
	} const good[] = {
		{"19700101000000Z", 0},
		{"20240229120000Z", 1709208000},
		{"202402291200Z", 1709208000},
		{"2024022912Z", 1709208000},
		{"20240229120000.0Z", 1709208000},
		{"20240229120000,999Z", 1709208000},
		{"2024022912.5Z", 1709208000},
		{"202402291200.5Z", 1709208000},
		{"20240229140000+0200", 1709208000},
		{"20240229140000+02", 1709208000},
		{"20240229063000-0530", 1709208000},
		{"19691231235959Z", -1},
		{"19000101000000Z", -2208988800},
		{"99991231235959Z", 253402300799},
		{"20161231235959Z", 1483228799},
		{"20161231235960Z", 1483228800},
		{"20160630235960Z", 1467331200},
		{"20380119031408Z", 2147483648},
	};
	int64_t time_s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		if (mfa_time_parse(&time_s, bytes(good[i].text)) != MFA_OK)
			fail_msg("%s is refused", good[i].text);
		assert_int_equal(time_s, good[i].time_s);
	}
}

static void no_other_time_is_read(void **state)
{
	static char const *const bad[] = {
		"",
		"Z",
		"20240229120000",
		"20240229120000z",
		"20240229120000ZZ",
		"20240229120000Z ",
		" 20240229120000Z",
		"20230229120000Z",
		"20240230120000Z",
		"20240431000000Z",
		"20241301000000Z",
		"20240001000000Z",
		"20240100000000Z",
		"20240132000000Z",
		"20240101240000Z",
		"20240101006000Z",
		"20240101000061Z",
		"20240229120000.Z",
		"20240229120000.",
		"20240229120000+",
		"20240229120000+2",
		"20240229120000+2400",
		"20240229120000+0260",
		"20240229120000+02:00",
		"20240229120000+02000",
		"202402291200000Z",
		"20240229Z",
		"240229120000Z",
		"2024-02-29T12:00:00Z",
		"16010101000000Z",
		"TRUE",
	};
	int64_t time_s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		time_s = 7;
		if (mfa_time_parse(&time_s, bytes(bad[i])) != MFA_ERR_FORMAT)
			fail_msg("'%s' is read", bad[i]);
		assert_int_equal(time_s, 0);
	}
}

static void a_time_that_is_written_is_read_back(void **state)
{
	static int64_t const times[] = {0,	    1,		86399,	    951782400,
					1709208000, 2147483647, 4102444800, 253402300799};
	char text[MFA_TIME_SIZE];
	int64_t time_s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		assert_int_equal(mfa_time_format(text, times[i]), MFA_OK);
		assert_int_equal(mfa_time_parse(&time_s, bytes(text)), MFA_OK);
		assert_int_equal(time_s, times[i]);
	}
	assert_int_equal(mfa_time_format(text, 1709208000), MFA_OK);
	assert_string_equal(text, "20240229120000.0Z");
	assert_int_equal(mfa_time_format(text, -1), MFA_ERR_ARG);
	assert_string_equal(text, "");
	assert_int_equal(mfa_time_format(text, 253402300800), MFA_ERR_ARG);
	assert_int_equal(mfa_time_format(text, INT64_MAX), MFA_ERR_ARG);
}

/** Every day from 1900 to 9999: the one after another, as the calendar of the C library has it */
static void every_day_is_read(void **state)
{
	struct tm tm = {.tm_year = 0, .tm_mday = 1};
	char text[32];

	(void)state;
	for (int64_t expected_s = timegm(&tm); tm.tm_year < 8100; expected_s += 86400) {
		int64_t time_s;

		(void)snprintf(text, sizeof(text), "%04d%02d%02d00Z", tm.tm_year + 1900,
			       tm.tm_mon + 1, tm.tm_mday);
		assert_int_equal(mfa_time_parse(&time_s, bytes(text)), MFA_OK);
		assert_int_equal(time_s, expected_s);
		if (time_s >= 0) {
			char again[MFA_TIME_SIZE];

			assert_int_equal(mfa_time_format(again, time_s + 86399), MFA_OK);
			assert_memory_equal(again, text, 8);
			assert_string_equal(again + 8, "235959.0Z");
		}
		tm.tm_mday++;
		(void)timegm(&tm);
	}
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(bytes_are_equal_only_in_full),
		cmocka_unit_test(words_are_cut_one_by_one),
		cmocka_unit_test(a_space_at_the_end_is_told_from_the_end),
		cmocka_unit_test(numbers_are_plain_digits),
		cmocka_unit_test(rfc_4648_section_10),
		cmocka_unit_test(the_two_base64_alphabets_differ_in_two_letters),
		cmocka_unit_test(every_byte_string_comes_back),
		cmocka_unit_test(no_two_texts_mean_the_same_bytes),
		cmocka_unit_test(base32_is_read_as_people_paste_it),
		cmocka_unit_test(a_buffer_that_is_too_small_is_never_filled_in_part),
		cmocka_unit_test(a_key_of_the_longest_size_fits_in_groups_of_four),
		cmocka_unit_test(generalized_time_in_every_form),
		cmocka_unit_test(no_other_time_is_read),
		cmocka_unit_test(a_time_that_is_written_is_read_back),
		cmocka_unit_test(every_day_is_read),
	};

	return RUN(tests);
}
