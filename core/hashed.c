/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/hashed.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

#define NONCE_TIME_SIZE 5u /* bytes of a recovery login's nonce that tell its time */

/* Twenty consonants: no vowel, so no word. 240 is the largest multiple of 20 in a byte. */
static char const letters[] = "BCDFGHJKLMNPQRSTVWXZ";
#define LETTERS (sizeof(letters) - 1)

enum mfa_rc mfa_recovery_generate(char text[static MFA_RECOVERY_TEXT_SIZE])
{
	size_t n = 0;

	memset(text, 0, MFA_RECOVERY_TEXT_SIZE);
	while (n < MFA_RECOVERY_TEXT_SIZE - 1) {
		uint8_t byte;

		if (n % 5 == 4) {
			text[n++] = '-';
			continue;
		}
		if (mfa_random(&byte, 1) != MFA_OK) {
			OPENSSL_cleanse(text, MFA_RECOVERY_TEXT_SIZE);
			return MFA_ERR_CRYPTO;
		}
		if (byte < 256 / LETTERS * LETTERS) text[n++] = letters[byte % LETTERS];
	}
	return MFA_OK;
}

/** Write "key-id$base64url(HMAC(part...))" with one key */
static enum mfa_rc hash_with(char out[static MFA_HASH_SIZE], struct mfa_key const *key,
			     enum mfa_purpose purpose, struct mfa_bytes const *part, size_t count)
{
	uint8_t mac[MFA_MAC_SIZE];
	size_t prefix_len;
	enum mfa_rc rc;

	out[0] = '\0';
	rc = mfa_mac(mac, key->derived[purpose], part, count);
	if (rc != MFA_OK) return rc;
	prefix_len = (size_t)snprintf(out, MFA_HASH_SIZE, "%s$", key->id);
	return mfa_base64url_encode(out + prefix_len, MFA_HASH_SIZE - prefix_len, mac, sizeof(mac));
}

/** Whether a stored hash is that of the parts, with the key that it names */
static bool hash_matches(struct mfa_bytes hash, struct mfa_keyring const *ring,
			 enum mfa_purpose purpose, struct mfa_bytes const *part, size_t count)
{
	uint8_t const *dollar = hash.len ? memchr(hash.data, '$', hash.len) : NULL;
	char expected[MFA_HASH_SIZE];
	struct mfa_key const *key;

	if (!dollar) return false;
	key = mfa_keyring_find(ring, (struct mfa_bytes){hash.data, (size_t)(dollar - hash.data)});
	if (!key || hash_with(expected, key, purpose, part, count) != MFA_OK) return false;
	return mfa_bytes_equal(mfa_bytes_of(expected), hash);
}

static struct mfa_bytes code_bytes(struct mfa_code const *code)
{
	return (struct mfa_bytes){(uint8_t const *)code->text, code->len};
}

enum mfa_rc mfa_recovery_generate_set(char codes[static MFA_RECOVERY_SET_SIZE])
{
	size_t len = 0;

	for (unsigned i = 0; i < MFA_RECOVERY_COUNT; i++) {
		enum mfa_rc const rc = mfa_recovery_generate(codes + len);

		if (rc != MFA_OK) return rc;
		len += MFA_RECOVERY_TEXT_SIZE;
		codes[len - 1] = '\n';
	}
	codes[len] = '\0';
	return MFA_OK;
}

enum mfa_rc mfa_recovery_format(char out[static MFA_HASH_SIZE], struct mfa_keyring const *ring,
				struct mfa_bytes entry_id, struct mfa_code const *code)
{
	struct mfa_bytes const part[] = {entry_id, code_bytes(code)};

	out[0] = '\0';
	if (code->kind != MFA_CODE_RECOVERY) return MFA_ERR_ARG;
	return hash_with(out, &ring->key[0], MFA_PURPOSE_RECOVERY, part, 2);
}

enum mfa_rc mfa_recovery_find(size_t *index, struct mfa_entry const *entry,
			      struct mfa_keyring const *ring, struct mfa_code const *code)
{
	struct mfa_bytes const part[] = {entry->id, code_bytes(code)};
	size_t const count = mfa_entry_count(entry, MFA_ATTR_RECOVERY_CODE);
	enum mfa_rc rc = MFA_ERR_NOT_FOUND;

