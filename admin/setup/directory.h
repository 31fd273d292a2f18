/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/setup/directory.h
 * @brief What is asked of a directory, and changed there, by the directory's own tools.
 */
#ifndef MFA_ADMIN_SETUP_DIRECTORY_H
#define MFA_ADMIN_SETUP_DIRECTORY_H

#include "admin/setup/journal.h"
#include "admin/setup/setup.h"

#define MFA_SETUP_PACK MFA_SHAREDIR "/ldap-schema/"

/** As whom a tool binds */
enum mfa_directory_as {
	MFA_AS_NOBODY,
	MFA_AS_ADMIN,
	MFA_AS_ROOT, //!< EXTERNAL, over the socket: cn=config.
};

/** Search below @p base; @p output has #MFA_SETUP_TEXT bytes
 *
 * @return the exit status of ldapsearch.
 */
int mfa_directory_search(struct mfa_setup const *setup, char *output, enum mfa_directory_as as,
			 char const *base, char const *filter) MFA_MUST_CHECK;

/** Whether a search finds an entry that has this text */
bool mfa_directory_finds(struct mfa_setup const *setup, enum mfa_directory_as as, char const *base,
			 char const *filter, char const *expected);

/** Send LDIF; a value or entry that is there already is no failure
 *
 * @param[in] what is done, for the person who watches.
 */
enum mfa_rc mfa_directory_send(struct mfa_setup *setup, struct mfa_diag *diag,
			       enum mfa_directory_as as, char const *what, char const *ldif)
	MFA_MUST_CHECK;

/** Make one entry, and note that we did, unless it is there */
enum mfa_rc mfa_directory_make_entry(struct mfa_setup *setup, struct mfa_diag *diag, char const *dn,
				     char const *attributes) MFA_MUST_CHECK;

/** Whether the account's password is to be set: it is new, or the files do not have it */
bool mfa_directory_needs_password(struct mfa_setup *setup, char const *dn, unsigned which);

#endif /* MFA_ADMIN_SETUP_DIRECTORY_H */
