/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/walk.h"

#include "admin/output.h"
#include "admin/process.h"
#include "admin/rights.h"
#include "core/filter.h"
#include "core/ldap_entry.h"
#include "core/ledger.h"
#include "core/operation.h"
#include "core/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAGE_SIZE   500
#define PAGE_TIME_S 120u /* a filter without an index makes the server read all entries */
#define BATCH	    32u	 /* entries whose rights are asked for at once; slapd queues 100 */
#define SHOWN_MAX   5u	 /* entries that are named when they are hidden; then only their number */

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

static bool same_rdn(LDAPRDN a, LDAPRDN b)
{
	size_t i = 0;

	for (; a[i] && b[i]; i++) {
		if (a[i]->la_attr.bv_len != b[i]->la_attr.bv_len ||
		    a[i]->la_value.bv_len != b[i]->la_value.bv_len ||
		    strncasecmp(a[i]->la_attr.bv_val, b[i]->la_attr.bv_val, a[i]->la_attr.bv_len) !=
			    0 ||
		    strncasecmp(a[i]->la_value.bv_val, b[i]->la_value.bv_val,
				a[i]->la_value.bv_len) != 0) {
			return false;
		}
	}
	return !a[i] && !b[i];
}

static size_t count_rdns(LDAPDN dn)
{
	size_t n = 0;

	while (dn && dn[n]) n++;
	return n;
}

