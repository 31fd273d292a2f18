/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/user.h"
#include "core/clock.h"
#include "core/password.h"
#include "rlm_peruser_mfa/policy.h"

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

/** Whether rlm_ldap mapped the entry's object classes and the record's is not among them
 *
 * Then the entry has no attribute of the record: no right to read could hide one.  Without
 * this proof a flag that is not there may be a flag that rlm_ldap's account may not read.
 */
static bool lacks_class(rlm_peruser_mfa_t const *inst, REQUEST *request)
{
	char const *wanted = inst->directory.config.object_class;
	vp_cursor_t cursor;
	bool seen = false;

	if (!wanted[0]) return false;
	for (VALUE_PAIR *vp = fr_cursor_init(&cursor, &request->config); vp;
	     vp = fr_cursor_next(&cursor)) {
		if (vp->da != peruser_attr(PERUSER_OBJECT_CLASS)) continue;
		if (strcasecmp(vp->vp_strvalue, wanted) == 0) return false;
		seen = true;
	}
	return seen;
}

/** Take the record from control, where rlm_ldap's update section put it
 *
 * It counts when it has a secret, so that a code is asked for, or when there is no record.
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
	if (mfa_entry_count(&login->entry, MFA_ATTR_SECRET) == 0 && !lacks_class(inst, request))
		return false;
	/* As rlm_ldap read it, maybe from a replica: good for telling whether a code is needed. */
	login->entry.left_out = MFA_ATTR_BIT(MFA_ATTR_LAST_USE) |
				MFA_ATTR_BIT(MFA_ATTR_RECOVERY_CODE) |
				MFA_ATTR_BIT(MFA_ATTR_VOUCHER);
	login->have_entry = true;
	return true;
}

