/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/challenge.h
 * @brief A login between its two packets: the first challenge, and the answer to it.
 */
#ifndef PERUSER_CHALLENGE_H
#define PERUSER_CHALLENGE_H

#include "rlm_peruser_mfa/user.h"

/** Choose the nonce of a login that is about to be challenged, once per request
 *
 * Before its event is written, which names the login by it.
 *
 * @return 0, or -1.
 */
int peruser_challenge_begin(REQUEST *request);

/** Send the first challenge of a login
 *
 * @param[in] record of the account that is challenged.
 * @param[in] text   what the user reads, not expanded yet.
 * @return #RLM_MODULE_HANDLED, #RLM_MODULE_REJECT or #RLM_MODULE_FAIL.
 */
rlm_rcode_t peruser_challenge_user(rlm_peruser_mfa_t *inst, REQUEST *request,
				   struct peruser_record *record, struct peruser_text const *text);

/** Check the answer to a challenge: the State, and then the code against the record
 *
 * @return the rcode of authenticate.
 */
rlm_rcode_t peruser_check_answer(rlm_peruser_mfa_t *inst, REQUEST *request,
				 struct mfa_notes *notes);

#endif /* PERUSER_CHALLENGE_H */
