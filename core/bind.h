/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/bind.h
 * @brief Binding a handle, as the account or as a user.
 */
#ifndef MFA_CORE_BIND_H
#define MFA_CORE_BIND_H

#include "core/operation.h"

/** Ask for a bind
 *
 * @return an LDAP result code.
 */
int mfa_bind_send(int *msgid, LDAP *handle, struct mfa_account const *account) MFA_MUST_CHECK;

/** Wait for the answer to a bind
 *
 * @return an LDAP result code; LDAP_TIMEOUT when no answer came.
 */
int mfa_bind_finish(LDAP *handle, struct mfa_conn *conn, int msgid) MFA_MUST_CHECK;

/** Bind and wait; an LDAP result code */
int mfa_bind(LDAP *handle, struct mfa_conn *conn, struct mfa_account const *account) MFA_MUST_CHECK;

#endif /* MFA_CORE_BIND_H */
