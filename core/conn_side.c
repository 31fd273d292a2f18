/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/conn_side.h"
#include "core/conn_open.h"
#include "core/operation.h"
#include "core/rights.h"
#include "core/servers.h"

static bool has_write_side(struct mfa_conn const *conn)
{
	return conn->store->config->write_uri[0] != '\0';
}

static enum mfa_side side_of(struct mfa_conn const *conn, enum mfa_side side)
{
	return has_write_side(conn) ? side : MFA_SIDE_READ;
}

void mfa_conn_drop(struct mfa_conn *conn, enum mfa_side side)
{
	side = side_of(conn, side);
	mfa_conn_close(&conn->handle[side], conn);
}

void mfa_conn_give_up(struct mfa_conn *conn, enum mfa_side side)
{
	side = side_of(conn, side);
	if (conn->handle[side]) mfa_server_note_failure(conn->store, side, conn->server[side]);
	mfa_conn_drop(conn, side);
}

enum mfa_rc mfa_conn_connect(LDAP **handle, bool *fresh, struct mfa_diag *diag,
			     struct mfa_conn *conn, enum mfa_side side)
{
	enum mfa_rc rc;

	side = side_of(conn, side);
	if (mfa_server_has_failed(conn->store, side, conn->server[side])) mfa_conn_drop(conn, side);
	*handle = conn->handle[side];
	*fresh = *handle == NULL;
	if (*handle) return MFA_OK;
	rc = mfa_conn_connect_as(handle, &conn->server[side], diag, conn, side,
				 &conn->store->account);
	conn->handle[side] = *handle;
	if (rc == MFA_OK) mfa_rights_try(conn, *handle);
	return rc;
}
