/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/rights.h
 * @brief Whether an attribute that was not returned is absent, or hidden from this account.
 *
 * A directory leaves out what an account may not read, without a word.  But a filter that
 * asks for the absence of an attribute is Undefined, and matches nothing, for an account
 * that may not search it (RFC 4511 section 4.5.1.7).  So an entry that matches it has proved
 * that the attribute is absent.  Active Directory and Samba are asked what the account may
 * write, since Samba does not evaluate filters so.
 */
#ifndef MFA_ADMIN_RIGHTS_H
#define MFA_ADMIN_RIGHTS_H

#include "admin/cli.h"

#include <ldap.h>

/** A question that is on its way */
struct mfa_cli_proof {
	uint32_t missing; //!< Set of attributes that were not returned; 0: nothing was asked.
	int msgid;
};

/** Send the question for one entry, without waiting
 *
 * Only the attributes that the subcommand looks at count (struct mfa_cli_command).
 *
 * @return #MFA_OK or #MFA_ERR_UNAVAILABLE.
 */
enum mfa_rc mfa_cli_rights_ask(struct mfa_cli_proof *proof, struct mfa_diag *diag,
			       struct mfa_cli const *cli, LDAP *handle,
			       struct mfa_entry const *entry) MFA_MUST_CHECK;

/** Wait for the answer
 *
 * @param[in] conn where @p handle belongs to.
 * @return
 *	- #MFA_OK: what was not returned is absent.
 *	- #MFA_ERR_DENIED: diag names the attribute and the account.
 *	- #MFA_ERR_UNAVAILABLE, #MFA_ERR_NOT_FOUND (the entry is gone).
 */
enum mfa_rc mfa_cli_rights_answer(struct mfa_cli_proof const *proof, struct mfa_diag *diag,
				  struct mfa_cli const *cli, struct mfa_conn *conn, LDAP *handle,
				  struct mfa_entry const *entry) MFA_MUST_CHECK;

/** Ask, and wait for the answer; results as mfa_cli_rights_answer() */
enum mfa_rc mfa_cli_rights_check(struct mfa_diag *diag, struct mfa_cli const *cli,
				 enum mfa_side side, struct mfa_entry const *entry) MFA_MUST_CHECK;

#endif /* MFA_ADMIN_RIGHTS_H */
