/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/totp.h
 * @brief TOTP values and their comparison (RFC 6238 over RFC 4226).
 *
 * Pure: no clock, no directory, no logging.  The caller passes the time.
 */
#ifndef MFA_CORE_TOTP_H
#define MFA_CORE_TOTP_H

#include "core/code.h"

#define MFA_TOTP_KEY_MIN    16u	 //!< Bytes: 128 bits, RFC 4226 section 4, R6.
#define MFA_TOTP_KEY_MAX    128u //!< Bytes: one block of SHA-512.
#define MFA_TOTP_DIGITS_MIN 6u	 //!< Digits, RFC 4226 section 5.3.
#define MFA_TOTP_DIGITS_MAX 8u	 //!< Digits, RFC 4226 section 5.3.
#define MFA_TOTP_PERIOD_MIN 15u	 //!< Seconds.
#define MFA_TOTP_PERIOD_MAX 120u //!< Seconds.
#define MFA_TOTP_NAME_MAX   64u	 //!< Bytes of a device's name, UTF-8.
#define MFA_TOTP_WINDOW_MAX 10u	 //!< Steps accepted on either side.
#define MFA_TOTP_DRIFT_MAX  40	 //!< Steps that a token's clock may be off.

/** Hash of the HMAC (RFC 6238 section 1.2) */
enum mfa_totp_hash {
	MFA_TOTP_SHA1,
	MFA_TOTP_SHA256,
	MFA_TOTP_SHA512,
};

/** One device's secret and what it was enrolled with */
struct mfa_totp {
	uint8_t key[MFA_TOTP_KEY_MAX];	  //!< Raw, not base32.
	size_t key_len;			  //!< MFA_TOTP_KEY_MIN .. MFA_TOTP_KEY_MAX.
	enum mfa_totp_hash hash;	  //!< Default SHA-1.
	uint32_t digits;		  //!< MFA_TOTP_DIGITS_MIN .. MFA_TOTP_DIGITS_MAX.
	uint32_t period_s;		  //!< MFA_TOTP_PERIOD_MIN .. MFA_TOTP_PERIOD_MAX.
	int64_t added_s;		  //!< When it was enrolled, Unix time; 0 when not known.
	char name[MFA_TOTP_NAME_MAX + 1]; //!< What the user calls the device; may be empty.
};

/** Which steps are looked at */
struct mfa_totp_window {
	uint32_t steps; //!< On either side of now, 0 .. MFA_TOTP_WINDOW_MAX.
	int64_t drift;	//!< Of the token's clock, in steps, -MFA_TOTP_DRIFT_MAX .. +; 0 for none.
	int64_t not_after; //!< Codes of steps that begin at or before this second are used up; -1.
};

/** What was found */
struct mfa_totp_match {
	bool fresh;   //!< The code is right and was not used yet.
	bool used;    //!< The code was right once and is used up.
	int64_t step; //!< Its time step, in steps since the Unix epoch; 0 when neither.
};

/** The names "SHA1", "SHA256", "SHA512" */
char const *mfa_totp_hash_name(enum mfa_totp_hash hash);

/** Compute the code of one step
 *
 * @param[out] code NUL-terminated digits; empty on failure.
 * @param[in] step  steps since the Unix epoch, 0 or more.
 * @return #MFA_OK, #MFA_ERR_ARG or #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_totp_generate(char code[static MFA_TOTP_DIGITS_MAX + 1],
			      struct mfa_totp const *totp, int64_t step) MFA_MUST_CHECK;

/** Look for the step whose code is the one received
 *
 * Looks at now - steps .. now + steps and, when the token drifts, at as much
 * around now + drift (RFC 6238 section 6).  Every step is computed and compared
 * in constant time, also after a match.  A step that is used up never makes a
 * code fresh (RFC 6238 section 5.2).
 *
 * @param[out] match all false on failure.
 * @param[in] now_s  seconds since the Unix epoch, UTC, 0 or later.
 * @return #MFA_OK also when nothing matched, #MFA_ERR_ARG, #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_totp_match(struct mfa_totp_match *match, struct mfa_totp const *totp,
			   struct mfa_totp_window const *window, struct mfa_code const *code,
			   int64_t now_s) MFA_MUST_CHECK;

#endif /* MFA_CORE_TOTP_H */
