/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/audit.h
 * @brief Who did what to whom, for the system's log.
 */
#ifndef MFA_ADMIN_AUDIT_H
#define MFA_ADMIN_AUDIT_H

#include "admin/cli.h"

/** Write a line to the system's log (authpriv): "audit: uid 0 as 'cn=admin' reset 'user2': ..."
 *
 * @param[in] user NULL: about no single user.
 * @param[in] what no secret.
 */
void mfa_cli_audit(struct mfa_cli const *cli, char const *user, char const *what);

#endif /* MFA_ADMIN_AUDIT_H */
