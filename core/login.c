/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/login.h"

#include <openssl/crypto.h>

#include <stdlib.h>

struct mfa_login *mfa_login_alloc(void)
{
	struct mfa_login *login = malloc(sizeof(*login));

	if (!login) return NULL;
	mfa_entry_init(&login->entry);
	login->have_entry = false;
	login->record = (struct mfa_record){0};
	login->decision.verdict = MFA_REJECT;
	login->decision.result = MFA_RESULT_REJECTED;
	login->decision.reason.text[0] = '\0';
	login->decision.fault = login->decision.wrong = false;
	login->record_diag.text[0] = '\0';
	mfa_change_init(&login->decision.change);
	return login;
}

void mfa_login_free(struct mfa_login **login)
{
	if (!*login) return;
	mfa_entry_clear(&(*login)->entry);
	mfa_record_clear(&(*login)->record);
	free(*login);
	*login = NULL;
}

enum mfa_rc mfa_login_read(struct mfa_login *login, struct mfa_diag *diag, struct mfa_conn *conn,
			   enum mfa_side side, struct mfa_where const *where)
{
	enum mfa_rc const rc = mfa_conn_read(&login->entry, diag, conn, side, where);

	login->have_entry = rc == MFA_OK;
	return rc;
}

/** Turn a failure into a refusal */
static enum mfa_rc fail(struct mfa_login *login, enum mfa_rc rc, struct mfa_diag const *diag)
{
	login->decision.verdict = MFA_REJECT;
	login->decision.result =
		rc == MFA_ERR_UNAVAILABLE ? MFA_RESULT_UNAVAILABLE : MFA_RESULT_REJECTED;
	login->decision.reason = *diag;
	login->decision.fault = true;
	mfa_change_init(&login->decision.change);
	return rc;
}

static void decide(struct mfa_login *login, struct mfa_login_context const *ctx,
		   struct mfa_request const *request, mfa_login_hook hook, void *uctx)
{
	mfa_record_parse(&login->record, &login->record_diag, &login->entry, ctx->ring,
			 ctx->required, request->now_s);
	mfa_decide(&login->decision, &login->record, ctx->ring, ctx->policy, request);
	if (login->decision.result == MFA_RESULT_BROKEN && login->record_diag.text[0])
		login->decision.reason = login->record_diag;
	if (hook && !hook(login, uctx)) {
		login->decision.verdict = MFA_REJECT;
		login->decision.result = MFA_RESULT_REJECTED;
		mfa_change_init(&login->decision.change);
	}
}

enum mfa_rc mfa_login_run(struct mfa_login *login, struct mfa_login_context const *ctx,
			  struct mfa_request const *request, mfa_login_hook hook, void *uctx)
{
	struct mfa_diag diag = {.text = "the record keeps changing"};
	enum mfa_rc rc = MFA_ERR_CONFLICT;

	for (unsigned i = 0; i < MFA_LOGIN_TRIES && rc == MFA_ERR_CONFLICT; i++) {
		if (i > 0 || !login->have_entry) {
			if (!ctx->conn) return fail(login, MFA_ERR_INTERNAL, &diag);
			rc = mfa_login_read(login, &diag, ctx->conn,
					    i > 0 ? MFA_SIDE_WRITE : MFA_SIDE_READ, ctx->where);
			if (rc != MFA_OK) break;
		}
		decide(login, ctx, request, hook, uctx);
		if (login->decision.change.count == 0) return MFA_OK;
		if (!ctx->conn) return fail(login, MFA_ERR_INTERNAL, &diag);
		rc = mfa_conn_modify(&diag, ctx->conn, login->entry.dn, &login->decision.change);
	}
	return rc == MFA_OK ? MFA_OK : fail(login, rc, &diag);
}
