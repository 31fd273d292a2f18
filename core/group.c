/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/group.h"

#include <stdio.h>
#include <string.h>

#define FILTER_SIZE 1792u
#define IN_CHAIN    "1.2.840.113556.1.4.1941" /* MS-ADTS section 3.1.1.3.4.4.3 */

enum mfa_rc mfa_group_denied(struct mfa_group_question const *question, char const *why)
{
	struct mfa_account const *account = &question->conn->store->account;

	mfa_diag_set(question->diag, "group '%s' as '%s': %s", question->group,
		     account->external ? "SASL EXTERNAL" : account->identity, why);
	return MFA_ERR_DENIED;
}

/** What one compare says about one way to list members */
enum way {
	WAY_ABSENT, //!< The entry has no such attribute.
	WAY_NO,	    //!< It has values, and this is none of them.
	WAY_YES,    //!< This is one of them.
	WAY_HIDDEN, //!< We may not ask.
	WAY_NO_ANSWER,
};

static enum way way_of(int code)
{
	switch (code) {
	case LDAP_COMPARE_TRUE: return WAY_YES;
	case LDAP_COMPARE_FALSE: return WAY_NO;
	case LDAP_NO_SUCH_ATTRIBUTE:
	case LDAP_UNDEFINED_TYPE:
	case LDAP_INAPPROPRIATE_MATCHING:
	case LDAP_CONSTRAINT_VIOLATION:
	case LDAP_INVALID_SYNTAX: return WAY_ABSENT;
	case LDAP_NO_SUCH_OBJECT:
	case LDAP_INVALID_DN_SYNTAX:
	case LDAP_INSUFFICIENT_ACCESS: return WAY_HIDDEN;
	default: return WAY_NO_ANSWER;
	}
}

enum {
	BY_MEMBER_OF,
	BY_MEMBER,
	BY_UNIQUE_MEMBER,
	BY_MEMBER_UID,
	WAYS
};

/** Ask in all four ways at once */
static enum mfa_rc compare_all(enum way way[static WAYS], struct mfa_group_question const *q)
{
	/* Of a memberUid only this is asked: whether the group has any. */
	int const msgid[WAYS] = {
		mfa_conn_send_compare(q->conn, q->handle, q->user, "memberOf", q->group),
		mfa_conn_send_compare(q->conn, q->handle, q->group, "member", q->user),
		mfa_conn_send_compare(q->conn, q->handle, q->group, "uniqueMember", q->user),
		mfa_conn_send_compare(q->conn, q->handle, q->group, "memberUid", "x"),
	};

	for (size_t i = 0; i < WAYS; i++) {
		int code = LDAP_OTHER;
		enum mfa_rc const rc = mfa_conn_await_compare(&code, q->conn, q->handle, msgid[i]);

		if (rc != MFA_OK) return rc;
		way[i] = way_of(code);
	}
	return MFA_OK;
}

/** Whether the group names one of these values of uid */
static enum mfa_rc compare_uids(enum mfa_answer *answer, struct mfa_group_question const *q,
				struct berval **uids)
{
	for (size_t i = 0; uids && uids[i] && *answer == MFA_ANSWER_NO; i++) {
		int code = LDAP_OTHER;
		enum mfa_rc rc;

		if (strlen(uids[i]->bv_val) != uids[i]->bv_len) continue;
		rc = mfa_conn_await_compare(&code, q->conn, q->handle,
					    mfa_conn_send_compare(q->conn, q->handle, q->group,
								  "memberUid", uids[i]->bv_val));
		if (rc != MFA_OK) return rc;
		if (way_of(code) == WAY_HIDDEN || way_of(code) == WAY_NO_ANSWER)
			return mfa_group_denied(q, "its memberUid cannot be compared");
		if (way_of(code) == WAY_YES) *answer = MFA_ANSWER_YES;
	}
	return MFA_OK;
}

