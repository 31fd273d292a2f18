/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/modify.h
 * @brief Change an entry with one modify.
 */
#ifndef MFA_CORE_MODIFY_H
#define MFA_CORE_MODIFY_H

#include "core/change.h"
#include "core/conn.h"

/** Whether the conditions of a change are checked by the server as it writes (RFC 4528)
 *
 * False once a server refused the assertion control.
 */
bool mfa_conn_asserts(struct mfa_conn const *conn);

/** Carry out a change on the writing side, in one modify
 *
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_CONFLICT when the entry is not as it was read: read again.
 *	- #MFA_ERR_BROKEN when the connection broke, or the answer did not come in time: it
 *	  is not known whether the change was made; read again.
 *	- #MFA_ERR_UNAVAILABLE, #MFA_ERR_DENIED (diag names attribute and account).
 *	- #MFA_ERR_SPACE when the change overflowed.
 */
enum mfa_rc mfa_conn_modify(struct mfa_diag *diag, struct mfa_conn *conn, struct mfa_bytes dn,
			    struct mfa_change const *change) MFA_MUST_CHECK;

#endif /* MFA_CORE_MODIFY_H */
