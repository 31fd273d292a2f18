/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/reply.h"
#include "rlm_peruser_mfa/account.h"
#include "rlm_peruser_mfa/event.h"
#include "rlm_peruser_mfa/metrics.h"

/** Whether a result needs no attention at all */
static bool is_quiet(enum mfa_result result)
{
	return result == MFA_RESULT_OFF || result == MFA_RESULT_SKIPPED;
}

/** Whether all went as it should: a right password, or a right code */
static bool is_success(struct mfa_decision const *decision)
{
	return !decision->wrong &&
	       (decision->result == MFA_RESULT_CHALLENGED ||
		decision->result == MFA_RESULT_ACCEPTED || decision->result == MFA_RESULT_TRUSTED);
}

static bool is_failure(enum mfa_result result)
{
	switch (result) {
	case MFA_RESULT_REJECTED:
	case MFA_RESULT_REPLAYED:
	case MFA_RESULT_LOCKED:
	case MFA_RESULT_UNENROLLED:
	case MFA_RESULT_BROKEN:
	case MFA_RESULT_UNAVAILABLE:
	case MFA_RESULT_EXPIRED: return true;
	case MFA_RESULT_OFF:
	case MFA_RESULT_ACCEPTED:
	case MFA_RESULT_RECOVERY:
	case MFA_RESULT_TRUSTED:
	case MFA_RESULT_CHALLENGED:
	case MFA_RESULT_SKIPPED:
	case MFA_RESULT_COUNT: break;
	}
	return false;
}

/** What a policy reads, one line for the log, and why for the server's own message */
static void log_result(REQUEST *request, log_type_t level, enum mfa_result result,
		       char const *reason)
{
	char const *name = mfa_result_name(result), *colon = reason[0] ? ": " : "";
	char user[PERUSER_LOGGED_NAME_SIZE];

	peruser_logged_name(user, request);
	(void)peruser_set_integer(request->packet, &request->packet->vps, PERUSER_RESULT, result);
	if (level == L_DBG) {
		RDEBUG("user '%s': %s%s%s", user, name, colon, reason);
	} else {
		radlog_request(level, 0, request, "user '%s': %s%s%s", user, name, colon, reason);
	}
	if (is_failure(result))
		module_failure_msg(request, "%s: %s", mfa_result_name(result), reason);
}

/** Tell the log, the events and the counters
 *
 * @param[in] login NULL before there is one.
 */
static void report(rlm_peruser_mfa_t const *inst, REQUEST *request, struct mfa_login const *login,
		   log_type_t level, enum mfa_result result, char const *reason)
{
	log_result(request, level, result, reason);
	peruser_event(inst, request, login, result, reason);
	peruser_metrics_count(inst, request, result);
}

void peruser_report(rlm_peruser_mfa_t const *inst, REQUEST *request, enum mfa_result result,
		    char const *reason)
{
	report(inst, request, NULL, is_quiet(result) ? L_DBG : L_INFO, result, reason);
}

void peruser_report_fault(rlm_peruser_mfa_t const *inst, REQUEST *request, enum mfa_result result,
			  char const *reason)
{
	report(inst, request, NULL, L_ERR, result, reason);
}

void peruser_report_decision(rlm_peruser_mfa_t const *inst, REQUEST *request,
			     struct mfa_login const *login)
{
	struct mfa_decision const *decision = &login->decision;
	bool const wanted = inst->log_success || inst->report_only;
	log_type_t level = L_INFO;

	if (decision->fault || decision->result == MFA_RESULT_BROKEN) level = L_ERR;
	if (is_quiet(decision->result) || (!wanted && is_success(decision))) level = L_DBG;
	report(inst, request, login, level, decision->result, decision->reason.text);
}

/** Whether an attribute of the reply stays, whatever it becomes
 *
 * Proxy-State stays, the server put it there for the proxy in front of us (RFC 2865 section 5.33).
 * So does Message-Authenticator, which a site puts first into every reply.
 */
