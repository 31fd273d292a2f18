/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/import/pskc_decrypt.h
 * @brief Encrypted values of a PSKC file (RFC 6030 section 6).
 *
 * libpskc reads everything but these: it has no decryption.  So they are taken out of the
 * document that it gets to see, and are asked for by the number of the key package.
 */
#ifndef MFA_ADMIN_IMPORT_PSKC_DECRYPT_H
#define MFA_ADMIN_IMPORT_PSKC_DECRYPT_H

#include "core/err.h"
#include "core/text.h"

/** What opens a file; either may be empty */
struct mfa_cli_pskc_unlock {
	struct mfa_bytes key;	     //!< The pre-shared key, 16, 24 or 32 bytes.
	struct mfa_bytes passphrase; //!< For PBKDF2.
};

/** A document */
struct mfa_cli_pskc;

/** Read a document
 *
 * That its values cannot be decrypted is no failure: mfa_cli_pskc_secret() says why.
 *
 * @param[out] diag why it is not one.
 * @return #MFA_OK, #MFA_ERR_FORMAT, #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_cli_pskc_open(struct mfa_cli_pskc **pskc, struct mfa_diag *diag,
			      struct mfa_bytes text, struct mfa_cli_pskc_unlock const *unlock)
	MFA_MUST_CHECK;

/** Wipe and free; sets *pskc to NULL */
void mfa_cli_pskc_free(struct mfa_cli_pskc **pskc);

/** Write the document without what is encrypted
 *
 * @param[out] text to be freed with mfa_cli_pskc_free_rest().
 * @return #MFA_OK, #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_cli_pskc_rest(struct mfa_bytes *text, struct mfa_cli_pskc const *pskc)
	MFA_MUST_CHECK;

/** Wipe and free, since values in clear may be in it */
void mfa_cli_pskc_free_rest(struct mfa_bytes *text);

/** Decrypt the secret of a key package
 *
 * Its ValueMAC is compared first; a value without one is refused.
 *
 * @param[in] package from 0.
 * @param[out] out_len 0 on failure.
 * @param[out] diag    why not.
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND (no encrypted value), #MFA_ERR_FORMAT,
 *	#MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_cli_pskc_secret(uint8_t *out, size_t *out_len, size_t out_size,
				struct mfa_diag *diag, struct mfa_cli_pskc const *pskc,
				unsigned package) MFA_MUST_CHECK;

#endif /* MFA_ADMIN_IMPORT_PSKC_DECRYPT_H */
