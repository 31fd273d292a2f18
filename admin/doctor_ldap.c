/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/doctor.h"
#include "admin/output.h"
#include "core/conn.h"

#include <ldap_schema.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SLOW_MS	     50 /* a search that an index answers takes a millisecond */
#define CLOCK_MAX_S  10 /* a third of a time step */
#define CONTROL_PAGE "1.2.840.113556.1.4.319"
#define CONTROL_IF   "1.3.6.1.1.12"

LDAPMessage *mfa_cli_doctor_read(LDAP *handle, char const *dn, char const *filter,
				 char const *const *attrs)
{
	struct timeval limit = {.tv_sec = 10, .tv_usec = 0};
	LDAPMessage *result = NULL;
	int const code =
		ldap_search_ext_s(handle, dn, LDAP_SCOPE_BASE, filter, (char **)(uintptr_t)attrs, 0,
				  NULL, NULL, &limit, 2, &result);

	if (code == LDAP_SUCCESS && ldap_count_entries(handle, result) == 1) return result;
	if (result) (void)ldap_msgfree(result);
	return NULL;
}

/** The n-th value of an attribute as a C string; false when there are not so many */
static bool get_value(char *out, size_t out_size, LDAP *handle, LDAPMessage *result,
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

	for (int i = 0; get_value(value, sizeof(value), handle, result, attr, i); i++) {
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
enum known {
	UNKNOWN,
	SINGLE,
	MULTI
};

static enum known find_attribute(LDAP *handle, LDAPMessage *schema, char const *name)
{
	enum known known = UNKNOWN;
	char text[2048];

	for (int i = 0;
	     known == UNKNOWN && get_value(text, sizeof(text), handle, schema, "attributeTypes", i);
	     i++) {
		char const *error;
		LDAPAttributeType *type;
		int code;

		if (!strcasestr(text, name)) continue;
		type = ldap_str2attributetype(text, &code, &error, LDAP_SCHEMA_ALLOW_ALL);
		if (!type) continue;
		if (has_name(type->at_names, name)) known = type->at_single_value ? SINGLE : MULTI;
		ldap_attributetype_free(type);
	}
	return known;
}

/** Whether the attribute must hold one value: "add" is then the swap of a first value */
static bool must_be_single(size_t attr)
{
	return attr == MFA_ATTR_ENABLED || attr == MFA_ATTR_LAST_USE || attr == MFA_ATTR_FAILURES ||
	       attr == MFA_ATTR_REQUIRED_FROM || attr == MFA_ATTR_VOUCHER;
}

static void check_attributes(struct mfa_cli_doctor *doctor, LDAPMessage *schema)
{
	bool good = true;

	for (size_t i = 0; i < MFA_ATTR_COUNT; i++) {
		char const *name = doctor->cli->config.attr[i];
		enum known const known = find_attribute(doctor->handle, schema, name);

		if (known == UNKNOWN) {
			mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "schema",
					   "the directory does not know '%s': load ldap-schema",
					   name);
		} else if (known == MULTI && must_be_single(i)) {
			mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "schema",
					   "'%s' may hold several values: two servers could each "
					   "add one; choose a single-valued attribute",
					   name);
		} else if (known == SINGLE && !must_be_single(i)) {
			mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "schema",
					   "'%s' may hold one value only", name);
		} else {
			continue;
		}
		good = false;
	}
	if (good) mfa_cli_doctor_say(doctor, MFA_CLI_OK, "schema", "all attributes are there");
}

