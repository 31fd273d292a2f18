/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/guard.h
 * @brief A time limit for every byte to and from the directory, also within a TLS handshake.
 */
#ifndef MFA_CORE_GUARD_H
#define MFA_CORE_GUARD_H

#include "core/operation.h"

/** Make every byte of a new handle arrive by conn->io_deadline_ms, or fail
 *
 * @return an LDAP result code.
 */
int mfa_conn_guard(LDAP *handle, struct mfa_conn *conn) MFA_MUST_CHECK;

#endif /* MFA_CORE_GUARD_H */
