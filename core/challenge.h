/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/challenge.h
 * @brief The RADIUS State attribute: a login between its two packets, sealed.
 *
 * The server keeps nothing; whoever has the key ring can answer the second packet.
 */
#ifndef MFA_CORE_CHALLENGE_H
#define MFA_CORE_CHALLENGE_H

#include "core/keyring.h"

#define MFA_STATE_PREFIX   "pm1." //!< Begins every State of this form.
#define MFA_STATE_TAG_LEN  4u	  //!< Characters after the prefix: whose State it is.
#define MFA_STATE_TEXT_MAX 253u	  //!< Octets of a RADIUS attribute (RFC 2865 section 5).
#define MFA_CHALLENGE_HASH 16u	  //!< Bytes of a truncated SHA-256.
#define MFA_CHALLENGE_KEPT 101u	  //!< Bytes that travel along for the host program.

/** A login that waits for its code */
struct mfa_challenge {
	int64_t issued_s;		  //!< Unix time.
	uint8_t nonce[MFA_NONCE_SIZE];	  //!< Of the login; stays while codes are tried.
	uint8_t user[MFA_CHALLENGE_HASH]; //!< Hash of the entry's immutable id.
	uint8_t bind[MFA_CHALLENGE_HASH]; //!< Hash of what the second packet must have in common.
	bool enrolling;	  //!< The user has to enroll first, and has longer to answer.
	uint8_t attempt;  //!< Which code is asked for, 1 to 127; 0: none, a text is shown.
	uint8_t failures; //!< Wrong codes in a row when the first prompt was made.
	uint8_t kept_len; //!< Bytes at kept.
	uint8_t kept[MFA_CHALLENGE_KEPT]; //!< Opaque to core: see rlm_peruser_mfa/remember.c.
};

/** Whether this State has our form, whoever wrote it */
bool mfa_challenge_has_form(struct mfa_bytes state);

/** Whether this State was written for this context, with a key of this ring
 *
 * By the tag outside of the sealed part: a server leaves the State of another site to the
 * server that wrote it.  Says nothing about whether the State opens.
 *
 * @param[in] context as for mfa_challenge_seal().
 */
bool mfa_challenge_is_ours(struct mfa_bytes state, struct mfa_keyring const *ring,
			   char const *context);

/** The hash that user and bind are compared by: SHA-256, truncated */
enum mfa_rc mfa_challenge_hash(uint8_t hash[static MFA_CHALLENGE_HASH], struct mfa_bytes what)
	MFA_MUST_CHECK;

/** Seal a challenge with the ring's first key
 *
 * @param[out] state   NUL-terminated printable text; empty on failure.
 * @param[in] context  whose challenge it is, such as the instance's name; only the same
 *		       context opens it.
 * @return #MFA_OK, #MFA_ERR_ARG for what does not fit, #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_challenge_seal(char state[static MFA_STATE_TEXT_MAX + 1],
			       struct mfa_challenge const *challenge,
			       struct mfa_keyring const *ring, char const *context) MFA_MUST_CHECK;

/** Open a State
 *
 * Age, user and binding are for the caller to compare.
 *
 * @param[out] challenge all zero on failure.
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_FORMAT when it is not of our form.
 *	- #MFA_ERR_CRYPTO when no key of the ring opens it: altered, of another context, or
 *	  sealed by a key that the ring lacks.
 */
enum mfa_rc mfa_challenge_open(struct mfa_challenge *challenge, struct mfa_keyring const *ring,
			       struct mfa_bytes state, char const *context) MFA_MUST_CHECK;

#endif /* MFA_CORE_CHALLENGE_H */
