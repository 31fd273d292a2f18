/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/draft.h
 * @brief What was asked for, and what was typed, before a session had ended: shown again after sign-in.
 *
 * It waits in a sealed cookie.  Passwords, codes and tokens are not in it.  What was typed is
 * shown only to the user whose session it was.
 */
#ifndef MFA_ENROLL_DRAFT_H
#define MFA_ENROLL_DRAFT_H

#include "enroll/web.h"

#define MFA_DRAFT_S 3600 //!< It waits so long.

/** Keep the path of the request, and the fields that may be kept, in the cookie */
void mfa_draft_keep(struct mfa_web *web);

/** Where to go after sign-in: to the page that was asked for before, or to the overview */
void mfa_draft_redirect(struct mfa_web *web);

/** Fill in the form of this page when there is a draft of it, and say so; then it is gone */
void mfa_draft_fill(struct mfa_web *web);

#endif /* MFA_ENROLL_DRAFT_H */