/** Whether an answer from a mapped record must be asked for again: it lets somebody in unproven */
static bool is_unproven(struct mfa_login const *login, rlm_peruser_mfa_t const *inst,
			REQUEST *request)
{
	return login->decision.verdict == MFA_ACCEPT && !lacks_class(inst, request);
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

/** Find the user's entry, in the packet that brings the password
 *
 * @param[in] password to be checked, too; or NULL.
 */
static enum mfa_rc find_entry(struct peruser_record *record, struct mfa_diag *diag,
			      rlm_peruser_mfa_t *inst, struct mfa_conn *conn,
			      struct peruser_account *account, struct mfa_bytes const *password,
			      bool recovery)
{
	struct mfa_login *login = record->login;
	enum mfa_rc rc = peruser_account_key(record->read_for, account);

	account->where.leave_out = mfa_login_spare(&inst->policy, recovery);
	if (rc != MFA_OK) return rc;
	if (!password) return mfa_login_read(login, diag, conn, MFA_SIDE_READ, &account->where);
	rc = mfa_conn_read_and_bind(&login->entry, diag, conn, &account->where, *password);
	login->have_entry = rc == MFA_OK;
	return rc;
}

/** Ask the policy about an entry that was just read */
static enum mfa_rc judge(struct mfa_login *login, struct mfa_diag *diag, rlm_peruser_mfa_t *inst,
			 REQUEST *request, struct mfa_conn *conn)
{
	struct mfa_policy_facts facts;
	struct mfa_login_context const ctx = {
		.conn = conn, .rules = &inst->directory.config.rules, .facts = &facts};

	peruser_facts(&facts, inst, request);
	return mfa_login_judge(login, diag, &ctx, MFA_SIDE_READ, peruser_now_s(request));
}

enum mfa_rc peruser_read(rlm_peruser_mfa_t *inst, REQUEST *request, struct peruser_record *record,
			 struct mfa_diag *diag, bool recovery)
{
	TALLOC_CTX *ctx = talloc_new(request);
	struct peruser_account account;
	struct mfa_conn **conn = NULL;
	enum mfa_rc rc = peruser_account_find(&account, ctx, inst, request, diag);

	if (rc == MFA_OK) {
		conn = borrow(inst, diag);
		rc = conn ? find_entry(record, diag, inst, *conn, &account, NULL, recovery)
			  : MFA_ERR_UNAVAILABLE;
	}
	if (rc == MFA_OK) rc = judge(record->login, diag, inst, request, *conn);
	if (conn) give_back(inst, conn, rc);
	talloc_free(ctx);
	return rc;
}

/** Tell everybody behind us whose password was right, as rlm_ldap does */
static enum mfa_rc set_verified(REQUEST *request, struct mfa_login const *login)
{
	VALUE_PAIR *vp;

	fr_pair_delete_by_num(&request->config, PW_LDAP_USERDN, 0, TAG_ANY);
	vp = radius_pair_create(request, &request->config, PW_LDAP_USERDN, 0);
	if (!vp) return MFA_ERR_NOMEM;
	fr_pair_value_bstrncpy(vp, login->entry.dn.data, login->entry.dn.len);
	return MFA_OK;
}

enum mfa_rc peruser_check_password(rlm_peruser_mfa_t *inst, REQUEST *request,
				   struct peruser_record *record, struct mfa_diag *diag,
				   struct mfa_bytes password)
{
	TALLOC_CTX *ctx = talloc_new(request);
	struct mfa_login *login = record->login;
	struct peruser_account account;
	struct mfa_conn **conn = NULL;
	bool mapped = false;
	enum mfa_rc rc = peruser_account_find(&account, ctx, inst, request, diag);

	if (rc != MFA_OK) goto out;
	if (login->have_entry && !peruser_account_owns(&account, record)) login->have_entry = false;
	mapped = !login->have_entry && take_mapped(login, inst, request);
	conn = borrow(inst, diag);
	rc = MFA_ERR_UNAVAILABLE;
	if (!conn) goto out;
	rc = login->have_entry ? mfa_conn_bind_user(diag, *conn, login->entry.dn, password)
			       : find_entry(record, diag, inst, *conn, &account, &password, false);
	give_back(inst, conn, rc);
	if (rc == MFA_OK) rc = set_verified(request, login);
out:
	/* Whether it is enough is asked again: a policy may require MFA before post-auth. */
	if (mapped) login->have_entry = false;
	talloc_free(ctx);
	return rc;
}

/** The entry that is decided upon, also one that was read again, must be the expected one */
static bool same_user(struct mfa_login *login, void *uctx)
{
	struct peruser_expected *expected = uctx;
	uint8_t hash[MFA_CHALLENGE_HASH];

	if (!expected) return true;
	if (mfa_challenge_hash(hash, login->entry.id) == MFA_OK &&
	    mfa_bytes_equal((struct mfa_bytes){hash, sizeof(hash)},
			    (struct mfa_bytes){expected->user, sizeof(hash)})) {
		return true;
	}
	expected->is_other = true;
	login->decision.result = MFA_RESULT_REJECTED;
	mfa_diag_say(&login->decision.reason, expected->else_reason);
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

/** Borrow a connection when one may be needed, and ask */
static enum mfa_rc run(rlm_peruser_mfa_t *inst, struct mfa_login *login,
		       struct mfa_login_context *ctx, struct mfa_request const *ask,
		       struct peruser_expected *expected)
{
	struct mfa_conn **conn = NULL;
	enum mfa_rc rc;

	/* The password step with a record in hand writes nothing; the provider may have to confirm,
	 * and a ledger outside the directory has to be asked. */
	if (!login->have_entry || ask->code || ctx->confirm != MFA_CONFIRM_NO ||
	    inst->directory.config.ledger_type != MFA_LEDGER_LDAP ||
	    (ctx->rules->count > 0 && !mfa_login_is_judged(login))) {
		conn = borrow(inst, &login->decision.reason);
		if (!conn) return fail(login, MFA_ERR_UNAVAILABLE);
		ctx->conn = *conn;
	}
	rc = mfa_login_run(login, ctx, ask, same_user, expected);
	if (conn) give_back(inst, conn, rc);
	return rc;
}

enum mfa_rc peruser_ask(rlm_peruser_mfa_t *inst, REQUEST *request, struct peruser_record *record,
			struct mfa_request const *ask, struct peruser_expected *expected)
{
	struct mfa_login *login = record->login;
	struct mfa_policy_facts facts;
	struct mfa_login_context ctx = {.ring = peruser_keys(inst, request),
					.rules = &inst->directory.config.rules,
					.facts = &facts,
					.policy = &inst->policy,
					.lean = true,
					.recheck = true,
					.confirm = mfa_config_confirm(&inst->directory.config),
					.required = peruser_required(request)};
	TALLOC_CTX *pool = talloc_new(request);
	struct peruser_account account;
	bool was_kept;
	enum mfa_rc rc =
		peruser_account_find(&account, pool, inst, request, &login->decision.reason);

	if (rc != MFA_OK) {
		rc = fail(login, rc);
		goto out;
	}
	peruser_facts(&facts, inst, request);
	ctx.where = &account.where;
	if (login->have_entry && !peruser_account_owns(&account, record))
		login->have_entry = login->is_earlier = false;
	was_kept = login->have_entry;
	record->is_mapped = !login->have_entry && take_mapped(login, inst, request);
	rc = run(inst, login, &ctx, ask, expected);
	if (rc == MFA_OK && record->is_mapped && is_unproven(login, inst, request)) {
		login->have_entry = record->is_mapped = false;
		rc = run(inst, login, &ctx, ask, expected);
	}
	/* A record that was kept stays the one that it was read for: of a name, not of its DN. */
	if (rc == MFA_OK && !was_kept && (inst->cache || !account.is_dn))
		rc = peruser_account_key(record->read_for, &account);
out:
	talloc_free(pool);
	return rc;
}
