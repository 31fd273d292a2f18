/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/login.h"
#include "core/conn.h"
#include "core/ledger.h"
#include "core/read.h"

#include <openssl/crypto.h>

#include <pthread.h>
#include <stdlib.h>

/*
 * A login is larger than what malloc(3) hands out cheaply: it would divide and join its heap
 * again at every packet.  So a few that are not needed any more, and wiped, wait for the next.
 * Not under the address sanitizer, which then sees who uses one that was freed.
 */
#define RESERVE_MAX 64u
#ifdef __SANITIZE_ADDRESS__
#define KEEPS_RESERVE false
#else
#define KEEPS_RESERVE true
#endif

static struct {
	pthread_once_t once;
	pthread_mutex_t lock;
	size_t count;
	struct mfa_login *list[RESERVE_MAX];
} reserve = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static void free_reserve(void)
{
	(void)pthread_mutex_lock(&reserve.lock);
	while (reserve.count > 0) free(reserve.list[--reserve.count]);
	(void)pthread_mutex_unlock(&reserve.lock);
}

/* Also called when a module that holds this code is unloaded. */
static void free_reserve_at_exit(void)
{
	(void)atexit(free_reserve);
}

static struct mfa_login *take_reserve(void)
{
	struct mfa_login *login = NULL;

	(void)pthread_mutex_lock(&reserve.lock);
	if (reserve.count > 0) login = reserve.list[--reserve.count];
	(void)pthread_mutex_unlock(&reserve.lock);
	return login ? login : malloc(sizeof(*login));
}

static void give_reserve(struct mfa_login *login)
{
	(void)pthread_once(&reserve.once, free_reserve_at_exit);
	(void)pthread_mutex_lock(&reserve.lock);
	if (KEEPS_RESERVE && reserve.count < RESERVE_MAX) {
		reserve.list[reserve.count++] = login;
		login = NULL;
	}
	(void)pthread_mutex_unlock(&reserve.lock);
	free(login);
}

struct mfa_login *mfa_login_alloc(void)
{
	struct mfa_login *login = take_reserve();

	if (!login) return NULL;
	mfa_entry_init(&login->entry);
	login->have_entry = login->is_earlier = login->sent = false;
	login->side = MFA_SIDE_READ;
	login->record = (struct mfa_record){0};
	login->decision.verdict = MFA_REJECT;
	login->decision.result = MFA_RESULT_REJECTED;
	login->decision.reason.text[0] = '\0';
	login->decision.fault = login->decision.wrong = false;
	login->record_diag.text[0] = '\0';
	login->policy = (struct mfa_policy_verdict){.from_s = -1};
	mfa_change_init(&login->decision.change);
	return login;
}

void mfa_login_free(struct mfa_login **login)
{
	if (!*login) return;
	mfa_entry_clear(&(*login)->entry);
	mfa_record_clear(&(*login)->record);
	give_reserve(*login);
	*login = NULL;
}

static bool is_recovery(struct mfa_code const *code)
{
	return code && code->kind == MFA_CODE_RECOVERY;
}

/** Attributes that a decision rests on: a set of them */
static uint32_t needs(struct mfa_policy const *policy, struct mfa_code const *code)
{
	uint32_t set = MFA_ATTR_BIT(MFA_ATTR_ENABLED) | MFA_ATTR_BIT(MFA_ATTR_SECRET) |
		       MFA_ATTR_BIT(MFA_ATTR_REQUIRED_FROM) | MFA_ATTR_BIT(MFA_ATTR_FAILURES);

	if (policy->remember_s > 0 || policy->reads_devices)
		set |= MFA_ATTR_BIT(MFA_ATTR_TRUSTED_DEVICE);
	if (code) set |= MFA_ATTR_BIT(MFA_ATTR_LAST_USE);
	if (is_recovery(code)) set |= MFA_ATTR_BIT(MFA_ATTR_RECOVERY_CODE);
	return set;
}

/** Those of them that the directory holds */
static uint32_t needs_from_directory(struct mfa_login_context const *ctx,
				     struct mfa_request const *request)
{
	uint32_t const apart = ctx->conn ? mfa_ledger_attrs(ctx->conn) : 0;

	return needs(ctx->policy, request->code) & ~apart;
}

