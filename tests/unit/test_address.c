/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char const *written(char const *text, unsigned bits)
{
	static char out[MFA_ADDRESS_TEXT_SIZE];
	struct mfa_address address;

	mfa_address_parse(&address, mfa_bytes_of(text));
	mfa_address_format(out, &address, bits);
	return out;
}

static void test_one_visitor_is_one_address(void **state)
{
	(void)state;
	assert_string_equal(written("192.0.2.1", 128), "192.0.2.1");
	assert_string_equal(written("192.0.2.1:443", 128), "192.0.2.1");
	assert_string_equal(written("::ffff:192.0.2.1", 64), "192.0.2.1");
	assert_string_equal(written("[::ffff:192.0.2.1]:80", 64), "192.0.2.1");
	assert_string_equal(written("64:ff9b::192.0.2.1", 48), "192.0.2.1");
	assert_string_equal(written("2001:db8:1:2:3::4", 128), "2001:db8:1:2:3::4");
	assert_string_equal(written("[2001:db8:1:2:3::4]:443", 64), "2001:db8:1:2::");
	assert_string_equal(written("2001:db8:1:2:3::4", 48), "2001:db8:1::");
	assert_string_equal(written("", 128), "unknown");
	assert_string_equal(written("192.0.2.1.5", 128), "unknown");
	assert_string_equal(written("[2001:db8::1", 128), "unknown");
	assert_string_equal(written("fe80::1%eth0", 128), "unknown");
}

static bool holds(char const *networks, char const *text)
{
	struct mfa_prefixes prefixes;
	struct mfa_address address;

	assert_int_equal(mfa_prefixes_parse(&prefixes, networks), MFA_OK);
	mfa_address_parse(&address, mfa_bytes_of(text));
	return mfa_prefixes_hold(&prefixes, &address);
}

static void test_networks_hold_what_is_in_them(void **state)
{
	(void)state;
	assert_true(holds("192.0.2.0/25", "192.0.2.127"));
	assert_true(holds("192.0.2.0/25", "::ffff:192.0.2.127"));
	assert_false(holds("192.0.2.0/25", "192.0.2.128"));
	assert_true(holds("10.0.0.0/8, 2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(holds("10.0.0.0/8, 2001:db8::/33", "2001:db8:8000::1"));
	assert_true(holds("127.0.0.1 ::1", "::1"));
	assert_false(holds("127.0.0.1 ::1", "127.0.0.2"));
	assert_true(holds("0.0.0.0/0", "203.0.113.9"));
	assert_false(holds("0.0.0.0/0", "2001:db8::1"));
	assert_false(holds("::/0", ""));
	assert_false(holds("", "192.0.2.1"));
}

static void test_networks_that_are_none_are_refused(void **state)
{
	static char const *const bad[] = {"x",		"192.0.2.1/33", "2001:db8::/129",
					  "192.0.2.1/", "192.0.2.1/-1", "192.0.2.1;192.0.2.2",
					  "unix:"};
	struct mfa_prefixes prefixes;
	char many[12 * (MFA_PREFIXES_MAX + 1)];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mfa_prefixes_parse(&prefixes, bad[i]), MFA_ERR_FORMAT);
	for (size_t i = 0; i < sizeof(many); i++) many[i] = "192.0.2.129 "[i % 12];
	many[sizeof(many) - 1] = '\0';
	assert_int_equal(mfa_prefixes_parse(&prefixes, many), MFA_ERR_SPACE);
}

static char const *behind(char const *from, char const *list)
{
	static char out[MFA_ADDRESS_TEXT_SIZE];
	struct mfa_prefixes prefixes;
	struct mfa_address address;

	assert_int_equal(mfa_prefixes_parse(&prefixes, "127.0.0.1 10.0.0.0/8 2001:db8::/64"),
			 MFA_OK);
	mfa_address_parse(&address, mfa_bytes_of(from));
	mfa_address_behind(&address, &prefixes, list);
	mfa_address_format(out, &address, 128);
	return out;
}

static void test_only_trusted_proxies_are_believed(void **state)
{
	(void)state;
	assert_string_equal(behind("127.0.0.1", "203.0.113.9"), "203.0.113.9");
	assert_string_equal(behind("127.0.0.1", "1.2.3.4, 203.0.113.9"), "203.0.113.9");
	assert_string_equal(behind("127.0.0.1", "1.2.3.4, 203.0.113.9, 10.1.1.1"), "203.0.113.9");
	assert_string_equal(behind("::ffff:10.1.1.1", "[2001:db8:5::1]:5,2001:db8::2"),
			    "2001:db8:5::1");
	assert_string_equal(behind("192.0.2.1", "203.0.113.9"), "192.0.2.1");
	assert_string_equal(behind("127.0.0.1", ""), "127.0.0.1");
	assert_string_equal(behind("127.0.0.1", " , "), "127.0.0.1");
	assert_string_equal(behind("127.0.0.1", "1.2.3.4, nonsense"), "unknown");
	assert_string_equal(behind("127.0.0.1", "10.1.1.1, 10.1.1.2"), "10.1.1.1");
}

int main(void)
{
	struct CMUnitTest const tests[] = {
		cmocka_unit_test(test_one_visitor_is_one_address),
		cmocka_unit_test(test_networks_hold_what_is_in_them),
		cmocka_unit_test(test_networks_that_are_none_are_refused),
		cmocka_unit_test(test_only_trusted_proxies_are_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
