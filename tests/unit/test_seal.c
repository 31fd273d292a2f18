/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/seal.h"
#include "unit.h"

static uint8_t const key[MFA_KEY_SIZE] = {1, 2, 3};
static uint8_t const other_key[MFA_KEY_SIZE] = {1, 2, 4};

static void hex(char *out, uint8_t const *in, size_t len)
{
	for (size_t i = 0; i < len; i++) (void)snprintf(out + 2 * i, 3, "%02x", in[i]);
}

static void a_box_opens_with_what_it_was_sealed_with(void **state)
{
	uint8_t box[64 + MFA_SEAL_OVERHEAD], plain[64], in[64];
	size_t len;

	(void)state;
	memset(in, 0x5a, sizeof(in));
	for (size_t n = 0; n <= sizeof(in); n++) {
		struct mfa_bytes const aad = raw("entry", n % 6);

		assert_int_equal(mfa_seal(box, n + MFA_SEAL_OVERHEAD, key, aad, raw(in, n)),
				 MFA_OK);
		assert_int_equal(
			mfa_unseal(plain, &len, n, key, aad, raw(box, n + MFA_SEAL_OVERHEAD)),
			MFA_OK);
		assert_int_equal(len, n);
		assert_memory_equal(plain, in, n);
	}
}

static void nothing_at_all_can_be_sealed(void **state)
{
	uint8_t box[MFA_SEAL_OVERHEAD], plain[1] = {7};
	size_t len = 9;

	(void)state;
	assert_int_equal(mfa_seal(box, sizeof(box), key, raw(NULL, 0), raw(NULL, 0)), MFA_OK);
	assert_int_equal(mfa_unseal(plain, &len, 0, key, raw(NULL, 0), raw(box, sizeof(box))),
			 MFA_OK);
	assert_int_equal(len, 0);
	assert_int_equal(plain[0], 7);
	box[0] ^= 1;
	assert_int_equal(mfa_unseal(plain, &len, 0, key, raw(NULL, 0), raw(box, sizeof(box))),
			 MFA_ERR_CRYPTO);
}

