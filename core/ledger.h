/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/ledger.h
 * @brief The ledger: where it is written down that a code was used, and which were wrong.
 *
 * Last use, wrong codes and used recovery codes change with each login, and must be compared
 * and swapped in one place.  That place is the user's entry (type "ldap"), or a key of etcd for
 * each user (type "etcd"), or both while a site moves.  Whoever decides sees both as one entry.
 */
#ifndef MFA_CORE_LEDGER_H
#define MFA_CORE_LEDGER_H

#include "core/change.h"
#include "core/conn.h"

/** Attributes that a ledger may hold, or say more of than the directory: a set of them */
#define MFA_LEDGER_MAY_HOLD                                                                        \
	(MFA_ATTR_BIT(MFA_ATTR_LAST_USE) | MFA_ATTR_BIT(MFA_ATTR_FAILURES) |                       \
	 MFA_ATTR_BIT(MFA_ATTR_RECOVERY_CODE))

/** One kind of ledger */
struct mfa_ledger_kind {
	enum mfa_rc (*read)(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_conn *conn);
	enum mfa_rc (*write)(struct mfa_diag *diag, struct mfa_conn *conn,
			     struct mfa_entry const *entry, struct mfa_change const *change,
			     enum mfa_side *side);
};

extern struct mfa_ledger_kind const mfa_ledger_ldap;
extern struct mfa_ledger_kind const mfa_ledger_both;
extern struct mfa_ledger_kind const mfa_ledger_etcd;

/** Whether the directory does not hold it, or not all of it, and cannot check it as it writes */
bool mfa_ledger_is_apart(struct mfa_conn const *conn);

/** Attributes that the directory does not hold: a set of them */
uint32_t mfa_ledger_attrs(struct mfa_conn const *conn);

/** Put what the ledger says of a user into the entry that was read from the directory
 *
 * Does nothing when it is in there already (entry->has_ledger).
 *
 * @return #MFA_OK; #MFA_ERR_FORMAT when what is written there cannot be understood;
 *	#MFA_ERR_UNAVAILABLE, #MFA_ERR_DENIED, #MFA_ERR_SPACE, #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_ledger_read(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_conn *conn)
	MFA_MUST_CHECK;

/** Carry out a change, the ledger's part of it in one transaction
 *
 * A code is marked used before anything else is written; a ledger is cleared after what
 * belongs to the directory.  What a login leaves behind in the directory (a recovery code
 * that is marked used, a remembered device) may fail: the log says so, the login counts.
 *
 * @param[in] entry  with its ledger, as it was decided upon.
 * @param[in,out] side where to read the entry next, after a conflict.
 * @return as mfa_conn_modify(), see mfa_rc_again().
 */
enum mfa_rc mfa_ledger_write(struct mfa_diag *diag, struct mfa_conn *conn,
			     struct mfa_entry const *entry, struct mfa_change const *change,
			     enum mfa_side *side) MFA_MUST_CHECK;

#endif /* MFA_CORE_LEDGER_H */
