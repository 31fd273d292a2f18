/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/mail.h
 * @brief A notice to the user when something about their MFA has changed.
 *
 * The worker may start no program. A process of its own, begun before the worker
 * gave that right up, takes notices from a socket and runs the mail command. What
 * goes wrong there never holds up a change.
 */
#ifndef MFA_ENROLL_MAIL_H
#define MFA_ENROLL_MAIL_H

#include "enroll/web.h"

/** What has changed */
enum mfa_mail_event {
	MFA_MAIL_ON,
	MFA_MAIL_OFF,
	MFA_MAIL_ADDED,
	MFA_MAIL_REMOVED,
	MFA_MAIL_REPLACED,	//!< All devices by a new one.
	MFA_MAIL_CODES,		//!< New recovery codes.
	MFA_MAIL_RECOVERY_USED, //!< A recovery code, on this page.
	MFA_MAIL_LOCKED,	//!< By wrong codes on this page.
};

/** Start the process that sends; no mail is configured: nothing happens
 *
 * @param[out] fd -1 when there is none.
 * @return false when it cannot be started.
 */
bool mfa_mail_start(int *fd, struct mfa_page_config const *page);

/** Tell the visitor, in the language of the request, what has changed */
void mfa_mail_notice(struct mfa_web *web, enum mfa_mail_event event);

#endif /* MFA_ENROLL_MAIL_H */
