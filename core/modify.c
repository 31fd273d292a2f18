/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/modify.h"
#include "core/conn_side.h"
#include "core/operation.h"

#include <stdio.h>
#include <stdlib.h>

/** A modify in libldap's form; on the heap, as large as the change */
struct mods {
	LDAPMod *list[MFA_CHANGE_MAX + 1];
	struct {
		LDAPMod mod;
		struct berval value, *values[2];
	} item[];
};

static int ldap_op(enum mfa_op op)
{
	switch (op) {
	case MFA_OP_ADD:
	case MFA_OP_ADD_CLASS: return LDAP_MOD_ADD;
	case MFA_OP_DELETE: return LDAP_MOD_DELETE;
	case MFA_OP_CLEAR: break;
	}
	return LDAP_MOD_REPLACE;
}

static void fill_mods(struct mods *mods, struct mfa_change const *change,
		      struct mfa_config const *config)
{
	for (size_t i = 0; i < change->count; i++) {
		bool const class = change->list[i].op == MFA_OP_ADD_CLASS;
		struct mfa_bytes const value =
			class ? mfa_bytes_of(config->object_class) : change->list[i].value;
		LDAPMod *mod = &mods->item[i].mod;

		mods->item[i].value = (struct berval){.bv_len = value.len,
						      .bv_val = (char *)(uintptr_t)value.data};
		mods->item[i].values[0] = &mods->item[i].value;
		mods->item[i].values[1] = NULL;
		mod->mod_op = ldap_op(change->list[i].op) | LDAP_MOD_BVALUES;
		mod->mod_type = class ? (char *)(uintptr_t) "objectClass"
				      : config->attr[change->list[i].attr];
		mod->mod_bvalues = change->list[i].op == MFA_OP_CLEAR ? NULL : mods->item[i].values;
		mods->list[i] = mod;
	}
	mods->list[change->count] = NULL;
}

/** Write the conditions as a filter: every value there, every absent one absent
 *
 * An "and" of equalityMatch, and of "not" of present (RFC 4511 section 4.5.1).
 */
static bool put_asserts(BerElement *ber, struct mfa_change const *change,
			struct mfa_config const *config)
{
	bool ok = ber_printf(ber, "t{", LDAP_FILTER_AND) >= 0;

	for (size_t i = 0; i < change->assert_count && ok; i++) {
		char const *name = config->attr[change->asserts[i].attr];
		struct mfa_bytes const value = change->asserts[i].value;

		if (value.data) {
			ok = ber_printf(ber, "t{so}", LDAP_FILTER_EQUALITY, name, value.data,
					(ber_len_t)value.len) >= 0;
		} else {
			ok = ber_printf(ber, "t{ts}", LDAP_FILTER_NOT, LDAP_FILTER_PRESENT, name) >=
			     0;
		}
	}
	return ok && ber_printf(ber, "}") >= 0;
}

bool mfa_conn_asserts(struct mfa_conn const *conn)
{
	return !__atomic_load_n(&conn->store->no_assert, __ATOMIC_RELAXED);
}

/** The assertion control (RFC 4528), or NULL when there is nothing to assert or nobody to ask */
static enum mfa_rc make_control(LDAPControl **control, struct mfa_conn const *conn,
				struct mfa_change const *change)
{
	struct berval filter = {0};
	BerElement *ber;
	int code = LDAP_NO_MEMORY;

	*control = NULL;
	if (change->assert_count == 0) return MFA_OK;
	if (!mfa_conn_asserts(conn)) return MFA_OK;
	ber = ber_alloc_t(LBER_USE_DER);
	if (ber && put_asserts(ber, change, conn->store->config) &&
	    ber_flatten2(ber, &filter, 0) == 0) {
		code = ldap_control_create(LDAP_CONTROL_ASSERT, 1, &filter, 1, control);
	}
	ber_free(ber, 1);
	return code == LDAP_SUCCESS ? MFA_OK : MFA_ERR_NOMEM;
}

/** Send and wait; the server's result code, or a negative one when no answer came */
static int modify(struct mfa_conn *conn, LDAP *handle, char const *dn, struct mods *mods,
		  LDAPControl *control)
{
	LDAPControl *controls[] = {control, NULL};
	LDAPMessage *result;
	int msgid, code = LDAP_OTHER;
	enum mfa_rc rc;

	mfa_conn_limit(conn, conn->store->config->timeout_s);
	if (ldap_modify_ext(handle, dn, mods->list, control ? controls : NULL, NULL, &msgid) !=
	    LDAP_SUCCESS) {
		return LDAP_SERVER_DOWN;
	}
	rc = mfa_conn_wait(&result, conn, handle, msgid, conn->store->config->timeout_s);
	if (rc != MFA_OK) return rc == MFA_ERR_BROKEN ? LDAP_SERVER_DOWN : LDAP_TIMEOUT;
	if (ldap_parse_result(handle, result, &code, NULL, NULL, NULL, NULL, 1) != LDAP_SUCCESS)
		return LDAP_DECODING_ERROR;
	return code;
}

