/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/ask.h
 * @brief Small searches, apart from those that read a record.
 */
#ifndef MFA_CORE_ASK_H
#define MFA_CORE_ASK_H

#include "core/operation.h"

/** Send a search
 *
 * @param[in] scope LDAP_SCOPE_BASE or LDAP_SCOPE_SUBTREE.
 * @param[in] attr  the one attribute that is wanted; LDAP_NO_ATTRS for none.
 * @return a message id; -1; -2 when the filter is malformed.
 */
int mfa_ask_search(struct mfa_conn *conn, LDAP *handle, char const *base, int scope,
		   char const *filter, char const *attr) MFA_MUST_CHECK;

/** Wait for that answer
 *
 * @param[out] result all of it, to be freed by ldap_msgfree(3); NULL on failure.
 * @param[out] code   an LDAP result code.
 * @return as mfa_conn_wait().
 */
enum mfa_rc mfa_ask_await_search(LDAPMessage **result, int *code, struct mfa_conn *conn,
				 LDAP *handle, int msgid) MFA_MUST_CHECK;

#endif /* MFA_CORE_ASK_H */
