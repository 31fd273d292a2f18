/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/password.h
 * @brief A user's password, checked by a bind.
 */
#ifndef MFA_CORE_PASSWORD_H
#define MFA_CORE_PASSWORD_H

#include "core/conn.h"
#include "core/entry.h"

/** Check a user's password by a bind on a connection that is kept for that
 *
 * As mfa_conn_check_password(), for programs that check one password after the other.
 */
enum mfa_rc mfa_conn_bind_user(struct mfa_diag *diag, struct mfa_conn *conn, struct mfa_bytes dn,
			       struct mfa_bytes password) MFA_MUST_CHECK;

/** Read an entry and check its user's password
 *
 * With where->bind_at_once the bind is sent before the entry is waited for.  Else as
 * mfa_conn_read() and then mfa_conn_bind_user().
 *
 * @param[out] entry    cleared on failure, also when the password is wrong.
 * @param[in] password  refused without asking when it is empty or has a NUL in it.
 * @return as those two; a failure to read comes first.
 */
enum mfa_rc mfa_conn_read_and_bind(struct mfa_entry *entry, struct mfa_diag *diag,
				   struct mfa_conn *conn, struct mfa_where const *where,
				   struct mfa_bytes password) MFA_MUST_CHECK;

/** Check a user's password by a bind on a connection of its own
 *
 * An empty password is refused without asking (RFC 4513 section 5.1.2).
 *
 * @return #MFA_OK, #MFA_ERR_DENIED (wrong), #MFA_ERR_UNAVAILABLE.
 */
enum mfa_rc mfa_conn_check_password(struct mfa_diag *diag, struct mfa_conn *conn,
				    struct mfa_bytes dn, struct mfa_bytes password) MFA_MUST_CHECK;

#endif /* MFA_CORE_PASSWORD_H */
