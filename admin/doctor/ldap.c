/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/doctor/doctor.h"
#include "admin/output.h"
#include "core/filter.h"

#include <ldap_schema.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CLOCK_MAX_S  10 /* a third of a time step */
#define CONTROL_PAGE "1.2.840.113556.1.4.319"
#define CONTROL_IF   "1.3.6.1.1.12"

LDAPMessage *mfa_cli_doctor_search(LDAP *handle, char const *dn, int scope, char const *filter,
				   char const *const *attrs)
{
	struct timeval limit = {.tv_sec = 10, .tv_usec = 0};
	LDAPMessage *result = NULL;
	int const code = ldap_search_ext_s(handle, dn, scope, filter, (char **)(uintptr_t)attrs, 0,
					   NULL, NULL, &limit, 2, &result);

	if (code == LDAP_SUCCESS && ldap_count_entries(handle, result) == 1) return result;
	if (result) (void)ldap_msgfree(result);
	return NULL;
}

LDAPMessage *mfa_cli_doctor_read(LDAP *handle, char const *dn, char const *const *attrs)
{
	return mfa_cli_doctor_search(handle, dn, LDAP_SCOPE_BASE, "(objectClass=*)", attrs);
}

bool mfa_cli_doctor_value(char *out, size_t out_size, LDAP *handle, LDAPMessage *result,
			  char const *attr, int n)
{
	struct berval **values =
		ldap_get_values_len(handle, ldap_first_entry(handle, result), attr);
	bool const found = n < ldap_count_values_len(values);

	if (found) (void)snprintf(out, out_size, "%.*s", (int)values[n]->bv_len, values[n]->bv_val);
	if (values) ldap_value_free_len(values);
	return found;
}

static bool has_value(LDAP *handle, LDAPMessage *result, char const *attr, char const *wanted)
{
	char value[256];

	for (int i = 0; mfa_cli_doctor_value(value, sizeof(value), handle, result, attr, i); i++) {
		if (strcasecmp(value, wanted) == 0) return true;
	}
	return false;
}

static bool has_name(char **names, char const *wanted)
{
	for (; names && *names; names++) {
		if (strcasecmp(*names, wanted) == 0) return true;
	}
	return false;
}

/** What the schema says of an attribute */
struct known {
	bool found, single;
	char first_name[64]; //!< By which the directory answers.
};

static void find_attribute(struct known *known, LDAP *handle, LDAPMessage *schema, char const *name)
{
	char text[2048];

	*known = (struct known){.found = false};
	for (int i = 0; !known->found && mfa_cli_doctor_value(text, sizeof(text), handle, schema,
							      "attributeTypes", i);
	     i++) {
		char const *error;
		LDAPAttributeType *type;
		int code;

		if (!strcasestr(text, name)) continue;
		type = ldap_str2attributetype(text, &code, &error, LDAP_SCHEMA_ALLOW_ALL);
		if (!type) continue;
		known->found = has_name(type->at_names, name) ||
			       (type->at_oid && strcmp(type->at_oid, name) == 0);
		known->single = type->at_single_value != 0;
		(void)snprintf(known->first_name, sizeof(known->first_name), "%s",
			       type->at_names && type->at_names[0] ? type->at_names[0] : name);
		ldap_attributetype_free(type);
	}
}

/** Look at one attribute; whether nothing had to be said */
static bool check_attribute(struct mfa_cli_doctor *doctor, struct known const *known,
			    char const *name, bool single)
{
	if (!known->found) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "schema",
				   "the directory does not know '%s': load ldap-schema", name);
	} else if (strcasecmp(known->first_name, name) != 0) {
		mfa_cli_doctor_say(
			doctor, MFA_CLI_WRONG, "schema",
			"the directory calls '%s' by another name, so the logins of users "
			"who have it are refused: in section attribute, write '%s'",
			name, known->first_name);
	} else if (!known->single && single) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "schema",
				   "'%s' may hold several values: two servers could each add one; "
				   "choose a single-valued attribute",
				   name);
	} else if (known->single && !single) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "schema",
				   "'%s' may hold one value only", name);
	} else {
		return true;
	}
	return false;
}

static void check_attributes(struct mfa_cli_doctor *doctor, LDAPMessage *schema)
{
	bool good = true;

	for (size_t i = 0; i < MFA_ATTR_COUNT; i++) {
		char const *name = doctor->cli->config.attr[i];
		struct known known;

		find_attribute(&known, doctor->handle, schema, name);
		good &= check_attribute(doctor, &known, name, mfa_attr_is_single((enum mfa_attr)i));
	}
	if (good) mfa_cli_doctor_say(doctor, MFA_CLI_OK, "schema", "all attributes are there");
}

static bool has_class(struct mfa_cli_doctor *doctor, LDAPMessage *schema)
{
	char const *name = doctor->cli->config.object_class;
	char text[2048];

	if (!name[0]) return true;
	for (int i = 0;
	     mfa_cli_doctor_value(text, sizeof(text), doctor->handle, schema, "objectClasses", i);
	     i++) {
		char quoted[80];

		(void)snprintf(quoted, sizeof(quoted), "'%s'", name);
		if (strcasestr(text, quoted)) return true;
	}
	return false;
}

