/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/secret.h"
#include "unit.h"

#define URI "otpauth://totp/phone?secret=" RFC_KEY "&algorithm=SHA256&digits=8&period=60"

static struct mfa_keyring ring;
static struct mfa_totp totp;
static struct mfa_diag diag;

static int read_ring(void **state)
{
	(void)state;
	ring_parse(&ring, TWO_KEYS);
	return 0;
}

static enum mfa_rc parse(char const *value)
{
	diag.text[0] = '\0';
	return mfa_secret_parse(&totp, &diag, &ring, bytes(ENTRY_ID), bytes(value));
}

/** Seal any text as a secret is sealed, with one key of the ring */
static void seal_text(char out[static MFA_SECRET_SIZE], struct mfa_key const *key,
		      char const *entry_id, char const *text)
{
	uint8_t box[1024];
	size_t const len = strlen(text), head = strlen(key->id) + 6;

	(void)snprintf(out, MFA_SECRET_SIZE, "{GCM}%s$", key->id);
	assert_int_equal(mfa_seal(box, sizeof(box), key->derived[MFA_PURPOSE_SECRET],
				  bytes(entry_id), bytes(text)),
			 MFA_OK);
	assert_int_equal(mfa_base64url_encode(out + head, MFA_SECRET_SIZE - head, box,
					      len + MFA_SEAL_OVERHEAD),
			 MFA_OK);
}

static void base32_alone_has_the_usual_values(void **state)
{
	static char const *const same[] = {RFC_KEY, "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
					   "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		assert_int_equal(parse(same[i]), MFA_OK);
		assert_int_equal(totp.key_len, 20);
		assert_memory_equal(totp.key, "12345678901234567890", 20);
		assert_int_equal(totp.hash, MFA_TOTP_SHA1);
		assert_int_equal(totp.digits, 6);
		assert_int_equal(totp.period_s, 30);
	}
}

static void a_key_has_at_least_128_bits(void **state)
{
	(void)state;
	assert_int_equal(parse("AAAAAAAAAAAAAAAAAAAAAAAAAA"), MFA_OK);
	assert_int_equal(totp.key_len, 16);
	assert_int_equal(parse("AAAAAAAAAAAAAAAAAAAAAAAA"), MFA_ERR_FORMAT);
	assert_zero(&totp, sizeof(totp));
}

static void a_uri_brings_its_own_values(void **state)
{
	(void)state;
	assert_int_equal(parse(URI), MFA_OK);
	assert_string_equal(totp.name, "phone");
	assert_int_equal(totp.hash, MFA_TOTP_SHA256);
	assert_int_equal(totp.digits, 8);
	assert_int_equal(totp.period_s, 60);
	assert_int_equal(parse("OtpAuth://totp/?secret=" RFC_KEY), MFA_OK);
}

static void either_form_may_be_sealed_with_any_key(void **state)
{
	static char const *const form[] = {RFC_KEY, URI};
	char value[MFA_SECRET_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(form) * ring.count; i++) {
		struct mfa_key const *key = &ring.key[i / COUNT_OF(form)];

		seal_text(value, key, ENTRY_ID, form[i % COUNT_OF(form)]);
		assert_int_equal(parse(value), MFA_OK);
		assert_memory_equal(totp.key, "12345678901234567890", 20);
		assert_bytes(mfa_secret_key_id(bytes(value)), key->id);
	}
}

static void a_sealed_secret_opens_in_its_own_entry_alone(void **state)
{
	char value[MFA_SECRET_SIZE];

	(void)state;
	seal_text(value, &ring.key[0], "another entry", RFC_KEY);
	assert_int_equal(parse(value), MFA_ERR_CRYPTO);
	assert_zero(&totp, sizeof(totp));
	assert_non_null(strstr(diag.text, "does not open with key 'new'"));
}

static void an_altered_secret_does_not_open(void **state)
{
	char value[MFA_SECRET_SIZE];
	size_t len;

	(void)state;
	seal_text(value, &ring.key[0], ENTRY_ID, RFC_KEY);
	len = strlen(value);
	for (size_t i = strlen("{GCM}new$"); i < len; i++) {
		char const kept = value[i];

		value[i] = kept == 'A' ? 'B' : 'A';
		assert_int_not_equal(parse(value), MFA_OK);
		assert_zero(&totp, sizeof(totp));
		value[i] = kept;
	}
	assert_int_equal(parse(value), MFA_OK);
}

static void a_key_that_is_missing_is_named(void **state)
{
	static char const lost[] = "lost AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
	static struct mfa_keyring lost_ring;
	char value[MFA_SECRET_SIZE];

	(void)state;
	ring_parse(&lost_ring, lost);
	seal_text(value, &lost_ring.key[0], ENTRY_ID, RFC_KEY);
	assert_int_equal(parse(value), MFA_ERR_NOT_FOUND);
	assert_non_null(strstr(diag.text, "needs key 'lost'"));
}

