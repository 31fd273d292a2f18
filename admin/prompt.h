/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/prompt.h
 * @brief What is asked of the person at the terminal, and secrets read from files.
 */
#ifndef MFA_ADMIN_PROMPT_H
#define MFA_ADMIN_PROMPT_H

#include "admin/cli.h"

/** Ask on stderr, read a line from stdin; the terminal shows nothing when @p secret
 *
 * @param[out] out NUL-terminated, without the line's end; empty on failure.
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND at the end of the input, #MFA_ERR_SPACE.
 */
enum mfa_rc mfa_cli_ask(char *out, size_t out_size, char const *question, bool secret)
	MFA_MUST_CHECK;

/** Read a secret from a file; one line break at its end is dropped
 *
 * Warns when others can read the file.
 *
 * @param[out] out NUL-terminated; empty on failure.
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND, #MFA_ERR_FORMAT (a NUL in it), #MFA_ERR_SPACE.
 */
enum mfa_rc mfa_cli_read_secret(char *out, size_t out_size, struct mfa_diag *diag, char const *path)
	MFA_MUST_CHECK;

/** Read a whole text file, "-" for stdin; without the byte order mark of UTF-8
 *
 * @param[out] data to be wiped and freed with mfa_cli_free_secret(); NULL on failure.
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND, #MFA_ERR_SPACE, #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_cli_read_file(uint8_t **data, size_t *len, struct mfa_diag *diag, char const *path,
			      size_t max) MFA_MUST_CHECK;

/** Wipe and free; sets *data to NULL */
void mfa_cli_free_secret(uint8_t **data, size_t len);

#endif /* MFA_ADMIN_PROMPT_H */