/** By memberUid: the names are those in the user's uid */
static enum mfa_rc ask_uids(enum mfa_answer *answer, struct mfa_group_question const *q)
{
	LDAPMessage *result;
	struct berval **uids = NULL;
	int code;
	enum mfa_rc rc =
		mfa_ask_await_search(&result, &code, q->conn, q->handle,
				     mfa_ask_search(q->conn, q->handle, q->user, LDAP_SCOPE_BASE,
						    "(objectClass=*)", "uid"));

	if (rc != MFA_OK) return rc;
	if (ldap_count_entries(q->handle, result) == 1)
		uids = ldap_get_values_len(q->handle, ldap_first_entry(q->handle, result), "uid");
	rc = uids ? compare_uids(answer, q, uids)
		  : mfa_group_denied(q, "it has memberUid, and the user's uid cannot be read");
	ldap_value_free_len(uids);
	(void)ldap_msgfree(result);
	return rc;
}

enum mfa_rc mfa_group_has(enum mfa_answer *answer, struct mfa_group_question const *q)
{
	bool listed = false, hidden = false;
	enum way way[WAYS];
	enum mfa_rc rc = compare_all(way, q);

	*answer = MFA_ANSWER_NO;
	if (rc != MFA_OK) return rc;
	for (size_t i = 0; i < WAYS; i++) {
		bool const of_group = i != BY_MEMBER_OF;

		if (way[i] == WAY_NO_ANSWER) {
			mfa_diag_set(q->diag, "group '%s': no answer", q->group);
			return MFA_ERR_UNAVAILABLE;
		}
		if (way[i] == WAY_YES && i != BY_MEMBER_UID) *answer = MFA_ANSWER_YES;
		listed |= of_group && (way[i] == WAY_YES || way[i] == WAY_NO);
		hidden |= of_group && way[i] == WAY_HIDDEN;
	}
	if (*answer == MFA_ANSWER_YES) return MFA_OK;
	if (hidden && !listed)
		return mfa_group_denied(q, "it does not exist, or its members may not be compared");
	if (way[BY_MEMBER_UID] == WAY_YES || way[BY_MEMBER_UID] == WAY_NO)
		return ask_uids(answer, q);
	return MFA_OK;
}

enum mfa_rc mfa_group_finds(bool *found, int *code, struct mfa_group_question const *q,
			    char const *base, char const *filter)
{
	LDAPMessage *result;
	enum mfa_rc const rc = mfa_ask_await_search(
		&result, code, q->conn, q->handle,
		mfa_ask_search(q->conn, q->handle, base, LDAP_SCOPE_BASE, filter, LDAP_NO_ATTRS));

	*found = false;
	if (rc != MFA_OK) return rc;
	*found = ldap_count_entries(q->handle, result) == 1;
	(void)ldap_msgfree(result);
	return MFA_OK;
}

/** A group without any member that we can see may be one whose members are hidden from us */
static enum mfa_rc check_visible(struct mfa_group_question const *q)
{
	bool found;
	int code;
	enum mfa_rc const rc = mfa_group_finds(&found, &code, q, q->group, "(member=*)");

	if (rc != MFA_OK) return rc;
	if (found) return MFA_OK;
	return mfa_group_denied(q, code == LDAP_SUCCESS
					   ? "no member of it can be read: it is empty, or hidden"
					   : ldap_err2string(code));
}

enum mfa_rc mfa_group_ad(enum mfa_answer *answer, struct mfa_group_question const *q, bool nested)
{
	char value[FILTER_SIZE - 64], filter[FILTER_SIZE];
	bool found;
	int code;
	enum mfa_rc rc;

	*answer = MFA_ANSWER_NO;
	if (mfa_filter_escape(value, sizeof(value), mfa_bytes_of(nested ? q->group : q->user)) < 0)
		return mfa_group_denied(q, "a DN is too long");
	(void)snprintf(filter, sizeof(filter),
		       nested ? "(memberOf:" IN_CHAIN ":=%s)" : "(member=%s)", value);
	rc = mfa_group_finds(&found, &code, q, nested ? q->user : q->group, filter);
	if (rc != MFA_OK) return rc;
	if (!found) return check_visible(q);
	*answer = MFA_ANSWER_YES;
	return MFA_OK;
}
