/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/walk.h"

#include "admin/output.h"
#include "core/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_SIZE   500
#define PAGE_TIME_S 120u /* a filter without an index makes the server read all entries */

struct mfa_entry *mfa_cli_entry_alloc(void)
{
	struct mfa_entry *entry = malloc(sizeof(*entry));

	if (entry) mfa_entry_init(entry);
	return entry;
}

void mfa_cli_entry_free(struct mfa_entry **entry)
{
	if (*entry) mfa_entry_clear(*entry);
	free(*entry);
	*entry = NULL;
}

/** "a=b" may be a login name, too; then a filter finds it */
static bool is_dn(char const *user)
{
	LDAPDN dn = NULL;
	bool const parsed = strchr(user, '=') && ldap_str2dn(user, &dn, LDAP_DN_FORMAT_LDAPV3) == 0;

	ldap_dnfree(dn);
	return parsed;
}

enum mfa_rc mfa_cli_find(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_cli *cli,
			 char const *user)
{
	struct mfa_where where = {.base = cli->config.base_dn,
				  .scope = (enum mfa_scope)cli->config.scope};
	char filter[2048];
	enum mfa_rc rc;

	if (is_dn(user)) {
		where = (struct mfa_where){.base = user, .scope = MFA_SCOPE_BASE};
	} else {
		rc = mfa_filter_expand(filter, sizeof(filter), diag, cli->config.filter,
				       mfa_bytes_of(user));
		if (rc == MFA_ERR_SPACE) mfa_diag_set(diag, "the name is too long");
		if (rc != MFA_OK) return rc;
		where.filter = filter;
	}
	mfa_conn_start(cli->conn);
	return mfa_conn_read(entry, diag, cli->conn, MFA_SIDE_READ, &where);
}

enum mfa_rc mfa_cli_read_again(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_cli *cli,
			       char const *dn)
{
	struct mfa_where const where = {.base = dn, .scope = MFA_SCOPE_BASE};

	mfa_conn_start(cli->conn);
	return mfa_conn_read(entry, diag, cli->conn, MFA_SIDE_WRITE, &where);
}

/** A walk between two pages */
struct walk {
	struct mfa_cli *cli;
	struct mfa_diag *diag;
	struct mfa_cli_visitor const *visitor;
	LDAP *handle;
	struct mfa_entry *entry;
	struct berval cookie; //!< Empty on the first page, and after the last one.
	char filter[3072];
	uint64_t count;
	bool ended; //!< By the visitor.
};

static int ldap_scope(uint32_t scope)
{
	static int const known[] = {LDAP_SCOPE_SUBTREE, LDAP_SCOPE_ONELEVEL, LDAP_SCOPE_BASE};

	return scope < sizeof(known) / sizeof(known[0]) ? known[scope] : LDAP_SCOPE_SUBTREE;
}

/** Ask for the next page */
static enum mfa_rc request_page(LDAPMessage **result, struct walk *walk)
{
	struct mfa_cli *cli = walk->cli;
	char *attrs[MFA_READ_ATTRS + 1];
	size_t const count = mfa_conn_attrs(attrs, &cli->store, 0);
	LDAPControl *page = NULL;
	LDAPControl *controls[2] = {NULL, NULL};
	int msgid, code;

	attrs[count] = cli->name_attr;
	attrs[count + 1] = NULL;
	*result = NULL;
	code = ldap_create_page_control(walk->handle, PAGE_SIZE, &walk->cookie, 0, &page);
	controls[0] = page;
	if (code == LDAP_SUCCESS) {
		code = ldap_search_ext(walk->handle, cli->config.base_dn,
				       ldap_scope(cli->config.scope), walk->filter, attrs, 0,
				       controls, NULL, NULL, LDAP_NO_LIMIT, &msgid);
	}
	if (page) ldap_control_free(page);
	if (code != LDAP_SUCCESS) {
		mfa_diag_set(walk->diag, "search: %s", ldap_err2string(code));
		return code == LDAP_FILTER_ERROR ? MFA_ERR_FORMAT : MFA_ERR_UNAVAILABLE;
	}
	if (mfa_conn_wait(result, cli->walk, walk->handle, msgid, PAGE_TIME_S) == MFA_OK)
		return MFA_OK;
	mfa_diag_set(walk->diag, "search: the directory does not answer");
	return MFA_ERR_UNAVAILABLE;
}

