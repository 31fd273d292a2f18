/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/reply.h
 * @brief What goes back to the client, and what is logged about it.
 */
#ifndef RLM_PERUSER_MFA_REPLY_H
#define RLM_PERUSER_MFA_REPLY_H

#include "rlm_peruser_mfa/request.h"

#define PERUSER_TEXT_MAX 253u //!< Octets of an attribute (RFC 2865 section 5).

/** Note the result for policies, and log it in one line: refused logins as information, faults
 * of the directory or the configuration as errors, and what went well as log_success says */
void peruser_report(rlm_peruser_mfa_t const *inst, REQUEST *request, enum mfa_result result,
		    char const *reason);
void peruser_report_fault(rlm_peruser_mfa_t const *inst, REQUEST *request, enum mfa_result result,
			  char const *reason);
void peruser_report_decision(rlm_peruser_mfa_t const *inst, REQUEST *request,
			     struct mfa_login const *login);

/** Refuse: reply and rcode of a decision that neither accepts nor asks */
rlm_rcode_t peruser_refuse(rlm_peruser_mfa_t *inst, REQUEST *request,
			   struct mfa_decision const *decision);

/** Refuse a login that has to begin again: its State is too old, or not in order */
rlm_rcode_t peruser_restart(rlm_peruser_mfa_t *inst, REQUEST *request);

/** What the text of a challenge that asks for no code was about */
enum mfa_result peruser_shown_result(struct mfa_challenge const *challenge);

/** Seconds from a challenge to its answer */
uint32_t peruser_lifetime_s(rlm_peruser_mfa_t const *inst, struct mfa_challenge const *challenge);

/** Ask for a code: an Access-Challenge with State, prompt and time limit (RFC 2865 section 5.44)
 *
 * @param[in] text	what the user reads, not expanded yet.
 * @param[in] challenge what the State holds.
 * @return #RLM_MODULE_HANDLED, or #RLM_MODULE_FAIL.
 */
rlm_rcode_t peruser_challenge(rlm_peruser_mfa_t *inst, REQUEST *request,
			      struct peruser_text const *text,
			      struct mfa_challenge const *challenge);

/** Tell the texts which codes the user's devices make: "6", or "6- or 8" */
void peruser_set_digits(REQUEST *request, struct mfa_record const *record);

/** Replace the reply by a text alone, if any, and reject */
rlm_rcode_t peruser_reject_with(REQUEST *request, struct peruser_text const *text);

/** Add what people should know to a reply that accepts */
void peruser_accept(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_decision const *decision);

#endif /* RLM_PERUSER_MFA_REPLY_H */