static bool is_kept(VALUE_PAIR const *vp)
{
	return vp->da->vendor == 0 &&
	       (vp->da->attr == PW_PROXY_STATE || vp->da->attr == PW_MESSAGE_AUTHENTICATOR);
}

/** Empty the reply: what authorize put there belongs to an Accept */
static void clear_reply(REQUEST *request)
{
	vp_cursor_t cursor;

	(void)fr_cursor_init(&cursor, &request->reply->vps);
	while (fr_cursor_current(&cursor)) {
		VALUE_PAIR *vp = fr_cursor_current(&cursor);

		if (is_kept(vp)) {
			(void)fr_cursor_next(&cursor);
			continue;
		}
		vp = fr_cursor_remove(&cursor);
		talloc_free(vp);
	}
}

/** Expand a text and add it to another one, where both fit into an attribute
 *
 * @return bytes, or -1.
 */
static ssize_t join(char **text, ssize_t len, REQUEST *request, struct peruser_text const *more)
{
	char *end;
	ssize_t const end_len = peruser_expand(&end, request, more, NULL);

	if (end_len < 0) return -1;
	if (len + end_len <= (ssize_t)PERUSER_TEXT_MAX) {
		*text = talloc_strndup_append_buffer(*text, end, (size_t)end_len);
		len = *text ? len + end_len : -1;
	}
	talloc_free(end);
	return len;
}

/** Expand a text for people and add it: one line, at most one attribute long
 *
 * @param[in] more follows it, where both fit and the text is not empty; or NULL.
 */
static int add_message(REQUEST *request, struct peruser_text const *message,
		       struct peruser_text const *more)
{
	char *text;
	ssize_t len = peruser_expand(&text, request, message, NULL);
	VALUE_PAIR *vp;

	if (len > 0 && more) len = join(&text, len, request, more);
	if (len <= 0) goto done;
	if (len > (ssize_t)PERUSER_TEXT_MAX) {
		len = PERUSER_TEXT_MAX;
		while (len > 0 && (text[len] & 0xc0) == 0x80) len--; /* not within a character */
	}
	for (ssize_t i = 0; i < len; i++) {
		if ((uint8_t)text[i] < ' ') text[i] = ' ';
	}
	vp = radius_pair_create(request->reply, &request->reply->vps, PW_REPLY_MESSAGE, 0);
	if (vp) fr_pair_value_bstrncpy(vp, text, (size_t)len);
done:
	talloc_free(text);
	return len < 0 ? -1 : 0;
}

rlm_rcode_t peruser_reject_with(REQUEST *request, struct peruser_text const *text)
{
	clear_reply(request);
	if (text) (void)add_message(request, text, NULL);
	return RLM_MODULE_REJECT;
}

/** A wait in words, rounded up */
static void set_wait(REQUEST *request, uint32_t wait_s)
{
	char text[32];

	if (wait_s < 100) {
		(void)snprintf(text, sizeof(text), "%u second%s", wait_s, wait_s == 1 ? "" : "s");
	} else if (wait_s < 100 * 60) {
		(void)snprintf(text, sizeof(text), "%u minutes", (wait_s + 59) / 60);
	} else {
		(void)snprintf(text, sizeof(text), "%u hours", (wait_s + 3599) / 3600);
	}
	(void)peruser_set_string(request->packet, &request->packet->vps, PERUSER_WAIT, text);
}

/** Refuse with a text; where a client shows nothing of a reject, as a challenge first
 *
 * There is no code to be typed: attempt 0 is answered by a reject.
 */
static rlm_rcode_t refuse_with(rlm_peruser_mfa_t *inst, REQUEST *request, enum mfa_result result,
			       struct peruser_text const *text, bool show)
{
	struct mfa_challenge const challenge = {.issued_s = peruser_now_s(request),
						.attempt = 0,
						.kept_len = 1,
						.kept = {(uint8_t)result}};

