/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file tests/bench/radius.h
 * @brief The client's half of RADIUS: make a request, check a reply (RFC 2865, RFC 2869).
 */
#ifndef BENCH_RADIUS_H
#define BENCH_RADIUS_H

#include "core/text.h"

#define BENCH_PACKET_SIZE   1024u //!< Bytes of the largest packet made or taken.
#define BENCH_HEADER_SIZE   20u	  //!< Bytes before the attributes.
#define BENCH_STATE_MAX	    253u  //!< Bytes of a State.
#define BENCH_PASSWORD_MAX  128u  //!< Bytes of a User-Password, RFC 2865 section 5.2.
#define BENCH_SHARED_SECRET 128u  //!< Bytes of the longest shared secret.

/** Codes of packets, RFC 2865 section 3 */
enum bench_code {
	BENCH_NOTHING = 0,
	BENCH_REQUEST = 1,
	BENCH_ACCEPT = 2,
	BENCH_REJECT = 3,
	BENCH_CHALLENGE = 11
};

/** A packet */
struct bench_packet {
	uint8_t data[BENCH_PACKET_SIZE];
	size_t len;
};

/** What all packets to one server share */
struct bench_radius {
	char secret[BENCH_SHARED_SECRET + 1]; //!< NUL-terminated.
	size_t secret_len;
	char const *nas;	   //!< NAS-Identifier.
	bool sign;		   //!< Send Message-Authenticator.
	uint8_t authenticator[16]; //!< Random at first, counted up: no two packets have the same.
	struct bench_digests *digests; //!< Prepared MD5 and HMAC-MD5.
};

/** Prepare; nas and sign are the caller's
 *
 * @param[in] secret_file holds the shared secret in its first line.
 * @return false after having said why on standard error.
 */
bool bench_radius_init(struct bench_radius *radius, char const *secret_file);

/** Wipe and free */
void bench_radius_clear(struct bench_radius *radius);

/** Make an Access-Request
 *
 * @param[in] state copied into the request when it has bytes.
 * @return false when it does not fit.
 */
bool bench_radius_request(struct bench_packet *out, struct bench_radius *radius, uint8_t ident,
			  char const *user, char const *password, struct mfa_bytes state);

/** Check a reply: length, Response Authenticator, Message-Authenticator if there is one
 *
 * @param[out] state points into the reply; no bytes when it has none.
 * @param[in] reply is changed while its Message-Authenticator is computed.
 * @return its code, or BENCH_NOTHING when it is not an answer to this request.
 */
enum bench_code bench_radius_check(struct mfa_bytes *state, struct bench_radius *radius,
				   struct bench_packet const *request, struct bench_packet *reply);

#endif /* BENCH_RADIUS_H */