static void a_box_that_was_altered_anywhere_does_not_open(void **state)
{
	struct mfa_bytes const aad = bytes("entry"), secret = bytes("secret");
	uint8_t box[6 + MFA_SEAL_OVERHEAD], plain[6];
	size_t len;

	(void)state;
	assert_int_equal(mfa_seal(box, sizeof(box), key, aad, secret), MFA_OK);
	for (size_t bit = 0; bit < 8 * sizeof(box); bit++) {
		box[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memset(plain, 0xff, sizeof(plain));
		assert_int_equal(
			mfa_unseal(plain, &len, sizeof(plain), key, aad, raw(box, sizeof(box))),
			MFA_ERR_CRYPTO);
		assert_int_equal(len, 0);
		assert_zero(plain, sizeof(plain));
		box[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t n = 0; n < sizeof(box); n++)
		assert_int_not_equal(mfa_unseal(plain, &len, sizeof(plain), key, aad, raw(box, n)),
				     MFA_OK);
	assert_int_equal(mfa_unseal(plain, &len, sizeof(plain), key, aad, raw(box, sizeof(box))),
			 MFA_OK);
}

static void a_box_is_bound_to_its_key_and_its_entry(void **state)
{
	uint8_t box[6 + MFA_SEAL_OVERHEAD], plain[6];
	struct mfa_bytes const whole = raw(box, sizeof(box));
	size_t len;

	(void)state;
	assert_int_equal(mfa_seal(box, sizeof(box), key, bytes("entry"), bytes("secret")), MFA_OK);
	assert_int_equal(mfa_unseal(plain, &len, sizeof(plain), other_key, bytes("entry"), whole),
			 MFA_ERR_CRYPTO);
	assert_int_equal(mfa_unseal(plain, &len, sizeof(plain), key, bytes("entry2"), whole),
			 MFA_ERR_CRYPTO);
	assert_int_equal(mfa_unseal(plain, &len, sizeof(plain), key, raw(NULL, 0), whole),
			 MFA_ERR_CRYPTO);
}

static void room_is_looked_at_before_anything_is_written(void **state)
{
	uint8_t box[6 + MFA_SEAL_OVERHEAD], plain[6] = {0};
	size_t len = 9;

	(void)state;
	assert_int_equal(mfa_seal(box, sizeof(box) - 1, key, bytes(""), bytes("secret")),
			 MFA_ERR_SPACE);
	assert_int_equal(mfa_seal(box, sizeof(box), key, bytes(""), bytes("secret")), MFA_OK);
	assert_int_equal(mfa_unseal(plain, &len, 5, key, bytes(""), raw(box, sizeof(box))),
			 MFA_ERR_SPACE);
	assert_int_equal(len, 0);
	assert_int_equal(mfa_unseal(plain, &len, 6, key, bytes(""), raw(NULL, 0)), MFA_ERR_FORMAT);
	assert_int_equal(
		mfa_unseal(plain, &len, 6, key, bytes(""), raw(box, MFA_SEAL_OVERHEAD - 1)),
		MFA_ERR_FORMAT);
}

static void no_nonce_is_used_twice(void **state)
{
	uint8_t box[16][1 + MFA_SEAL_OVERHEAD];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(box); i++) {
		assert_int_equal(mfa_seal(box[i], sizeof(box[i]), key, bytes(""), bytes("x")),
				 MFA_OK);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(box[i], box[j], MFA_NONCE_SIZE);
	}
}

/* What `printf '\0\0\0\1a\0\0\0\2bc' | openssl dgst -sha256 -mac HMAC -macopt hexkey:010203...` gives. */
static void a_keyed_hash_covers_each_part_and_its_length(void **state)
{
	struct mfa_bytes const part[] = {bytes("a"), bytes("bc")};
	struct mfa_bytes const moved[] = {bytes("ab"), bytes("c")};
	struct mfa_bytes const more[] = {bytes("a"), bytes("bc"), raw(NULL, 0)};
	uint8_t mac[MFA_MAC_SIZE], other[MFA_MAC_SIZE];
	char text[2 * MFA_MAC_SIZE + 1];

	(void)state;
	assert_int_equal(mfa_mac(mac, key, part, 2), MFA_OK);
	hex(text, mac, sizeof(mac));
	assert_string_equal(text,
			    "36649a92d8fdc69793e475bf0a70385d651ff50881b5d4458cd3c64e6612bb37");
	assert_int_equal(mfa_mac(other, key, moved, 2), MFA_OK);
	assert_memory_not_equal(mac, other, sizeof(mac));
	assert_int_equal(mfa_mac(other, key, more, 3), MFA_OK);
	assert_memory_not_equal(mac, other, sizeof(mac));
	assert_int_equal(mfa_mac(other, other_key, part, 2), MFA_OK);
	assert_memory_not_equal(mac, other, sizeof(mac));
}

/* FIPS 180-4: SHA-256 of "abc". */
static void a_digest_is_sha_256(void **state)
{
	uint8_t digest[MFA_MAC_SIZE];
	char text[2 * MFA_MAC_SIZE + 1];

	(void)state;
	assert_int_equal(mfa_digest(digest, bytes("abc")), MFA_OK);
	hex(text, digest, sizeof(digest));
	assert_string_equal(text,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(mfa_digest(digest, raw(NULL, 0)), MFA_OK);
	hex(text, digest, sizeof(digest));
	assert_string_equal(text,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/*
 * RFC 5869 has no vector of 32 bytes without salt: `openssl kdf -keylen 32 -kdfopt digest:SHA256
 * -kdfopt hexkey:010203... -kdfopt info:'peruser-mfa state' HKDF` gives this one.
 */
static void a_key_is_derived_by_hkdf(void **state)
{
	uint8_t derived[MFA_KEY_SIZE], other[MFA_KEY_SIZE];
	char text[2 * MFA_KEY_SIZE + 1];

	(void)state;
	assert_int_equal(mfa_derive(derived, key, "peruser-mfa state"), MFA_OK);
	hex(text, derived, sizeof(derived));
	assert_string_equal(text,
			    "00efd2f0d3972b099d4b0fee6af6bc534942072f9c7d39939dba4409f23d26c6");
	assert_int_equal(mfa_derive(other, key, "peruser-mfa secret"), MFA_OK);
	assert_memory_not_equal(derived, other, sizeof(derived));
	assert_int_equal(mfa_derive(other, other_key, "peruser-mfa state"), MFA_OK);
	assert_memory_not_equal(derived, other, sizeof(derived));
}

static void random_bytes_fill_all_that_was_asked_for(void **state)
{
	uint8_t out[34] = {0};
	unsigned used[32] = {0};

	(void)state;
	for (int round = 0; round < 64; round++) {
		assert_int_equal(mfa_random(out + 1, 32), MFA_OK);
		for (size_t i = 0; i < 32; i++) used[i] |= out[i + 1];
	}
	for (size_t i = 0; i < 32; i++) assert_int_equal(used[i], 0xff);
	assert_int_equal(out[0] | out[33], 0);
	assert_int_equal(mfa_random(out, SIZE_MAX), MFA_ERR_CRYPTO);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(a_box_opens_with_what_it_was_sealed_with),
		cmocka_unit_test(nothing_at_all_can_be_sealed),
		cmocka_unit_test(a_box_that_was_altered_anywhere_does_not_open),
		cmocka_unit_test(a_box_is_bound_to_its_key_and_its_entry),
		cmocka_unit_test(room_is_looked_at_before_anything_is_written),
		cmocka_unit_test(no_nonce_is_used_twice),
		cmocka_unit_test(a_keyed_hash_covers_each_part_and_its_length),
		cmocka_unit_test(a_digest_is_sha_256),
		cmocka_unit_test(a_key_is_derived_by_hkdf),
		cmocka_unit_test(random_bytes_fill_all_that_was_asked_for),
	};

	return RUN(tests);
}
