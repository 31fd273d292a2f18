/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/conn.h"
#include "core/clock.h"
#include "core/conn_side.h"
#include "core/etcd_http.h"
#include "core/operation.h"

#include <stdlib.h>

#define AWAY_MS                                                                                    \
	5000 /* between two attempts to have something confirmed by a provider that is away */

void mfa_conn_start(struct mfa_conn *conn)
{
	mfa_conn_start_at(conn, mfa_monotonic_ms());
}

void mfa_conn_start_at(struct mfa_conn *conn, int64_t start_ms)
{
	conn->deadline_ms = start_ms + (int64_t)conn->store->config->timeout_s * 1000;
}

bool mfa_conn_may_confirm(struct mfa_conn *conn)
{
	int64_t *away = &conn->store->away_until_ms;
	int64_t until = __atomic_load_n(away, __ATOMIC_RELAXED);
	int64_t const now = mfa_monotonic_ms();

	if (until == 0) return true;
	return now >= until && __atomic_compare_exchange_n(away, &until, now + AWAY_MS, false,
							   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void mfa_conn_note_provider(struct mfa_conn *conn, bool answered)
{
	__atomic_store_n(&conn->store->away_until_ms, answered ? 0 : mfa_monotonic_ms() + AWAY_MS,
			 __ATOMIC_RELAXED);
}

enum mfa_rc mfa_conn_alloc(struct mfa_conn **conn, struct mfa_store *store)
{
	*conn = calloc(1, sizeof(**conn));
	if (!*conn) return MFA_ERR_NOMEM;
	(*conn)->store = store;
	return MFA_OK;
}

enum mfa_rc mfa_conn_open(struct mfa_conn **conn, struct mfa_diag *diag, struct mfa_store *store)
{
	enum mfa_rc rc = mfa_conn_alloc(conn, store);
	LDAP *handle;
	bool fresh;

	if (rc == MFA_OK) {
		mfa_conn_start(*conn);
		rc = mfa_conn_connect(&handle, &fresh, diag, *conn, MFA_SIDE_READ);
		(*conn)->deadline_ms = 0;
	}
	if (rc != MFA_OK) mfa_conn_free(conn);
	return rc;
}

void mfa_conn_free(struct mfa_conn **conn)
{
	if (!*conn) return;
	mfa_conn_drop(*conn, MFA_SIDE_READ);
	mfa_conn_drop(*conn, MFA_SIDE_WRITE);
	mfa_conn_close(&(*conn)->user, *conn);
	mfa_etcd_free(&(*conn)->etcd);
	free(*conn);
	*conn = NULL;
}

struct ldap *mfa_conn_handle(struct mfa_diag *diag, struct mfa_conn *conn, enum mfa_side side)
{
	LDAP *handle;
	bool fresh;

	return mfa_conn_connect(&handle, &fresh, diag, conn, side) == MFA_OK ? handle : NULL;
}
