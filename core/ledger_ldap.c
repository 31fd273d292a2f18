/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ledger.h"
#include "core/modify.h"

/* The ledger is a part of the entry: read with it, and written in the same modify. */

static enum mfa_rc read_ledger(struct mfa_entry *entry, struct mfa_diag *diag,
			       struct mfa_conn *conn)
{
	(void)diag;
	(void)conn;
	entry->has_ledger = true;
	return MFA_OK;
}

static enum mfa_rc write_change(struct mfa_diag *diag, struct mfa_conn *conn,
				struct mfa_entry const *entry, struct mfa_change const *change,
				enum mfa_side *side)
{
	enum mfa_rc const rc = mfa_conn_modify(diag, conn, entry->dn, change);

	if (mfa_rc_again(rc)) *side = MFA_SIDE_WRITE;
	return rc;
}

struct mfa_ledger_kind const mfa_ledger_ldap = {.read = read_ledger, .write = write_change};