static bool has_class(struct mfa_cli_doctor *doctor, LDAPMessage *schema)
{
	char const *name = doctor->cli->config.object_class;
	char text[2048];

	if (!name[0]) return true;
	for (int i = 0; get_value(text, sizeof(text), doctor->handle, schema, "objectClasses", i);
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

	if (get_value(dn, sizeof(dn), doctor->handle, root, "subschemaSubentry", 0))
		schema = mfa_cli_doctor_read(doctor->handle, dn, "(objectClass=*)", attrs);
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

/** How long the directory takes to find nobody */
static void check_index(struct mfa_cli_doctor *doctor)
{
	struct mfa_config const *config = &doctor->cli->config;
	char *attrs[] = {(char[]){"1.1"}, NULL};
	struct timeval limit = {.tv_sec = 10, .tv_usec = 0};
	struct timespec from, to;
	LDAPMessage *result = NULL;
	char filter[1024];
	int64_t ms;
	int code;

	if (mfa_filter_expand(filter, sizeof(filter), NULL, config->filter,
			      mfa_bytes_of("no-such-user-of-peruser-mfa")) != MFA_OK) {
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	code = ldap_search_ext_s(doctor->handle, config->base_dn, LDAP_SCOPE_SUBTREE, filter, attrs,
				 0, NULL, NULL, &limit, 2, &result);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	ms = (to.tv_sec - from.tv_sec) * INT64_C(1000) + (to.tv_nsec - from.tv_nsec) / 1000000;
	if (result) (void)ldap_msgfree(result);
	if (code != LDAP_SUCCESS) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "search", "below '%s': %s",
				   config->base_dn, ldap_err2string(code));
	} else if (ms >= SLOW_MS) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "index",
				   "finding a user takes %lld ms: is '%s' indexed for equality?",
				   (long long)ms, doctor->cli->name_attr);
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "index", "a user is found in %lld ms",
				   (long long)ms);
	}
}

/** A time out of an entry; -1 when it does not say one */
static int64_t read_time(LDAP *handle, char const *dn, char const *attr)
{
	char const *const attrs[] = {attr, NULL};
	LDAPMessage *result = mfa_cli_doctor_read(handle, dn, "(objectClass=*)", attrs);
	char text[128];
	int64_t time_s = -1;

	if (!result) return -1;
	if (get_value(text, sizeof(text), handle, result, attr, 0)) {
		text[strcspn(text, "#")] = '\0';
		if (mfa_time_parse(&time_s, mfa_bytes_of(text)) != MFA_OK) time_s = -1;
	}
	(void)ldap_msgfree(result);
	return time_s;
}

static void check_clock(struct mfa_cli_doctor *doctor, LDAPMessage *root)
{
	int64_t const before_s = (int64_t)time(NULL);
	char suffix[512] = "";
	int64_t their_s = read_time(doctor->handle, "", "currentTime");
	int64_t written_s = -1, off_s;

	if (their_s < 0)
		their_s = read_time(doctor->handle, "cn=Current,cn=Time,cn=Monitor",
				    "monitorTimestamp");
	if (get_value(suffix, sizeof(suffix), doctor->handle, root, "namingContexts", 0))
		written_s = read_time(doctor->handle, suffix, "modifyTimestamp");
	off_s = their_s - before_s;
	if (their_s >= 0 && (off_s > CLOCK_MAX_S || off_s < -CLOCK_MAX_S)) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "clock",
				   "the directory's clock is %+lld s from ours: run NTP on both",
				   (long long)off_s);
	} else if (their_s < 0 && written_s > before_s + CLOCK_MAX_S) {
		mfa_cli_doctor_say(
			doctor, MFA_CLI_WRONG, "clock",
			"the directory was changed %lld s in our future: run NTP on both",
			(long long)(written_s - before_s));
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "clock", "%s",
				   their_s >= 0
					   ? "the directory's is the same"
					   : "nothing was written in our future; the directory "
					     "does not tell its time");
	}
}

void mfa_cli_doctor_directory(struct mfa_cli_doctor *doctor)
{
	static char const *const attrs[] = {"subschemaSubentry", "supportedControl",
					    "namingContexts", NULL};
	LDAPMessage *root = mfa_cli_doctor_read(doctor->handle, "", "(objectClass=*)", attrs);

	if (!root) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "root DSE", "it cannot be read");
		return;
	}
	check_schema(doctor, root);
	check_controls(doctor, root);
	check_index(doctor);
	check_clock(doctor, root);
	(void)ldap_msgfree(root);
}
