/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int ldap_scope(enum mfa_scope scope)
{
	switch (scope) {
	case MFA_SCOPE_ONE: return LDAP_SCOPE_ONELEVEL;
	case MFA_SCOPE_BASE: return LDAP_SCOPE_BASE;
	case MFA_SCOPE_SUB: break;
	}
	return LDAP_SCOPE_SUBTREE;
}

/** What a search asked for */
struct asked {
	struct mfa_config const *config;
	char const *also; //!< One more attribute, or NULL.
};

static struct mfa_bytes bytes_of(struct berval const *bv)
{
	return (struct mfa_bytes){(uint8_t const *)bv->bv_val, bv->bv_len};
}

static bool name_is(struct mfa_bytes name, char const *wanted)
{
	return name.len == strlen(wanted) &&
	       strncasecmp((char const *)name.data, wanted, name.len) == 0;
}

/** Cut the options off an attribute description: "name;option;option" (RFC 4512 section 2.5) */
static void cut_options(struct mfa_bytes *name, struct mfa_bytes *options)
{
	uint8_t const *at = memchr(name->data, ';', name->len);
	size_t const len = at ? (size_t)(at - name->data) : name->len;

	*options = (struct mfa_bytes){name->data + len, name->len - len};
	name->len = len;
}

/** Whether an attribute's options stand for a part of its values (MS-ADTS section 3.1.1.3.1.3.3) */
static bool is_range(struct mfa_bytes options)
{
	static char const range[] = ";range=";

	return memmem(options.data, options.len, range, sizeof(range) - 1) != NULL;
}

/** Refuse an attribute that has options (RFC 4512 section 2.5)
 *
 * Its values are no values of ours, and not to see them would make the user look as if
 * MFA were off.  The same holds for the rest of a range, which Active Directory answers
 * with when there are very many values.
 */
static enum mfa_rc refuse_options(struct mfa_diag *diag, struct mfa_bytes name,
				  struct mfa_bytes options)
{
	if (is_range(options)) {
		mfa_diag_set(diag, "the directory gave a range of the values of '%.*s'",
			     (int)name.len, name.data);
		return MFA_ERR_SPACE;
	}
	mfa_diag_set(diag,
		     "the entry has '%.*s%.*s': an attribute of the record must have no option, "
		     "delete it",
		     (int)name.len, name.data, (int)options.len, options.data);
	return MFA_ERR_FORMAT;
}

/** Refuse an attribute by a name that was not asked for
 *
 * The directory answers with the first name of an attribute, also when it was asked for
 * another one or for its OID, and with the subtypes of what it was asked for.
 */
static enum mfa_rc refuse_name(struct mfa_diag *diag, struct mfa_bytes name)
{
	mfa_diag_set(diag,
		     "the directory answered with the attribute '%.*s', which was not asked for by "
		     "this name: in section attribute, write the name that the directory uses",
		     (int)name.len, name.data);
	return MFA_ERR_FORMAT;
}

static enum mfa_rc add_values(struct mfa_entry *entry, enum mfa_attr attr,
			      struct berval const *values)
{
	enum mfa_rc rc = MFA_OK;

	for (size_t i = 0; values[i].bv_val && rc == MFA_OK; i++)
		rc = mfa_entry_add(entry, attr, bytes_of(&values[i]));
	return rc;
}

static void look_for_class(struct mfa_entry *entry, struct mfa_config const *config,
			   struct berval const *values)
{
	for (size_t i = 0; values[i].bv_val; i++)
		entry->has_class |= name_is(bytes_of(&values[i]), config->object_class);
}

/** Keep the values of one attribute; what is none of ours is refused, never ignored */
static enum mfa_rc keep_values(struct mfa_entry *entry, struct mfa_diag *diag,
			       struct asked const *asked, struct berval const *described,
			       struct berval const *values)
{
	struct mfa_config const *config = asked->config;
	struct mfa_bytes options, name = bytes_of(described);

	cut_options(&name, &options);
	if (!values || (asked->also && name_is(name, asked->also))) return MFA_OK;
	if (name_is(name, "objectClass")) {
		look_for_class(entry, config, values);
		return MFA_OK;
	}
	if (options.len > 0) return refuse_options(diag, name, options);
	if (name_is(name, config->attr_id)) return mfa_entry_set_id(entry, bytes_of(&values[0]));
	for (unsigned attr = 0; attr < MFA_ATTR_COUNT; attr++) {
		if (name_is(name, config->attr[attr]))
			return add_values(entry, (enum mfa_attr)attr, values);
	}
	return refuse_name(diag, name);
}

/* Straight from libldap's buffer: nothing is copied twice. */
static enum mfa_rc parse_entry(struct mfa_entry *entry, struct mfa_diag *diag,
			       struct asked const *asked, LDAP *handle, LDAPMessage *message)
{
	struct berval dn, name, *values = NULL;
	BerElement *ber = NULL;
	enum mfa_rc rc = MFA_ERR_FORMAT;

	if (ldap_get_dn_ber(handle, message, &ber, &dn) != LDAP_SUCCESS) goto out;
	rc = mfa_entry_set_dn(entry, bytes_of(&dn));
	while (rc == MFA_OK &&
	       ldap_get_attribute_ber(handle, message, ber, &name, &values) == LDAP_SUCCESS &&
	       name.bv_val) {
		rc = keep_values(entry, diag, asked, &name, values);
		ldap_memfree(values);
		values = NULL;
	}
out:
	if (ber) ber_free(ber, 0);
	return rc;
}

