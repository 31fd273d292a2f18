/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/import/import.h
 * @brief Reading what other systems write: rows of users and their secrets.
 *
 * Pure parsers: each takes a file's content and calls back row by row.
 */
#ifndef MFA_ADMIN_IMPORT_IMPORT_H
#define MFA_ADMIN_IMPORT_IMPORT_H

#include "admin/import/pskc_decrypt.h"
#include "core/totp.h"

#define MFA_CLI_IMPORT_MAX  (16u << 20) //!< Bytes of a file.
#define MFA_CLI_IMPORT_USER 256u	//!< Bytes of a user name, NUL included.

/** One row; holds a secret */
struct mfa_cli_row {
	unsigned number;		//!< Line, or key package, from 1.
	char user[MFA_CLI_IMPORT_USER]; //!< Empty when the format has none.
	struct mfa_totp totp;
	bool good;
	struct mfa_diag diag; //!< What is wrong, without the secret; only when not good.
};

/** Who takes the rows; returns false to end the reading */
struct mfa_cli_row_taker {
	bool (*take)(struct mfa_cli_row const *row, void *uctx);
	void *uctx;
};

/** The formats, in the order of --format */
enum mfa_cli_format {
	MFA_CLI_FORMAT_AUTO,
	MFA_CLI_FORMAT_CSV,
	MFA_CLI_FORMAT_OTPAUTH,
	MFA_CLI_FORMAT_GOOGLE,
	MFA_CLI_FORMAT_PSKC,
};

/** Tell the format by how the file begins */
enum mfa_cli_format mfa_cli_import_guess(struct mfa_bytes text);

/** A header line, then rows (RFC 4180); columns user, secret, device, algorithm, digits, period
 *
 * @param[out] diag when the header is not usable.
 * @return #MFA_OK also when single rows are bad, #MFA_ERR_FORMAT.
 */
enum mfa_rc mfa_cli_import_csv(struct mfa_diag *diag, struct mfa_bytes text,
			       struct mfa_cli_row_taker const *taker) MFA_MUST_CHECK;

/** A URI a line; the account in its label is the user */
enum mfa_rc mfa_cli_import_otpauth(struct mfa_diag *diag, struct mfa_bytes text,
				   struct mfa_cli_row_taker const *taker) MFA_MUST_CHECK;

/** The file of google-authenticator's PAM module: one secret, its options, scratch codes */
enum mfa_rc mfa_cli_import_google(struct mfa_diag *diag, struct mfa_bytes text,
				  struct mfa_cli_row_taker const *taker) MFA_MUST_CHECK;

/** PSKC (RFC 6030); encrypted values as far as @p unlock opens them */
enum mfa_rc mfa_cli_import_pskc(struct mfa_diag *diag, struct mfa_bytes text,
				struct mfa_cli_pskc_unlock const *unlock,
				struct mfa_cli_row_taker const *taker) MFA_MUST_CHECK;

/** Cut the next line, without its line break */
struct mfa_bytes mfa_cli_import_line(struct mfa_bytes *rest);

/** Begin a row: empty, with the defaults of RFC 6238 */
void mfa_cli_row_init(struct mfa_cli_row *row, unsigned number);

/** Set a secret from base32; false, with a diagnosis, when it is too short or no base32 */
bool mfa_cli_row_secret(struct mfa_cli_row *row, struct mfa_bytes base32);

#endif /* MFA_ADMIN_IMPORT_IMPORT_H */
