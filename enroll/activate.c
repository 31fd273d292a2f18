/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/code.h"
#include "enroll/guess.h"

#include <openssl/crypto.h>

#include <string.h>

/** One activation, so that its steps stay short */
struct activation {
	struct mfa_web *web;
	struct mfa_pending const *pending;
	struct mfa_new_device device;
	struct mfa_code code;
	struct mfa_code voucher;
	char nonce[MFA_NONCE_TEXT_SIZE];
	char const *codes;
	enum mfa_activation result;
};

static bool needs_voucher(struct activation const *act)
{
	return act->pending->setup == MFA_SETUP_ON && act->web->app->settings.page.require_voucher;
}

/** Whether the record still waits for this device */
static bool is_welcome(struct activation const *act)
{
	struct mfa_record const *record = &act->web->login->record;

	if (act->pending->setup == MFA_SETUP_REPLACE) return record->state == MFA_STATE_ENROLLED;
	if (act->pending->setup == MFA_SETUP_ADD) {
		return record->state == MFA_STATE_ENROLLED &&
		       mfa_entry_count(record->entry, MFA_ATTR_SECRET) < MFA_SECRETS_MAX;
	}
	return record->state == MFA_STATE_OFF || record->state == MFA_STATE_INVITED ||
	       record->state == MFA_STATE_OVERDUE;
}

/** Whether the record was written by this very activation, whose answer got lost */
static bool is_ours(struct activation const *act, bool sent)
{
	struct mfa_record const *record = &act->web->login->record;

	return sent && record->last_use.present && strcmp(record->last_use.nonce, act->nonce) == 0;
}

/** Check the voucher; guesses are counted by user */
static bool check_voucher(struct activation *act)
{
	struct mfa_web *web = act->web;
	struct mfa_guess guess;

	if (!needs_voucher(act)) return true;
	web->wrong_field = "voucher";
	if (!mfa_guess_voucher(&guess, web)) return false;
	if (mfa_voucher_check(&web->login->entry, &web->app->ring, &act->voucher, web->now_s) ==
	    MFA_OK) {
		mfa_guess_right(web, &guess);
		web->wrong_field = "code";
		return true;
	}
	mfa_web_log(web, "voucher refused");
	mfa_web_event(web, MFA_EVENT_VOUCHER, "voucher", "rejected", "wrong, used or too old");
	mfa_web_problem(web, 403, "%s",
			_("This voucher is not right, or no longer valid. Ask for a new one."));
	return false;
}

/** Whether the code is right; a wrong one tells nothing about any secret but one's own new one */
static bool check_code(struct activation *act, struct mfa_enrollment const *enrollment)
{
	struct mfa_web *web = act->web;
	struct mfa_proof proof;

	mfa_devices_prove(&proof, enrollment, &web->app->settings.policy, &act->device.totp,
			  &act->code);
	act->device.used_step = proof.step;
	if (proof.result == MFA_RESULT_ACCEPTED) return true;
	mfa_web_log(web, "first code: %s", proof.reason.text);
	mfa_web_event(web, MFA_EVENT_CODE, "code", mfa_result_name(proof.result),
		      proof.reason.text);
	if (proof.result == MFA_RESULT_REPLAYED) {
		mfa_web_problem(
			web, 403, "%s",
			_("This code was used before. Wait until your app shows the next one."));
	} else if (proof.result == MFA_RESULT_LOCKED) {
		mfa_web_wait(web, proof.wait_s);
	} else {
		mfa_web_problem(
			web, 403, "%s",
			_("This code is not right. Take the one that the app shows now for the new "
			  "entry. If it keeps failing, check the clock of the device."));
	}
	return false;
}

/** Add device and recovery codes to the change */
static enum mfa_outcome add_device(struct activation *act, struct mfa_enrollment *enrollment)
{
	enum mfa_setup const setup = act->pending->setup;
	enum mfa_outcome outcome = setup == MFA_SETUP_REPLACE
					   ? mfa_devices_replace(enrollment, &act->device)
					   : mfa_devices_add(enrollment, &act->device);

