/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/bind.h"
#include "core/operation.h"

#include <string.h>

int mfa_bind_send(int *msgid, LDAP *handle, struct mfa_account const *account)
{
	struct berval cred = {.bv_len = strlen(account->password),
			      .bv_val = (char *)(uintptr_t)account->password};
	char empty[] = "";

	/* Empty is "as whom you know me"; none at all would make the server ask for more. */
	if (account->external) cred = (struct berval){.bv_len = 0, .bv_val = empty};
	return ldap_sasl_bind(handle, account->external ? NULL : account->identity,
			      account->external ? "EXTERNAL" : LDAP_SASL_SIMPLE, &cred, NULL, NULL,
			      msgid);
}

int mfa_bind_finish(LDAP *handle, struct mfa_conn *conn, int msgid)
{
	LDAPMessage *result;
	int code, parsed;

	if (mfa_conn_wait(&result, conn, handle, msgid, conn->store->config->connect_timeout_s) !=
	    MFA_OK) {
		return LDAP_TIMEOUT;
	}
	parsed = ldap_parse_result(handle, result, &code, NULL, NULL, NULL, NULL, 1);
	return parsed == LDAP_SUCCESS ? code : parsed;
}

int mfa_bind(LDAP *handle, struct mfa_conn *conn, struct mfa_account const *account)
{
	int msgid, code = mfa_bind_send(&msgid, handle, account);

	return code == LDAP_SUCCESS ? mfa_bind_finish(handle, conn, msgid) : code;
}
