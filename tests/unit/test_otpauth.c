/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/otpauth.h"
#include "unit.h"

#define URI "otpauth://totp/"

static struct mfa_totp totp;
static struct mfa_diag diag;

static void parse(char const *uri)
{
	diag.text[0] = '\0';
	if (mfa_otpauth_parse(&totp, &diag, bytes(uri)) != MFA_OK)
		fail_msg("%s: %s", uri, diag.text);
}

static void a_uri_with_a_secret_alone_has_the_usual_values(void **state)
{
	(void)state;
	parse(URI "phone?secret=" RFC_KEY);
	assert_string_equal(totp.name, "phone");
	assert_int_equal(totp.key_len, 20);
	assert_memory_equal(totp.key, "12345678901234567890", 20);
	assert_int_equal(totp.hash, MFA_TOTP_SHA1);
	assert_int_equal(totp.digits, 6);
	assert_int_equal(totp.period_s, 30);
	assert_int_equal(totp.added_s, 0);
}

static void every_parameter_is_read(void **state)
{
	(void)state;
	parse("OTPAUTH://TOTP/"
	      "Example:anna%40example.org?SECRET=gezdgnbv-gy3tqojq%20gezdgnbvgy3tqojq"
	      "&issuer=Example&algorithm=sha512&digits=8&period=60&added=1700000000&image=x%26y");
	assert_string_equal(totp.name, "anna@example.org");
	assert_memory_equal(totp.key, "12345678901234567890", 20);
	assert_int_equal(totp.hash, MFA_TOTP_SHA512);
	assert_int_equal(totp.digits, 8);
	assert_int_equal(totp.period_s, 60);
	assert_int_equal(totp.added_s, 1700000000);
}

static void a_label_names_the_device(void **state)
{
	static struct {
		char const *label, *name;
	} const good[] = {
		{"", ""},
		{"phone", "phone"},
		{"my%20phone", "my phone"},
		{"Example:phone", "phone"},
		{"Example%3Aphone", "phone"},
		{"Example%3a%20phone", "phone"},
		{"Example:", ""},
		{":a%3Ab", "a:b"},
		{"t%C3%A9l%C3%A9phone", "téléphone"},
		{"a/b", "a/b"},
	};
	char uri[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		(void)snprintf(uri, sizeof(uri), URI "%s?secret=" RFC_KEY, good[i].label);
		parse(uri);
		assert_string_equal(totp.name, good[i].name);
	}
}

