/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DN_MAX	    1024u
#define FILTER_SIZE 8192u

/** Groups on the way up from the user */
struct climb {
	struct mfa_group_question const *question;
	char goal[DN_MAX];    //!< The group, as the server writes its DN.
	char context[DN_MAX]; //!< The naming context that it is in.
	size_t count;	      //!< Groups below.
	char *group[MFA_NESTED_GROUPS];
	bool reached;
	char filter[FILTER_SIZE];
};

static bool ends_with(char const *dn, char const *suffix)
{
	size_t const dn_len = strlen(dn), len = strlen(suffix);

	if (len == 0 || len > dn_len || strcasecmp(dn + dn_len - len, suffix) != 0) return false;
	return len == dn_len || dn[dn_len - len - 1] == ',';
}

/** The DN of the group, as the server writes it */
static enum mfa_rc find_goal(struct climb *climb)
{
	struct mfa_group_question const *q = climb->question;
	LDAPMessage *result;
	int code;
	enum mfa_rc rc =
		mfa_ask_await_search(&result, &code, q->conn, q->handle,
				     mfa_ask_search(q->conn, q->handle, q->group, LDAP_SCOPE_BASE,
						    "(objectClass=*)", LDAP_NO_ATTRS));
	char *dn;

	if (rc != MFA_OK) return rc;
	dn = ldap_get_dn(q->handle, ldap_first_entry(q->handle, result));
	if (!dn || strlen(dn) >= sizeof(climb->goal)) {
		rc = mfa_group_denied(q, "it does not exist, or may not be read");
	} else {
		(void)snprintf(climb->goal, sizeof(climb->goal), "%s", dn);
	}
	ldap_memfree(dn);
	(void)ldap_msgfree(result);
	return rc;
}

/** The naming context of the group (RFC 4512 section 5.1): groups are searched for in all of it */
static enum mfa_rc find_context(struct climb *climb)
{
	struct mfa_group_question const *q = climb->question;
	LDAPMessage *result;
	struct berval **contexts;
	int code;
	enum mfa_rc rc =
		mfa_ask_await_search(&result, &code, q->conn, q->handle,
				     mfa_ask_search(q->conn, q->handle, "", LDAP_SCOPE_BASE,
						    "(objectClass=*)", "namingContexts"));

	if (rc != MFA_OK) return rc;
	contexts = ldap_get_values_len(q->handle, ldap_first_entry(q->handle, result),
				       "namingContexts");
	for (size_t i = 0; contexts && contexts[i]; i++) {
		if (!ends_with(climb->goal, contexts[i]->bv_val) ||
		    strlen(contexts[i]->bv_val) >= DN_MAX)
			continue;
		if (strlen(contexts[i]->bv_val) > strlen(climb->context))
			(void)snprintf(climb->context, sizeof(climb->context), "%s",
				       contexts[i]->bv_val);
	}
	ldap_value_free_len(contexts);
	(void)ldap_msgfree(result);
	if (climb->context[0] == '\0')
		rc = mfa_group_denied(q, "the naming contexts of the server cannot be read");
	return rc;
}

static bool append_filter(struct climb *climb, size_t *len, char const *dn)
{
	char value[FILTER_SIZE / 3];
	int n;

	if (mfa_filter_escape(value, sizeof(value), mfa_bytes_of(dn)) < 0) return false;
	n = snprintf(climb->filter + *len, FILTER_SIZE - *len, "(member=%s)(uniqueMember=%s)",
		     value, value);
	if (n < 0 || (size_t)n >= FILTER_SIZE - *len) return false;
	*len += (size_t)n;
	return true;
}

static bool is_known(struct climb const *climb, char const *dn)
{
	for (size_t i = 0; i < climb->count; i++) {
		if (strcasecmp(climb->group[i], dn) == 0) return true;
	}
	return false;
}

static enum mfa_rc too_many(struct climb const *climb)
{
	mfa_diag_set(climb->question->diag,
		     "group '%s': more than %u groups, or %u levels, would have to be followed",
		     climb->question->group, MFA_NESTED_GROUPS, MFA_NESTED_DEPTH);
	return MFA_ERR_SPACE;
}

/** Keep one group that was found */
static enum mfa_rc keep_group(struct climb *climb, char const *dn)
{
	char **place = &climb->group[climb->count];

	if (!dn) return MFA_ERR_NOMEM;
	climb->reached |= strcasecmp(dn, climb->goal) == 0;
	if (is_known(climb, dn)) return MFA_OK;
	if (climb->count == MFA_NESTED_GROUPS) return too_many(climb);
	*place = strdup(dn);
	if (!*place) return MFA_ERR_NOMEM;
	climb->count++;
	return MFA_OK;
}

/** Search for all groups that have one of those in the filter */
static enum mfa_rc climb_level(struct climb *climb)
{
	struct mfa_group_question const *q = climb->question;
	LDAPMessage *result;
	int code;
	enum mfa_rc rc = mfa_ask_await_search(&result, &code, q->conn, q->handle,
					      mfa_ask_search(q->conn, q->handle, climb->context,
							     LDAP_SCOPE_SUBTREE, climb->filter,
							     LDAP_NO_ATTRS));

	if (rc != MFA_OK) return rc;
	if (code != LDAP_SUCCESS) rc = mfa_group_denied(q, ldap_err2string(code));
	for (LDAPMessage *entry = ldap_first_entry(q->handle, result); entry && rc == MFA_OK;
	     entry = ldap_next_entry(q->handle, entry)) {
		char *dn = ldap_get_dn(q->handle, entry);

		rc = keep_group(climb, dn);
		ldap_memfree(dn);
	}
	(void)ldap_msgfree(result);
	return rc;
}

/** The filter of the next level: groups from @p first on; the user at the first level */
static enum mfa_rc make_filter(struct climb *climb, size_t first, unsigned level)
{
	size_t len = (size_t)snprintf(climb->filter, FILTER_SIZE, "(|");
	bool fits = true;

	if (level == 0) fits = append_filter(climb, &len, climb->question->user);
	for (size_t i = first; i < climb->count && fits; i++)
		fits = append_filter(climb, &len, climb->group[i]);
	if (!fits || len + 2 > FILTER_SIZE) return too_many(climb);
	(void)snprintf(climb->filter + len, FILTER_SIZE - len, ")");
	return MFA_OK;
}

static enum mfa_rc climb_up(struct climb *climb)
{
	size_t first = 0;
	enum mfa_rc rc = find_goal(climb);

	if (rc == MFA_OK) rc = find_context(climb);
	for (unsigned level = 0; rc == MFA_OK && !climb->reached; level++) {
		size_t const before = climb->count;

		if (level == MFA_NESTED_DEPTH) return too_many(climb);
		rc = make_filter(climb, first, level);
		if (rc == MFA_OK) rc = climb_level(climb);
		first = before;
		if (climb->count == before) break;
	}
	return rc;
}

enum mfa_rc mfa_group_nests(enum mfa_answer *answer, struct mfa_group_question const *question)
{
	struct climb *climb = calloc(1, sizeof(*climb));
	enum mfa_rc rc = MFA_ERR_NOMEM;

	*answer = MFA_ANSWER_NO;
	if (!climb) return rc;
	climb->question = question;
	rc = climb_up(climb);
	if (rc == MFA_OK && climb->reached) *answer = MFA_ANSWER_YES;
	for (size_t i = 0; i < climb->count; i++) free(climb->group[i]);
	free(climb);
	return rc;
}
