/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/request.h
 * @brief What a request says, and what is noted about it.
 */
#ifndef PERUSER_REQUEST_H
#define PERUSER_REQUEST_H

#include "rlm_peruser_mfa/peruser_mfa.h"

/** The keys that this request uses */
struct mfa_keyring const *peruser_keys(rlm_peruser_mfa_t *inst, REQUEST *request);

/** The time by which this request is judged: when its packet arrived; Unix time */
int64_t peruser_now_s(REQUEST *request);

/** The notes of this request, or NULL when there are none
 *
 * They outlive a reload: an instance that takes over finds what the one before it noted.
 */
struct mfa_notes *peruser_find_notes(REQUEST *request);

/** The notes of this request; made when they are not there; NULL when memory ran out */
struct mfa_notes *peruser_notes(REQUEST *request);

/** The password, or the code, in the clear; NULL when there is none */
VALUE_PAIR *peruser_password(REQUEST *request);

/** Have our authenticate method called, instead of whatever was chosen before
 *
 * @return 0, or -1 when it is not listed or memory ran out.
 */
int peruser_set_auth_type(rlm_peruser_mfa_t *inst, REQUEST *request);

/** The mode of this request: control:Peruser-MFA-Mode, or the instance's */
enum mfa_mode peruser_mode(rlm_peruser_mfa_t const *inst, REQUEST *request);

/** Whether control:Peruser-MFA-Required says that MFA is not optional for this login */
bool peruser_required(REQUEST *request);

/** Whether a text is shown as a challenge before the reject
 *
 * @param[in] configured what the instance says; control:Peruser-MFA-Show overrides it.
 * @return false, too, where no challenge reaches the user: within EAP.
 */
bool peruser_shows(REQUEST *request, bool configured);

/** The State of the request, if it has our form, whoever wrote it */
bool peruser_find_state(struct mfa_bytes *state, REQUEST *request);

/** The request of the NAS: the outermost one, when this one came through a tunnel */
REQUEST *peruser_outermost(REQUEST *request);

/** Whether the user typed nothing: some clients send no User-Password then, others an empty one
 *
 * A response in MS-CHAP or EAP is no empty answer: its client can send no code.
 */
bool peruser_is_empty_answer(REQUEST *request);

/** The code of the second packet: User-Password, or a CHAP response over it */
bool peruser_find_code(struct mfa_code *code, REQUEST *request);

#endif /* PERUSER_REQUEST_H */