	if (!text || !text->parts || !peruser_shows(request, show))
		return peruser_reject_with(request, text);
	return peruser_challenge(inst, request, text, &challenge);
}

enum mfa_result peruser_shown_result(struct mfa_challenge const *challenge)
{
	return challenge->kept_len == 1 && challenge->kept[0] < MFA_RESULT_COUNT
		       ? (enum mfa_result)challenge->kept[0]
		       : MFA_RESULT_REJECTED;
}

rlm_rcode_t peruser_restart(rlm_peruser_mfa_t *inst, REQUEST *request)
{
	return refuse_with(inst, request, MFA_RESULT_REJECTED, &inst->message.restart,
			   inst->show_rejected);
}

/** Too many wrong codes: say how long to wait */
static rlm_rcode_t refuse_locked(rlm_peruser_mfa_t *inst, REQUEST *request, uint32_t wait_s)
{
	struct peruser_text const *text =
		wait_s == MFA_WAIT_FOREVER ? &inst->message.locked_forever : &inst->message.locked;

	set_wait(request, wait_s);
	return refuse_with(inst, request, MFA_RESULT_LOCKED, text, inst->show_locked);
}

rlm_rcode_t peruser_refuse(rlm_peruser_mfa_t *inst, REQUEST *request,
			   struct mfa_decision const *decision)
{
	enum mfa_result const result = decision->result;

	switch (result) {
	case MFA_RESULT_UNAVAILABLE: clear_reply(request); return RLM_MODULE_FAIL;
	case MFA_RESULT_LOCKED: return refuse_locked(inst, request, decision->wait_s);
	case MFA_RESULT_REPLAYED:
		return refuse_with(inst, request, result, &inst->message.replayed,
				   inst->show_replayed);
	case MFA_RESULT_UNENROLLED: return peruser_reject_with(request, &inst->message.unenrolled);
	case MFA_RESULT_EXPIRED: return peruser_restart(inst, request);
	case MFA_RESULT_REJECTED:
		if (decision->fault) break;
		if (!decision->wrong) return peruser_restart(inst, request);
		return refuse_with(inst, request, result, &inst->message.rejected,
				   inst->show_rejected);
	case MFA_RESULT_BROKEN:
	case MFA_RESULT_OFF:
	case MFA_RESULT_ACCEPTED:
	case MFA_RESULT_RECOVERY:
	case MFA_RESULT_TRUSTED:
	case MFA_RESULT_CHALLENGED:
	case MFA_RESULT_SKIPPED:
	case MFA_RESULT_COUNT: break;
	}
	return peruser_reject_with(request, NULL);
}

void peruser_set_digits(REQUEST *request, struct mfa_record const *record)
{
	bool seen[MFA_TOTP_DIGITS_MAX + 1] = {false};
	char text[16];
	size_t len = 0;

	for (size_t i = 0; i < record->secret_count; i++) seen[record->secret[i].digits] = true;
	for (unsigned digits = MFA_TOTP_DIGITS_MIN; digits <= MFA_TOTP_DIGITS_MAX; digits++) {
		if (!seen[digits]) continue;
		if (len > 0) {
			memcpy(text + len, "- or ", 5);
			len += 5;
		}
		text[len++] = (char)('0' + digits);
	}
	if (len == 0) text[len++] = '6';
	text[len] = '\0';
	(void)peruser_set_string(request->packet, &request->packet->vps, PERUSER_DIGITS, text);
}

/** Whether a text asks for a code; any other waits for the Enter key alone */
static bool is_prompt(rlm_peruser_mfa_t const *inst, struct peruser_text const *text)
{
	return text == &inst->message.challenge || text == &inst->message.wrong ||
	       text == &inst->message.enroll || text == &inst->message.next;
}

