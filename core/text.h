/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/text.h
 * @brief Strict readers and writers of the small text forms that the record is made of.
 *
 * Each reader takes a pointer and a length, never reads past it, and refuses
 * whatever its writer would not have written.
 */
#ifndef MFA_CORE_TEXT_H
#define MFA_CORE_TEXT_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A run of bytes that somebody else owns */
struct mfa_bytes {
	uint8_t const *data; //!< Not NUL-terminated; NULL only when len is 0.
	size_t len;	     //!< Bytes at data.
};

/** Characters that base64url without padding needs for @p _n bytes, NUL included */
#define MFA_BASE64URL_SIZE(_n) (((_n)*4u + 2u) / 3u + 1u)

/** View a C string as bytes, without its NUL */
struct mfa_bytes mfa_bytes_of(char const *text);

/** Whether two byte strings are the same; constant time in the content, not in the length */
bool mfa_bytes_equal(struct mfa_bytes a, struct mfa_bytes b);

/** Cut the next space-separated word off the front
 *
 * @param[out] word    the word; empty when nothing is left or two spaces follow each other.
 * @param[in,out] rest what is still to be read; afterwards what follows the space.
 * @return whether a word that is not empty was cut.
 */
bool mfa_text_word(struct mfa_bytes *word, struct mfa_bytes *rest);

/** Read a decimal number
 *
 * @param[out] value the number; 0 on failure.
 * @param[in] text   1..18 ASCII digits, no sign, no leading zero unless it is "0".
 * @param[in] max    largest value allowed.
 * @return #MFA_OK or #MFA_ERR_FORMAT.
 */
enum mfa_rc mfa_text_number(int64_t *value, struct mfa_bytes text, int64_t max) MFA_MUST_CHECK;

/** Write base64url without padding (RFC 4648 section 5)
 *
 * @param[out] out     NUL-terminated text.
 * @param[in] out_size bytes at @p out, at least #MFA_BASE64URL_SIZE (@p len).
 * @return #MFA_OK or #MFA_ERR_SPACE.
 */
enum mfa_rc mfa_base64url_encode(char *out, size_t out_size, uint8_t const *in, size_t len)
	MFA_MUST_CHECK;

/** Read base64url without padding
 *
 * Unused bits at the end must be zero, so that no two texts mean the same bytes.
 *
 * @param[out] out     the bytes.
 * @param[out] out_len bytes written; 0 on failure.
 * @param[in] out_size bytes at @p out.
 * @return #MFA_OK, #MFA_ERR_FORMAT or #MFA_ERR_SPACE.
 */
enum mfa_rc mfa_base64url_decode(uint8_t *out, size_t *out_len, size_t out_size,
				 struct mfa_bytes in) MFA_MUST_CHECK;

/** Read base64 with padding (RFC 4648 section 4); otherwise as mfa_base64url_decode() */
enum mfa_rc mfa_base64_decode(uint8_t *out, size_t *out_len, size_t out_size, struct mfa_bytes in)
	MFA_MUST_CHECK;

/** Read base32 (RFC 4648 section 6) as people paste it
 *
 * Either case, spaces and dashes between groups, padding or none.
 *
 * @param[out] out     the bytes.
 * @param[out] out_len bytes written; 0 on failure.
 * @param[in] out_size bytes at @p out.
 * @return #MFA_OK, #MFA_ERR_FORMAT or #MFA_ERR_SPACE.
 */
enum mfa_rc mfa_base32_decode(uint8_t *out, size_t *out_len, size_t out_size, struct mfa_bytes in)
	MFA_MUST_CHECK;

/** Write base32 in capitals without padding
 *
 * @param[out] out     NUL-terminated text.
 * @param[in] out_size bytes at @p out, at least (@p len * 8 + 4) / 5 + 1.
 * @return #MFA_OK or #MFA_ERR_SPACE.
 */
enum mfa_rc mfa_base32_encode(char *out, size_t out_size, uint8_t const *in, size_t len)
	MFA_MUST_CHECK;

/** Read an LDAP Generalized Time (RFC 4517 section 3.3.13)
 *
 * Minutes, seconds and a fraction may be missing; the fraction is dropped.
 *
 * @param[out] time_s seconds since the Unix epoch, UTC; 0 on failure.
 * @return #MFA_OK or #MFA_ERR_FORMAT.
 */
enum mfa_rc mfa_time_parse(int64_t *time_s, struct mfa_bytes text) MFA_MUST_CHECK;

#define MFA_TIME_SIZE 18u //!< "YYYYMMDDHHMMSS.0Z" and NUL.

/** Write an LDAP Generalized Time in UTC, to the second
 *
 * With the fraction that Active Directory insists on, which all others take as well.
 *
 * @param[in] time_s 0 .. 253402300799 (the end of the year 9999).
 * @return #MFA_OK or #MFA_ERR_ARG.
 */
enum mfa_rc mfa_time_format(char out[MFA_TIME_SIZE], int64_t time_s) MFA_MUST_CHECK;

#endif /* MFA_CORE_TEXT_H */
