/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/user.h
 * @brief The user's entry in the directory: where it is, what it says, whose password it is.
 */
#ifndef PERUSER_USER_H
#define PERUSER_USER_H

#include "rlm_peruser_mfa/account.h"

/** The entry that a login must turn out to be about */
struct peruser_expected {
	uint8_t user[MFA_CHALLENGE_HASH]; //!< Hash of its id.
	char const *else_reason;	  //!< For the log, when it is another one.
	bool is_other;			  //!< Set when it is.
};

/** Ask the record of the account whose password was verified: find it, decide, write
 *
 * @param[in,out] record  a record of another account is dropped, and read again.
 * @param[in,out] expected NULL for any.
 * @return as mfa_login_run(); #MFA_ERR_NOT_FOUND when the directory does not know the user.
 */
enum mfa_rc peruser_ask(rlm_peruser_mfa_t *inst, REQUEST *request, struct peruser_record *record,
			struct mfa_request const *ask, struct peruser_expected *expected);

/** Read the user's record, without asking anything
 *
 * @param[in] recovery	 whether a recovery code may have to be recognized.
 * @return as mfa_conn_read().
 */
enum mfa_rc peruser_read(rlm_peruser_mfa_t *inst, REQUEST *request, struct peruser_record *record,
			 struct mfa_diag *diag, bool recovery);

/** Read the user's record unless it is there, and bind as the user
 *
 * On success control:LDAP-UserDn names the account.
 *
 * @return as mfa_conn_read_and_bind().
 */
enum mfa_rc peruser_check_password(rlm_peruser_mfa_t *inst, REQUEST *request,
				   struct peruser_record *record, struct mfa_diag *diag,
				   struct mfa_bytes password);

#endif /* PERUSER_USER_H */
