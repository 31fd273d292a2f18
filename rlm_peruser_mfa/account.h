/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/account.h
 * @brief Whose record decides: the account whose password was verified.
 *
 * Every path asks peruser_account_find(): the password step and the code step, an appended
 * code, a record that rlm_ldap mapped, a cached record, a bind as the user, a tunnel.  No other
 * function turns a name into a record.
 */
#ifndef PERUSER_ACCOUNT_H
#define PERUSER_ACCOUNT_H

#include "rlm_peruser_mfa/request.h"

#define PERUSER_NAME_MAX 253u //!< Octets of a User-Name (RFC 2865 section 5.1).

/** An account, and how its entry is found */
struct peruser_account {
	struct mfa_where where; //!< Strings belong to the context given to the finder.
	bool is_dn;		//!< The first factor told the DN; no name was used.
};

/** Why a name in the request cannot be used for a search; NULL when it can, or when there is none
 *
 * NUL would end the name early for the directory and not for the first factor.  LDAP names are
 * UTF-8 (RFC 4511 section 4.1.2).
 */
char const *peruser_name_problem(REQUEST *request);

/** The User-Name as the user typed it: of the packet, whatever a policy made of it; empty without */
struct mfa_bytes peruser_typed_name(REQUEST *request);

#define PERUSER_LOGGED_NAME_SIZE (4u * PERUSER_NAME_MAX + 1) //!< Four characters for each octet.

/** The request's User-Name for the log; empty when there is none
 *
 * Escaped: a NUL would make it another name, and a control character another line.
 */
void peruser_logged_name(char out[static PERUSER_LOGGED_NAME_SIZE], REQUEST *request);

/** Find out whose record decides, as things are now
 *
 * The DN that the first factor verified (control:LDAP-UserDn), else the account that the name
 * leads to: user_dn, or a search.
 *
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_ARG without a User-Name.
 *	- #MFA_ERR_FORMAT when an item of the configuration cannot be expanded.
 */
enum mfa_rc peruser_account_find(struct peruser_account *account, TALLOC_CTX *ctx,
				 rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_diag *diag);

/** What tells accounts apart that are found in different ways: a hash of where
 *
 * @return #MFA_OK, #MFA_ERR_NOMEM, #MFA_ERR_CRYPTO; the key is all zero on failure.
 */
enum mfa_rc peruser_account_key(uint8_t key[static MFA_CHALLENGE_HASH],
				struct peruser_account const *account) MFA_MUST_CHECK;

/** Whether a record that was read earlier in this login is this account's */
bool peruser_account_owns(struct peruser_account const *account,
			  struct peruser_record const *record);

#endif /* PERUSER_ACCOUNT_H */
