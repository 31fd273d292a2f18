/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/operation.h"
#include "core/clock.h"

#include <string.h>

void mfa_conn_limit(struct mfa_conn *conn, uint32_t limit_s)
{
	struct timeval const left = mfa_conn_time_left(conn, limit_s);

	conn->io_deadline_ms = mfa_monotonic_ms() + left.tv_sec * 1000 + left.tv_usec / 1000;
}

struct timeval mfa_conn_time_left(struct mfa_conn const *conn, uint32_t limit_s)
{
	int64_t left_ms = (int64_t)limit_s * 1000;

	if (conn->deadline_ms != 0 && conn->deadline_ms - mfa_monotonic_ms() < left_ms)
		left_ms = conn->deadline_ms - mfa_monotonic_ms();
	if (left_ms < 1) left_ms = 1;
	return (struct timeval){.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
}

bool mfa_conn_is_late(struct mfa_conn const *conn)
{
	return conn->deadline_ms != 0 && mfa_monotonic_ms() >= conn->deadline_ms;
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

bool mfa_conn_was_refused(int code)
{
	return code > 0 && code != LDAP_OTHER && mfa_ldap_rc(code) != MFA_ERR_UNAVAILABLE;
}

int mfa_conn_send_compare(struct mfa_conn *conn, LDAP *handle, char const *dn, char const *name,
			  char const *value)
{
	struct berval bv = {.bv_len = strlen(value), .bv_val = (char *)(uintptr_t)value};
	int msgid;

	mfa_conn_limit(conn, conn->store->config->connect_timeout_s);
	return ldap_compare_ext(handle, dn, name, &bv, NULL, NULL, &msgid) == LDAP_SUCCESS ? msgid
											   : -1;
}

enum mfa_rc mfa_conn_await_compare(int *code, struct mfa_conn *conn, LDAP *handle, int msgid)
{
	uint32_t const limit_s = conn->store->config->connect_timeout_s;
	LDAPMessage *result;
	enum mfa_rc rc;

	if (msgid < 0) return MFA_ERR_BROKEN;
	mfa_conn_limit(conn, limit_s);
	rc = mfa_conn_wait(&result, conn, handle, msgid, limit_s);
	if (rc != MFA_OK) return rc;
	return ldap_parse_result(handle, result, code, NULL, NULL, NULL, NULL, 1) == LDAP_SUCCESS
		       ? MFA_OK
		       : MFA_ERR_BROKEN;
}
