/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/radius.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MD5_SIZE	  16u
#define ATTR_USER	  1u
#define ATTR_PASSWORD	  2u
#define ATTR_STATE	  24u
#define ATTR_NAS	  32u
#define ATTR_MESSAGE_AUTH 80u

/** Fetched and keyed once: doing that for each packet costs more than the digest itself */
struct bench_digests {
	EVP_MD *md5;
	EVP_MD_CTX *ctx;
	EVP_MAC *hmac;
	EVP_MAC_CTX *keyed;
};

static bool read_secret(struct bench_radius *radius, char const *path)
{
	FILE *file = fopen(path, "re");
	bool const ok = file && fgets(radius->secret, sizeof(radius->secret), file);

	if (file) (void)fclose(file);
	if (!ok) return false;
	radius->secret[strcspn(radius->secret, "\r\n")] = '\0';
	radius->secret_len = strlen(radius->secret);
	return radius->secret_len > 0;
}

static bool prepare(struct bench_digests *digests, char const *secret, size_t secret_len)
{
	char md5_name[] = "MD5";
	OSSL_PARAM const params[] = {OSSL_PARAM_construct_utf8_string("digest", md5_name, 0),
				     OSSL_PARAM_construct_end()};

	digests->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	digests->ctx = EVP_MD_CTX_new();
	digests->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!digests->md5 || !digests->ctx || !digests->hmac) return false;
	digests->keyed = EVP_MAC_CTX_new(digests->hmac);
	return digests->keyed &&
	       EVP_MAC_init(digests->keyed, (uint8_t const *)secret, secret_len, params) == 1;
}

bool bench_radius_init(struct bench_radius *radius, char const *secret_file)
{
	if (!read_secret(radius, secret_file)) {
		fprintf(stderr, "no shared secret in '%s'\n", secret_file);
		return false;
	}
	radius->digests = calloc(1, sizeof(*radius->digests));
	if (radius->digests && prepare(radius->digests, radius->secret, radius->secret_len) &&
	    RAND_bytes(radius->authenticator, MD5_SIZE) == 1) {
		return true;
	}
	fprintf(stderr, "OpenSSL has no MD5, HMAC or random bytes\n");
	bench_radius_clear(radius);
	return false;
}

void bench_radius_clear(struct bench_radius *radius)
{
	struct bench_digests *digests = radius->digests;

	if (digests) {
		EVP_MD_CTX_free(digests->ctx);
		EVP_MD_free(digests->md5);
		EVP_MAC_CTX_free(digests->keyed);
		EVP_MAC_free(digests->hmac);
		free(digests);
	}
	OPENSSL_cleanse(radius, sizeof(*radius));
}

/** MD5 over up to three parts */
static bool md5(uint8_t out[static MD5_SIZE], struct bench_radius *radius, struct mfa_bytes a,
		struct mfa_bytes b, struct mfa_bytes c)
{
	EVP_MD_CTX *ctx = radius->digests->ctx;

