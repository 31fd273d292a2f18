/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/read.h"
#include "core/conn_side.h"
#include "core/ldap_entry.h"
#include "core/operation.h"
#include "core/rights.h"

static int ldap_scope(enum mfa_scope scope)
{
	switch (scope) {
	case MFA_SCOPE_ONE: return LDAP_SCOPE_ONELEVEL;
	case MFA_SCOPE_BASE: return LDAP_SCOPE_BASE;
	case MFA_SCOPE_SUB: break;
	}
	return LDAP_SCOPE_SUBTREE;
}

/** Take the one entry out of a search's result */
static enum mfa_rc take_entry(struct mfa_entry *entry, struct mfa_diag *diag,
			      struct mfa_config const *config, LDAP *handle, LDAPMessage *result)
{
	int const count = ldap_count_entries(handle, result);
	int code = LDAP_OTHER;
	enum mfa_rc rc;

	if (ldap_parse_result(handle, result, &code, NULL, NULL, NULL, NULL, 0) != LDAP_SUCCESS)
		code = LDAP_OTHER;
	rc = mfa_ldap_rc(code);
	if (rc == MFA_OK && count == 0) rc = MFA_ERR_NOT_FOUND;
	if (rc == MFA_OK && count > 1) rc = MFA_ERR_AMBIGUOUS;
	if (rc != MFA_OK) {
		mfa_diag_set(diag, "search: %s",
			     rc == MFA_ERR_NOT_FOUND   ? "no such entry"
			     : rc == MFA_ERR_AMBIGUOUS ? "more than one entry matches"
						       : ldap_err2string(code));
		return rc;
	}
	return mfa_conn_entry(entry, diag, config, NULL, handle, ldap_first_entry(handle, result));
}

/** One search; MFA_ERR_BROKEN when the connection was broken */
static enum mfa_rc search(LDAPMessage **result, struct mfa_conn *conn, LDAP *handle,
			  struct mfa_where const *where)
{
	struct mfa_config const *config = conn->store->config;
	struct timeval limit = mfa_conn_time_left(conn, config->timeout_s);
	char *attrs[MFA_READ_ATTRS];
	int msgid;

	(void)mfa_conn_attrs(attrs, conn->store, where->leave_out);
	*result = NULL;
	mfa_conn_limit(conn, config->timeout_s);
	if (ldap_search_ext(handle, where->base, ldap_scope(where->scope), where->filter, attrs, 0,
			    NULL, NULL, &limit, 2, &msgid) != LDAP_SUCCESS) {
		return MFA_ERR_BROKEN;
	}
	return mfa_conn_wait(result, conn, handle, msgid, config->timeout_s);
}

/** Whether what is missing from an answer is missing from the directory */
static enum mfa_rc check_rights(struct mfa_entry const *entry, struct mfa_diag *diag,
				struct mfa_conn *conn, LDAP *handle, enum mfa_rc rc)
{
	if (rc == MFA_ERR_NOT_FOUND) return mfa_rights_not_found(diag, conn, handle);
	if (rc != MFA_OK) return rc;
	rc = mfa_rights_check(diag, conn, handle, entry);
	if (rc != MFA_ERR_BROKEN && rc != MFA_ERR_UNAVAILABLE) return rc;
	mfa_diag_say(diag, "compare: no answer");
	return MFA_ERR_UNAVAILABLE;
}

enum mfa_rc mfa_conn_read(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_conn *conn,
			  enum mfa_side side, struct mfa_where const *where)
{
	LDAPMessage *result = NULL;
	LDAP *handle;
	bool fresh = false;
	enum mfa_rc rc;

	mfa_entry_init(entry);
	do {
		rc = mfa_conn_connect(&handle, &fresh, diag, conn, side);
		if (rc != MFA_OK) return rc;
		rc = search(&result, conn, handle, where);
		if (rc == MFA_OK) break;
		/* A server that was restarted closed our idle connection: connect again, once. */
		if (rc == MFA_ERR_BROKEN) mfa_conn_drop(conn, side);
		if (rc == MFA_ERR_UNAVAILABLE) mfa_conn_give_up(conn, side);
		mfa_diag_set(diag, "search: %s",
			     rc == MFA_ERR_BROKEN ? "connection lost" : "no answer in time");
	} while (rc == MFA_ERR_BROKEN && !fresh && !mfa_conn_is_late(conn));
	if (rc != MFA_OK) return MFA_ERR_UNAVAILABLE;

	rc = take_entry(entry, diag, conn->store->config, handle, result);
	(void)ldap_msgfree(result);
	entry->left_out = where->leave_out | mfa_config_ledger_attrs(conn->store->config);
	rc = check_rights(entry, diag, conn, handle, rc);
	if (rc == MFA_ERR_UNAVAILABLE) mfa_conn_drop(conn, side);
	if (rc == MFA_OK) return MFA_OK;
	mfa_entry_clear(entry);
	entry->left_out = where->leave_out | mfa_config_ledger_attrs(conn->store->config);
	return rc;
}
