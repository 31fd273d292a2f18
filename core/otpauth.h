/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/otpauth.h
 * @brief The otpauth:// URI that authenticator apps read from a QR code.
 */
#ifndef MFA_CORE_OTPAUTH_H
#define MFA_CORE_OTPAUTH_H

#include "core/totp.h"

/** Bytes of the longest URI that is read or stored, NUL included */
#define MFA_OTPAUTH_SIZE 768u
/** Bytes of the longest link that is shown: issuer of 64 bytes, label of 128, key of 64 */
#define MFA_OTPAUTH_LINK_SIZE 1024u

/** Read an otpauth://totp/LABEL?secret=... URI
 *
 * The label names the device; an "Issuer:" in front of it is dropped.  Of the
 * parameters secret, algorithm (SHA1, SHA256, SHA512), digits (6..8), period
 * (15..120) and added (Unix time of enrolment) each may stand once; others are
 * skipped, as apps do.
 *
 * @param[out] totp all zero on failure.
 * @param[out] diag what is wrong, without the secret. May be NULL.
 * @return #MFA_OK or #MFA_ERR_FORMAT.
 */
enum mfa_rc mfa_otpauth_parse(struct mfa_totp *totp, struct mfa_diag *diag, struct mfa_bytes uri)
	MFA_MUST_CHECK;

/** Write the URI
 *
 * @param[out] out     NUL-terminated; empty on failure.
 * @param[in] out_size bytes at @p out; #MFA_OTPAUTH_SIZE is always enough for the form that
 *		       is stored, #MFA_OTPAUTH_LINK_SIZE for a link with an issuer.
 * @param[in] issuer   shown by the app above the code, or NULL: then the URI is in the form
 *		       that is stored, with "added" and the device's name as label.
 * @param[in] label    the account that the app shows; only used with an issuer.
 * @return #MFA_OK or #MFA_ERR_SPACE.
 */
enum mfa_rc mfa_otpauth_format(char *out, size_t out_size, struct mfa_totp const *totp,
			       char const *issuer, char const *label) MFA_MUST_CHECK;

#endif /* MFA_CORE_OTPAUTH_H */