/** Name the attributes that were to be changed, each once */
static void list_attributes(char *out, size_t out_size, struct mfa_change const *change,
			    struct mfa_config const *config)
{
	unsigned seen = 0;
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < change->count; i++) {
		enum mfa_attr const attr = change->list[i].attr;
		char const *name = attr < MFA_ATTR_COUNT ? config->attr[attr] : "objectClass";
		int len;

		if (seen & 1u << attr) continue;
		seen |= 1u << attr;
		len = snprintf(out + n, out_size - n, "%s%s", n ? ", " : "", name);
		if (len < 0 || (size_t)len >= out_size - n) return;
		n += (size_t)len;
	}
}

/** Whether the change adds a value to an attribute that may have one alone */
static bool adds_single_value(struct mfa_change const *change)
{
	for (size_t i = 0; i < change->count; i++) {
		enum mfa_attr const attr = change->list[i].attr;

		if (change->list[i].op == MFA_OP_ADD && mfa_attr_is_single(attr)) return true;
	}
	return false;
}

/** Whether a change was sent that no server answered to; libldap's own errors are negative */
static bool no_answer(int code)
{
	return code < 0;
}

static enum mfa_rc explain(struct mfa_diag *diag, struct mfa_conn const *conn, int code,
			   struct mfa_change const *change)
{
	struct mfa_account const *account = &conn->store->account;
	char names[160];

	if (code == LDAP_SUCCESS) return MFA_OK;
	list_attributes(names, sizeof(names), change, conn->store->config);
	mfa_diag_set(diag, "modify of %s as '%s': %s", names,
		     account->external ? "SASL EXTERNAL" : account->identity,
		     ldap_err2string(code));
	/* 389 Directory Server calls a second value of a single-valued attribute a violation of
	 * the class: somebody else wrote the first one. */
	if (code == LDAP_OBJECT_CLASS_VIOLATION && adds_single_value(change))
		return MFA_ERR_CONFLICT;
	return no_answer(code) ? MFA_ERR_BROKEN : mfa_ldap_rc(code);
}

/** One try, with the assertion control unless a server refused it before */
static enum mfa_rc try_modify(int *code, struct mfa_conn *conn, LDAP *handle, char const *dn,
			      struct mfa_change const *change)
{
	struct mods *mods = malloc(sizeof(*mods) + change->count * sizeof(mods->item[0]));
	LDAPControl *control = NULL;
	enum mfa_rc rc = MFA_ERR_NOMEM;

	if (!mods) goto out;
	rc = make_control(&control, conn, change);
	if (rc != MFA_OK) goto out;
	/* Unchecked, the conditions count as not met: whoever asks reads again. */
	*code = LDAP_ASSERTION_FAILED;
	if (change->must_assert && !control) goto out;
	fill_mods(mods, change, conn->store->config);
	*code = modify(conn, handle, dn, mods, control);
	if (*code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION && control) {
		__atomic_store_n(&conn->store->no_assert, true, __ATOMIC_RELAXED);
		*code = change->must_assert ? LDAP_ASSERTION_FAILED
					    : modify(conn, handle, dn, mods, NULL);
	}
out:
	if (control) ldap_control_free(control);
	free(mods);
	return rc;
}

enum mfa_rc mfa_conn_modify(struct mfa_diag *diag, struct mfa_conn *conn, struct mfa_bytes dn,
			    struct mfa_change const *change)
{
	LDAP *handle;
	bool fresh;
	enum mfa_rc rc;
	int code = LDAP_OTHER;

	if (change->overflow) {
		mfa_diag_set(diag, "modify: too many values");
		return MFA_ERR_SPACE;
	}
	if (change->count == 0) return MFA_OK;
	rc = mfa_conn_connect(&handle, &fresh, diag, conn, MFA_SIDE_WRITE);
	if (rc != MFA_OK) return rc;
	rc = try_modify(&code, conn, handle, (char const *)dn.data, change);
	if (rc != MFA_OK) {
		mfa_diag_set(diag, "modify: %s", mfa_rc_name(rc));
		return rc;
	}
	if (no_answer(code)) mfa_conn_drop(conn, MFA_SIDE_WRITE);
	return explain(diag, conn, code, change);
}