	return EVP_DigestInit_ex2(ctx, radius->digests->md5, NULL) == 1 &&
	       EVP_DigestUpdate(ctx, a.data, a.len) == 1 &&
	       EVP_DigestUpdate(ctx, b.data, b.len) == 1 &&
	       EVP_DigestUpdate(ctx, c.data, c.len) == 1 && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

static bool hmac(uint8_t out[static MD5_SIZE], struct bench_radius *radius, uint8_t const *data,
		 size_t len)
{
	EVP_MAC_CTX *ctx = radius->digests->keyed;
	size_t out_len;

	return EVP_MAC_init(ctx, NULL, 0, NULL) == 1 && EVP_MAC_update(ctx, data, len) == 1 &&
	       EVP_MAC_final(ctx, out, &out_len, MD5_SIZE) == 1;
}

static bool add(struct bench_packet *out, uint8_t attr, struct mfa_bytes value)
{
	if (value.len > 253 || out->len + 2 + value.len > sizeof(out->data)) return false;
	out->data[out->len] = attr;
	out->data[out->len + 1] = (uint8_t)(2 + value.len);
	memcpy(out->data + out->len + 2, value.data, value.len);
	out->len += 2 + value.len;
	return true;
}

/** Hide the password (RFC 2865 section 5.2) */
static bool add_password(struct bench_packet *out, struct bench_radius *radius,
			 char const *password)
{
	size_t const len = strlen(password);
	size_t const padded = len == 0 ? MD5_SIZE : (len + MD5_SIZE - 1) / MD5_SIZE * MD5_SIZE;
	struct mfa_bytes const secret = {(uint8_t const *)radius->secret, radius->secret_len};
	struct mfa_bytes previous = {out->data + 4, MD5_SIZE};
	uint8_t hidden[BENCH_PASSWORD_MAX] = {0}, mask[MD5_SIZE];

	if (padded > sizeof(hidden)) return false;
	memcpy(hidden, password, len);
	for (size_t i = 0; i < padded; i += MD5_SIZE) {
		if (!md5(mask, radius, secret, previous, (struct mfa_bytes){0})) return false;
		for (size_t j = 0; j < MD5_SIZE; j++) hidden[i + j] ^= mask[j];
		previous.data = hidden + i;
	}
	return add(out, ATTR_PASSWORD, (struct mfa_bytes){hidden, padded});
}

static void set_len(struct bench_packet *packet)
{
	packet->data[2] = (uint8_t)(packet->len >> 8);
	packet->data[3] = (uint8_t)packet->len;
}

static void next_authenticator(struct bench_radius *radius)
{
	size_t i = MD5_SIZE;

	while (i > 0 && ++radius->authenticator[--i] == 0) {
		/* carried over to the byte in front */
	}
}

bool bench_radius_request(struct bench_packet *out, struct bench_radius *radius, uint8_t ident,
			  char const *user, char const *password, struct mfa_bytes state)
{
	static uint8_t const zero[MD5_SIZE];

	out->data[0] = BENCH_REQUEST;
	out->data[1] = ident;
	out->len = BENCH_HEADER_SIZE;
	next_authenticator(radius);
	memcpy(out->data + 4, radius->authenticator, MD5_SIZE);
	if (!add(out, ATTR_USER, mfa_bytes_of(user)) || !add_password(out, radius, password) ||
	    !add(out, ATTR_NAS, mfa_bytes_of(radius->nas))) {
		return false;
	}
	if (state.len > 0 && !add(out, ATTR_STATE, state)) return false;
	if (radius->sign && !add(out, ATTR_MESSAGE_AUTH, (struct mfa_bytes){zero, sizeof(zero)}))
		return false;
	set_len(out);
	return !radius->sign || hmac(out->data + out->len - MD5_SIZE, radius, out->data, out->len);
}

/** Walk the attributes; false when one does not fit into the packet */
static bool find_attributes(struct mfa_bytes *state, uint8_t **message_auth,
			    struct bench_packet *reply)
{
	size_t at = BENCH_HEADER_SIZE;

	while (at < reply->len) {
		uint8_t *attr = reply->data + at;

		if (reply->len - at < 2 || attr[1] < 2 || attr[1] > reply->len - at) return false;
		if (attr[0] == ATTR_STATE) *state = (struct mfa_bytes){attr + 2, attr[1] - 2u};
		if (attr[0] == ATTR_MESSAGE_AUTH) {
			if (attr[1] != 2 + MD5_SIZE) return false;
			*message_auth = attr + 2;
		}
		at += attr[1];
	}
	return true;
}

/** Check the Message-Authenticator, which was made over the request's authenticator */
static bool signature_ok(struct bench_radius *radius, struct bench_packet const *request,
			 struct bench_packet *reply, uint8_t *message_auth)
{
	uint8_t given[MD5_SIZE], wanted[MD5_SIZE];

	memcpy(given, message_auth, sizeof(given));
	memset(message_auth, 0, sizeof(given));
	memcpy(reply->data + 4, request->data + 4, MD5_SIZE);
	return hmac(wanted, radius, reply->data, reply->len) &&
	       CRYPTO_memcmp(given, wanted, sizeof(given)) == 0;
}

enum bench_code bench_radius_check(struct mfa_bytes *state, struct bench_radius *radius,
				   struct bench_packet const *request, struct bench_packet *reply)
{
	struct mfa_bytes const secret = {(uint8_t const *)radius->secret, radius->secret_len};
	uint8_t given[MD5_SIZE], wanted[MD5_SIZE];
	uint8_t *message_auth = NULL;

	*state = (struct mfa_bytes){0};
	if (reply->len < BENCH_HEADER_SIZE || reply->data[1] != request->data[1] ||
	    ((size_t)reply->data[2] << 8 | reply->data[3]) != reply->len ||
	    !find_attributes(state, &message_auth, reply)) {
		return BENCH_NOTHING;
	}
	memcpy(given, reply->data + 4, sizeof(given));
	memcpy(reply->data + 4, request->data + 4, MD5_SIZE);
	if (!md5(wanted, radius, (struct mfa_bytes){reply->data, reply->len}, secret,
		 (struct mfa_bytes){0}) ||
	    CRYPTO_memcmp(given, wanted, sizeof(given)) != 0) {
		return BENCH_NOTHING;
	}
	if (message_auth && !signature_ok(radius, request, reply, message_auth))
		return BENCH_NOTHING;
	switch (reply->data[0]) {
	case BENCH_ACCEPT: return BENCH_ACCEPT;
	case BENCH_REJECT: return BENCH_REJECT;
	case BENCH_CHALLENGE: return BENCH_CHALLENGE;
	default: return BENCH_NOTHING;
	}
}
