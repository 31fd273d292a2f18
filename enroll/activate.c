/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/enrol.h"
#include "enroll/guess.h"

#include <openssl/crypto.h>

#include <string.h>

/** One activation, so that its steps stay short */
struct activation {
	struct mfa_web *web;
	struct mfa_pending const *pending;
	struct mfa_totp totp; //!< Of the new device.
	struct mfa_code code;
	struct mfa_code voucher;
	char nonce[MFA_NONCE_TEXT_SIZE];
	char const *codes;
	enum mfa_activation result;
};

static bool needs_voucher(struct activation const *act)
{
	return act->pending->first && act->web->app->settings.page.require_voucher;
}

/** Whether the record still waits for this device */
static bool is_welcome(struct activation const *act)
{
	struct mfa_record const *record = &act->web->login->record;

	if (!act->pending->first) {
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

/** Ask core about the code, with the new device standing where the enrolled ones do
 *
 * What was used before stays: a code of a step at or before it is used up, so that
 * the last use never goes back.
 */
static void decide(struct activation *act)
{
	struct mfa_web *web = act->web;
	struct mfa_record *record = &web->login->record;
	enum mfa_state const state = record->state;
	struct mfa_request const request = {
		.now_s = web->now_s, .code = &act->code, .nonce = act->nonce, .attempt = 1};

	for (size_t i = 0; i < MFA_SECRETS_MAX; i++)
		OPENSSL_cleanse(&record->secret[i], sizeof(record->secret[i]));
	record->secret[0] = act->totp;
	record->secret_count = 1;
	record->state = MFA_STATE_ENROLLED;
	mfa_decide(&web->login->decision, record, &web->app->ring, &web->app->settings.policy,
		   &request);
	record->state = state; /* the form, shown again, says what it said before */
}

/** Add what an activation writes to what core writes for the code's use */
static bool complete(struct activation *act)
{
	struct mfa_web *web = act->web;
	struct mfa_entry const *entry = &web->login->entry;
	struct mfa_change *change = &web->login->decision.change;
	char value[MFA_SECRET_SIZE];

	if (mfa_secret_format(value, &act->totp, &web->app->ring, entry->id) != MFA_OK)
		return false;
	if (!entry->has_class && web->app->settings.shared.object_class[0] != '\0')
		mfa_change_add_class(change);
	mfa_change_add(change, MFA_ATTR_SECRET, value);
	if (!web->login->record.enabled) mfa_change_swap(change, entry, MFA_ATTR_ENABLED, "TRUE");
	if (!act->pending->first) return true;
	if (mfa_entry_count(entry, MFA_ATTR_TRUSTED_DEVICE) > 0)
		mfa_change_clear(change, MFA_ATTR_TRUSTED_DEVICE);
	if (mfa_entry_count(entry, MFA_ATTR_VOUCHER) > 0) {
		mfa_change_delete(change, MFA_ATTR_VOUCHER,
				  mfa_entry_get(entry, MFA_ATTR_VOUCHER, 0));
	}
	return mfa_codes_write(change, web, act->codes);
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
	mfa_web_problem(web, 403, "%s",
			_("This voucher is not right, or no longer valid. Ask for a new one."));
	return false;
}

/** Whether the code is right; a wrong one tells nothing about any secret but one's own new one */
static bool check_code(struct activation *act)
{
	struct mfa_web *web = act->web;
	struct mfa_decision const *decision = &web->login->decision;

	decide(act);
	if (decision->verdict == MFA_ACCEPT) return true;
	mfa_web_log(web, "first code: %s", decision->reason.text);
	if (decision->result == MFA_RESULT_REPLAYED) {
		mfa_web_problem(
			web, 403, "%s",
			_("This code was used before. Wait until your app shows the next one."));
	} else if (decision->result == MFA_RESULT_LOCKED) {
		mfa_web_wait(web, decision->wait_s);
	} else {
		mfa_web_problem(
			web, 403, "%s",
			_("This code is not right. Take the one that the app shows now for the new "
			  "entry. If it keeps failing, check the clock of the device."));
	}
	return false;
}

/** Read, decide, write: the middle of it */
static enum mfa_rc decide_activation(struct mfa_update *update, struct mfa_diag *diag)
{
	struct activation *act = update->uctx;
	enum mfa_rc const rc = mfa_web_take_record(act->web);

	mfa_change_init(update->change);
	act->result = MFA_ACTIVATION_FAILED;
	if (rc != MFA_OK) {
		mfa_diag_say(diag, "another entry than the one that signed in");
		return rc;
	}
	if (is_ours(act, update->sent)) {
		act->result = MFA_ACTIVATION_DONE;
	} else if (!is_welcome(act)) {
		act->result = MFA_ACTIVATION_CHANGED;
	} else if (!check_voucher(act) || !check_code(act)) {
		act->result = MFA_ACTIVATION_WRONG;
		mfa_change_init(update->change);
	} else if (!complete(act)) {
		mfa_diag_say(diag, "the secret could not be sealed");
		return MFA_ERR_CRYPTO;
	} else {
		act->result = MFA_ACTIVATION_DONE;
	}
	return MFA_OK;
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
				    .decide = decide_activation,
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

	mfa_pending_totp(&act.totp, pending, name, web->now_s);
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
