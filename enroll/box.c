/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/box.h"

#include <openssl/crypto.h>

#include <string.h>

enum mfa_rc mfa_box_seal(char *text, size_t text_size, struct mfa_keyring const *ring,
			 char const *kind, struct mfa_bytes plain)
{
	uint8_t box[MFA_BOX_MAX + MFA_SEAL_OVERHEAD];
	enum mfa_rc rc;

	text[0] = '\0';
	if (plain.len > MFA_BOX_MAX) return MFA_ERR_SPACE;
	rc = mfa_seal(box, sizeof(box), ring->key[0].derived[MFA_PURPOSE_SESSION],
		      mfa_bytes_of(kind), plain);
	if (rc != MFA_OK) return rc;
	rc = mfa_base64url_encode(text, text_size, box, plain.len + MFA_SEAL_OVERHEAD);
	if (rc != MFA_OK) text[0] = '\0';
	return rc;
}

enum mfa_rc mfa_box_open(uint8_t *plain, size_t *plain_len, size_t plain_size,
			 struct mfa_keyring const *ring, char const *kind, char const *text)
{
	uint8_t box[MFA_BOX_MAX + MFA_SEAL_OVERHEAD];
	size_t box_len;
	enum mfa_rc rc = mfa_base64url_decode(box, &box_len, sizeof(box), mfa_bytes_of(text));

	*plain_len = 0;
	if (rc != MFA_OK) return rc;
	rc = MFA_ERR_CRYPTO;
	for (size_t i = 0; i < ring->count && rc == MFA_ERR_CRYPTO; i++) {
		rc = mfa_unseal(plain, plain_len, plain_size,
				ring->key[i].derived[MFA_PURPOSE_SESSION], mfa_bytes_of(kind),
				(struct mfa_bytes){box, box_len});
	}
	return rc;
}

/* A key of its own, so that what seals and what signs never meet. */
static enum mfa_rc token_with(char token[static MFA_TOKEN_SIZE], struct mfa_key const *key,
			      struct mfa_bytes a, struct mfa_bytes b)
{
	struct mfa_bytes const part[] = {a, b};
	uint8_t derived[MFA_KEY_SIZE], mac[MFA_MAC_SIZE];
	enum mfa_rc rc;

	token[0] = '\0';
	rc = mfa_derive(derived, key->derived[MFA_PURPOSE_SESSION], "peruser-mfa form token");
	if (rc == MFA_OK) rc = mfa_mac(mac, derived, part, 2);
	OPENSSL_cleanse(derived, sizeof(derived));
	return rc == MFA_OK ? mfa_base64url_encode(token, MFA_TOKEN_SIZE, mac, sizeof(mac)) : rc;
}

enum mfa_rc mfa_token_make(char token[static MFA_TOKEN_SIZE], struct mfa_keyring const *ring,
			   struct mfa_bytes a, struct mfa_bytes b)
{
	return token_with(token, &ring->key[0], a, b);
}

bool mfa_token_check(struct mfa_keyring const *ring, struct mfa_bytes a, struct mfa_bytes b,
		     char const *token)
{
	char expected[MFA_TOKEN_SIZE];
	bool equal = false;

	for (size_t i = 0; i < ring->count; i++) {
		if (token_with(expected, &ring->key[i], a, b) != MFA_OK) return false;
		equal |= mfa_bytes_equal(mfa_bytes_of(expected), mfa_bytes_of(token));
	}
	return equal;
}

void mfa_pack_bytes(struct mfa_packer *packer, void const *data, size_t len)
{
	if (packer->failed || len > packer->size - packer->len) {
		packer->failed = true;
		return;
	}
	if (len > 0) memcpy(packer->data + packer->len, data, len);
	packer->len += len;
}

void mfa_pack_number(struct mfa_packer *packer, int64_t number)
{
	uint64_t const value = (uint64_t)number;
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++) bytes[i] = (uint8_t)(value >> (56 - 8 * i));
	mfa_pack_bytes(packer, bytes, sizeof(bytes));
}

void mfa_pack_text(struct mfa_packer *packer, char const *text)
{
	size_t const len = strlen(text);

	mfa_pack_number(packer, (int64_t)len);
	mfa_pack_bytes(packer, text, len);
}

void mfa_unpack_bytes(void *out, size_t len, struct mfa_unpacker *unpacker)
{
	memset(out, 0, len);
	if (unpacker->failed || len > unpacker->rest.len) {
		unpacker->failed = true;
		return;
	}
	memcpy(out, unpacker->rest.data, len);
	unpacker->rest.data += len;
	unpacker->rest.len -= len;
}

int64_t mfa_unpack_number(struct mfa_unpacker *unpacker)
{
	uint8_t bytes[8];
	uint64_t value = 0;

	mfa_unpack_bytes(bytes, sizeof(bytes), unpacker);
	for (unsigned i = 0; i < sizeof(bytes); i++) value = value << 8 | bytes[i];
	return (int64_t)value;
}

void mfa_unpack_text(char *out, size_t out_size, struct mfa_unpacker *unpacker)
{
	int64_t const len = mfa_unpack_number(unpacker);

	out[0] = '\0';
	if (len < 0 || (uint64_t)len >= out_size) {
		unpacker->failed = true;
		return;
	}
	mfa_unpack_bytes(out, (size_t)len, unpacker);
	out[unpacker->failed ? 0 : (size_t)len] = '\0';
}
