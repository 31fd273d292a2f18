/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/user.h"

#include <time.h>

/** Escape for a filter; what does not fit finds nobody */
static size_t escape_filter(UNUSED REQUEST *request, char *out, size_t out_size, char const *in,
			    UNUSED void *arg)
{
	int const len = mfa_filter_escape(out, out_size, mfa_bytes_of(in));

	if (len >= 0) return (size_t)len;
	out[0] = '\0';
	return 0;
}

static size_t escape_dn(UNUSED REQUEST *request, char *out, size_t out_size, char const *in,
			UNUSED void *arg)
{
	int const len = mfa_dn_escape(out, out_size, mfa_bytes_of(in));

	if (len >= 0) return (size_t)len;
	out[0] = '\0';
	return 0;
}

/** A user name that C strings would cut short belongs to nobody */
static bool name_is_usable(REQUEST *request)
{
	VALUE_PAIR *vp = fr_pair_find_by_num(request->packet->vps, PW_USER_NAME, 0, TAG_ANY);

	return vp && vp->vp_length > 0 && !memchr(vp->vp_strvalue, '\0', vp->vp_length);
}

/** The text for the name that this request has */
static struct peruser_text const *text_for(struct peruser_named const *named, REQUEST *request)
{
	return fr_pair_find_by_num(request->packet->vps, PW_STRIPPED_USER_NAME, 0, TAG_ANY)
		       ? &named->stripped
		       : &named->full;
}

/** Where the user's entry is; strings to be freed with the context */
static enum mfa_rc locate(struct mfa_where *where, TALLOC_CTX *ctx, rlm_peruser_mfa_t *inst,
			  REQUEST *request, struct mfa_diag *diag)
{
	VALUE_PAIR *dn = fr_pair_find_by_num(request->config, PW_LDAP_USERDN, 0, TAG_ANY);
	bool const named = inst->user_dn.full.fmt[0] != '\0';
	struct peruser_text const *place =
		named ? text_for(&inst->user_dn, request) : &inst->base_dn;
	char *base = NULL, *filter = NULL;

	if (dn) {
		*where = (struct mfa_where){
			.base = dn->vp_strvalue, .scope = MFA_SCOPE_BASE, .bind_at_once = true};
		return MFA_OK;
	}
	if (!name_is_usable(request)) {
		mfa_diag_set(diag, "no usable User-Name");
		return MFA_ERR_NOT_FOUND;
	}
	if (peruser_expand(&base, request, place, escape_dn) < 0 ||
	    peruser_expand(&filter, request, text_for(&inst->filter, request), escape_filter) < 0) {
		talloc_free(base);
		mfa_diag_set(diag, "'%s' or 'filter' cannot be expanded",
			     named ? "user_dn" : "base_dn");
		return MFA_ERR_FORMAT;
	}
	(void)talloc_steal(ctx, base);
	(void)talloc_steal(ctx, filter);
	*where = (struct mfa_where){.base = base,
				    .scope = named ? MFA_SCOPE_BASE
						   : (enum mfa_scope)inst->directory.config.scope,
				    .filter = filter};
	/* A filter with conditions comes first: whom it keeps out, nobody locks by guessing. */
	where->bind_at_once = where->scope == MFA_SCOPE_BASE && inst->filter_is_name;
	return MFA_OK;
}

/** Where an entry is that was read before */
static enum mfa_rc locate_again(struct mfa_where *where, TALLOC_CTX *ctx,
				struct mfa_entry const *entry)
{
	*where = (struct mfa_where){
		.base = talloc_strndup(ctx, (char const *)entry->dn.data, entry->dn.len),
		.scope = MFA_SCOPE_BASE};
	return where->base ? MFA_OK : MFA_ERR_NOMEM;
}

/** Add one attribute of control to the record when it is one of ours */
static enum mfa_rc add_mapped(struct mfa_entry *entry, VALUE_PAIR const *vp)
{
	struct mfa_bytes const value = {(uint8_t const *)vp->vp_strvalue, vp->vp_length};

	for (unsigned i = 0; i < MFA_ATTR_COUNT; i++) {
		if (vp->da == peruser_attr((enum peruser_attr)(PERUSER_MAPPED + i)))
			return mfa_entry_add(entry, (enum mfa_attr)i, value);
	}
	return MFA_OK;
}

