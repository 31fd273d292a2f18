/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/config.h"

#include <ldap.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(_field) offsetof(struct mfa_rule, _field)
#define ITEM(_name, _type, _field, ...)                                                            \
	{                                                                                          \
		MFA_RULE_SECTION, _name, MFA_CONFIG_##_type, AT(_field), __VA_ARGS__               \
	}

struct mfa_config_item const mfa_rule_items[] = {
	ITEM("group", STRING, group, "", 0, 1024, NULL),
	ITEM("nested", BOOL, nested, "no", 0, 0, NULL),
	ITEM("filter", STRING, filter, "", 0, 1024, NULL),
	ITEM("nas", STRING, nas, "", 0, 1024, NULL),
	ITEM("network", STRING, network, "", 0, 1024, NULL),
	ITEM("mfa", CHOICE, mfa, "required", 0, 0, "required optional skip"),
	ITEM("from", STRING, from, "", 0, 32, NULL),
	ITEM("reason", STRING, reason, "", 0, MFA_RULE_REASON_MAX, NULL),
	ITEM("unenrolled", CHOICE, unenrolled, "inherit", 0, 0, "inherit reject accept enroll"),
	ITEM("mode", CHOICE, mode, "inherit", 0, 0, "inherit challenge append auto"),
	ITEM("remember", NUMBER, remember_s, NULL, 0, 31536000, NULL),
	ITEM("report_only", BOOL, report_only, "no", 0, 0, NULL),
	{NULL, NULL, MFA_CONFIG_STRING, 0, NULL, 0, 0, NULL},
};

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/** Whether another rule may have this name */
static enum mfa_rc check_name(struct mfa_rules const *rules, struct mfa_diag *diag,
			      char const *name)
{
	size_t const len = strlen(name);

	if (len == 0 || len > MFA_RULE_NAME_MAX || strspn(name, NAME_CHARS) != len) {
		mfa_diag_set(diag,
			     "a policy needs a name of 1 to %u letters, digits, dashes, dots and "
			     "underscores, such as policy staff { }",
			     MFA_RULE_NAME_MAX);
		return MFA_ERR_FORMAT;
	}
	for (size_t i = 0; i < rules->count; i++) {
		if (strcmp(rules->list[i].name, name) != 0) continue;
		mfa_diag_set(diag, "policy '%s' is given twice", name);
		return MFA_ERR_CONFLICT;
	}
	return MFA_OK;
}

enum mfa_rc mfa_rules_add(struct mfa_rules *rules, struct mfa_diag *diag, char const *name)
{
	enum mfa_rc const rc = check_name(rules, diag, name);
	struct mfa_rule *rule;

	if (rc != MFA_OK) return rc;
	if (rules->count == MFA_RULES_MAX) {
		mfa_diag_set(diag, "at most %u policies are allowed", MFA_RULES_MAX);
		return MFA_ERR_SPACE;
	}
	if (!rules->list) rules->list = calloc(MFA_RULES_MAX, sizeof(*rules->list));
	if (!rules->list) return MFA_ERR_NOMEM;
	rule = &rules->list[rules->count];
	*rule = (struct mfa_rule){.name = strdup(name), .remember_s = MFA_REMEMBER_UNSET};
	if (!rule->name) return MFA_ERR_NOMEM;
	rules->count++;
	return mfa_config_defaults(rule, mfa_rule_items);
}

enum mfa_rc mfa_rules_set(struct mfa_rules *rules, struct mfa_diag *diag, char const *name,
			  char const *value)
{
	if (rules->count == 0) return MFA_ERR_NOT_FOUND;
	return mfa_config_set(&rules->list[rules->count - 1], diag, mfa_rule_items,
			      MFA_RULE_SECTION, name, value);
}

static bool is_dn(char const *text)
{
	LDAPDN dn = NULL;
	bool const ok = ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && dn;

	if (dn) ldap_dnfree(dn);
	return ok;
}

/** Whether text is one filter in parentheses; the directory looks at the rest of its syntax */
static bool is_filter(char const *text)
{
	int depth = 0;

	if (text[0] != '(') return false;
	for (char const *p = text; *p; p++) {
		depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
		if (depth == 0) return p[1] == '\0' && p > text + 1;
	}
	return false;
}

/** Read "2027-01-01", which is midnight UTC, or a Generalized Time */
static bool read_date(int64_t *from_s, char const *text)
{
	char stamp[40];
	enum mfa_rc rc;

	if (strlen(text) == 10 && text[4] == '-' && text[7] == '-') {
		(void)snprintf(stamp, sizeof(stamp), "%.4s%.2s%.2s000000Z", text, text + 5,
			       text + 8);
		text = stamp;
	}
	rc = mfa_time_parse(from_s, mfa_bytes_of(text));
	/* A date before 1970 has passed as well; below zero it would mean "not set". */
	if (*from_s < 0) *from_s = 0;
	return rc == MFA_OK;
}

/** Why what a rule does makes no sense; NULL when it does */
static char const *result_problem(struct mfa_rule *rule)
{
	if (rule->from[0] != '\0' && rule->mfa != MFA_DEMAND_REQUIRED)
		return "'from' needs mfa = required";
	if (rule->from[0] != '\0' && !read_date(&rule->from_s, rule->from))
		return "'from' must be a date such as 2027-01-01 or 20270101083000Z";
	if (rule->mfa == MFA_DEMAND_SKIP && (rule->unenrolled || rule->reason[0] != '\0'))
		return "'unenrolled' and 'reason' have no effect with mfa = skip";
	return NULL;
}

/** Why a rule cannot be used; NULL when it can */
static char const *problem_of(struct mfa_rule *rule)
{
	if (rule->group[0] != '\0' && !is_dn(rule->group)) return "'group' must be a DN";
	if (rule->nested && rule->group[0] == '\0') return "'nested' needs 'group'";
	if (rule->filter[0] != '\0' && !is_filter(rule->filter))
		return "'filter' must be one filter in parentheses";
	if (rule->nas[strspn(rule->nas, " ")] == '\0' && rule->nas[0] != '\0')
		return "'nas' must name a NAS";
	if (mfa_prefixes_parse(&rule->networks, rule->network) != MFA_OK ||
	    (rule->network[0] != '\0' && rule->networks.count == 0)) {
		return "'network' must be up to 32 addresses or prefixes, such as \"192.0.2.0/24 "
		       "2001:db8::/48\"";
	}
	return result_problem(rule);
}

enum mfa_rc mfa_rules_complete(struct mfa_rules *rules, struct mfa_diag *diag)
{
	for (size_t i = 0; i < rules->count; i++) {
		char const *problem = problem_of(&rules->list[i]);

		if (!problem) continue;
		mfa_diag_set(diag, "policy '%s': %s", rules->list[i].name, problem);
		return MFA_ERR_FORMAT;
	}
	return MFA_OK;
}

void mfa_rules_clear(struct mfa_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		mfa_config_clear(&rules->list[i], mfa_rule_items);
		free(rules->list[i].name);
	}
	free(rules->list);
	*rules = (struct mfa_rules){0};
}

bool mfa_rules_set_mode(struct mfa_rules const *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (rules->list[i].mode) return true;
	}
	return false;
}

bool mfa_rules_enroll(struct mfa_rules const *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (rules->list[i].unenrolled == MFA_RULE_ENROLL) return true;
	}
	return false;
}

bool mfa_rules_remember(struct mfa_rules const *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		uint32_t const remember_s = rules->list[i].remember_s;

		if (remember_s != MFA_REMEMBER_UNSET && remember_s > 0) return true;
	}
	return false;
}
