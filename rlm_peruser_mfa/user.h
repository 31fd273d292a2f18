/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/user.h
 * @brief The user's entry in the directory: where it is, what it says, whose password it is.
 */
#ifndef PERUSER_USER_H
#define PERUSER_USER_H

#include "rlm_peruser_mfa/peruser_mfa.h"

/** Ask the record: find the user, decide, write
 *
 * @param[in,out] login  have_entry when the record was read before.
 * @param[in] expected	 hash of the entry id that the user must have; NULL for any.
 * @return as mfa_login_run(); #MFA_ERR_NOT_FOUND when the directory does not know the user.
 */
enum mfa_rc peruser_ask(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_login *login,
			struct mfa_request const *ask, uint8_t const *expected);

/** Read the user's record into the login, without asking anything
 *
 * @param[in] recovery	 whether a recovery code may have to be recognized.
 * @return as mfa_conn_read().
 */
enum mfa_rc peruser_read(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_login *login,
			 struct mfa_diag *diag, bool recovery);

/** Read the user's record unless it is there, and bind as the user
 *
 * @return as mfa_conn_read_and_bind().
 */
enum mfa_rc peruser_check_password(rlm_peruser_mfa_t *inst, REQUEST *request,
				   struct mfa_login *login, struct mfa_diag *diag,
				   struct mfa_bytes password);

#endif /* PERUSER_USER_H */
