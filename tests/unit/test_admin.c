/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these in front */
#include <cmocka.h>

#include "admin/date.h"
#include "admin/import/import.h"
#include "admin/options.h"
#include "admin/output.h"

#include <string.h>

#define NOW    INT64_C(1700000000)
#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static void test_dates_that_are_understood(void **state)
{
	static struct {
		char const *text;
		int64_t time_s;
	} const known[] = {
		{"now", NOW},
		{"+30m", NOW + 1800},
		{"+12h", NOW + 43200},
		{"+14d", NOW + 1209600},
		{"+2w", NOW + 1209600},
		{"2026-12-01", 1796083200},
		{"2026-12-01T08:00", 1796112000},
		{"2026-12-01 08:00:30Z", 1796112030},
		{"2026-12-01T08:00:00+01:00", 1796108400},
		{"2026-12-01T08:00:00-0530", 1796131800},
		{"20261201000000Z", 1796083200},
		{"1970-01-01", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		int64_t time_s;

		assert_int_equal(mfa_cli_date_parse(&time_s, mfa_bytes_of(known[i].text), NOW),
				 MFA_OK);
		assert_int_equal(time_s, known[i].time_s);
	}
}

static void test_dates_that_are_not(void **state)
{
	static char const *const bad[] = {"",
					  "+",
					  "+d",
					  "+1",
					  "+1y",
					  "+-1d",
					  "tomorrow",
					  "2026-02-30",
					  "2026-13-01",
					  "2026-12-1",
					  "2026-12-01T",
					  "2026-12-01T25:00",
					  "2026-12-01T08:00+",
					  "2026-12-01Z",
					  "2026-12-01T08:00+99:00",
					  "20261201",
					  "1970-01-01T00:00+01:00",
					  "2026/12/01",
					  "+1000001d",
					  "2026-12-01T08:00:00+0160"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t time_s = 7;

		assert_int_equal(mfa_cli_date_parse(&time_s, mfa_bytes_of(bad[i]), NOW),
				 MFA_ERR_FORMAT);
		assert_int_equal(time_s, 0);
	}
}

/** The rows of a file */
struct rows {
	unsigned count;
	struct mfa_cli_row row[8];
};

static bool take(struct mfa_cli_row const *row, void *uctx)
{
	struct rows *rows = uctx;

	assert_true(rows->count < 8);
	rows->row[rows->count++] = *row;
	return true;
}

static void test_csv_rows_and_reasons(void **state)
{
	struct rows rows = {0};
	struct mfa_cli_row_taker const taker = {take, &rows};
	struct mfa_diag diag;

	(void)state;
	assert_int_equal(
		mfa_cli_import_csv(&diag,
				   mfa_bytes_of("User,Secret,other,DEVICE,digits\r\n"
						"\"a,b\"," SECRET ",x,\"my \"\"phone\"\"\",8\r\n"
						"c," SECRET ",x,,9\n"
						"\n"
						"d," SECRET "\n"),
				   &taker),
		MFA_OK);
	assert_int_equal(rows.count, 3);
	assert_true(rows.row[0].good);
	assert_string_equal(rows.row[0].user, "a,b");
	assert_string_equal(rows.row[0].totp.name, "my \"phone\"");
	assert_int_equal(rows.row[0].totp.digits, 8);
	assert_int_equal(rows.row[0].totp.key_len, 20);
	assert_false(rows.row[1].good);
	assert_int_equal(rows.row[1].number, 3);
	assert_non_null(strstr(rows.row[1].diag.text, "digits"));
	assert_int_equal(rows.row[2].number, 5);
	assert_non_null(strstr(rows.row[2].diag.text, "2 fields, the header has 5"));
}

static void test_csv_headers_that_are_refused(void **state)
{
	static char const *const bad[] = {"", "user,key\n", "user,user,secret\n", "\"user,secret\n",
					  "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,user,secret\n"};
	struct rows rows = {0};
	struct mfa_cli_row_taker const taker = {take, &rows};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mfa_diag diag = {.text = ""};

		assert_int_equal(mfa_cli_import_csv(&diag, mfa_bytes_of(bad[i]), &taker),
				 MFA_ERR_FORMAT);
		assert_non_null(strstr(diag.text, "line 1"));
	}
	assert_int_equal(rows.count, 0);
}

static void test_formats_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(mfa_cli_import_guess(mfa_bytes_of("user,secret\n")), MFA_CLI_FORMAT_CSV);
	assert_int_equal(mfa_cli_import_guess(mfa_bytes_of("# x\notpauth://totp/a\n")),
			 MFA_CLI_FORMAT_OTPAUTH);
	assert_int_equal(mfa_cli_import_guess(mfa_bytes_of(SECRET "\n\" TOTP_AUTH\n")),
			 MFA_CLI_FORMAT_GOOGLE);
	assert_int_equal(mfa_cli_import_guess(mfa_bytes_of("<?xml")), MFA_CLI_FORMAT_PSKC);
	assert_int_equal(mfa_cli_import_guess(mfa_bytes_of("")), MFA_CLI_FORMAT_AUTO);
	assert_int_equal(mfa_cli_import_guess(mfa_bytes_of("nonsense")), MFA_CLI_FORMAT_AUTO);
}

static void test_text_for_a_terminal(void **state)
{
	static struct {
		char const *in, *out;
	} const known[] = {
		{"plain", "plain"},
		{"a\033[31mb\n", "a?[31mb?"},
		{"\xc3\xa4", "\xc3\xa4"},
		{"\xc3", "?"},
		{"\xc0\x80", "??"},
		{"\xed\xa0\x80", "???"},
		{"\xf4\x90\x80\x80", "????"},
		{"\xc2\x9b", "?"},
		{"\x7f", "?"},
	};
	char out[64], small[4];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		mfa_cli_clean(out, sizeof(out), mfa_bytes_of(known[i].in));
		assert_string_equal(out, known[i].out);
	}
	mfa_cli_clean(small, sizeof(small), mfa_bytes_of("ab\xc3\xa4"));
	assert_string_equal(small, "ab");
}

static void test_options_and_operands_mixed(void **state)
{
	static struct mfa_cli_option const own[] = {MFA_CLI_OPTION_DRY_RUN, MFA_CLI_OPTION_END};
	char words[][12] = {"user1", "-ZZn", "-Hldap://a", "--bind-dn=b", "user2", "--", "-x"};
	char *argv[7];
	int argc = 7;
	struct mfa_cli_args args;
	struct mfa_diag diag;

	(void)state;
	for (size_t i = 0; i < 7; i++) argv[i] = words[i];
	mfa_cli_args_init(&args);
	assert_int_equal(mfa_cli_options_parse(&args, &diag, &argc, argv, own), MFA_OK);
	assert_int_equal(argc, 3);
	assert_string_equal(argv[1], "user2");
	assert_string_equal(argv[2], "-x");
	assert_int_equal(args.start_tls, 2);
	assert_int_equal(args.dry_run, 1);
	assert_string_equal(args.uri, "ldap://a");
	assert_string_equal(args.identity, "b");
}

int main(void)
{
	struct CMUnitTest const tests[] = {
		cmocka_unit_test(test_dates_that_are_understood),
		cmocka_unit_test(test_dates_that_are_not),
		cmocka_unit_test(test_csv_rows_and_reasons),
		cmocka_unit_test(test_csv_headers_that_are_refused),
		cmocka_unit_test(test_formats_are_told_apart),
		cmocka_unit_test(test_text_for_a_terminal),
		cmocka_unit_test(test_options_and_operands_mixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
