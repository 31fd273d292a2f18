/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/walk.h
 * @brief Entries: one by name, or as many as a filter finds, page by page.
 */
#ifndef MFA_ADMIN_WALK_H
#define MFA_ADMIN_WALK_H

#include "admin/cli.h"

#define MFA_CLI_NAME_MAX 256u //!< Bytes of a login name or DN as it is shown.

/** Called for each entry; returns false to end the walk */
struct mfa_cli_visitor {
	bool (*visit)(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx);
	/** Called for a name that is not found; NULL: a message, and it is counted as failed */
	void (*missing)(struct mfa_cli *cli, char const *user, struct mfa_diag const *diag);
	void *uctx;
	char const *what; //!< For the progress line: "entries read".
};

/** Visit every entry that a filter finds, in pages (RFC 2696)
 *
 * Only one page is in memory at a time.  An entry whose record cannot be read is
 * reported, counted as failed, and left out; so is one of which this account may not see
 * all that the subcommand looks at.
 *
 * @param[in] filter combined with the one that finds users; NULL: all users.
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND (no entry), #MFA_ERR_UNAVAILABLE, #MFA_ERR_DENIED,
 *	#MFA_ERR_FORMAT, #MFA_ERR_NOMEM; #MFA_ERR_SPACE when a limit of the directory ended it,
 *	after the entries before it were visited.
 */
enum mfa_rc mfa_cli_walk(struct mfa_cli *cli, struct mfa_diag *diag, char const *filter,
			 struct mfa_cli_visitor const *visitor) MFA_MUST_CHECK;

/** Visit every entry of the whole directory that a filter finds, whether a user or not
 *
 * For values that a narrow base or user filter would leave out.  No entry is no failure.
 *
 * @return as mfa_cli_walk(), but for #MFA_ERR_NOT_FOUND.
 */
enum mfa_rc mfa_cli_walk_directory(struct mfa_cli *cli, struct mfa_diag *diag, char const *filter,
				   struct mfa_cli_visitor const *visitor) MFA_MUST_CHECK;

/** Read one user's entry by login name, or by DN when it is one
 *
 * The entry of a DN must be one that a login would find.
 *
 * @return as mfa_conn_read(); #MFA_ERR_DENIED too when an attribute that the subcommand looks
 *	at is hidden from this account.
 */
enum mfa_rc mfa_cli_find(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_cli *cli,
			 char const *user) MFA_MUST_CHECK;

/** Read an entry again, from the provider */
enum mfa_rc mfa_cli_read_again(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_cli *cli,
			       char const *dn) MFA_MUST_CHECK;

/** Allocate an entry; NULL when memory ran out */
struct mfa_entry *mfa_cli_entry_alloc(void);

/** Wipe and free; sets *entry to NULL */
void mfa_cli_entry_free(struct mfa_entry **entry);

#endif /* MFA_ADMIN_WALK_H */
