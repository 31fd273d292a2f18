/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/member.h"
#include "core/group.h"

#include <stdio.h>
#include <string.h>

#define AD_CAPABILITY	  "1.2.840.113556.1.4.800" /* MS-ADTS section 3.1.1.3.4.3.1 */
#define FILTER_ATTRS_MAX  16u
#define FILTER_WORD_SIZE  128u
#define FILTER_NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.;"

/** Whether the server is an Active Directory; asked once, kept for all connections */
static enum mfa_rc is_ad(bool *yes, struct mfa_group_question const *q)
{
	struct mfa_store *store = q->conn->store;
	enum mfa_server_kind kind = __atomic_load_n(&store->kind, __ATOMIC_RELAXED);
	enum mfa_rc rc = MFA_OK;
	bool found = false;
	int code;

	if (kind == MFA_SERVER_UNKNOWN) {
		rc = mfa_group_finds(&found, &code, q, "",
				     "(supportedCapabilities=" AD_CAPABILITY ")");
		if (rc != MFA_OK) return rc;
		kind = found ? MFA_SERVER_AD : MFA_SERVER_OTHER;
		__atomic_store_n(&store->kind, kind, __ATOMIC_RELAXED);
	}
	*yes = kind == MFA_SERVER_AD;
	return rc;
}

static enum mfa_rc ask_group(enum mfa_answer *answer, struct mfa_group_question const *q,
			     bool nested)
{
	bool ad;
	enum mfa_rc rc = is_ad(&ad, q);

	if (rc != MFA_OK) return rc;
	if (ad) return mfa_group_ad(answer, q, nested);
	rc = mfa_group_has(answer, q);
	if (rc == MFA_OK && *answer == MFA_ANSWER_NO && nested) rc = mfa_group_nests(answer, q);
	return rc;
}

/** Cut the next comparison out of a filter: its attribute, and a value that has its syntax */
static bool next_comparison(char name[static FILTER_WORD_SIZE], char value[static FILTER_WORD_SIZE],
			    char const **at)
{
	while (**at) {
		size_t const len = strspn(*at, FILTER_NAME_CHARS);
		char const *rest = *at + len + strspn(*at + len, "<>~");
		size_t const value_len = rest[0] == '=' ? strcspn(rest + 1, ")") : 0;

		if ((*at)[-1] != '(' || len == 0 || len >= FILTER_WORD_SIZE || rest[0] != '=') {
			(*at)++;
			continue;
		}
		(void)snprintf(name, FILTER_WORD_SIZE, "%.*s", (int)len, *at);
		(void)snprintf(value, FILTER_WORD_SIZE, "%.*s", (int)value_len, rest + 1);
		if (strpbrk(value, "*\\") || value_len == 0)
			(void)snprintf(value, FILTER_WORD_SIZE, "x");
		*at = rest + 1 + value_len;
		return true;
	}
	return false;
}

/** A filter that does not match: its attributes must not be hidden from us */
static enum mfa_rc check_filter_rights(struct mfa_group_question const *q, char const *filter)
{
	char name[FILTER_WORD_SIZE], value[FILTER_WORD_SIZE];
	char const *at = filter + 1;

	while (next_comparison(name, value, &at)) {
		int code = LDAP_OTHER;
		enum mfa_rc const rc = mfa_conn_await_compare(
			&code, q->conn, q->handle,
			mfa_conn_send_compare(q->conn, q->handle, q->user, name, value));

		if (rc != MFA_OK) return rc;
		if (code != LDAP_INSUFFICIENT_ACCESS && code != LDAP_NO_SUCH_OBJECT) continue;
		mfa_diag_set(q->diag, "filter '%s': '%s' of the entry may not be read", filter,
			     name);
		return MFA_ERR_DENIED;
	}
	return MFA_OK;
}

static enum mfa_rc ask_filter(enum mfa_answer *answer, struct mfa_group_question const *q,
			      char const *filter)
{
	bool found;
	int code;
	enum mfa_rc const rc = mfa_group_finds(&found, &code, q, q->user, filter);

	*answer = found ? MFA_ANSWER_YES : MFA_ANSWER_NO;
	if (rc == MFA_ERR_FORMAT) mfa_diag_set(q->diag, "filter '%s' is malformed", filter);
	if (rc != MFA_OK || found) return rc;
	if (code == LDAP_SUCCESS) return check_filter_rights(q, filter);
	mfa_diag_set(q->diag, "filter '%s': %s", filter, ldap_err2string(code));
	return mfa_ldap_rc(code);
}

/** Both conditions, the cheaper one first */
static enum mfa_rc ask_both(enum mfa_answer *answer, struct mfa_group_question const *q,
			    struct mfa_rule const *rule)
{
	enum mfa_rc rc = MFA_OK;

	*answer = MFA_ANSWER_YES;
	if (rule->filter[0] != '\0') rc = ask_filter(answer, q, rule->filter);
	if (rc == MFA_OK && *answer == MFA_ANSWER_YES && rule->group[0] != '\0')
		rc = ask_group(answer, q, rule->nested != 0);
	return rc;
}

enum mfa_rc mfa_member_ask(enum mfa_answer *answer, struct mfa_diag *diag,
			   struct mfa_member const *member, struct mfa_rule const *rule)
{
	struct mfa_conn *conn = member->conn;
	struct mfa_diag why = {.text = "no answer"};
	struct mfa_group_question question = {
		.conn = conn, .group = rule->group, .user = member->dn, .diag = &why};
	bool fresh = false;
	enum mfa_rc rc;

	*answer = MFA_ANSWER_NO;
	do {
		rc = mfa_conn_connect(&question.handle, &fresh, diag, conn, member->side);
		if (rc != MFA_OK) return rc;
		rc = ask_both(answer, &question, rule);
		/* A server that was restarted closed our idle connection: connect again, once. */
		if (rc == MFA_ERR_BROKEN) mfa_conn_drop(conn, member->side);
		if (rc == MFA_ERR_UNAVAILABLE) mfa_conn_give_up(conn, member->side);
	} while (rc == MFA_ERR_BROKEN && !fresh && !mfa_conn_is_late(conn));
	if (rc == MFA_OK) return MFA_OK;
	*answer = MFA_ANSWER_NO;
	mfa_diag_set(diag, "policy '%s': %s", rule->name, why.text);
	return rc == MFA_ERR_BROKEN ? MFA_ERR_UNAVAILABLE : rc;
}

enum mfa_rc mfa_member_decide(struct mfa_policy_verdict *verdict, struct mfa_diag *diag,
			      struct mfa_member const *member, struct mfa_rules const *rules,
			      struct mfa_policy_facts *facts, int64_t now_s)
{
	size_t ask;

	while (!mfa_policy_decide(verdict, &ask, rules, facts, now_s)) {
		enum mfa_rc rc;

		if (!member->conn) return MFA_ERR_INTERNAL;
		rc = mfa_member_ask(&facts->directory[ask], diag, member, &rules->list[ask]);
		if (rc != MFA_OK) return rc;
	}
	return MFA_OK;
}