static void check_schema(struct mfa_cli_doctor *doctor, LDAPMessage *root)
{
	static char const *const attrs[] = {"attributeTypes", "objectClasses", NULL};
	char dn[512];
	LDAPMessage *schema = NULL;

	if (mfa_cli_doctor_value(dn, sizeof(dn), doctor->handle, root, "subschemaSubentry", 0))
		schema = mfa_cli_doctor_read(doctor->handle, dn, attrs);
	if (!schema) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "schema", "it cannot be read");
		return;
	}
	check_attributes(doctor, schema);
	if (!has_class(doctor, schema)) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "schema",
				   "the directory does not know the class '%s'",
				   doctor->cli->config.object_class);
	}
	(void)ldap_msgfree(schema);
}

static void check_controls(struct mfa_cli_doctor *doctor, LDAPMessage *root)
{
	if (has_value(doctor->handle, root, "supportedControl", CONTROL_IF)) {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "assertion",
				   "changes are made under the assertion control (RFC 4528)");
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "assertion",
				   "no assertion control: only deleted and added values are "
				   "compared when a change is written");
	}
	if (!has_value(doctor->handle, root, "supportedControl", CONTROL_PAGE)) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "paged results",
				   "not offered: long lists may be cut by a size limit");
	}
}

/** Whether users can be searched for as a login does it */
static void check_search(struct mfa_cli_doctor *doctor)
{
	struct mfa_config const *config = &doctor->cli->config;
	char *attrs[] = {(char[]){"1.1"}, NULL};
	struct timeval limit = {.tv_sec = 10, .tv_usec = 0};
	LDAPMessage *result = NULL;
	char filter[1024];
	int code;

	if (mfa_filter_expand(filter, sizeof(filter), NULL, config->filter,
			      mfa_bytes_of("no-such-user-of-peruser-mfa")) != MFA_OK) {
		return;
	}
	code = ldap_search_ext_s(doctor->handle, config->base_dn, LDAP_SCOPE_SUBTREE, filter, attrs,
				 0, NULL, NULL, &limit, 2, &result);
	if (result) (void)ldap_msgfree(result);
	if (code != LDAP_SUCCESS)
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "search", "below '%s': %s",
				   config->base_dn, ldap_err2string(code));
}

/** A time out of an entry; -1 when it does not say one */
static int64_t read_time(LDAP *handle, char const *dn, char const *attr)
{
	char const *const attrs[] = {attr, NULL};
	LDAPMessage *result = mfa_cli_doctor_read(handle, dn, attrs);
	char text[128];
	int64_t time_s = -1;

	if (!result) return -1;
	if (mfa_cli_doctor_value(text, sizeof(text), handle, result, attr, 0)) {
		text[strcspn(text, "#")] = '\0';
		if (mfa_time_parse(&time_s, mfa_bytes_of(text)) != MFA_OK) time_s = -1;
	}
	(void)ldap_msgfree(result);
	return time_s;
}

/** What time it is by the directory's clock, to the second; -1: it does not say */
static int64_t read_clock(LDAP *handle)
{
	static struct {
		char const *dn, *attr;
	} const known[] = {
		{"", "currentTime"},				       /* AD */
		{"cn=monitor", "currentTime"},			       /* 389 */
		{"cn=Current,cn=Time,cn=Monitor", "monitorTimestamp"}, /* OpenLDAP */
	};
	int64_t time_s = -1;

	for (size_t i = 0; time_s < 0 && i < sizeof(known) / sizeof(known[0]); i++)
		time_s = read_time(handle, known[i].dn, known[i].attr);
	return time_s;
}

static void check_clock(struct mfa_cli_doctor *doctor, LDAPMessage *root)
{
	int64_t const their_s = read_clock(doctor->handle), our_s = (int64_t)time(NULL);
	int64_t const off_s = their_s - our_s;
	char suffix[512] = "";

	if (their_s >= 0 && off_s <= CLOCK_MAX_S && off_s >= -CLOCK_MAX_S) {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "clock",
				   "the directory's is %+lld s from ours", (long long)off_s);
	} else if (their_s >= 0) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "clock",
				   "the directory's is %+lld s from ours: run NTP on both",
				   (long long)off_s);
	} else if (mfa_cli_doctor_suffix(suffix, sizeof(suffix), doctor, root) &&
		   read_time(doctor->handle, suffix, "modifyTimestamp") > our_s + CLOCK_MAX_S) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "clock",
				   "the directory was changed in our future: run NTP on both");
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "clock",
				   "not known: the directory does not tell its time to this "
				   "account; let it read cn=monitor");
	}
}

void mfa_cli_doctor_directory(struct mfa_cli_doctor *doctor)
{
	static char const *const attrs[] = {"subschemaSubentry", "supportedControl",
					    "namingContexts", "schemaNamingContext", NULL};
	LDAPMessage *root = mfa_cli_doctor_read(doctor->handle, "", attrs);

	if (!root) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "root DSE", "it cannot be read");
		return;
	}
	check_schema(doctor, root);
	check_controls(doctor, root);
	check_search(doctor);
	mfa_cli_doctor_index(doctor, root);
	check_clock(doctor, root);
	(void)ldap_msgfree(root);
}