	*index = 0;
	if (code->kind != MFA_CODE_RECOVERY) return MFA_ERR_NOT_FOUND;
	for (size_t i = 0; i < count; i++) {
		if (hash_matches(mfa_entry_get(entry, MFA_ATTR_RECOVERY_CODE, i), ring,
				 MFA_PURPOSE_RECOVERY, part, 2)) {
			*index = i;
			rc = MFA_OK;
		}
	}
	return rc;
}

/** A hash over all secrets, in whatever order the directory gives them */
static enum mfa_rc secrets_hash(uint8_t hash[static MFA_MAC_SIZE], struct mfa_entry const *entry)
{
	memset(hash, 0, MFA_MAC_SIZE);
	for (size_t i = 0; i < mfa_entry_count(entry, MFA_ATTR_SECRET); i++) {
		uint8_t digest[MFA_MAC_SIZE];
		enum mfa_rc const rc = mfa_digest(digest, mfa_entry_get(entry, MFA_ATTR_SECRET, i));

		if (rc != MFA_OK) return rc;
		for (size_t j = 0; j < MFA_MAC_SIZE; j++) hash[j] ^= digest[j];
	}
	return MFA_OK;
}

enum mfa_rc mfa_recovery_nonce(char out[static MFA_NONCE_TEXT_SIZE],
			       struct mfa_record const *record, struct mfa_keyring const *ring,
			       struct mfa_code const *code, char const *login_nonce, int64_t time_s)
{
	uint8_t mac[MFA_MAC_SIZE], nonce[MFA_NONCE_SIZE], secrets[MFA_MAC_SIZE];
	struct mfa_bytes const part[] = {mfa_bytes_of("recovery"),
					 record->entry->id,
					 {secrets, sizeof(secrets)},
					 mfa_bytes_of(login_nonce),
					 {(uint8_t const *)code->text, code->len},
					 {nonce, NONCE_TIME_SIZE}};
	enum mfa_rc rc = secrets_hash(secrets, record->entry);

	for (size_t i = NONCE_TIME_SIZE; i-- > 0; time_s >>= 8) nonce[i] = (uint8_t)time_s;
	if (rc == MFA_OK) rc = mfa_mac(mac, ring->key[0].derived[MFA_PURPOSE_RECOVERY], part, 6);
	if (rc != MFA_OK) return rc;
	memcpy(nonce + NONCE_TIME_SIZE, mac, sizeof(nonce) - NONCE_TIME_SIZE);
	return mfa_base64url_encode(out, MFA_NONCE_TEXT_SIZE, nonce, sizeof(nonce));
}

enum mfa_rc mfa_recovery_nonce_time(int64_t *time_s, char const *nonce)
{
	uint8_t bytes[MFA_NONCE_SIZE];
	size_t len;

	*time_s = 0;
	if (mfa_base64url_decode(bytes, &len, sizeof(bytes), mfa_bytes_of(nonce)) != MFA_OK ||
	    len != sizeof(bytes)) {
		return MFA_ERR_FORMAT;
	}
	for (size_t i = 0; i < NONCE_TIME_SIZE; i++) *time_s = *time_s << 8 | bytes[i];
	return MFA_OK;
}

enum mfa_rc mfa_voucher_format(char out[static MFA_VOUCHER_SIZE], struct mfa_keyring const *ring,
			       struct mfa_bytes entry_id, struct mfa_code const *code,
			       int64_t expires_s)
{
	struct mfa_bytes const part[] = {entry_id, code_bytes(code)};
	char hash[MFA_HASH_SIZE];
	enum mfa_rc rc;

	out[0] = '\0';
	if (code->kind != MFA_CODE_RECOVERY) return MFA_ERR_ARG;
	rc = hash_with(hash, &ring->key[0], MFA_PURPOSE_VOUCHER, part, 2);
	if (rc != MFA_OK) return rc;
	(void)snprintf(out, MFA_VOUCHER_SIZE, "%s %lld", hash, (long long)expires_s);
	return MFA_OK;
}

