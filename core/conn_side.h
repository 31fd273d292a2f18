/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/conn_side.h
 * @brief The handle of each side: connected when it is needed, closed when it failed.
 */
#ifndef MFA_CORE_CONN_SIDE_H
#define MFA_CORE_CONN_SIDE_H

#include "core/operation.h"

/** The connected handle of a side
 *
 * @param[out] handle NULL on failure.
 * @param[out] fresh  whether it was connected just now, so that trying again is of no use.
 */
enum mfa_rc mfa_conn_connect(LDAP **handle, bool *fresh, struct mfa_diag *diag,
			     struct mfa_conn *conn, enum mfa_side side) MFA_MUST_CHECK;

/** Close the handle of a side */
void mfa_conn_drop(struct mfa_conn *conn, enum mfa_side side);

/** Close the handle of a side, whose server did not answer in time: others are tried first */
void mfa_conn_give_up(struct mfa_conn *conn, enum mfa_side side);

#endif /* MFA_CORE_CONN_SIDE_H */
