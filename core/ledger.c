/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ledger.h"
#include "core/operation.h"

static struct mfa_ledger_kind const *kind_of(struct mfa_conn const *conn)
{
	switch ((enum mfa_ledger_type)conn->store->config->ledger_type) {
	case MFA_LEDGER_LDAP: break;
	case MFA_LEDGER_BOTH: return &mfa_ledger_both;
	case MFA_LEDGER_ETCD: return &mfa_ledger_etcd;
	}
	return &mfa_ledger_ldap;
}

bool mfa_ledger_is_apart(struct mfa_conn const *conn)
{
	return kind_of(conn) != &mfa_ledger_ldap;
}

uint32_t mfa_ledger_attrs(struct mfa_conn const *conn)
{
	return mfa_config_ledger_attrs(conn->store->config);
}

enum mfa_rc mfa_ledger_read(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_conn *conn)
{
	return entry->has_ledger ? MFA_OK : kind_of(conn)->read(entry, diag, conn);
}

enum mfa_rc mfa_ledger_write(struct mfa_diag *diag, struct mfa_conn *conn,
			     struct mfa_entry const *entry, struct mfa_change const *change,
			     enum mfa_side *side)
{
	return kind_of(conn)->write(diag, conn, entry, change, side);
}
