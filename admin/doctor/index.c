/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/doctor/doctor.h"
#include "core/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ATTINDEX 1 /* searchFlags, MS-ADTS 2.2.9 */

/** What the directory says of an index */
enum indexed {
	INDEX_UNKNOWN,
	INDEX_MISSING,
	INDEX_THERE
};

bool mfa_cli_doctor_suffix(char *out, size_t out_size, struct mfa_cli_doctor *doctor,
			   LDAPMessage *root)
{
	char const *base = doctor->cli->config.base_dn;
	size_t best = 0;
	char dn[512];

	out[0] = '\0';
	for (int i = 0;
	     mfa_cli_doctor_value(dn, sizeof(dn), doctor->handle, root, "namingContexts", i); i++) {
		size_t const len = strlen(dn), base_len = strlen(base);

		if (len <= best || len > base_len || strcasecmp(base + base_len - len, dn) != 0)
			continue;
		best = len;
		(void)snprintf(out, out_size, "%s", dn);
	}
	return best > 0;
}

/** Whether a word stands in a list that commas or spaces separate */
static bool has_word(char const *list, size_t list_len, char const *word)
{
	size_t const len = strlen(word);

	for (size_t i = 0; i < list_len;) {
		size_t const n = strcspn(list + i, ", ");

		if (n == len && i + n <= list_len && strncasecmp(list + i, word, len) == 0)
			return true;
		i += n + 1;
	}
	return false;
}

/** A filter for the entry of a class that says which suffix it has */
static bool make_filter(char *out, size_t out_size, char const *class, char const *attr,
			char const *suffix)
{
	char escaped[1024];
	int len = -1;

	if (mfa_filter_escape(escaped, sizeof(escaped), mfa_bytes_of(suffix)) >= 0)
		len = snprintf(out, out_size, "(&(objectClass=%s)(%s=%s))", class, attr, escaped);
	return len > 0 && (size_t)len < out_size;
}

/** OpenLDAP: olcDbIndex of the database, such as "uid,cn eq,sub" */
static enum indexed ask_openldap(LDAP *handle, char const *suffix, char const *name)
{
	static char const *const attrs[] = {"olcDbIndex", NULL};
	enum indexed indexed = INDEX_MISSING;
	LDAPMessage *result = NULL;
	char text[1024];

	if (make_filter(text, sizeof(text), "olcDatabaseConfig", "olcSuffix", suffix))
		result = mfa_cli_doctor_search(handle, "cn=config", LDAP_SCOPE_ONELEVEL, text,
					       attrs);
	if (!result) return INDEX_UNKNOWN;
	for (int i = 0; mfa_cli_doctor_value(text, sizeof(text), handle, result, attrs[0], i);
	     i++) {
		size_t const names = strcspn(text, " ");

		if (has_word(text, names, name) &&
		    has_word(text + names, strlen(text + names), "eq"))
			indexed = INDEX_THERE;
	}
	(void)ldap_msgfree(result);
	return indexed;
}

/** 389 Directory Server: an entry for each index below the backend that has the suffix */
static enum indexed ask_389(LDAP *handle, char const *suffix, char const *name)
{
	static char const *const none[] = {"1.1", NULL}, *const attrs[] = {"nsIndexType", NULL};
	enum indexed indexed = INDEX_MISSING;
	LDAPMessage *result = NULL;
	char text[1024], *backend;

	if (make_filter(text, sizeof(text), "nsBackendInstance", "nsslapd-suffix", suffix))
		result = mfa_cli_doctor_search(handle, "cn=config", LDAP_SCOPE_SUBTREE, text, none);
	if (!result) return INDEX_UNKNOWN;
	backend = ldap_get_dn(handle, ldap_first_entry(handle, result));
	(void)ldap_msgfree(result);
	(void)snprintf(text, sizeof(text), "(&(objectClass=nsIndex)(cn=%s))", name);
	result = backend ? mfa_cli_doctor_search(handle, backend, LDAP_SCOPE_SUBTREE, text, attrs)
			 : NULL;
	ldap_memfree(backend);
	if (!result) return INDEX_MISSING;
	for (int i = 0; mfa_cli_doctor_value(text, sizeof(text), handle, result, attrs[0], i); i++)
		if (strcasecmp(text, "eq") == 0) indexed = INDEX_THERE;
	(void)ldap_msgfree(result);
	return indexed;
}

/** Active Directory: a flag of the attribute's schema */
static enum indexed ask_ad(LDAP *handle, char const *schema, char const *name)
{
	static char const *const attrs[] = {"searchFlags", NULL};
	enum indexed indexed = INDEX_MISSING;
	LDAPMessage *result;
	char text[256];

	(void)snprintf(text, sizeof(text), "(lDAPDisplayName=%s)", name);
	result = mfa_cli_doctor_search(handle, schema, LDAP_SCOPE_ONELEVEL, text, attrs);
	if (!result) return INDEX_UNKNOWN;
	if (mfa_cli_doctor_value(text, sizeof(text), handle, result, attrs[0], 0) &&
	    strtol(text, NULL, 10) & ATTINDEX)
		indexed = INDEX_THERE;
	(void)ldap_msgfree(result);
	return indexed;
}

static enum indexed ask(struct mfa_cli_doctor *doctor, LDAPMessage *root)
{
	char const *name = doctor->cli->name_attr;
	enum indexed indexed = INDEX_UNKNOWN;
	char dn[512];

	if (mfa_cli_doctor_value(dn, sizeof(dn), doctor->handle, root, "schemaNamingContext", 0))
		return ask_ad(doctor->handle, dn, name);
	if (!mfa_cli_doctor_suffix(dn, sizeof(dn), doctor, root)) return indexed;
	indexed = ask_openldap(doctor->handle, dn, name);
	return indexed == INDEX_UNKNOWN ? ask_389(doctor->handle, dn, name) : indexed;
}

void mfa_cli_doctor_index(struct mfa_cli_doctor *doctor, LDAPMessage *root)
{
	char const *name = doctor->cli->name_attr;

	switch (ask(doctor, root)) {
	case INDEX_THERE:
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "index", "'%s' has one for equality", name);
		break;
	case INDEX_MISSING:
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "index",
				   "'%s' has none for equality: at each login the directory reads "
				   "all entries",
				   name);
		break;
	case INDEX_UNKNOWN:
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "index",
				   "not known: this account cannot read the directory's "
				   "configuration; see that '%s' has one for equality",
				   name);
		break;
	}
}
