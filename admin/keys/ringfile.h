/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/keys/ringfile.h
 * @brief Rewriting the key ring file: lines as they are, the file never half written.
 */
#ifndef MFA_ADMIN_KEYS_RINGFILE_H
#define MFA_ADMIN_KEYS_RINGFILE_H

#include "core/keyring.h"

#include <sys/types.h>

#define MFA_CLI_RING_TEXT    (MFA_KEYRING_FILE_MAX + 128u)
#define MFA_CLI_RING_NEW     ".new"	//!< Behind the name: a file that is being written.
#define MFA_CLI_RING_REMOVED ".removed" //!< Behind the name: keys that were taken off.

/** A key ring file that is being rewritten; holds keys */
struct mfa_cli_ringfile {
	char path[512];
	int folder; //!< The folder, locked: only one rewrites at a time.
	bool exists;
	int fd; //!< The file itself, for its owner, mode and access control list; -1: none.
	size_t len;
	char text[MFA_CLI_RING_TEXT];
	char removed[256]; //!< The line of a key that was taken off; empty: none.
};

/** Lock the folder and read the file, if there is one
 *
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND (folder), #MFA_ERR_DENIED, #MFA_ERR_FORMAT.
 */
enum mfa_rc mfa_cli_ringfile_open(struct mfa_cli_ringfile *file, struct mfa_diag *diag,
				  char const *path) MFA_MUST_CHECK;

/** Whether there is a key of this id */
bool mfa_cli_ringfile_has(struct mfa_cli_ringfile const *file, char const *id);

/** Put a fresh key in: in front of all others, or behind them
 *
 * @return #MFA_OK, #MFA_ERR_SPACE, #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_cli_ringfile_add(struct mfa_cli_ringfile *file, char const *id, bool last)
	MFA_MUST_CHECK;

/** Take a key out, or put it in front of all others
 *
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND.
 */
enum mfa_rc mfa_cli_ringfile_remove(struct mfa_cli_ringfile *file, char const *id) MFA_MUST_CHECK;
enum mfa_rc mfa_cli_ringfile_promote(struct mfa_cli_ringfile *file, char const *id) MFA_MUST_CHECK;

/** Check what it is now, and put it in place of the old file
 *
 * A new file in the same folder, with mode, owner and access control list of the old one
 * (0640 for the first), flushed to disk, then renamed.  A key that was taken off is first
 * written to the file of removed keys, which is only ever appended to.
 *
 * @param[in] dry_run only check.
 * @return #MFA_OK, #MFA_ERR_FORMAT, #MFA_ERR_SPACE, #MFA_ERR_DENIED.
 */
enum mfa_rc mfa_cli_ringfile_write(struct mfa_cli_ringfile *file, struct mfa_diag *diag,
				   bool dry_run) MFA_MUST_CHECK;

/** Unlock and wipe */
void mfa_cli_ringfile_close(struct mfa_cli_ringfile *file);

#endif /* MFA_ADMIN_KEYS_RINGFILE_H */
