/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/rights.h
 * @brief Whether a value that is absent is absent, or only hidden from our account.
 *
 * A directory leaves out what an account may not read, so a flag without read access looks
 * like "no MFA".  A compare tells: noSuchAttribute when there is no value, and
 * insufficientAccessRights when the account may not ask (RFC 4511 section 4.10).  Directories
 * that hide this too, such as Active Directory, cannot be asked in this way.
 */
#ifndef MFA_CORE_RIGHTS_H
#define MFA_CORE_RIGHTS_H

#include "core/entry.h"
#include "core/operation.h"

/** Try the account's rights at base_dn, once a minute at most, and remember what it may not read
 *
 * One compare per attribute, all at once.  Each fault is told to store->log.
 */
void mfa_rights_try(struct mfa_conn *conn, LDAP *handle);

/** Whether what is absent from an entry is absent
 *
 * Asks the directory only about attributes that mfa_rights_try() found unreadable, and about
 * the flag when the entry has the class.
 *
 * @return #MFA_OK; #MFA_ERR_DENIED when a value is hidden; as mfa_conn_wait().
 */
enum mfa_rc mfa_rights_check(struct mfa_diag *diag, struct mfa_conn *conn, LDAP *handle,
			     struct mfa_entry const *entry) MFA_MUST_CHECK;

/** Whether somebody who was not found may be there nevertheless
 *
 * Asks the directory only when mfa_rights_try() could not read base_dn.
 *
 * @return #MFA_ERR_NOT_FOUND, or #MFA_ERR_DENIED when base_dn cannot be read.
 */
enum mfa_rc mfa_rights_not_found(struct mfa_diag *diag, struct mfa_conn *conn, LDAP *handle)
	MFA_MUST_CHECK;

#endif /* MFA_CORE_RIGHTS_H */
