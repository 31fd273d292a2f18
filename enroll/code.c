/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/code.h"
#include "enroll/guess.h"
#include "enroll/mail.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

void mfa_web_enrollment(struct mfa_enrollment *enrollment, struct mfa_web *web)
{
	*enrollment = (struct mfa_enrollment){
		.entry = &web->login->entry,
		.ring = &web->app->ring,
		.change = &web->login->decision.change,
		.text = &web->login->decision.reason,
		.now_s = web->now_s,
		.use_class = web->app->settings.shared.object_class[0] != '\0',
		.required = mfa_web_requires(web)};
	mfa_enrollment_look(enrollment);
}

/** What an answer of core means for the visitor */
static void explain(struct mfa_web *web, struct mfa_decision const *decision)
{
	mfa_web_log(web, "code: %s", decision->reason.text);
	mfa_web_event(web, MFA_EVENT_CODE, "code", mfa_result_name(decision->result),
		      decision->reason.text);
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
	struct mfa_enrollment enrollment;

	if (login->decision.verdict != MFA_ACCEPT) return true;
	mfa_web_enrollment(&enrollment, spending->web);
	if (spending->hook(spending->web, &enrollment, spending->uctx) == MFA_OUTCOME_CHANGED)
		return true;
	/* Nothing is written then, so the code is not spent either. */
	mfa_change_init(&login->decision.change);
	return false;
}

/** Whether the wrong code that was just counted is the one that locks */
static bool is_lock(struct mfa_web const *web)
{
	struct mfa_login const *login = web->login;
	uint32_t const before = login->record.failures.present ? login->record.failures.count : 0;

	return login->decision.wrong && login->decision.change.count > 0 &&
	       before + 1 == web->app->settings.policy.lock_threshold;
}

bool mfa_code_spend(struct mfa_web *web, bool recovery, mfa_code_hook hook, void *uctx)
{
	struct mfa_app *app = web->app;
	struct spending spending = {web, hook, uctx};
	struct mfa_decision const *decision = &web->login->decision;
	char filter[1024], nonce[MFA_NONCE_TEXT_SIZE];
	struct mfa_code code;
	struct mfa_where where;
	struct mfa_policy_facts facts;
	struct mfa_login_context ctx = {.where = &where, .policy = &app->settings.policy};
	struct mfa_request const request = {.now_s = web->now_s, .code = &code, .nonce = nonce};
	struct mfa_guess guess;
	bool by_recovery;
	enum mfa_rc rc;

	if (!parse_code(&code, web, recovery) || !mfa_guess_code(&guess, web)) return false;
	mfa_web_login_context(&ctx, &facts, web);
	rc = mfa_web_where(&where, filter, sizeof(filter), web);
	if (rc == MFA_OK) rc = mfa_nonce_make(nonce);
	if (rc == MFA_OK) rc = mfa_login_run(web->login, &ctx, &request, on_decision, &spending);
	by_recovery = code.kind == MFA_CODE_RECOVERY;
	mfa_code_clear(&code);
	if (rc != MFA_OK || decision->verdict == MFA_ACCEPT) mfa_guess_unanswered(web, &guess);
	if (rc != MFA_OK) {
		mfa_web_unavailable(web, rc, &decision->reason);
		return false;
	}
	if (decision->verdict == MFA_ACCEPT) {
		mfa_web_event(web, MFA_EVENT_CODE, by_recovery ? "recovery_code" : "totp",
			      mfa_result_name(decision->result), decision->reason.text);
		if (by_recovery) mfa_mail_notice(web, MFA_MAIL_RECOVERY_USED);
		return true;
	}
	if (web->login->sent) {
		/* Refused now, perhaps since an earlier try was carried out. */
		mfa_web_unavailable(web, MFA_ERR_BROKEN, &decision->reason);
		return false;
	}
	if (is_lock(web)) mfa_mail_notice(web, MFA_MAIL_LOCKED);
	if (web->error[0] == '\0') explain(web, decision);
	return false;
}

/** Hash of the record's last use, as it was read last */
static bool hash_use(uint8_t hash[static MFA_MAC_SIZE], struct mfa_web const *web)
{
	return mfa_digest(hash, mfa_entry_get(&web->login->entry, MFA_ATTR_LAST_USE, 0)) == MFA_OK;
}

void mfa_code_remember(struct mfa_web *web, enum mfa_setup setup)
{
	struct mfa_session *session = &web->session;

	/* As it was just written: the entry of the decision is that from before. */
	if (mfa_web_read_record(web) != MFA_OK || !hash_use(session->code_use, web)) return;
	session->may_replace = setup == MFA_SETUP_REPLACE;
	session->may_add_until_s = web->now_s + MFA_PENDING_S;
	web->session_changed = true;
}

bool mfa_code_was_given(struct mfa_web const *web, enum mfa_setup setup)
{
	uint8_t use[MFA_MAC_SIZE];

	if (web->session.may_replace != (setup == MFA_SETUP_REPLACE)) return false;
	return web->session.may_add_until_s >= web->now_s && hash_use(use, web) &&
	       CRYPTO_memcmp(use, web->session.code_use, sizeof(use)) == 0;
}
