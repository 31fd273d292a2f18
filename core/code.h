/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/code.h
 * @brief What a person typed where a code was asked for.
 */
#ifndef MFA_CORE_CODE_H
#define MFA_CORE_CODE_H

#include "core/text.h"

#define MFA_CODE_MAX	      64u //!< Characters that are looked at; anything longer is no code.
#define MFA_CODE_RECOVERY_LEN 12u //!< Letters of a recovery code, dashes not counted.
#define MFA_CHAP_SIZE	      16u //!< Bytes of a CHAP response (RFC 1994 section 4.1).

/** What kind of thing it is */
enum mfa_code_kind {
	MFA_CODE_NONE = 0, //!< Nothing that could ever be right.
	MFA_CODE_DIGITS,   //!< Digits only: a TOTP code of some length.
	MFA_CODE_RECOVERY, //!< Letters only: a recovery code.
	MFA_CODE_CHAP,	   //!< The MD5 of something that we have to guess (RFC 2865 section 2.2).
};

/** A presented code; wipe it with mfa_code_clear() */
struct mfa_code {
	enum mfa_code_kind kind;
	char text[MFA_CODE_MAX + 1];	 //!< Digits, or capital letters; NUL-terminated.
	size_t len;			 //!< Characters at text.
	uint8_t chap_id;		 //!< CHAP: identifier.
	uint8_t chap[MFA_CHAP_SIZE];	 //!< CHAP: response.
	uint8_t challenge[MFA_CODE_MAX]; //!< CHAP: challenge.
	size_t challenge_len;		 //!< CHAP: bytes at challenge.
};

/** Read what was typed
 *
 * Spaces and dashes are dropped.  What remains is digits, or letters, or no code.
 *
 * @param[out] code always set; kind MFA_CODE_NONE when it can be no code.
 * @param[in] typed any bytes.
 */
void mfa_code_parse(struct mfa_code *code, struct mfa_bytes typed);

/** Take a CHAP response over a code
 *
 * @param[out] code      always set.
 * @param[in] response   identifier and MD5: 17 bytes.
 * @param[in] challenge  1 .. MFA_CODE_MAX bytes.
 */
void mfa_code_parse_chap(struct mfa_code *code, struct mfa_bytes response,
			 struct mfa_bytes challenge);

/** Whether it is the code that was expected; constant time
 *
 * @param[in] expected NUL-terminated digits.
 */
bool mfa_code_equals(struct mfa_code const *code, char const *expected);

/** Wipe it */
void mfa_code_clear(struct mfa_code *code);

#endif /* MFA_CORE_CODE_H */