/** Take the cookie of the next page out of a result */
static enum mfa_rc take_cookie(struct walk *walk, LDAPMessage *result)
{
	LDAPControl **controls = NULL, *page;
	int code = LDAP_OTHER;
	ber_int_t total;

	ber_memfree(walk->cookie.bv_val);
	walk->cookie = (struct berval){0};
	if (ldap_parse_result(walk->handle, result, &code, NULL, NULL, NULL, &controls, 0) !=
	    LDAP_SUCCESS) {
		code = LDAP_OTHER;
	}
	page = controls ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL) : NULL;
	if (code == LDAP_SUCCESS && page &&
	    ldap_parse_pageresponse_control(walk->handle, page, &total, &walk->cookie) !=
		    LDAP_SUCCESS) {
		code = LDAP_OTHER;
	}
	if (controls) ldap_controls_free(controls);
	if (code == LDAP_SUCCESS) return MFA_OK;
	mfa_diag_set(walk->diag, "search below '%s': %s", walk->cli->config.base_dn,
		     ldap_err2string(code));
	return mfa_ldap_rc(code);
}

/** The login name of an entry, or else its DN */
static void take_name(char out[static MFA_CLI_NAME_MAX], struct walk const *walk,
		      LDAPMessage *message)
{
	struct berval **values = ldap_get_values_len(walk->handle, message, walk->cli->name_attr);
	struct mfa_bytes name = walk->entry->dn;

	if (values && values[0])
		name = (struct mfa_bytes){(uint8_t const *)values[0]->bv_val, values[0]->bv_len};
	if (name.len >= MFA_CLI_NAME_MAX) name = walk->entry->dn;
	mfa_cli_clean(out, MFA_CLI_NAME_MAX, name);
	if (values) ldap_value_free_len(values);
}

static void visit_page(struct walk *walk, LDAPMessage *result)
{
	LDAPMessage *message = ldap_first_entry(walk->handle, result);

	for (; message && !walk->ended; message = ldap_next_entry(walk->handle, message)) {
		char user[MFA_CLI_NAME_MAX];
		struct mfa_diag diag = {.text = ""};
		enum mfa_rc rc;

		mfa_entry_init(walk->entry);
		rc = mfa_conn_entry(walk->entry, &diag, &walk->cli->config, walk->cli->name_attr,
				    walk->handle, message);
		take_name(user, walk, message);
		if (rc == MFA_OK) {
			walk->ended = !walk->visitor->visit(walk->cli, user, walk->entry,
							    walk->visitor->uctx);
		} else {
			walk->cli->failed++;
			mfa_cli_warn("%s: %s", user, diag.text);
		}
		mfa_entry_clear(walk->entry);
		mfa_cli_progress(walk->cli, walk->visitor->what, ++walk->count);
	}
}

static enum mfa_rc walk_pages(struct walk *walk)
{
	enum mfa_rc rc;

	do {
		LDAPMessage *result;

		rc = request_page(&result, walk);
		if (rc != MFA_OK) break;
		rc = take_cookie(walk, result);
		if (rc == MFA_OK) visit_page(walk, result);
		(void)ldap_msgfree(result);
	} while (rc == MFA_OK && !walk->ended && walk->cookie.bv_len > 0);
	return rc;
}

enum mfa_rc mfa_cli_walk(struct mfa_cli *cli, struct mfa_diag *diag, char const *filter,
			 struct mfa_cli_visitor const *visitor)
{
	struct walk walk = {.cli = cli, .diag = diag, .visitor = visitor};
	int const len = snprintf(walk.filter, sizeof(walk.filter), filter ? "(&%s%s)" : "%s%s",
				 cli->everyone, filter ? filter : "");
	enum mfa_rc rc = MFA_ERR_UNAVAILABLE;

	if (len < 0 || (size_t)len >= sizeof(walk.filter)) {
		mfa_diag_set(diag, "the filter is too long");
		return MFA_ERR_FORMAT;
	}
	walk.entry = mfa_cli_entry_alloc();
	if (!walk.entry) return MFA_ERR_NOMEM;
	walk.handle = mfa_conn_handle(diag, cli->walk, MFA_SIDE_READ);
	if (walk.handle) rc = walk_pages(&walk);
	mfa_cli_progress(cli, NULL, 0);
	ber_memfree(walk.cookie.bv_val);
	mfa_cli_entry_free(&walk.entry);
	return rc;
}
