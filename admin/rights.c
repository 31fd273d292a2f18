/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/rights.h"
#include "core/operation.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FILTER_MAX 1024u
#define TRIES	   3u /* a login that writes in between must not look like a missing right */

static char no_attributes[] = LDAP_NO_ATTRS;
static char writable[] = "allowedAttributesEffective";

/* Samba evaluates a filter over hidden attributes as if they were absent.  Active Directory and
 * Samba list what an account may write (MS-ADTS section 3.1.1.4.5.23), which proves it as well:
 * the access rules that we ship let nobody write what he may not read. */
static bool is_active_directory(struct mfa_cli const *cli)
{
	return strcasecmp(cli->config.attr_id, "objectGUID") == 0;
}

/** Attributes that the subcommand looks at, and that did not come */
static uint32_t find_missing(struct mfa_cli const *cli, struct mfa_entry const *entry)
{
	uint32_t missing = cli->command->looks_at & ~mfa_config_ledger_attrs(&cli->config);

	for (size_t i = 0; i < entry->count; i++) missing &= ~MFA_ATTR_BIT(entry->list[i].attr);
	return missing;
}

/** "(&(!(a=*))(!(b=*)))": an entry that matches has none of them */
static void make_filter(char out[static FILTER_MAX], struct mfa_cli const *cli, uint32_t missing)
{
	int n = snprintf(out, FILTER_MAX, "(&");

	for (unsigned i = 0; i < MFA_ATTR_COUNT && n > 0 && n < (int)FILTER_MAX; i++) {
		if (!(missing & MFA_ATTR_BIT(i))) continue;
		n += snprintf(out + n, FILTER_MAX - (size_t)n, "(!(%s=*))", cli->config.attr[i]);
	}
	if (n > 0 && n < (int)FILTER_MAX) (void)snprintf(out + n, FILTER_MAX - (size_t)n, ")");
}

static enum mfa_rc send_search(int *msgid, struct mfa_diag *diag, struct mfa_entry const *entry,
			       LDAP *handle, char const *filter, char *attr)
{
	char *attrs[] = {attr, NULL};
	int const code = ldap_search_ext(handle, (char const *)entry->dn.data, LDAP_SCOPE_BASE,
					 filter, attrs, 0, NULL, NULL, NULL, 2, msgid);

	if (code == LDAP_SUCCESS) return MFA_OK;
	mfa_diag_set(diag, "search: %s", ldap_err2string(code));
	return MFA_ERR_UNAVAILABLE;
}

/** Whether all of a set are among the values of an attribute */
static bool lists_all(struct berval **values, struct mfa_cli const *cli, uint32_t set)
{
	for (size_t i = 0; values && values[i]; i++) {
		for (unsigned attr = 0; attr < MFA_ATTR_COUNT; attr++) {
			char const *name = cli->config.attr[attr];

			if (strlen(name) == values[i]->bv_len &&
			    strncasecmp(name, values[i]->bv_val, values[i]->bv_len) == 0)
				set &= ~MFA_ATTR_BIT(attr);
		}
	}
	return set == 0;
}

/** Whether the entry in a result proves that a set of attributes is absent */
static bool proves_absence(struct mfa_cli const *cli, LDAP *handle, LDAPMessage *message,
			   uint32_t set)
{
	struct berval **values;
	bool proved;

	if (!is_active_directory(cli)) return true;
	values = ldap_get_values_len(handle, message, writable);
	proved = lists_all(values, cli, set);
	if (values) ldap_value_free_len(values);
	return proved;
}

/** Wait for a result; MFA_OK also when no entry is in it */
static enum mfa_rc receive(LDAPMessage **result, struct mfa_diag *diag, struct mfa_conn *conn,
			   LDAP *handle, int msgid)
{
	int code = LDAP_OTHER;

	if (mfa_conn_wait(result, conn, handle, msgid, conn->store->config->timeout_s) != MFA_OK) {
		mfa_diag_set(diag, "search: the directory does not answer");
		return MFA_ERR_UNAVAILABLE;
	}
	if (ldap_parse_result(handle, *result, &code, NULL, NULL, NULL, NULL, 0) != LDAP_SUCCESS)
		code = LDAP_OTHER;
	if (code != LDAP_SUCCESS) mfa_diag_set(diag, "search: %s", ldap_err2string(code));
	return mfa_ldap_rc(code);
}

/** Wait whether a set of attributes is proved absent */
static enum mfa_rc receive_absence(bool *absent, struct mfa_diag *diag, struct mfa_cli const *cli,
				   struct mfa_conn *conn, LDAP *handle,
				   struct mfa_cli_proof const *proof)
{
	LDAPMessage *result, *message;
	enum mfa_rc const rc = receive(&result, diag, conn, handle, proof->msgid);

