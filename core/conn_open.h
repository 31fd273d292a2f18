/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/conn_open.h
 * @brief Connecting to one server of a list.
 */
#ifndef MFA_CORE_CONN_OPEN_H
#define MFA_CORE_CONN_OPEN_H

#include "core/operation.h"

/** Connect to a server of a side's list and bind as somebody
 *
 * Servers that failed a short while ago are tried last.
 *
 * @param[out] server its position in the list; may be NULL.
 */
enum mfa_rc mfa_conn_connect_as(LDAP **handle, unsigned *server, struct mfa_diag *diag,
				struct mfa_conn *conn, enum mfa_side side,
				struct mfa_account const *account) MFA_MUST_CHECK;

#endif /* MFA_CORE_CONN_OPEN_H */