uint32_t mfa_login_spare(struct mfa_policy const *policy, bool recovery)
{
	uint32_t spare = MFA_ATTR_BIT(MFA_ATTR_VOUCHER);

	if (policy->remember_s == 0 && !policy->reads_devices)
		spare |= MFA_ATTR_BIT(MFA_ATTR_TRUSTED_DEVICE);
	if (!recovery) spare |= MFA_ATTR_BIT(MFA_ATTR_RECOVERY_CODE);
	return spare;
}

enum mfa_rc mfa_login_read(struct mfa_login *login, struct mfa_diag *diag, struct mfa_conn *conn,
			   enum mfa_side side, struct mfa_where const *where)
{
	enum mfa_rc rc = mfa_conn_read(&login->entry, diag, conn, side, where);

	if (rc == MFA_OK) rc = mfa_ledger_read(&login->entry, diag, conn);
	login->have_entry = rc == MFA_OK;
	login->side = side;
	return rc;
}

static enum mfa_result result_of_failure(enum mfa_rc rc)
{
	if (rc == MFA_ERR_UNAVAILABLE || rc == MFA_ERR_BROKEN) return MFA_RESULT_UNAVAILABLE;
	return rc == MFA_ERR_FORMAT || rc == MFA_ERR_SPACE ? MFA_RESULT_BROKEN
							   : MFA_RESULT_REJECTED;
}

/** Turn a failure into a refusal */
static enum mfa_rc fail(struct mfa_login *login, enum mfa_rc rc, struct mfa_diag const *diag)
{
	login->decision.verdict = MFA_REJECT;
	login->decision.result = result_of_failure(rc);
	login->decision.reason = *diag;
	login->decision.fault = true;
	mfa_change_init(&login->decision.change);
	return rc;
}

/** One question, so that its steps stay short */
struct question {
	struct mfa_login *login;
	struct mfa_login_context const *ctx;
	struct mfa_request const *request;
	mfa_login_hook hook;
	void *uctx;
	bool confirming;	  //!< The provider was asked to confirm.
	bool by_replica;	  //!< The decision is one that the provider has not confirmed.
	bool unknown;		  //!< The replica does not have the entry.
	struct mfa_diag accepted; //!< Why it was accepted by a change that was sent; or empty.
};

/** An accept that finds its own traces is the login itself, and the log shall say so */
static void keep_reason(struct question *question)
{
	struct mfa_decision *decision = &question->login->decision;

	if (decision->verdict != MFA_ACCEPT) return;
	if (decision->change.count > 0) {
		question->accepted = decision->reason;
	} else if (question->accepted.text[0]) {
		decision->reason = question->accepted;
	}
}

static void ask_record(struct question const *question)
{
	struct mfa_login *login = question->login;
	struct mfa_login_context const *ctx = question->ctx;
	struct mfa_policy policy = *ctx->policy;

	mfa_login_apply(&policy, login);
	mfa_login_parse(login, ctx, question->request->now_s);
	mfa_decide(&login->decision, &login->record, ctx->ring, &policy, question->request);
	if (login->decision.result == MFA_RESULT_BROKEN && login->record_diag.text[0])
		login->decision.reason = login->record_diag;
	mfa_login_tell_policy(login);
	if (question->hook && !question->hook(login, question->uctx)) {
		login->decision.verdict = MFA_REJECT;
		login->decision.result = MFA_RESULT_REJECTED;
		mfa_change_init(&login->decision.change);
	}
}

/** Whether the answer may rest on the entry that is there */
static bool is_proven(struct mfa_login *login, struct mfa_conn const *conn)
{
	struct mfa_decision *decision = &login->decision;

	if (!login->is_earlier) return true;
	if (conn && mfa_ledger_is_apart(conn)) return false;
	decision->change.must_assert = true;
	return decision->verdict == MFA_ACCEPT && decision->change.count > 0 &&
	       decision->change.assert_count > 0;
}

/** Whether the answer rests on a replica alone: it ends the login, and no write proves it */
static bool needs_confirming(struct question const *question)
{
	struct mfa_login const *login = question->login;
	struct mfa_decision const *decision = &login->decision;

	return question->ctx->confirm != MFA_CONFIRM_NO && login->side == MFA_SIDE_READ &&
	       (decision->verdict != MFA_CHALLENGE || decision->result == MFA_RESULT_UNENROLLED) &&
	       decision->change.count == 0;
}

