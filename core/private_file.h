/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/private_file.h
 * @brief Read a file that holds a secret.
 */
#ifndef MFA_CORE_PRIVATE_FILE_H
#define MFA_CORE_PRIVATE_FILE_H

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

/** Read all of a file that nobody else may read
 *
 * A regular file, mode 0640 or stricter, no symbolic link.
 *
 * @param[out] out  wipe it after use.
 * @param[out] len  bytes read; 0 on failure.
 * @param[in] size  bytes at @p out; the file must be smaller.
 * @param[in] what  what the file is, for @p diag: "key ring".
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND (cannot be opened or read), #MFA_ERR_DENIED (others may
 *	read it), #MFA_ERR_SPACE (too large).
 */
enum mfa_rc mfa_private_file_read(uint8_t *out, size_t *len, size_t size, struct mfa_diag *diag,
				  char const *what, char const *path) MFA_MUST_CHECK;

#endif /* MFA_CORE_PRIVATE_FILE_H */
