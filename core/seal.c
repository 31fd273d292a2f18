/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/seal.h"

#include "core/openssl.h"

#include <limits.h>
#include <openssl/kdf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *aes_256_gcm;
static EVP_MD *sha_256;
static EVP_MAC_CTX
	*hmac_sha_256; //!< Without a key: copied for each use, which is eight times cheaper.

static void free_algorithms(void)
{
	EVP_MAC_CTX_free(hmac_sha_256);
	EVP_CIPHER_free(aes_256_gcm);
	EVP_MD_free(sha_256);
}

/* Registered behind libcrypto's own handler, so called before it, or when the module is unloaded. */
static void fetch_algorithms(void)
{
	aes_256_gcm = mfa_openssl_aes_256_gcm();
	sha_256 = mfa_openssl_sha_256();
	hmac_sha_256 = mfa_openssl_hmac_sha_256();
	(void)atexit(free_algorithms);
}

/* Algorithms are looked up by name once, and not at each use (OpenSSL's crypto(7)); NULL fails. */

static EVP_CIPHER *cipher(void)
{
	return pthread_once(&fetch_once, fetch_algorithms) == 0 ? aes_256_gcm : NULL;
}

static EVP_MD *digest_type(void)
{
	return pthread_once(&fetch_once, fetch_algorithms) == 0 ? sha_256 : NULL;
}

static EVP_MAC_CTX *hmac(void)
{
	return pthread_once(&fetch_once, fetch_algorithms) == 0 ? hmac_sha_256 : NULL;
}

enum mfa_rc mfa_random(uint8_t *out, size_t len)
{
	return getentropy(out, len) == 0 ? MFA_OK : MFA_ERR_CRYPTO;
}

enum mfa_rc mfa_seal(uint8_t *box, size_t box_size, uint8_t const key[static MFA_KEY_SIZE],
		     struct mfa_bytes aad, struct mfa_bytes plain)
{
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t *text = box + MFA_NONCE_SIZE;
	enum mfa_rc rc = MFA_ERR_CRYPTO;
	int n;

	if (plain.len > INT_MAX / 2 || box_size < plain.len + MFA_SEAL_OVERHEAD)
		return MFA_ERR_SPACE;
	if (mfa_random(box, MFA_NONCE_SIZE) != MFA_OK) return MFA_ERR_CRYPTO;
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx || EVP_EncryptInit_ex(ctx, cipher(), NULL, key, box) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, aad.data, (int)aad.len) != 1 ||
	    EVP_EncryptUpdate(ctx, text, &n, plain.data, (int)plain.len) != 1 ||
	    EVP_EncryptFinal_ex(ctx, text + plain.len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, MFA_TAG_SIZE, text + plain.len) != 1) {
		goto out;
	}
	rc = MFA_OK;
out:
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

enum mfa_rc mfa_unseal(uint8_t *plain, size_t *plain_len, size_t plain_size,
		       uint8_t const key[static MFA_KEY_SIZE], struct mfa_bytes aad,
		       struct mfa_bytes box)
{
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t tag[MFA_TAG_SIZE];
	uint8_t const *text;
	enum mfa_rc rc = MFA_ERR_CRYPTO;
	size_t len;
	int n;

	*plain_len = 0;
	if (box.len < MFA_SEAL_OVERHEAD || box.len > INT_MAX / 2) return MFA_ERR_FORMAT;
	len = box.len - MFA_SEAL_OVERHEAD;
	text = box.data + MFA_NONCE_SIZE;
	if (plain_size < len) return MFA_ERR_SPACE;
	memcpy(tag, text + len, sizeof(tag));
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx || EVP_DecryptInit_ex(ctx, cipher(), NULL, key, box.data) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, aad.data, (int)aad.len) != 1 ||
	    EVP_DecryptUpdate(ctx, plain, &n, text, (int)len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, MFA_TAG_SIZE, tag) != 1 ||
	    EVP_DecryptFinal_ex(ctx, tag, &n) != 1) {
		goto out;
	}
	*plain_len = len;
	rc = MFA_OK;
out:
	if (rc != MFA_OK) OPENSSL_cleanse(plain, len);
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

enum mfa_rc mfa_mac(uint8_t mac[static MFA_MAC_SIZE], uint8_t const key[static MFA_KEY_SIZE],
		    struct mfa_bytes const *part, size_t count)
{
	EVP_MAC_CTX *ctx = hmac() ? EVP_MAC_CTX_dup(hmac()) : NULL;
	enum mfa_rc rc = MFA_ERR_CRYPTO;
	size_t mac_len = 0;

	if (!ctx || EVP_MAC_init(ctx, key, MFA_KEY_SIZE, NULL) != 1) goto out;
	for (size_t i = 0; i < count; i++) {
		size_t n = part[i].len;
		uint8_t len[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
				  (uint8_t)n};

		if (EVP_MAC_update(ctx, len, sizeof(len)) != 1) goto out;
		if (n > 0 && EVP_MAC_update(ctx, part[i].data, n) != 1) goto out;
	}
	if (EVP_MAC_final(ctx, mac, &mac_len, MFA_MAC_SIZE) != 1 || mac_len != MFA_MAC_SIZE)
		goto out;
	rc = MFA_OK;
out:
	EVP_MAC_CTX_free(ctx);
	return rc;
}

enum mfa_rc mfa_digest(uint8_t digest[static MFA_MAC_SIZE], struct mfa_bytes part)
{
	return EVP_Digest(part.data, part.len, digest, NULL, digest_type(), NULL) == 1
		       ? MFA_OK
		       : MFA_ERR_CRYPTO;
}

enum mfa_rc mfa_derive(uint8_t out[static MFA_KEY_SIZE], uint8_t const key[static MFA_KEY_SIZE],
		       char const *info)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	size_t out_len = MFA_KEY_SIZE;
	enum mfa_rc rc = MFA_ERR_CRYPTO;

	if (!ctx || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_hkdf_md(ctx, digest_type()) != 1 ||
	    EVP_PKEY_CTX_set1_hkdf_key(ctx, key, MFA_KEY_SIZE) != 1 ||
	    EVP_PKEY_CTX_add1_hkdf_info(ctx, (uint8_t const *)info, (int)strlen(info)) != 1 ||
	    EVP_PKEY_derive(ctx, out, &out_len) != 1 || out_len != MFA_KEY_SIZE) {
		goto out;
	}
	rc = MFA_OK;
out:
	EVP_PKEY_CTX_free(ctx);
	return rc;
}
