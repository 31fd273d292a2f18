/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/conn.h
 * @brief A connection to the directory.
 *
 * One connection serves one thread at a time.  It connects when it is first used,
 * notices when the server went away, and connects again by itself.
 */
#ifndef MFA_CORE_CONN_H
#define MFA_CORE_CONN_H

#include "core/store.h"

/** A connection; opaque */
struct mfa_conn;

/** Make a connection and connect its reading side
 *
 * @param[out] conn NULL on failure.
 * @param[in] store must outlive the connection; no_assert is written by it.
 * @return #MFA_OK, #MFA_ERR_NOMEM, #MFA_ERR_UNAVAILABLE, #MFA_ERR_DENIED (bind refused).
 */
enum mfa_rc mfa_conn_open(struct mfa_conn **conn, struct mfa_diag *diag, struct mfa_store *store)
	MFA_MUST_CHECK;

/** As mfa_conn_open(), but connect only when it is needed */
enum mfa_rc mfa_conn_alloc(struct mfa_conn **conn, struct mfa_store *store) MFA_MUST_CHECK;

/** Close and forget; sets *conn to NULL */
void mfa_conn_free(struct mfa_conn **conn);

/** Start the clock: everything until the next call together takes at most config->timeout_s */
void mfa_conn_start(struct mfa_conn *conn);

/** As mfa_conn_start(), with a clock that started earlier, by mfa_monotonic_ms() */
void mfa_conn_start_at(struct mfa_conn *conn, int64_t start_ms);

/** Whether the provider should be asked to confirm what a replica said
 *
 * For a while after it did not answer, one caller may ask, and the others need not wait for
 * it.  The caller that may says afterwards how it ended, by mfa_conn_note_provider().
 */
bool mfa_conn_may_confirm(struct mfa_conn *conn);
void mfa_conn_note_provider(struct mfa_conn *conn, bool answered);

/** The LDAP handle of one side, connected, for what this interface does not offer
 *
 * For programs that list the directory.  NULL when it cannot be connected.
 */
struct ldap *mfa_conn_handle(struct mfa_diag *diag, struct mfa_conn *conn, enum mfa_side side);

#endif /* MFA_CORE_CONN_H */