	if (outcome == MFA_OUTCOME_CHANGED && setup != MFA_SETUP_ADD)
		outcome = mfa_enrollment_codes(enrollment, act->codes);
	if (outcome != MFA_OUTCOME_CHANGED) mfa_change_init(enrollment->change);
	return outcome;
}

/** Judge voucher and code, and add the device */
static enum mfa_activation decide(struct activation *act, bool sent)
{
	struct mfa_enrollment enrollment;

	mfa_change_init(&act->web->login->decision.change);
	mfa_web_enrollment(&enrollment, act->web);
	if (is_ours(act, sent)) return MFA_ACTIVATION_DONE;
	if (!is_welcome(act)) return MFA_ACTIVATION_CHANGED;
	if (!check_voucher(act) || !check_code(act, &enrollment)) return MFA_ACTIVATION_WRONG;
	switch (add_device(act, &enrollment)) {
	case MFA_OUTCOME_CHANGED: return MFA_ACTIVATION_DONE;
	case MFA_OUTCOME_UNCHANGED:
	case MFA_OUTCOME_REFUSED: return MFA_ACTIVATION_CHANGED;
	case MFA_OUTCOME_FAILED: break;
	}
	return MFA_ACTIVATION_FAILED;
}

/** Read, decide, write: the middle of it */
static enum mfa_rc decide_update(struct mfa_update *update, struct mfa_diag *diag)
{
	struct activation *act = update->uctx;
	enum mfa_rc const rc = mfa_web_take_record(act->web);

	if (rc != MFA_OK) {
		mfa_diag_say(diag, "another entry than the one that signed in");
		return rc;
	}
	act->result = decide(act, update->sent);
	if (act->result != MFA_ACTIVATION_FAILED) return MFA_OK;
	*diag = act->web->login->decision.reason;
	return MFA_ERR_CRYPTO;
}

static enum mfa_rc run(struct activation *act, struct mfa_diag *diag)
{
	struct mfa_web *web = act->web;
	char filter[1024];
	struct mfa_where where;
	struct mfa_update update = {.conn = web->app->conn,
				    .where = &where,
				    .side = MFA_SIDE_WRITE,
				    .entry = &web->login->entry,
				    .change = &web->login->decision.change,
				    .decide = decide_update,
				    .uctx = act};
	enum mfa_rc rc = mfa_web_where(&where, filter, sizeof(filter), web);

	if (rc == MFA_OK) rc = mfa_nonce_make(act->nonce);
	return rc == MFA_OK ? mfa_update_run(&update, diag) : rc;
}

enum mfa_activation mfa_activate(struct mfa_web *web, struct mfa_pending const *pending,
				 char const *name, char const *voucher, char const *codes)
{
	struct activation act = {.web = web, .pending = pending, .codes = codes};
	struct mfa_diag diag = {.text = "no random numbers"};
	enum mfa_activation result = MFA_ACTIVATION_FAILED;
	enum mfa_rc rc;

	act.device = (struct mfa_new_device){.nonce = act.nonce, .number_name = true};
	mfa_pending_totp(&act.device.totp, pending, name, web->now_s);
	mfa_code_parse(&act.code, mfa_bytes_of(mfa_form_get(&web->form, "code")));
	mfa_code_parse(&act.voucher, mfa_bytes_of(voucher));
	if (act.code.kind != MFA_CODE_DIGITS) {
		mfa_web_problem(web, 403, "%s",
				_("This is no code. Type the digits that your app shows."));
		result = MFA_ACTIVATION_WRONG;
	} else if ((rc = run(&act, &diag)) == MFA_OK) {
		result = act.result;
	} else {
		mfa_web_unavailable(web, rc, &diag);
	}
	OPENSSL_cleanse(&act, sizeof(act));
	return result;
}
