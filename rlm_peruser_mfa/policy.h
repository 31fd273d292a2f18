/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/policy.h
 * @brief The site's policy: its rules in the configuration, and what a request tells it.
 */
#ifndef PERUSER_POLICY_H
#define PERUSER_POLICY_H

#include "rlm_peruser_mfa/peruser_mfa.h"

/** Collect the facts of a login
 *
 * As the NAS sent them: attributes within a tunnel are the supplicant's own word.  The user's
 * address is Framed-IP-Address, Framed-IPv6-Address or Calling-Station-Id, the first that is
 * there.  A site without rules asks for none of them, so they stay unknown.
 */
void peruser_facts(struct mfa_policy_facts *facts, rlm_peruser_mfa_t const *inst, REQUEST *request);

/** Log the rule that is only reported, if one matched: a line for each login */
void peruser_policy_report(REQUEST *request, struct mfa_policy_verdict const *verdict);

/** Take a rule of the policy: `policy NAME { }`; complains with file and line
 *
 * @return 0, or -1.
 */
int peruser_policy_take(struct mfa_config *config, CONF_SECTION *cs);

#endif /* PERUSER_POLICY_H */
