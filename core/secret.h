/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/secret.h
 * @brief A TOTP secret as it stands in the directory: base32, otpauth URI, or either one sealed.
 */
#ifndef MFA_CORE_SECRET_H
#define MFA_CORE_SECRET_H

#include "core/keyring.h"
#include "core/otpauth.h"

/** Bytes of the longest sealed secret, NUL included */
#define MFA_SECRET_SIZE                                                                            \
	(5u + MFA_KEY_ID_MAX + 1u + MFA_BASE64URL_SIZE(MFA_OTPAUTH_SIZE + MFA_SEAL_OVERHEAD))

/** Read a secret in any of its forms
 *
 * @param[out] totp     all zero on failure; wipe it after use.
 * @param[out] diag     what is wrong, without the secret; names a missing key id. May be NULL.
 * @param[in] ring      opens what is sealed.
 * @param[in] entry_id  the entry's immutable id as the directory gives it; a sealed secret
 *			opens only in the entry that it was sealed for.
 * @param[in] value     the attribute's value.
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_FORMAT when it is none of the three forms.
 *	- #MFA_ERR_NOT_FOUND when the ring lacks its key.
 *	- #MFA_ERR_CRYPTO when it does not open.
 */
enum mfa_rc mfa_secret_parse(struct mfa_totp *totp, struct mfa_diag *diag,
			     struct mfa_keyring const *ring, struct mfa_bytes entry_id,
			     struct mfa_bytes value) MFA_MUST_CHECK;

/** Seal a secret for one entry with the ring's first key
 *
 * @param[out] out NUL-terminated "{GCM}id$..."; empty on failure.
 * @return #MFA_OK, #MFA_ERR_SPACE or #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_secret_format(char out[static MFA_SECRET_SIZE], struct mfa_totp const *totp,
			      struct mfa_keyring const *ring, struct mfa_bytes entry_id)
	MFA_MUST_CHECK;

/** The id of the key that a value is sealed with
 *
 * @return the id, or no bytes when the value is not sealed.
 */
struct mfa_bytes mfa_secret_key_id(struct mfa_bytes value);

#endif /* MFA_CORE_SECRET_H */
