/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/worker.h
 * @brief Requests by CGI, one, or by FastCGI, until the end; and many workers on one socket.
 */
#ifndef MFA_ENROLL_WORKER_H
#define MFA_ENROLL_WORKER_H

#include "enroll/web.h"

#define MFA_WORKERS_MAX 64u

/** Whether the process was started with a socket: FastCGI */
bool mfa_worker_has_socket(void);

/** Answer the one request that the environment describes; an exit status */
int mfa_worker_cgi(struct mfa_app *app);

/** Answer requests until SIGTERM; an exit status */
int mfa_worker_fastcgi(struct mfa_app *app);

/** Keep @p count processes that each run mfa_worker_fastcgi(); an exit status */
int mfa_worker_keep(struct mfa_app *app, unsigned count);

#endif /* MFA_ENROLL_WORKER_H */