static void another_key_of_the_same_name_does_not_open_it(void **state)
{
	static char const impostor[] = "new ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n";
	static struct mfa_keyring other;
	char value[MFA_SECRET_SIZE];

	(void)state;
	ring_parse(&other, impostor);
	seal_text(value, &other.key[0], ENTRY_ID, RFC_KEY);
	assert_int_equal(parse(value), MFA_ERR_CRYPTO);
}

static void everything_else_is_refused_without_showing_it(void **state)
{
	static char const *const bad[] = {
		"",
		" ",
		"secret",
		"JBSWY3DPEHPK3PX!",
		"{GCM}",
		"{GCM}new",
		"{GCM}$AAAA",
		"{GCM}new$",
		"{GCM}new$AAAA",
		"{GCM}new$!!!!",
		"{GCM}new$GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ=",
		"{gcm}new$AAAA",
		"{SSHA}GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
		"otpauth://",
		"otpauth://hotp/x?secret=" RFC_KEY,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (parse(bad[i]) == MFA_OK) fail_msg("'%s' is read", bad[i]);
		assert_zero(&totp, sizeof(totp));
		assert_true(diag.text[0]);
		assert_null(strstr(diag.text, "GEZD"));
	}
	assert_int_equal(mfa_secret_parse(&totp, NULL, &ring, bytes(ENTRY_ID), raw(NULL, 0)),
			 MFA_ERR_FORMAT);
}

static void a_box_in_a_box_is_refused(void **state)
{
	char inner[MFA_SECRET_SIZE], outer[MFA_SECRET_SIZE];

	(void)state;
	seal_text(inner, &ring.key[0], ENTRY_ID, RFC_KEY);
	seal_text(outer, &ring.key[0], ENTRY_ID, inner);
	assert_int_equal(parse(outer), MFA_ERR_FORMAT);
}

static void a_long_key_id_is_cut_in_the_message(void **state)
{
	char value[1024];

	(void)state;
	memset(value, 'k', sizeof(value));
	memcpy(value, "{GCM}", 5);
	memcpy(value + 900, "$AAAA", 6);
	assert_int_equal(parse(value), MFA_ERR_NOT_FOUND);
	assert_non_null(strstr(diag.text, "'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk'"));
}

static void what_is_written_is_read_back(void **state)
{
	char value[MFA_SECRET_SIZE];
	struct mfa_totp in = {
		.hash = MFA_TOTP_SHA512, .digits = 8, .period_s = 120, .added_s = 253402300799};

	(void)state;
	for (size_t n = MFA_TOTP_KEY_MIN; n <= MFA_TOTP_KEY_MAX; n += 8) {
		in.key_len = n;
		memset(in.key, (int)n, n);
		memset(in.name, '?', MFA_TOTP_NAME_MAX);
		assert_int_equal(mfa_secret_format(value, &in, &ring, bytes(ENTRY_ID)), MFA_OK);
		assert_bytes(mfa_secret_key_id(bytes(value)), "new");
		assert_int_equal(parse(value), MFA_OK);
		assert_memory_equal(&totp, &in, sizeof(in));
	}
}

static void no_two_boxes_of_one_secret_are_alike(void **state)
{
	struct mfa_totp in = {.key_len = 20, .digits = 6, .period_s = 30};
	char one[MFA_SECRET_SIZE], two[MFA_SECRET_SIZE];

	(void)state;
	assert_int_equal(mfa_secret_format(one, &in, &ring, bytes(ENTRY_ID)), MFA_OK);
	assert_int_equal(mfa_secret_format(two, &in, &ring, bytes(ENTRY_ID)), MFA_OK);
	assert_string_not_equal(one, two);
}

static void only_a_sealed_value_has_a_key_id(void **state)
{
	(void)state;
	assert_bytes(mfa_secret_key_id(bytes("{GCM}k1$AAAA")), "k1");
	assert_null(mfa_secret_key_id(bytes(RFC_KEY)).data);
	assert_null(mfa_secret_key_id(bytes(URI)).data);
	assert_null(mfa_secret_key_id(bytes("{GCM}k1")).data);
	assert_null(mfa_secret_key_id(bytes("{GCM}$AAAA")).data);
	assert_null(mfa_secret_key_id(raw(NULL, 0)).data);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(base32_alone_has_the_usual_values),
		cmocka_unit_test(a_key_has_at_least_128_bits),
		cmocka_unit_test(a_uri_brings_its_own_values),
		cmocka_unit_test(either_form_may_be_sealed_with_any_key),
		cmocka_unit_test(a_sealed_secret_opens_in_its_own_entry_alone),
		cmocka_unit_test(an_altered_secret_does_not_open),
		cmocka_unit_test(a_key_that_is_missing_is_named),
		cmocka_unit_test(another_key_of_the_same_name_does_not_open_it),
		cmocka_unit_test(everything_else_is_refused_without_showing_it),
		cmocka_unit_test(a_box_in_a_box_is_refused),
		cmocka_unit_test(a_long_key_id_is_cut_in_the_message),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(no_two_boxes_of_one_secret_are_alike),
		cmocka_unit_test(only_a_sealed_value_has_a_key_id),
	};

	return cmocka_run_group_tests(tests, read_ring, NULL);
}