static VALUE_PAIR *add_reply(REQUEST *request, unsigned int attr)
{
	return radius_pair_create(request->reply, &request->reply->vps, attr, 0);
}

/** Have the reply signed: Message-Authenticator, first of all attributes
 *
 * First, so that a forged prefix finds no place before it (CVE-2024-3596).
 */
static int sign_reply(REQUEST *request)
{
	static uint8_t const to_be_signed[16];
	VALUE_PAIR *vp =
		fr_pair_find_by_num(request->reply->vps, PW_MESSAGE_AUTHENTICATOR, 0, TAG_ANY);

	if (vp) return 0;
	vp = fr_pair_afrom_num(request->reply, PW_MESSAGE_AUTHENTICATOR, 0);
	if (!vp) return -1;
	fr_pair_value_memcpy(vp, to_be_signed, sizeof(to_be_signed));
	vp->next = request->reply->vps;
	request->reply->vps = vp;
	return 0;
}

uint32_t peruser_lifetime_s(rlm_peruser_mfa_t const *inst, struct mfa_challenge const *challenge)
{
	return challenge->enrolling ? inst->enroll_lifetime_s : inst->lifetime_s;
}

rlm_rcode_t peruser_challenge(rlm_peruser_mfa_t *inst, REQUEST *request,
			      struct peruser_text const *text,
			      struct mfa_challenge const *challenge)
{
	char state[MFA_STATE_TEXT_MAX + 1];
	VALUE_PAIR *vp;

	clear_reply(request);
	if (mfa_challenge_seal(state, challenge, peruser_keys(inst, request), inst->name) !=
	    MFA_OK) {
		module_failure_msg(request, "the State cannot be sealed");
		return RLM_MODULE_FAIL;
	}
	if (add_message(request, text, is_prompt(inst, text) ? NULL : &inst->message.press_enter) <
	    0)
		return RLM_MODULE_FAIL;
	vp = add_reply(request, PW_STATE);
	if (!vp) return RLM_MODULE_FAIL;
	fr_pair_value_memcpy(vp, (uint8_t const *)state, strlen(state));
	vp = add_reply(request, PW_PROMPT);
	if (!vp) return RLM_MODULE_FAIL;
	vp->vp_integer = 0; /* No-Echo, RFC 2869 section 5.10 */
	vp = add_reply(request, PW_SESSION_TIMEOUT);
	if (!vp) return RLM_MODULE_FAIL;
	vp->vp_integer = peruser_lifetime_s(inst, challenge);
	if (!request->parent && sign_reply(request) < 0) return RLM_MODULE_FAIL;
	request->reply->code = PW_CODE_ACCESS_CHALLENGE;
	return RLM_MODULE_HANDLED;
}

/** A date as people write it, in UTC */
static void set_required_date(REQUEST *request, int64_t required_from_s)
{
	char stamp[MFA_TIME_SIZE], text[32];

	if (mfa_time_format(stamp, required_from_s) != MFA_OK) return;
	(void)snprintf(text, sizeof(text), "%.4s-%.2s-%.2s", stamp, stamp + 4, stamp + 6);
	(void)peruser_set_string(request->packet, &request->packet->vps, PERUSER_REQUIRED_DATE,
				 text);
}

void peruser_accept(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_decision const *decision)
{
	if (decision->result == MFA_RESULT_RECOVERY) {
		(void)peruser_set_integer(request->packet, &request->packet->vps,
					  PERUSER_RECOVERY_LEFT, decision->recovery_left);
		(void)add_message(request, &inst->message.recovery, NULL);
	}
	if (decision->result == MFA_RESULT_UNENROLLED)
		(void)add_message(request, &inst->message.unenrolled, NULL);
	if (decision->result == MFA_RESULT_OFF && decision->required_from_s >= 0) {
		set_required_date(request, decision->required_from_s);
		(void)add_message(request, &inst->message.required, NULL);
	}
}
