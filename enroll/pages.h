/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/pages.h
 * @brief Every page there is: enroll/routes.c puts them into a table.
 */
#ifndef MFA_ENROLL_PAGES_H
#define MFA_ENROLL_PAGES_H

#include "enroll/web.h"

extern struct mfa_route const mfa_routes[]; //!< Ends with a NULL path.

/** Find the page that was asked for, check what came, and let the page answer
 *
 * @param[in] expired the visitor was signed in until a moment ago.
 */
void mfa_route_run(struct mfa_web *web, bool expired);

void mfa_page_style(struct mfa_web *web);
void mfa_page_script(struct mfa_web *web);
void mfa_page_icon(struct mfa_web *web);

void mfa_page_sign_in_show(struct mfa_web *web);
void mfa_page_sign_in(struct mfa_web *web);
void mfa_page_sign_out(struct mfa_web *web);

void mfa_page_home_show(struct mfa_web *web);

void mfa_page_on_show(struct mfa_web *web);
void mfa_page_on(struct mfa_web *web);

void mfa_page_off_show(struct mfa_web *web);
void mfa_page_off(struct mfa_web *web);

void mfa_page_add_show(struct mfa_web *web);
void mfa_page_add(struct mfa_web *web);
void mfa_page_new_show(struct mfa_web *web);
void mfa_page_new(struct mfa_web *web);
void mfa_page_lost_show(struct mfa_web *web);
void mfa_page_lost(struct mfa_web *web);
void mfa_page_replace_show(struct mfa_web *web);
void mfa_page_replace(struct mfa_web *web);
void mfa_page_remove_show(struct mfa_web *web);
void mfa_page_remove(struct mfa_web *web);

void mfa_page_recovery_show(struct mfa_web *web);
void mfa_page_recovery(struct mfa_web *web);
void mfa_page_codes_show(struct mfa_web *web);
void mfa_page_codes_save(struct mfa_web *web);

void mfa_page_trusted_show(struct mfa_web *web);
void mfa_page_trusted(struct mfa_web *web);

/** Check the password that a form asked for once more
 *
 * @return false when it was not right; then the problem is set.
 */
bool mfa_page_confirm_password(struct mfa_web *web);

/** Answer those whose record only an administrator can mend (suspended, broken)
 *
 * @return whether it did.
 */
bool mfa_page_blocked(struct mfa_web *web);

#endif /* MFA_ENROLL_PAGES_H */