/** Understand a mapped record without a secret: whether no code is needed, all that it can tell */
static bool parse_as_off(struct mfa_login *login, rlm_peruser_mfa_t const *inst, REQUEST *request)
{
	mfa_record_parse(&login->record, &login->record_diag, &login->entry, &inst->ring,
			 peruser_required(request), time(NULL));
	return login->record.state == MFA_STATE_OFF;
}

/** Take the record from control, where rlm_ldap's update section put it
 *
 * The entry's id tells that it did: every entry has one.
 */
static bool take_mapped(struct mfa_login *login, rlm_peruser_mfa_t const *inst, REQUEST *request)
{
	VALUE_PAIR *dn = fr_pair_find_by_num(request->config, PW_LDAP_USERDN, 0, TAG_ANY);
	VALUE_PAIR *id =
		fr_pair_find_by_da(request->config, peruser_attr(PERUSER_ENTRY_ID), TAG_ANY);
	vp_cursor_t cursor;
	VALUE_PAIR *vp;

	if (!dn || !id) return false;
	mfa_entry_init(&login->entry);
	if (mfa_entry_set_dn(&login->entry, mfa_bytes_of(dn->vp_strvalue)) != MFA_OK) return false;
	if (mfa_entry_set_id(&login->entry, (struct mfa_bytes){id->vp_octets, id->vp_length}) !=
	    MFA_OK) {
		return false;
	}
	for (vp = fr_cursor_init(&cursor, &request->config); vp; vp = fr_cursor_next(&cursor)) {
		if (add_mapped(&login->entry, vp) != MFA_OK) return false;
	}
	if (mfa_entry_count(&login->entry, MFA_ATTR_SECRET) == 0 &&
	    !parse_as_off(login, inst, request))
		return false;
	/* As rlm_ldap read it, maybe from a replica: good for telling whether a code is needed. */
	login->entry.left_out = MFA_ATTR_BIT(MFA_ATTR_LAST_USE) |
				MFA_ATTR_BIT(MFA_ATTR_RECOVERY_CODE) |
				MFA_ATTR_BIT(MFA_ATTR_VOUCHER);
	login->have_entry = true;
	return true;
}

/** Borrow a connection; NULL when there is none, and diag says so
 *
 * The clock of this step starts here: waiting for a turn and connecting take their part.
 */
static struct mfa_conn **borrow(rlm_peruser_mfa_t *inst, struct mfa_diag *diag)
{
	int64_t const start_ms = mfa_monotonic_ms();
	struct mfa_conn **conn;

	if (!peruser_gate_enter(inst->gate, inst->pool_wait_ms)) {
		mfa_diag_say(diag, "as many logins as pool.max wait for the directory already");
		return NULL;
	}
	conn = fr_connection_get(inst->pool);
	if (conn) {
		mfa_conn_start_at(*conn, start_ms);
		return conn;
	}
	peruser_gate_leave(inst->gate);
	mfa_diag_say(diag, "no connection to the directory");
	return NULL;
}

/** Give it back, or close it, so that the pool waits before it opens the next */
static void give_back(rlm_peruser_mfa_t *inst, struct mfa_conn **conn, enum mfa_rc rc)
{
	if (rc == MFA_ERR_UNAVAILABLE || rc == MFA_ERR_BROKEN) {
		(void)fr_connection_close(inst->pool, conn, "the directory does not answer");
	} else {
		fr_connection_release(inst->pool, conn);
	}
	peruser_gate_leave(inst->gate);
}

/** Search for the user's entry, in the packet that brings the password
 *
 * @param[in] password to be checked, too; or NULL.
 */
static enum mfa_rc find_entry(struct mfa_login *login, struct mfa_diag *diag,
			      rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_conn *conn,
			      struct mfa_bytes const *password, bool recovery)
{
	TALLOC_CTX *ctx = talloc_new(request);
	struct mfa_where where;
	enum mfa_rc rc = locate(&where, ctx, inst, request, diag);

