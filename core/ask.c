/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ask.h"

int mfa_ask_search(struct mfa_conn *conn, LDAP *handle, char const *base, int scope,
		   char const *filter, char const *attr)
{
	struct timeval limit = mfa_conn_time_left(conn, conn->store->config->timeout_s);
	char *attrs[] = {(char *)(uintptr_t)attr, NULL};
	int msgid, code;

	mfa_conn_limit(conn, conn->store->config->timeout_s);
	code = ldap_search_ext(handle, base, scope, filter, attrs, 0, NULL, NULL, &limit, 0,
			       &msgid);
	if (code == LDAP_SUCCESS) return msgid;
	return code == LDAP_FILTER_ERROR ? -2 : -1;
}

enum mfa_rc mfa_ask_await_search(LDAPMessage **result, int *code, struct mfa_conn *conn,
				 LDAP *handle, int msgid)
{
	uint32_t const limit_s = conn->store->config->timeout_s;
	enum mfa_rc rc;

	*result = NULL;
	if (msgid < 0) return msgid == -2 ? MFA_ERR_FORMAT : MFA_ERR_BROKEN;
	mfa_conn_limit(conn, limit_s);
	rc = mfa_conn_wait(result, conn, handle, msgid, limit_s);
	if (rc != MFA_OK) return rc;
	if (ldap_parse_result(handle, *result, code, NULL, NULL, NULL, NULL, 0) == LDAP_SUCCESS)
		return MFA_OK;
	(void)ldap_msgfree(*result);
	*result = NULL;
	return MFA_ERR_BROKEN;
}