	message = result ? ldap_first_entry(handle, result) : NULL;
	*absent = rc == MFA_OK && message && proves_absence(cli, handle, message, proof->missing);
	(void)ldap_msgfree(result);
	return rc;
}

/** Send the question for a set of attributes */
static enum mfa_rc ask(struct mfa_cli_proof *proof, struct mfa_diag *diag,
		       struct mfa_cli const *cli, LDAP *handle, struct mfa_entry const *entry)
{
	char filter[FILTER_MAX];

	make_filter(filter, cli, proof->missing);
	return send_search(&proof->msgid, diag, entry, handle, filter,
			   is_active_directory(cli) ? writable : no_attributes);
}

/** Whether values of one attribute come */
static enum mfa_rc look_for_values(bool *present, struct mfa_diag *diag, struct mfa_conn *conn,
				   LDAP *handle, struct mfa_entry const *entry, char *name)
{
	LDAPMessage *result = NULL, *message;
	BerElement *ber = NULL;
	char *found = NULL;
	int msgid;
	enum mfa_rc rc = send_search(&msgid, diag, entry, handle, "(objectClass=*)", name);

	if (rc == MFA_OK) rc = receive(&result, diag, conn, handle, msgid);
	message = rc == MFA_OK ? ldap_first_entry(handle, result) : NULL;
	if (message) found = ldap_first_attribute(handle, message, &ber);
	*present = found != NULL;
	ldap_memfree(found);
	ber_free(ber, 0);
	(void)ldap_msgfree(result);
	return rc;
}

/** Whether one attribute can be seen: it is proved absent, or its values come */
static enum mfa_rc look(bool *seen, struct mfa_diag *diag, struct mfa_cli const *cli,
			struct mfa_conn *conn, LDAP *handle, struct mfa_entry const *entry,
			unsigned attr)
{
	struct mfa_cli_proof proof = {.missing = MFA_ATTR_BIT(attr)};
	enum mfa_rc rc = ask(&proof, diag, cli, handle, entry);

	if (rc == MFA_OK) rc = receive_absence(seen, diag, cli, conn, handle, &proof);
	if (rc == MFA_OK && !*seen)
		rc = look_for_values(seen, diag, conn, handle, entry, cli->config.attr[attr]);
	return rc;
}

/** Not all are absent: find the one that is hidden, if it is not that one was just written */
static enum mfa_rc find_hidden(uint32_t missing, struct mfa_diag *diag, struct mfa_cli const *cli,
			       struct mfa_conn *conn, LDAP *handle, struct mfa_entry const *entry)
{
	struct mfa_account const *account = &cli->store.account;

	for (unsigned attr = 0; attr < MFA_ATTR_COUNT; attr++) {
		bool seen = !(missing & MFA_ATTR_BIT(attr));
		enum mfa_rc rc = MFA_OK;

		for (unsigned i = 0; i < TRIES && !seen && rc == MFA_OK; i++)
			rc = look(&seen, diag, cli, conn, handle, entry, attr);
		if (rc != MFA_OK) return rc;
		if (seen) continue;
		mfa_diag_set(diag, "insufficient access to '%s' as '%s'", cli->config.attr[attr],
			     account->external ? "SASL EXTERNAL" : account->identity);
		return MFA_ERR_DENIED;
	}
	return MFA_OK;
}

enum mfa_rc mfa_cli_rights_ask(struct mfa_cli_proof *proof, struct mfa_diag *diag,
			       struct mfa_cli const *cli, LDAP *handle,
			       struct mfa_entry const *entry)
{
	*proof = (struct mfa_cli_proof){.missing = find_missing(cli, entry)};
	return proof->missing ? ask(proof, diag, cli, handle, entry) : MFA_OK;
}

enum mfa_rc mfa_cli_rights_answer(struct mfa_cli_proof const *proof, struct mfa_diag *diag,
				  struct mfa_cli const *cli, struct mfa_conn *conn, LDAP *handle,
				  struct mfa_entry const *entry)
{
	bool absent;
	enum mfa_rc rc;

	if (proof->missing == 0) return MFA_OK;
	rc = receive_absence(&absent, diag, cli, conn, handle, proof);
	if (rc != MFA_OK || absent) return rc;
	return find_hidden(proof->missing, diag, cli, conn, handle, entry);
}

enum mfa_rc mfa_cli_rights_check(struct mfa_diag *diag, struct mfa_cli const *cli,
				 enum mfa_side side, struct mfa_entry const *entry)
{
	struct mfa_cli_proof proof;
	LDAP *handle = mfa_conn_handle(diag, cli->conn, side);
	enum mfa_rc rc = MFA_ERR_UNAVAILABLE;

	if (handle) rc = mfa_cli_rights_ask(&proof, diag, cli, handle, entry);
	if (rc == MFA_OK) rc = mfa_cli_rights_answer(&proof, diag, cli, cli->conn, handle, entry);
	return rc;
}
