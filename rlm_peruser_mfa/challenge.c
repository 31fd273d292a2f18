/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/challenge.h"
#include "rlm_peruser_mfa/cache.h"
#include "rlm_peruser_mfa/reply.h"

#define CLOCK_SKEW_S 60	  /* between servers that answer each other's challenges */
#define NOT_KNOWN    255u /* in a State: wrong codes before the first prompt */

/** Hash of what the answer to a challenge must have in common with the request that was challenged
 *
 * What 'bind' expands to, the User-Name as it was typed, and the virtual server.
 */
static int bind_hash(uint8_t hash[static MFA_CHALLENGE_HASH], rlm_peruser_mfa_t *inst,
		     REQUEST *request)
{
	struct mfa_bytes const name = peruser_typed_name(request);
	char const *server = request->server ? request->server : "";
	char *text, *all = NULL;
	enum mfa_rc rc = MFA_ERR_NOMEM;

	if (peruser_expand(&text, request, &inst->bind, NULL) < 0) return -1;
	all = talloc_asprintf(request, "%zu %s %zu %s ", strlen(text), text, strlen(server),
			      server);
	if (all) all = talloc_strndup_append_buffer(all, (char const *)name.data, name.len);
	if (all) rc = mfa_challenge_hash(hash, mfa_bytes_of(all));
	talloc_free(all);
	talloc_free(text);
	return rc == MFA_OK ? 0 : -1;
}

static char const text_was_read[] = "the text that told so was answered";

/** Open the State and check all that does not need the record
 *
 * @return NULL, or why the login is refused.
 */
static char const *open_challenge(struct mfa_challenge *challenge, enum mfa_result *result,
				  rlm_peruser_mfa_t *inst, REQUEST *request)
{
	int64_t const now_s = peruser_now_s(request);
	uint8_t bind[MFA_CHALLENGE_HASH];
	struct mfa_bytes state;
	enum mfa_rc rc;

	*result = MFA_RESULT_REJECTED;
	if (!peruser_find_state(&state, request)) return "no State of ours in the request";
	rc = mfa_challenge_open(challenge, peruser_keys(inst, request), state, inst->name);
	if (rc == MFA_ERR_CRYPTO)
		return "the State does not open: altered, of another instance, or encrypted with a "
		       "key that is not on the key ring";
	if (rc != MFA_OK) return "the State is damaged";
	if (challenge->attempt == 0) {
		*result = peruser_shown_result(challenge);
		return text_was_read;
	}
	if (challenge->issued_s > now_s + CLOCK_SKEW_S)
		return "the State is from the future: compare the clocks of the servers";
	if (now_s - challenge->issued_s > (int64_t)peruser_lifetime_s(inst, challenge)) {
		*result = MFA_RESULT_EXPIRED;
		return "the challenge was answered too late";
	}
	if (bind_hash(bind, inst, request) < 0) return "'bind' cannot be expanded";
	if (!mfa_bytes_equal((struct mfa_bytes){bind, sizeof(bind)},
			     (struct mfa_bytes){challenge->bind, sizeof(challenge->bind)})) {
		return "the State was given to another NAS, another User-Name or another virtual "
		       "server";
	}
	return NULL;
}

/** Ask again, after an answer that did not end the login */
static rlm_rcode_t ask_again(rlm_peruser_mfa_t *inst, REQUEST *request,
			     struct mfa_decision const *decision, struct mfa_challenge *challenge)
{
	if (decision->result == MFA_RESULT_UNENROLLED)
		return peruser_challenge(inst, request, &inst->message.enroll, challenge);
	if (!decision->wrong)
		return peruser_challenge(inst, request, &inst->message.challenge, challenge);
	challenge->enrolling = false;
	challenge->attempt++;
	challenge->issued_s = peruser_now_s(request);
	return peruser_challenge(inst, request, &inst->message.wrong, challenge);
}

/** The reply to the answer of a challenge */
static rlm_rcode_t answer(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_login *login,
			  struct mfa_challenge *challenge)
{
	struct mfa_decision const *decision = &login->decision;
	struct mfa_notes *notes;

	switch (decision->verdict) {
	case MFA_ACCEPT:
		notes = peruser_notes(request);
		if (!notes || !peruser_restore_reply(request, challenge)) return RLM_MODULE_FAIL;
		notes->checked = true;
		peruser_accept(inst, request, decision);
		return RLM_MODULE_OK;
	case MFA_CHALLENGE:
		peruser_set_digits(request, &login->record);
		return ask_again(inst, request, decision, challenge);
	case MFA_REJECT:
		/* The code that confirmed the new device on the page: the next one is to come. */
		if (challenge->enrolling && decision->result == MFA_RESULT_REPLAYED) {
			peruser_set_digits(request, &login->record);
			return peruser_challenge(inst, request, &inst->message.next, challenge);
		}
		break;
	}
	return peruser_refuse(inst, request, decision);
}

/** Nothing was typed: what was asked is asked again, which neither counts nor accepts */
static void decide_empty(struct mfa_decision *decision)
{
	if (decision->verdict == MFA_CHALLENGE) {
		mfa_diag_set(&decision->reason, "empty answer, code asked for again");
	} else if (decision->verdict == MFA_ACCEPT) {
		decision->verdict = MFA_REJECT;
		decision->result = MFA_RESULT_REJECTED;
		mfa_diag_set(&decision->reason, "no code is needed any more: log in again");
	}
}