enum mfa_rc mfa_voucher_check(struct mfa_entry const *entry, struct mfa_keyring const *ring,
			      struct mfa_code const *code, int64_t now_s)
{
	struct mfa_bytes const part[] = {entry->id, code_bytes(code)};
	struct mfa_bytes rest = mfa_entry_get(entry, MFA_ATTR_VOUCHER, 0);
	struct mfa_bytes hash, expiry;
	int64_t expires_s;

	if (code->kind != MFA_CODE_RECOVERY || mfa_entry_count(entry, MFA_ATTR_VOUCHER) != 1 ||
	    !mfa_text_word(&hash, &rest) || !mfa_text_word(&expiry, &rest) || rest.data ||
	    mfa_text_number(&expires_s, expiry, INT64_MAX) != MFA_OK || now_s >= expires_s) {
		return MFA_ERR_NOT_FOUND;
	}
	return hash_matches(hash, ring, MFA_PURPOSE_VOUCHER, part, 2) ? MFA_OK : MFA_ERR_NOT_FOUND;
}

enum mfa_rc mfa_device_parse(struct mfa_device *device, struct mfa_bytes value)
{
	struct mfa_bytes expiry;

	memset(device, 0, sizeof(*device));
	if (!mfa_text_word(&device->hash, &value) || !mfa_text_word(&expiry, &value))
		return MFA_ERR_FORMAT;
	device->label = value;
	return mfa_text_number(&device->expires_s, expiry, INT64_MAX);
}

/** Label characters: printable ASCII; anything else becomes '?' */
static void copy_label(char out[static MFA_DEVICE_LABEL_MAX + 1], struct mfa_bytes device)
{
	size_t const len = device.len < MFA_DEVICE_LABEL_MAX ? device.len : MFA_DEVICE_LABEL_MAX;

	for (size_t i = 0; i < len; i++) {
		uint8_t const c = device.data[i];

		out[i] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	out[len] = '\0';
}

enum mfa_rc mfa_device_format(char out[static MFA_DEVICE_SIZE], struct mfa_keyring const *ring,
			      struct mfa_bytes entry_id, struct mfa_bytes device,
			      struct mfa_totp const *totp, int64_t expires_s)
{
	struct mfa_bytes const part[] = {entry_id, device, {totp->key, totp->key_len}};
	char hash[MFA_HASH_SIZE], label[MFA_DEVICE_LABEL_MAX + 1];
	enum mfa_rc rc;

	out[0] = '\0';
	rc = hash_with(hash, &ring->key[0], MFA_PURPOSE_DEVICE, part, 3);
	if (rc != MFA_OK) return rc;
	copy_label(label, device);
	(void)snprintf(out, MFA_DEVICE_SIZE, "%s %lld %s", hash, (long long)expires_s, label);
	return MFA_OK;
}

bool mfa_device_same(struct mfa_record const *record, struct mfa_keyring const *ring,
		     struct mfa_bytes device, struct mfa_bytes value)
{
	struct mfa_device stored;

	if (device.len == 0 || mfa_device_parse(&stored, value) != MFA_OK) return false;
	for (size_t i = 0; i < record->secret_count; i++) {
		struct mfa_totp const *totp = &record->secret[i];
		struct mfa_bytes const part[] = {
			record->entry->id, device, {totp->key, totp->key_len}};

		if (hash_matches(stored.hash, ring, MFA_PURPOSE_DEVICE, part, 3)) return true;
	}
	return false;
}

bool mfa_device_known(struct mfa_record const *record, struct mfa_keyring const *ring,
		      struct mfa_bytes device, int64_t now_s)
{
	size_t const count = mfa_entry_count(record->entry, MFA_ATTR_TRUSTED_DEVICE);

	for (size_t i = 0; i < count; i++) {
		struct mfa_bytes const value =
			mfa_entry_get(record->entry, MFA_ATTR_TRUSTED_DEVICE, i);
		struct mfa_device stored;

		if (mfa_device_parse(&stored, value) == MFA_OK && now_s < stored.expires_s &&
		    mfa_device_same(record, ring, device, value)) {
			return true;
		}
	}
	return false;
}