	where.leave_out = mfa_login_spare(&inst->policy, recovery);
	if (rc == MFA_OK && password) {
		rc = mfa_conn_read_and_bind(&login->entry, diag, conn, &where, *password);
		login->have_entry = rc == MFA_OK;
	} else if (rc == MFA_OK) {
		rc = mfa_login_read(login, diag, conn, MFA_SIDE_READ, &where);
	}
	talloc_free(ctx);
	return rc;
}

enum mfa_rc peruser_read(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_login *login,
			 struct mfa_diag *diag, bool recovery)
{
	struct mfa_conn **conn = borrow(inst, diag);
	enum mfa_rc rc;

	if (!conn) return MFA_ERR_UNAVAILABLE;
	rc = find_entry(login, diag, inst, request, *conn, NULL, recovery);
	give_back(inst, conn, rc);
	return rc;
}

enum mfa_rc peruser_check_password(rlm_peruser_mfa_t *inst, REQUEST *request,
				   struct mfa_login *login, struct mfa_diag *diag,
				   struct mfa_bytes password)
{
	struct mfa_conn **conn = borrow(inst, diag);
	bool mapped;
	enum mfa_rc rc;

	if (!conn) return MFA_ERR_UNAVAILABLE;
	mapped = !login->have_entry && take_mapped(login, inst, request);
	rc = login->have_entry ? mfa_conn_bind_user(diag, *conn, login->entry.dn, password)
			       : find_entry(login, diag, inst, request, *conn, &password, false);
	give_back(inst, conn, rc);
	/* Whether it is enough is asked again: a policy may require MFA before post-auth. */
	if (mapped) login->have_entry = false;
	return rc;
}

/** The entry that was read, again and again, must be the one that the State was made for */
static bool same_user(struct mfa_login *login, void *uctx)
{
	uint8_t const *expected = uctx;
	uint8_t hash[MFA_CHALLENGE_HASH];

	if (!expected) return true;
	if (mfa_challenge_hash(hash, login->entry.id) == MFA_OK &&
	    mfa_bytes_equal((struct mfa_bytes){hash, sizeof(hash)},
			    (struct mfa_bytes){expected, sizeof(hash)})) {
		return true;
	}
	login->decision.result = MFA_RESULT_REJECTED;
	mfa_diag_set(&login->decision.reason, "the State is another user's");
	return false;
}

/** A failure before the record could be asked */
static enum mfa_rc fail(struct mfa_login *login, enum mfa_rc rc)
{
	login->decision.verdict = MFA_REJECT;
	login->decision.fault = rc != MFA_ERR_NOT_FOUND;
	login->decision.result =
		rc == MFA_ERR_UNAVAILABLE ? MFA_RESULT_UNAVAILABLE : MFA_RESULT_REJECTED;
	return rc;
}

enum mfa_rc peruser_ask(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_login *login,
			struct mfa_request const *ask, uint8_t const *expected)
{
	struct mfa_login_context ctx = {.ring = &inst->ring,
					.policy = &inst->policy,
					.lean = true,
					.recheck = true,
					.confirm = mfa_config_confirm(&inst->directory.config),
					.required = peruser_required(request)};
	TALLOC_CTX *pool = talloc_new(request);
	struct mfa_where where;
	struct mfa_conn **conn = NULL;
	enum mfa_rc rc;

	if (!login->have_entry) (void)take_mapped(login, inst, request);
	/* The password step with a record in hand writes nothing: it needs no connection, unless
	 * the provider has to confirm it. */
	if (!login->have_entry || ask->code || ctx.confirm != MFA_CONFIRM_NO) {
		conn = borrow(inst, &login->decision.reason);
		if (!conn) {
			rc = fail(login, MFA_ERR_UNAVAILABLE);
			goto out;
		}
		ctx.conn = *conn;
		rc = login->have_entry
			     ? locate_again(&where, pool, &login->entry)
			     : locate(&where, pool, inst, request, &login->decision.reason);
		if (rc != MFA_OK) {
			rc = fail(login, rc);
			goto out;
		}
		ctx.where = &where;
	}
	rc = mfa_login_run(login, &ctx, ask, same_user, (void *)(uintptr_t)expected);
out:
	if (conn) give_back(inst, conn, rc);
	talloc_free(pool);
	return rc;
}