enum mfa_rc mfa_conn_entry(struct mfa_entry *entry, struct mfa_diag *diag,
			   struct mfa_config const *config, char const *also, LDAP *handle,
			   LDAPMessage *message)
{
	struct asked const asked = {.config = config, .also = also};
	struct mfa_diag why = {.text = ""};
	enum mfa_rc rc = parse_entry(entry, &why, &asked, handle, message);

	if (rc == MFA_OK && entry->id.len == 0) {
		mfa_diag_set(diag, "the entry has no readable '%s'", config->attr_id);
		return MFA_ERR_FORMAT;
	}
	if (rc == MFA_OK) return MFA_OK;
	if (why.text[0]) {
		*diag = why;
	} else {
		mfa_diag_say(diag, rc == MFA_ERR_SPACE ? "the entry's record is too large"
						       : "the directory's answer cannot be read");
	}
	return rc;
}

/** Take the one entry out of a search's result */
static enum mfa_rc take_entry(struct mfa_entry *entry, struct mfa_diag *diag,
			      struct mfa_config const *config, LDAP *handle, LDAPMessage *result)
{
	int const count = ldap_count_entries(handle, result);
	int code = LDAP_OTHER;
	enum mfa_rc rc;

	if (ldap_parse_result(handle, result, &code, NULL, NULL, NULL, NULL, 0) != LDAP_SUCCESS)
		code = LDAP_OTHER;
	rc = mfa_ldap_rc(code);
	if (rc == MFA_OK && count == 0) rc = MFA_ERR_NOT_FOUND;
	if (rc == MFA_OK && count > 1) rc = MFA_ERR_AMBIGUOUS;
	if (rc != MFA_OK) {
		mfa_diag_set(diag, "search: %s",
			     rc == MFA_ERR_NOT_FOUND   ? "no such entry"
			     : rc == MFA_ERR_AMBIGUOUS ? "more than one entry matches"
						       : ldap_err2string(code));
		return rc;
	}
	return mfa_conn_entry(entry, diag, config, NULL, handle, ldap_first_entry(handle, result));
}

size_t mfa_conn_attrs(char *attrs[static MFA_READ_ATTRS], struct mfa_store const *store,
		      uint32_t leave_out)
{
	static char object_class[] = "objectClass";
	uint32_t const apart = mfa_config_ledger_attrs(store->config);
	size_t n = 0;

	for (size_t i = 0; i < MFA_ATTR_COUNT; i++) {
		if (!((leave_out | apart) & MFA_ATTR_BIT(i))) attrs[n++] = store->config->attr[i];
	}
	attrs[n++] = store->config->attr_id;
	if (store->read_class) attrs[n++] = object_class;
	attrs[n] = NULL;
	return n;
}

/** One search; MFA_ERR_BROKEN when the connection was broken */
static enum mfa_rc search(LDAPMessage **result, struct mfa_conn *conn, LDAP *handle,
			  struct mfa_where const *where)
{
	struct mfa_config const *config = conn->store->config;
	struct timeval limit = mfa_conn_time_left(conn, config->timeout_s);
	char *attrs[MFA_READ_ATTRS];
	int msgid;

	(void)mfa_conn_attrs(attrs, conn->store, where->leave_out);
	*result = NULL;
	mfa_conn_limit(conn, config->timeout_s);
	if (ldap_search_ext(handle, where->base, ldap_scope(where->scope), where->filter, attrs, 0,
			    NULL, NULL, &limit, 2, &msgid) != LDAP_SUCCESS) {
		return MFA_ERR_BROKEN;
	}
	return mfa_conn_wait(result, conn, handle, msgid, config->timeout_s);
}

/** Whether what is missing from an answer is missing from the directory */
static enum mfa_rc check_rights(struct mfa_entry const *entry, struct mfa_diag *diag,
				struct mfa_conn *conn, LDAP *handle, enum mfa_rc rc)
{
	if (rc == MFA_ERR_NOT_FOUND) return mfa_rights_not_found(diag, conn, handle);
	if (rc != MFA_OK) return rc;
	rc = mfa_rights_check(diag, conn, handle, entry);
	if (rc != MFA_ERR_BROKEN && rc != MFA_ERR_UNAVAILABLE) return rc;
	mfa_diag_say(diag, "compare: no answer");
	return MFA_ERR_UNAVAILABLE;
}

enum mfa_rc mfa_conn_read(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_conn *conn,
			  enum mfa_side side, struct mfa_where const *where)
{
	LDAPMessage *result = NULL;
	LDAP *handle;
	bool fresh = false;
	enum mfa_rc rc;

	mfa_entry_init(entry);
	do {
		rc = mfa_conn_connect(&handle, &fresh, diag, conn, side);
		if (rc != MFA_OK) return rc;
		rc = search(&result, conn, handle, where);
		if (rc == MFA_OK) break;
		/* A server that was restarted closed our idle connection: connect again, once. */
		if (rc == MFA_ERR_BROKEN) mfa_conn_drop(conn, side);
		if (rc == MFA_ERR_UNAVAILABLE) mfa_conn_give_up(conn, side);
		mfa_diag_set(diag, "search: %s",
			     rc == MFA_ERR_BROKEN ? "connection lost" : "no answer in time");
	} while (rc == MFA_ERR_BROKEN && !fresh && !mfa_conn_is_late(conn));
	if (rc != MFA_OK) return MFA_ERR_UNAVAILABLE;

	rc = take_entry(entry, diag, conn->store->config, handle, result);
	(void)ldap_msgfree(result);
	entry->left_out = where->leave_out | mfa_config_ledger_attrs(conn->store->config);
	rc = check_rights(entry, diag, conn, handle, rc);
	if (rc == MFA_ERR_UNAVAILABLE) mfa_conn_drop(conn, side);
	if (rc == MFA_OK) return MFA_OK;
	mfa_entry_clear(entry);
	entry->left_out = where->leave_out | mfa_config_ledger_attrs(conn->store->config);
	return rc;
}

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