/** Whether to ask the provider now; when it is known to be away, the replica may be believed */
static bool may_ask_provider(struct question *question)
{
	struct mfa_login_context const *ctx = question->ctx;

	if (!ctx->conn) return true; /* and the read fails: the answer does not count */
	question->confirming =
		ctx->confirm == MFA_CONFIRM_ALWAYS || mfa_conn_may_confirm(ctx->conn);
	return question->confirming;
}

/** What a replica said counts, since the provider is away, and the log tells */
static enum mfa_rc believe_replica(struct question *question)
{
	struct mfa_login *login = question->login;

	if (question->unknown) {
		mfa_diag_say(&login->record_diag,
			     "the provider is away: a replica does not have this user, and may "
			     "be behind");
		return MFA_ERR_NOT_FOUND;
	}
	if (!question->by_replica) return MFA_ERR_UNAVAILABLE;
	mfa_diag_set(&login->record_diag,
		     "the provider is away: '%s' is what a replica says, which may be behind",
		     mfa_result_name(login->decision.result));
	return MFA_OK;
}

static enum mfa_rc decide(struct mfa_update *update, struct mfa_diag *diag)
{
	struct question *question = update->uctx;
	struct mfa_login *login = question->login;
	enum mfa_rc rc;

	if (update->fresh) {
		login->is_earlier = false;
		login->side = update->side;
	}
	rc = mfa_login_judge(login, diag, question->ctx, update->side, question->request->now_s);
	if (rc != MFA_OK) return rc;
	login->sent = update->sent;
	ask_record(question);
	keep_reason(question);
	update->have_entry = is_proven(login, update->conn);
	question->unknown = false;
	question->by_replica = update->have_entry && needs_confirming(question);
	if (!question->by_replica) return MFA_OK;
	if (!may_ask_provider(question)) return believe_replica(question);
	update->side = MFA_SIDE_WRITE;
	update->have_entry = false;
	return MFA_OK;
}

/** Ask the provider for an entry that a replica does not have: it may be new */
static enum mfa_rc find_at_provider(struct mfa_update *update, struct mfa_diag *diag)
{
	struct question *question = update->uctx;

	if (update->side == MFA_SIDE_WRITE || question->ctx->confirm == MFA_CONFIRM_NO)
		return MFA_ERR_NOT_FOUND;
	question->unknown = true;
	update->side = MFA_SIDE_WRITE;
	return may_ask_provider(question) ? mfa_update_run(update, diag) : MFA_ERR_UNAVAILABLE;
}

/** Carry it out, with the provider's word where it is needed and can be had */
static enum mfa_rc run(struct mfa_update *update, struct mfa_diag *diag)
{
	struct question *question = update->uctx;
	struct mfa_login_context const *ctx = question->ctx;
	enum mfa_rc rc = mfa_update_run(update, diag);

	if (rc == MFA_ERR_NOT_FOUND) rc = find_at_provider(update, diag);
	if (question->confirming) mfa_conn_note_provider(ctx->conn, rc != MFA_ERR_UNAVAILABLE);
	if (rc != MFA_ERR_UNAVAILABLE || ctx->confirm != MFA_CONFIRM_WHEN_REACHABLE) return rc;
	return believe_replica(question);
}

enum mfa_rc mfa_login_run(struct mfa_login *login, struct mfa_login_context const *ctx,
			  struct mfa_request const *request, mfa_login_hook hook, void *uctx)
{
	struct question question = {
		.login = login, .ctx = ctx, .request = request, .hook = hook, .uctx = uctx};
	struct mfa_where where = ctx->where ? *ctx->where : (struct mfa_where){0};
	struct mfa_update update = {.conn = ctx->conn,
				    .where = &where,
				    .side = MFA_SIDE_READ,
				    .entry = &login->entry,
				    .change = &login->decision.change,
				    .decide = decide,
				    .uctx = &question,
				    .have_entry = login->have_entry,
				    .recheck = ctx->recheck};
	struct mfa_diag diag = {.text = ""};
	enum mfa_rc rc;

	if (ctx->lean) where.leave_out = mfa_login_spare(ctx->policy, is_recovery(request->code));
	if (login->entry.left_out & needs_from_directory(ctx, request)) update.have_entry = false;
	rc = run(&update, &diag);
	login->have_entry = update.have_entry;
	return rc == MFA_OK ? MFA_OK : fail(login, rc, &diag);
}