/** Nobody is kept out, and nothing is written: what is known is logged */
static void only_report(struct mfa_decision *decision)
{
	if (decision->verdict == MFA_CHALLENGE)
		mfa_diag_set(&decision->reason, "report_only: let in without looking at the code");
	decision->verdict = MFA_ACCEPT;
}

/** @param[in] code NULL when nothing was typed. */
static rlm_rcode_t check_code(rlm_peruser_mfa_t *inst, REQUEST *request,
			      struct mfa_challenge *challenge, struct mfa_code const *code)
{
	struct peruser_record record = {.login = mfa_login_alloc()};
	struct peruser_expected expected = {.else_reason = "the State is another user's"};
	struct mfa_request ask = {.now_s = peruser_now_s(request),
				  .code = code,
				  .prompt = challenge->attempt,
				  .failures_before = challenge->failures == NOT_KNOWN
							     ? MFA_FAILURES_UNKNOWN
							     : challenge->failures};
	char nonce[MFA_NONCE_TEXT_SIZE];
	rlm_rcode_t rcode = RLM_MODULE_FAIL;
	enum mfa_rc rc;

	/* Of the first packet: some clients leave Calling-Station-Id out of the second one. */
	if (code) ask.device = peruser_kept_device(challenge);
	if (inst->report_only) ask.code = NULL;
	if (!record.login || mfa_base64url_encode(nonce, sizeof(nonce), challenge->nonce,
						  sizeof(challenge->nonce)) != MFA_OK) {
		goto out;
	}
	ask.nonce = nonce;
	memcpy(expected.user, challenge->user, sizeof(expected.user));
	peruser_cache_take(&record, inst->cache, challenge->nonce, ask.now_s);
	rc = peruser_ask(inst, request, &record, &ask, &expected);
	if (!code && !inst->report_only) decide_empty(&record.login->decision);
	if (inst->report_only && rc == MFA_OK && !expected.is_other)
		only_report(&record.login->decision);
	if (record.login->record_diag.text[0]) RWARN("%s", record.login->record_diag.text);
	peruser_report_decision(inst, request, record.login);
	rcode = answer(inst, request, record.login, challenge);
out:
	mfa_login_free(&record.login);
	return rcode;
}

rlm_rcode_t peruser_check_answer(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_notes *notes)
{
	struct mfa_challenge challenge = {.issued_s = 0};
	enum mfa_result result;
	char const *why = open_challenge(&challenge, &result, inst, request);
	bool const has_code = notes->has_code || peruser_find_code(&notes->code, request);

	if (challenge.issued_s > 0)
		mfa_login_id(notes->login_id,
			     (struct mfa_bytes){challenge.nonce, sizeof(challenge.nonce)});
	if (!why && !has_code && !peruser_is_empty_answer(request)) why = "no code in the request";
	if (!why) return check_code(inst, request, &challenge, has_code ? &notes->code : NULL);
	peruser_report(inst, request, result, why);
	return why == text_was_read ? peruser_reject_with(request, NULL)
				    : peruser_restart(inst, request);
}

int peruser_challenge_begin(REQUEST *request)
{
	struct mfa_notes *notes = peruser_notes(request);

	if (!notes) return -1;
	if (notes->is_begun) return 0;
	if (mfa_random(notes->challenge_nonce, sizeof(notes->challenge_nonce)) != MFA_OK) {
		module_failure_msg(request, "cannot make a challenge");
		return -1;
	}
	notes->is_begun = true;
	mfa_login_id(notes->login_id,
		     (struct mfa_bytes){notes->challenge_nonce, sizeof(notes->challenge_nonce)});
	return 0;
}

rlm_rcode_t peruser_challenge_user(rlm_peruser_mfa_t *inst, REQUEST *request,
				   struct peruser_record *record, struct peruser_text const *text)
{
	struct mfa_login *login = record->login;
	/* One that rlm_ldap did not map, or may not read, is not zero. */
	uint32_t const failures = record->is_mapped ? NOT_KNOWN : login->record.failures.count;
	struct mfa_challenge challenge = {
		.issued_s = peruser_now_s(request),
		.enrolling = login->decision.result == MFA_RESULT_UNENROLLED,
		.attempt = 1,
		/* More than fit have locked the record. */
		.failures = (uint8_t)(failures < NOT_KNOWN ? failures : NOT_KNOWN)};
	char device[PERUSER_DEVICE_SIZE];

	peruser_device(device, inst, request);
	if (peruser_challenge_begin(request) < 0 ||
	    mfa_challenge_hash(challenge.user, login->entry.id) != MFA_OK ||
	    bind_hash(challenge.bind, inst, request) < 0) {
		module_failure_msg(request, "cannot make a challenge");
		return RLM_MODULE_FAIL;
	}
	memcpy(challenge.nonce, peruser_find_notes(request)->challenge_nonce,
	       sizeof(challenge.nonce));
	if (!peruser_keep(request, &challenge, device)) {
		peruser_report_fault(
			inst, request, MFA_RESULT_REJECTED,
			"the home server's reply attributes do not fit into the State");
		return peruser_reject_with(request, NULL);
	}
	peruser_set_digits(request, &login->record);
	peruser_cache_put(inst->cache, challenge.nonce, record, challenge.issued_s,
			  inst->lifetime_s);
	return peruser_challenge(inst, request, text, &challenge);
}