/** Whether an entry is below a base, so that a login could find it */
static bool is_below(char const *text, char const *base_text)
{
	LDAPDN dn = NULL, base = NULL;
	bool below = ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS &&
		     ldap_str2dn(base_text, &base, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS;
	size_t const count = count_rdns(dn), base_count = count_rdns(base);

	below = below && count >= base_count;
	for (size_t i = 0; below && i < base_count; i++)
		below = same_rdn(dn[count - base_count + i], base[i]);
	ldap_dnfree(dn);
	ldap_dnfree(base);
	return below;
}

/** Read an entry by DN: it must be one that a login finds, not just any */
static enum mfa_rc find_dn(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_cli *cli,
			   char const *dn)
{
	struct mfa_where const where = {
		.base = dn, .scope = MFA_SCOPE_BASE, .filter = cli->everyone};
	enum mfa_rc rc = MFA_ERR_NOT_FOUND;

	mfa_entry_init(entry);
	if (is_below(dn, cli->config.base_dn))
		rc = mfa_conn_read(entry, diag, cli->conn, MFA_SIDE_READ, &where);
	if (rc == MFA_ERR_NOT_FOUND)
		mfa_diag_set(diag, "no such user: no entry below '%s' that matches %s",
			     cli->config.base_dn, cli->everyone);
	return rc;
}

static enum mfa_rc find_name(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_cli *cli,
			     char const *user)
{
	struct mfa_where where = {.base = cli->config.base_dn,
				  .scope = (enum mfa_scope)cli->config.scope};
	char filter[2048];
	enum mfa_rc rc = mfa_filter_expand(filter, sizeof(filter), diag, cli->config.filter,
					   mfa_bytes_of(user));

	if (rc == MFA_ERR_SPACE) mfa_diag_set(diag, "the name is too long");
	if (rc != MFA_OK) return rc;
	where.filter = filter;
	return mfa_conn_read(entry, diag, cli->conn, MFA_SIDE_READ, &where);
}

/** What was read is no answer before it is known that nothing is hidden; then the ledger's part */
static enum mfa_rc complete(struct mfa_entry *entry, struct mfa_diag *diag,
			    struct mfa_cli const *cli, enum mfa_side side)
{
	enum mfa_rc rc = mfa_cli_rights_check(diag, cli, side, entry);

	if (rc == MFA_OK) rc = mfa_ledger_read(entry, diag, cli->conn);
	if (rc != MFA_OK) mfa_entry_clear(entry);
	return rc;
}

enum mfa_rc mfa_cli_find(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_cli *cli,
			 char const *user)
{
	enum mfa_rc rc;

	mfa_conn_start(cli->conn);
	rc = is_dn(user) ? find_dn(entry, diag, cli, user) : find_name(entry, diag, cli, user);
	return rc == MFA_OK ? complete(entry, diag, cli, MFA_SIDE_READ) : rc;
}

enum mfa_rc mfa_cli_read_again(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_cli *cli,
			       char const *dn)
{
	struct mfa_where const where = {.base = dn, .scope = MFA_SCOPE_BASE};
	enum mfa_rc rc;

	mfa_conn_start(cli->conn);
	rc = mfa_conn_read(entry, diag, cli->conn, MFA_SIDE_WRITE, &where);
	return rc == MFA_OK ? complete(entry, diag, cli, MFA_SIDE_WRITE) : rc;
}

/** A walk between two pages */
struct walk {
	struct mfa_cli *cli;
	struct mfa_diag *diag;
	struct mfa_cli_visitor const *visitor;
	char const *base;
	int scope;
	LDAP *handle;
	struct mfa_entry *entry;
	struct berval cookie; //!< Empty on the first page, and after the last one.
	char filter[3072];
	uint64_t count;
	uint64_t hidden; //!< Entries of which this account may not see all.
	struct mfa_diag why;
	bool ended;   //!< By the visitor.
	bool limited; //!< By the directory.
};

/** Entries whose rights are asked for at once, so that a page waits for few answers */
struct batch {
	size_t count;
	LDAPMessage *message[BATCH];
	struct mfa_cli_proof proof[BATCH];
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
		code = ldap_search_ext(walk->handle, walk->base, walk->scope, walk->filter, attrs,
				       0, controls, NULL, NULL, LDAP_NO_LIMIT, &msgid);
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

static bool is_limit(int code)
{
	return code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_ADMINLIMIT_EXCEEDED ||
	       code == LDAP_TIMELIMIT_EXCEEDED;
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
	if (is_limit(code)) {
		walk->limited = true;
		mfa_diag_set(walk->diag,
			     "this is a part: the directory gives this account no more entries "
			     "(%s); raise its limits: olcLimits on OpenLDAP, nsSizeLimit and its "
			     "like on 389-DS; see directories.md",
			     ldap_err2string(code));
		return MFA_ERR_SPACE;
	}
	mfa_diag_set(walk->diag, "search below '%s': %s", walk->base, ldap_err2string(code));
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

/** Name the first entries that are hidden, and then only count */
static void say_problem(struct walk *walk, char const *user, struct mfa_diag const *diag,
			enum mfa_rc rc)
{
	walk->cli->failed++;
	if (rc == MFA_ERR_DENIED) {
		walk->why = *diag;
		if (++walk->hidden > SHOWN_MAX) return;
	}
	mfa_cli_warn("%s: %s", user, diag->text);
}

/** Ask the ledger too, where the subcommand looks at what it holds */
static enum mfa_rc read_ledger(struct walk *walk, struct mfa_diag *diag)
{
	struct mfa_conn *conn = walk->cli->conn;

	if (!(walk->cli->command->looks_at & MFA_LEDGER_MAY_HOLD)) return MFA_OK;
	mfa_conn_start(conn);
	return mfa_ledger_read(walk->entry, diag, conn);
}

/** Visit one entry, when all of it can be seen; fails when the directory does */
static enum mfa_rc visit_entry(struct walk *walk, LDAPMessage *message,
			       struct mfa_cli_proof const *proof)
{
	char user[MFA_CLI_NAME_MAX];
	struct mfa_diag diag = {.text = ""};
	enum mfa_rc rc;

	mfa_entry_init(walk->entry);
	rc = mfa_conn_entry(walk->entry, &diag, &walk->cli->config, walk->cli->name_attr,
			    walk->handle, message);
	take_name(user, walk, message);
	if (rc == MFA_OK)
		rc = mfa_cli_rights_answer(proof, &diag, walk->cli, walk->cli->walk, walk->handle,
					   walk->entry);
	if (rc == MFA_OK) rc = read_ledger(walk, &diag);
	if (rc == MFA_OK) {
		walk->ended =
			!walk->visitor->visit(walk->cli, user, walk->entry, walk->visitor->uctx);
	} else if (rc == MFA_ERR_UNAVAILABLE) {
		*walk->diag = diag;
	} else if (rc != MFA_ERR_NOT_FOUND) {
		say_problem(walk, user, &diag, rc);
	}
	mfa_entry_clear(walk->entry);
	mfa_cli_progress(walk->cli, walk->visitor->what, ++walk->count);
	return rc == MFA_ERR_UNAVAILABLE ? rc : MFA_OK;
}

/** Take the next entries of a page, and ask for the rights to each */
static enum mfa_rc fill_batch(struct batch *batch, struct walk *walk, LDAPMessage **next)
{
	enum mfa_rc rc = MFA_OK;

	for (batch->count = 0; *next && batch->count < BATCH && rc == MFA_OK; batch->count++) {
		struct mfa_diag ignored;

		batch->message[batch->count] = *next;
		batch->proof[batch->count].missing = 0;
		mfa_entry_init(walk->entry);
		if (mfa_conn_entry(walk->entry, &ignored, &walk->cli->config, walk->cli->name_attr,
				   walk->handle, *next) == MFA_OK) {
			rc = mfa_cli_rights_ask(&batch->proof[batch->count], walk->diag, walk->cli,
						walk->handle, walk->entry);
		}
		mfa_entry_clear(walk->entry);
		*next = ldap_next_entry(walk->handle, *next);
	}
	return rc;
}

static enum mfa_rc visit_page(struct walk *walk, LDAPMessage *result)
{
	LDAPMessage *next = ldap_first_entry(walk->handle, result);
	enum mfa_rc rc = MFA_OK;

	while (next && !walk->ended && rc == MFA_OK) {
		struct batch batch;

		if (mfa_cli_interrupted()) {
			mfa_diag_set(walk->diag, "this is not the whole");
			return MFA_ERR_CONFLICT;
		}
		rc = fill_batch(&batch, walk, &next);
		for (size_t i = 0; i < batch.count && !walk->ended && rc == MFA_OK; i++)
			rc = visit_entry(walk, batch.message[i], &batch.proof[i]);
	}
	return rc;
}

static enum mfa_rc walk_pages(struct walk *walk)
{
	enum mfa_rc rc;

	do {
		LDAPMessage *result;

		rc = request_page(&result, walk);
		if (rc != MFA_OK) break;
		rc = take_cookie(walk, result);
		/* What came before the limit is visited; the walk fails all the same. */
		if (rc == MFA_OK || walk->limited) {
			enum mfa_rc const visited = visit_page(walk, result);

			if (visited != MFA_OK) rc = visited;
		}
		(void)ldap_msgfree(result);
	} while (rc == MFA_OK && !walk->ended && walk->cookie.bv_len > 0);
	if (rc == MFA_OK && walk->count == 0) {
		mfa_diag_set(walk->diag,
			     "nobody found below '%s' by %s; is base_dn right, and may "
			     "this account search there?",
			     walk->base, walk->filter);
		rc = MFA_ERR_NOT_FOUND;
	}
	return rc;
}

static enum mfa_rc make_walk_filter(struct walk *walk, char const *filter)
{
	int const len = snprintf(walk->filter, sizeof(walk->filter), filter ? "(&%s%s)" : "%s%s",
				 walk->cli->everyone, filter ? filter : "");

	if (len >= 0 && (size_t)len < sizeof(walk->filter)) return MFA_OK;
	mfa_diag_set(walk->diag, "the filter is too long");
	return MFA_ERR_FORMAT;
}

/** Find the connection, and do something with the walk */
static enum mfa_rc start_walk(struct walk *walk, enum mfa_rc (*run)(struct walk *walk))
{
	enum mfa_rc rc = MFA_ERR_UNAVAILABLE;

	walk->entry = mfa_cli_entry_alloc();
	if (!walk->entry) return MFA_ERR_NOMEM;
	walk->handle = mfa_conn_handle(walk->diag, walk->cli->walk, MFA_SIDE_READ);
	if (walk->handle) rc = run(walk);
	mfa_cli_progress(walk->cli, NULL, 0);
	if (walk->hidden > SHOWN_MAX)
		mfa_cli_warn("%llu entries in all: %s", (unsigned long long)walk->hidden,
			     walk->why.text);
	ber_memfree(walk->cookie.bv_val);
	mfa_cli_entry_free(&walk->entry);
	return rc;
}

static struct walk *alloc_walk(struct mfa_cli *cli, struct mfa_diag *diag,
			       struct mfa_cli_visitor const *visitor)
{
	struct walk *walk = calloc(1, sizeof(*walk));

	if (!walk) return NULL;
	walk->cli = cli;
	walk->diag = diag;
	walk->visitor = visitor;
	walk->base = cli->config.base_dn;
	walk->scope = ldap_scope(cli->config.scope);
	return walk;
}

enum mfa_rc mfa_cli_walk(struct mfa_cli *cli, struct mfa_diag *diag, char const *filter,
			 struct mfa_cli_visitor const *visitor)
{
	struct walk *walk = alloc_walk(cli, diag, visitor);
	enum mfa_rc rc;

	if (!walk) return MFA_ERR_NOMEM;
	rc = make_walk_filter(walk, filter);
	if (rc == MFA_OK) rc = start_walk(walk, walk_pages);
	free(walk);
	return rc;
}

/** Walk below each naming context (RFC 4512 section 5.1); an empty one is no failure */
static enum mfa_rc walk_contexts(struct walk *walk)
{
	char *attrs[] = {(char[]){"namingContexts"}, NULL};
	struct timeval limit = {.tv_sec = walk->cli->config.timeout_s, .tv_usec = 0};
	LDAPMessage *result = NULL;
	struct berval **contexts = NULL;
	enum mfa_rc rc = MFA_OK;

	if (ldap_search_ext_s(walk->handle, "", LDAP_SCOPE_BASE, "(objectClass=*)", attrs, 0, NULL,
			      NULL, &limit, 1, &result) == LDAP_SUCCESS)
		contexts = ldap_get_values_len(walk->handle, ldap_first_entry(walk->handle, result),
					       attrs[0]);
	(void)ldap_msgfree(result);
	if (!contexts) {
		mfa_diag_set(walk->diag, "the directory does not name its suffixes");
		return MFA_ERR_DENIED;
	}
	for (size_t i = 0; contexts[i] && (rc == MFA_OK || rc == MFA_ERR_NOT_FOUND); i++) {
		walk->base = contexts[i]->bv_val;
		rc = walk_pages(walk);
	}
	ldap_value_free_len(contexts);
	return rc == MFA_ERR_NOT_FOUND ? MFA_OK : rc;
}

enum mfa_rc mfa_cli_walk_directory(struct mfa_cli *cli, struct mfa_diag *diag, char const *filter,
				   struct mfa_cli_visitor const *visitor)
{
	struct walk *walk = alloc_walk(cli, diag, visitor);
	enum mfa_rc rc;

	if (!walk) return MFA_ERR_NOMEM;
	walk->scope = LDAP_SCOPE_SUBTREE;
	(void)snprintf(walk->filter, sizeof(walk->filter), "%s", filter);
	rc = start_walk(walk, walk_contexts);
	free(walk);
	return rc;
}
