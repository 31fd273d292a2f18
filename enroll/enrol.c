/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/enrol.h"
#include "enroll/guess.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

bool mfa_web_is_done(struct mfa_web const *web)
{
	return web->answer.status == 503 || web->answer.status == 500;
}

enum mfa_rc mfa_nonce_make(char nonce[static MFA_NONCE_TEXT_SIZE])
{
	uint8_t random[MFA_NONCE_SIZE];
	enum mfa_rc const rc = mfa_random(random, sizeof(random));

	if (rc != MFA_OK) return rc;
	return mfa_base64url_encode(nonce, MFA_NONCE_TEXT_SIZE, random, sizeof(random));
}

enum mfa_rc mfa_codes_make(char codes[static MFA_CODES_TEXT_SIZE + 1])
{
	size_t len = 0;

	for (unsigned i = 0; i < MFA_RECOVERY_COUNT; i++) {
		enum mfa_rc const rc = mfa_recovery_generate(codes + len);

		if (rc != MFA_OK) return rc;
		len += MFA_RECOVERY_TEXT_SIZE;
		codes[len - 1] = '\n';
	}
	codes[len] = '\0';
	return MFA_OK;
}

bool mfa_codes_write(struct mfa_change *change, struct mfa_web *web, char const *codes)
{
	char hash[MFA_HASH_SIZE];
	bool done = true;

	mfa_change_clear(change, MFA_ATTR_RECOVERY_CODE);
	for (; *codes && done; codes += MFA_RECOVERY_TEXT_SIZE) {
		struct mfa_code code;

		mfa_code_parse(&code, (struct mfa_bytes){(uint8_t const *)codes,
							 MFA_RECOVERY_TEXT_SIZE - 1});
		done = mfa_recovery_format(hash, &web->app->ring, web->login->entry.id, &code) ==
		       MFA_OK;
		if (done) mfa_change_add(change, MFA_ATTR_RECOVERY_CODE, hash);
		mfa_code_clear(&code);
	}
	return done;
}

/** What an answer of core means for the visitor */
static void explain(struct mfa_web *web, struct mfa_decision const *decision)
{
	mfa_web_log(web, "code: %s", decision->reason.text);
	if (decision->result == MFA_RESULT_LOCKED && decision->wait_s == MFA_WAIT_FOREVER) {
		mfa_web_problem(
			web, 403, "%s",
			_("Too many wrong codes. An administrator has to unlock your MFA."));
	} else if (decision->result == MFA_RESULT_LOCKED) {
		mfa_web_wait(web, decision->wait_s);
	} else if (decision->result == MFA_RESULT_REPLAYED) {
		mfa_web_problem(
			web, 403, "%s",
			_("This code was used before. Wait until your app shows the next one."));
	} else {
		mfa_web_problem(web, 403, "%s",
				_("This code is not right. Take the one that your app shows now."));
	}
}

/** Read what was typed; false when it can be no code */
static bool parse_code(struct mfa_code *code, struct mfa_web *web, bool recovery)
{
	mfa_code_parse(code, mfa_bytes_of(mfa_form_get(&web->form, "code")));
	if (code->kind == MFA_CODE_DIGITS || (recovery && code->kind == MFA_CODE_RECOVERY))
		return true;
	mfa_web_problem(
		web, 403, "%s",
		code->kind == MFA_CODE_RECOVERY
			? _("A recovery code is not accepted here. Take the code from your app.")
		: recovery ? _("This is no code. Type the digits that your app shows, or a "
			       "recovery code.")
			   : _("This is no code. Type the digits that your app shows."));
	mfa_code_clear(code);
	return false;
}

/** A hook of core's around a hook of ours */
struct spending {
	struct mfa_web *web;
	mfa_code_hook hook;
	void *uctx;
};

static bool on_decision(struct mfa_login *login, void *uctx)
{
	struct spending *spending = uctx;

	if (login->decision.verdict != MFA_ACCEPT) return true;
	if (spending->hook(spending->web, &login->decision.change, spending->uctx)) return true;
	/* Nothing is written then, so the code is not spent either. */
	mfa_change_init(&login->decision.change);
	return false;
}

bool mfa_code_spend(struct mfa_web *web, bool recovery, mfa_code_hook hook, void *uctx)
{
	struct mfa_app *app = web->app;
	struct spending spending = {web, hook, uctx};
	struct mfa_decision const *decision = &web->login->decision;
	char filter[1024], nonce[MFA_NONCE_TEXT_SIZE];
	struct mfa_code code;
	struct mfa_where where;
	struct mfa_login_context const ctx = {.conn = app->conn,
					      .where = &where,
					      .ring = &app->ring,
					      .policy = &app->settings.policy,
					      .required = app->settings.page.required != 0};
	struct mfa_request const request = {
		.now_s = web->now_s, .code = &code, .nonce = nonce, .attempt = 1};
	struct mfa_guess guess;
	enum mfa_rc rc;

	if (!parse_code(&code, web, recovery) || !mfa_guess_code(&guess, web)) return false;
	rc = mfa_web_where(&where, filter, sizeof(filter), web);
	if (rc == MFA_OK) rc = mfa_nonce_make(nonce);
	if (rc == MFA_OK) rc = mfa_login_run(web->login, &ctx, &request, on_decision, &spending);
	mfa_code_clear(&code);
	if (rc != MFA_OK || decision->verdict == MFA_ACCEPT) mfa_guess_unanswered(web, &guess);
	if (rc != MFA_OK) {
		mfa_web_unavailable(web, rc, &decision->reason);
		return false;
	}
	if (decision->verdict == MFA_ACCEPT) return true;
	if (web->login->sent) {
		/* Refused now, perhaps since an earlier try was carried out. */
		mfa_web_unavailable(web, MFA_ERR_BROKEN, &decision->reason);
		return false;
	}
	if (web->error[0] == '\0') explain(web, decision);
	return false;
}
