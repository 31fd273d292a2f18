/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/etcd_http.h"
#include "core/rights.h"
#include "core/servers.h"

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

bool mfa_conn_is_late(struct mfa_conn const *conn)
{
	return conn->deadline_ms != 0 && mfa_monotonic_ms() >= conn->deadline_ms;
}

struct timeval mfa_conn_time_left(struct mfa_conn const *conn, uint32_t limit_s)
{
	int64_t left_ms = (int64_t)limit_s * 1000;

	if (conn->deadline_ms != 0 && conn->deadline_ms - mfa_monotonic_ms() < left_ms)
		left_ms = conn->deadline_ms - mfa_monotonic_ms();
	if (left_ms < 1) left_ms = 1;
	return (struct timeval){.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
}

void mfa_conn_limit(struct mfa_conn *conn, uint32_t limit_s)
{
	struct timeval const left = mfa_conn_time_left(conn, limit_s);

	conn->io_deadline_ms = mfa_monotonic_ms() + left.tv_sec * 1000 + left.tv_usec / 1000;
}

enum mfa_rc mfa_ldap_rc(int code)
{
	switch (code) {
	case LDAP_SUCCESS: return MFA_OK;
	case LDAP_NO_SUCH_OBJECT: return MFA_ERR_NOT_FOUND;
	case LDAP_SIZELIMIT_EXCEEDED: return MFA_ERR_AMBIGUOUS;
	case LDAP_NO_SUCH_ATTRIBUTE:
	case LDAP_TYPE_OR_VALUE_EXISTS:
	case LDAP_CONSTRAINT_VIOLATION:
	case LDAP_ASSERTION_FAILED: return MFA_ERR_CONFLICT;
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
	case LDAP_TIMELIMIT_EXCEEDED:
	case LDAP_ADMINLIMIT_EXCEEDED:
	case LDAP_SERVER_DOWN:
	case LDAP_CONNECT_ERROR:
	case LDAP_TIMEOUT: return MFA_ERR_UNAVAILABLE;
	case LDAP_NO_MEMORY: return MFA_ERR_NOMEM;
	default: return MFA_ERR_DENIED;
	}
}

enum mfa_rc mfa_conn_wait(LDAPMessage **result, struct mfa_conn *conn, LDAP *handle, int msgid,
			  uint32_t limit_s)
{
	struct timeval limit = mfa_conn_time_left(conn, limit_s);
	bool late;
	int got;

	*result = NULL;
	got = ldap_result(handle, msgid, LDAP_MSG_ALL, &limit, result);
	late = conn->io_deadline_ms != 0 && mfa_monotonic_ms() >= conn->io_deadline_ms;
	conn->io_deadline_ms = 0;
	if (got > 0) return MFA_OK;
	if (got < 0) return late ? MFA_ERR_UNAVAILABLE : MFA_ERR_BROKEN;
	(void)ldap_abandon_ext(handle, msgid, NULL, NULL);
	return MFA_ERR_UNAVAILABLE;
}

void mfa_conn_close(LDAP **handle, struct mfa_conn *conn)
{
	if (!*handle) return;
	conn->io_deadline_ms = mfa_monotonic_ms();
	(void)ldap_unbind_ext(*handle, NULL, NULL);
	conn->io_deadline_ms = 0;
	*handle = NULL;
}

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
