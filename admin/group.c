/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/group.h"
#include "core/operation.h"

#include <string.h>

/** Give the values of one attribute; how many there were */
static enum mfa_rc take_values(size_t *count, struct berval **values,
			       bool (*take)(struct mfa_bytes member, void *uctx), void *uctx)
{
	for (size_t i = 0; values && values[i]; i++, (*count)++) {
		struct mfa_bytes const member = {(uint8_t const *)values[i]->bv_val,
						 values[i]->bv_len};

		if (!take(member, uctx)) return MFA_ERR_NOMEM;
	}
	return MFA_OK;
}

static enum mfa_rc take_members(struct mfa_diag *diag, LDAP *handle, LDAPMessage *message,
				bool (*take)(struct mfa_bytes member, void *uctx), void *uctx)
{
	BerElement *ber = NULL;
	enum mfa_rc rc = MFA_OK;
	size_t count = 0;
	char *name;

	for (name = ldap_first_attribute(handle, message, &ber); name && rc == MFA_OK;
	     name = ldap_next_attribute(handle, message, ber)) {
		struct berval **values = ldap_get_values_len(handle, message, name);

		rc = strchr(name, ';') ? MFA_ERR_SPACE : take_values(&count, values, take, uctx);
		if (values) ldap_value_free_len(values);
		ldap_memfree(name);
	}
	ber_free(ber, 0);
	if (rc == MFA_ERR_SPACE)
		mfa_diag_set(diag, "the group is too large; use --users '(memberOf=...)'");
	if (rc != MFA_OK || count > 0) return rc;
	mfa_diag_set(diag, "nobody is in this group, or its members are hidden from this account");
	return MFA_ERR_NOT_FOUND;
}

enum mfa_rc mfa_cli_group_members(struct mfa_cli *cli, struct mfa_diag *diag, char const *dn,
				  bool (*take)(struct mfa_bytes member, void *uctx), void *uctx)
{
	char *attrs[] = {(char[]){"member"}, (char[]){"uniqueMember"}, (char[]){"memberUid"}, NULL};
	struct timeval limit = {.tv_sec = cli->config.timeout_s, .tv_usec = 0};
	LDAP *handle = mfa_conn_handle(diag, cli->walk, MFA_SIDE_READ);
	LDAPMessage *result = NULL, *message;
	enum mfa_rc rc;
	int code;

	if (!handle) return MFA_ERR_UNAVAILABLE;
	code = ldap_search_ext_s(handle, dn, LDAP_SCOPE_BASE, "(objectClass=*)", attrs, 0, NULL,
				 NULL, &limit, 2, &result);
	message = code == LDAP_SUCCESS ? ldap_first_entry(handle, result) : NULL;
	if (message) {
		rc = take_members(diag, handle, message, take, uctx);
	} else {
		rc = code == LDAP_SUCCESS ? MFA_ERR_NOT_FOUND : mfa_ldap_rc(code);
		mfa_diag_set(diag, "no such group: %s", ldap_err2string(code));
	}
	(void)ldap_msgfree(result);
	return rc;
}