static void what_is_wrong_is_said_without_the_secret(void **state)
{
	static struct {
		char const *uri, *diag;
	} const bad[] = {
		{"", "not an otpauth://totp/ URI"},
		{"otpauth://hotp/x?secret=" RFC_KEY, "not an otpauth://totp/ URI"},
		{"https://example.org/", "not an otpauth://totp/ URI"},
		{URI "x", "no secret in it"},
		{URI "x?", "no secret in it"},
		{URI "x?digits=6", "no secret in it"},
		{URI "x?secret=", "'secret' must be"},
		{URI "x?secret=GEZDGNBVGY3TQOJQ", "'secret' must be"},
		{URI "x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", "'secret' must be"},
		{URI "x?secret=" RFC_KEY "%0", "'secret' must be"},
		{URI "x?secret=" RFC_KEY "%00", "'secret' must be"},
		{URI "x?secret=" RFC_KEY "&secret=" RFC_KEY, "'secret' is given twice"},
		{URI "x?secret=" RFC_KEY "&digits=6&digits=6", "'digits' is given twice"},
		{URI "x?secret=" RFC_KEY "&digits=5", "'digits' must be"},
		{URI "x?secret=" RFC_KEY "&digits=9", "'digits' must be"},
		{URI "x?secret=" RFC_KEY "&digits=06", "'digits' must be"},
		{URI "x?secret=" RFC_KEY "&digits=", "'digits' must be"},
		{URI "x?secret=" RFC_KEY "&digits", "'digits' must be"},
		{URI "x?secret=" RFC_KEY "&period=14", "'period' must be"},
		{URI "x?secret=" RFC_KEY "&period=121", "'period' must be"},
		{URI "x?secret=" RFC_KEY "&period=30s", "'period' must be"},
		{URI "x?secret=" RFC_KEY "&period=-30", "'period' must be"},
		{URI "x?secret=" RFC_KEY "&period=4294967326", "'period' must be"},
		{URI "x?secret=" RFC_KEY "&algorithm=MD5", "'algorithm' must be"},
		{URI "x?secret=" RFC_KEY "&algorithm=SHA", "'algorithm' must be"},
		{URI "x?secret=" RFC_KEY "&algorithm=SHA2566", "'algorithm' must be"},
		{URI "x?secret=" RFC_KEY "&added=-1", "'added' must be"},
		{URI "x?secret=" RFC_KEY "&added=253402300800", "'added' must be"},
		{URI "a%0ab?secret=" RFC_KEY, "the label"},
		{URI "a%7fb?secret=" RFC_KEY, "the label"},
		{URI "a%4?secret=" RFC_KEY, "the label"},
		{URI "a%zzb?secret=" RFC_KEY, "the label"},
		{URI "a\tb?secret=" RFC_KEY, "the label"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (mfa_otpauth_parse(&totp, &diag, bytes(bad[i].uri)) != MFA_ERR_FORMAT)
			fail_msg("%s is read", bad[i].uri);
		if (!strstr(diag.text, bad[i].diag)) fail_msg("%s: %s", bad[i].uri, diag.text);
		assert_null(strstr(diag.text, "GEZD"));
		assert_zero(&totp, sizeof(totp));
	}
	assert_int_equal(mfa_otpauth_parse(&totp, NULL, raw(NULL, 0)), MFA_ERR_FORMAT);
	assert_int_equal(mfa_otpauth_parse(&totp, NULL, raw(URI "\0?secret=" RFC_KEY, 55)),
			 MFA_ERR_FORMAT);
}

static void labels_and_uris_have_a_largest_size(void **state)
{
	char uri[MFA_OTPAUTH_SIZE + 8], name[MFA_TOTP_NAME_MAX + 2];

	(void)state;
	memset(name, 'n', sizeof(name));
	(void)snprintf(uri, sizeof(uri), URI "%.*s?secret=" RFC_KEY, (int)MFA_TOTP_NAME_MAX, name);
	parse(uri);
	assert_int_equal(strlen(totp.name), MFA_TOTP_NAME_MAX);
	(void)snprintf(uri, sizeof(uri), URI "%.*s?secret=" RFC_KEY, (int)MFA_TOTP_NAME_MAX + 1,
		       name);
	assert_int_equal(mfa_otpauth_parse(&totp, &diag, bytes(uri)), MFA_ERR_FORMAT);

	memset(uri, 'x', sizeof(uri));
	memcpy(uri, URI "?secret=" RFC_KEY "&", strlen(URI "?secret=" RFC_KEY "&"));
	assert_int_equal(mfa_otpauth_parse(&totp, &diag, raw(uri, MFA_OTPAUTH_SIZE - 1)), MFA_OK);
	assert_int_equal(mfa_otpauth_parse(&totp, &diag, raw(uri, MFA_OTPAUTH_SIZE)),
			 MFA_ERR_FORMAT);
}

static struct mfa_totp sample(size_t key_len, char const *name)
{
	struct mfa_totp made = {.key_len = key_len,
				.hash = MFA_TOTP_SHA256,
				.digits = 7,
				.period_s = 120,
				.added_s = 1700000000};

	for (size_t i = 0; i < key_len; i++) made.key[i] = (uint8_t)(i * 37 + 1);
	memcpy(made.name, name, strlen(name) + 1);
	return made;
}

static void what_is_stored_is_read_back(void **state)
{
	static char const *const name[] = {
		"",
		"phone",
		"my phone",
		"a:b",
		"::",
		"a%3Ab",
		"50%&more=?#/+",
		"téléphone",
		"\"<b>'",
		"::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::"};
	char uri[MFA_OTPAUTH_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(name); i++) {
		for (size_t n = MFA_TOTP_KEY_MIN; n <= MFA_TOTP_KEY_MAX; n++) {
			struct mfa_totp const in = sample(n, name[i]);

			assert_int_equal(mfa_otpauth_format(uri, sizeof(uri), &in, NULL, NULL),
					 MFA_OK);
			parse(uri);
			assert_memory_equal(&totp, &in, sizeof(in));
		}
	}
}

static void an_app_is_shown_issuer_and_account(void **state)
{
	struct mfa_totp in = sample(20, "phone");
	char uri[MFA_OTPAUTH_SIZE];

	(void)state;
	in.hash = MFA_TOTP_SHA1;
	in.digits = 6;
	in.period_s = 30;
	memcpy(in.key, "12345678901234567890", 20);
	assert_int_equal(
		mfa_otpauth_format(uri, sizeof(uri), &in, "Example Inc", "anna@example.org"),
		MFA_OK);
	assert_string_equal(uri, URI "Example%20Inc:anna@example.org?secret=" RFC_KEY
				     "&issuer=Example%20Inc&algorithm=SHA1&digits=6&period=30");
}

static void the_longest_names_fit(void **state)
{
	char uri[MFA_OTPAUTH_LINK_SIZE], issuer[65], label[129];
	struct mfa_totp const in = sample(64, "");

	(void)state;
	memset(issuer, ' ', 64);
	memset(label, ' ', 128);
	issuer[64] = label[128] = '\0';
	assert_int_equal(mfa_otpauth_format(uri, sizeof(uri), &in, issuer, label), MFA_OK);
	label[64] = '\0';
	assert_int_equal(mfa_otpauth_format(uri, MFA_OTPAUTH_SIZE, &in, issuer, label), MFA_OK);
	assert_int_equal(mfa_otpauth_parse(&totp, &diag, bytes(uri)), MFA_OK);
}

static void what_does_not_fit_leaves_nothing_behind(void **state)
{
	struct mfa_totp const in = sample(20, "phone");
	char uri[MFA_OTPAUTH_SIZE];
	size_t len;

	(void)state;
	assert_int_equal(mfa_otpauth_format(uri, sizeof(uri), &in, NULL, NULL), MFA_OK);
	len = strlen(uri);
	for (size_t size = 0; size <= len; size++) {
		memset(uri, 'x', sizeof(uri));
		assert_int_equal(mfa_otpauth_format(uri, size, &in, NULL, NULL), MFA_ERR_SPACE);
		assert_zero(uri, size);
		assert_int_equal(uri[size], 'x');
	}
	assert_int_equal(mfa_otpauth_format(uri, len + 1, &in, NULL, NULL), MFA_OK);
	assert_int_equal(strlen(uri), len);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(a_uri_with_a_secret_alone_has_the_usual_values),
		cmocka_unit_test(every_parameter_is_read),
		cmocka_unit_test(a_label_names_the_device),
		cmocka_unit_test(what_is_wrong_is_said_without_the_secret),
		cmocka_unit_test(labels_and_uris_have_a_largest_size),
		cmocka_unit_test(what_is_stored_is_read_back),
		cmocka_unit_test(an_app_is_shown_issuer_and_account),
		cmocka_unit_test(the_longest_names_fit),
		cmocka_unit_test(what_does_not_fit_leaves_nothing_behind),
	};

	return RUN(tests);
}
