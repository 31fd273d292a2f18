/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/required.h
 * @brief Whether MFA is compulsory for the visitor, and why: enroll.conf, the policy or the record.
 */
#ifndef MFA_ENROLL_REQUIRED_H
#define MFA_ENROLL_REQUIRED_H

#include "enroll/web.h"

#define MFA_WHY_SIZE 400u //!< Bytes of a sentence, NUL included.

/** Whether MFA is compulsory for the visitor now, also by the date in the record */
bool mfa_required_now(struct mfa_web const *web);

/** Why it is, and since when */
void mfa_required_why(char out[static MFA_WHY_SIZE], struct mfa_web const *web);

/** What the rule of the policy says to those whom it is about; may be empty */
char const *mfa_required_reason(struct mfa_web const *web);

#endif /* MFA_ENROLL_REQUIRED_H */
