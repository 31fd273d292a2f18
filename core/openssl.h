/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/openssl.h
 * @brief Names of OpenSSL 3 that OpenSSL 1.1.1 (Debian 11) lacks.
 *
 * OpenSSL 3 fetches algorithms.  Those of 1.1.1 are constants, which nobody frees.
 */
#ifndef MFA_OPENSSL_H
#define MFA_OPENSSL_H

#include <openssl/evp.h>

#if OPENSSL_VERSION_NUMBER >= 0x30000000L

#include <openssl/core_names.h>
#include <openssl/params.h>

static inline EVP_CIPHER *mfa_openssl_aes_256_gcm(void)
{
	return EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static inline EVP_MD *mfa_openssl_sha_256(void)
{
	return EVP_MD_fetch(NULL, "SHA2-256", NULL);
}

/** HMAC-SHA-256 without a key, to be copied for each use */
static inline EVP_MAC_CTX *mfa_openssl_hmac_sha_256(void)
{
	char digest[] = "SHA2-256";
	OSSL_PARAM const params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac);
	if (ctx && EVP_MAC_CTX_set_params(ctx, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

#else

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <string.h>

#define EVP_CIPHER_get_key_length EVP_CIPHER_key_length
#define EVP_MAC_CTX		  HMAC_CTX
#define EVP_MAC_CTX_free	  HMAC_CTX_free
#define EVP_MAC_update		  HMAC_Update

static inline EVP_CIPHER *mfa_openssl_aes_256_gcm(void)
{
	return (EVP_CIPHER *)(uintptr_t)EVP_aes_256_gcm();
}

static inline EVP_MD *mfa_openssl_sha_256(void)
{
	return (EVP_MD *)(uintptr_t)EVP_sha256();
}

static inline void EVP_CIPHER_free(EVP_CIPHER *cipher)
{
	(void)cipher;
}

static inline void EVP_MD_free(EVP_MD *digest)
{
	(void)digest;
}

static inline int OPENSSL_hexstr2buf_ex(uint8_t *out, size_t out_size, size_t *out_len,
					char const *hex, char separator)
{
	long len = 0;
	uint8_t *buf = OPENSSL_hexstr2buf(hex, &len);
	int const done = buf && separator == '\0' && (size_t)len <= out_size;

	if (done) memcpy(out, buf, (size_t)len);
	*out_len = done ? (size_t)len : 0;
	OPENSSL_clear_free(buf, buf ? (size_t)len : 0);
	return done;
}

static inline EVP_MAC_CTX *mfa_openssl_hmac_sha_256(void)
{
	return HMAC_CTX_new();
}

/* Without a key there is nothing in it to copy. */
static inline EVP_MAC_CTX *EVP_MAC_CTX_dup(EVP_MAC_CTX const *ctx)
{
	(void)ctx;
	return HMAC_CTX_new();
}

static inline int EVP_MAC_init(EVP_MAC_CTX *ctx, uint8_t const *key, size_t key_len,
			       void const *params)
{
	(void)params;
	return HMAC_Init_ex(ctx, key, (int)key_len, EVP_sha256(), NULL);
}

static inline int EVP_MAC_final(EVP_MAC_CTX *ctx, uint8_t *out, size_t *out_len, size_t out_size)
{
	unsigned len = 0;
	int const done = (int)out_size >= EVP_MD_size(EVP_sha256()) && HMAC_Final(ctx, out, &len);

	*out_len = len;
	return done;
}

#endif

#endif /* MFA_OPENSSL_H */
