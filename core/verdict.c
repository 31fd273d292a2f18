/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/verdict.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

#define SAME_FAILURE_S 60  /* a client that repeats the same wrong code by itself counts once */
#define DROPPED_MAX    40u /* remembered devices in one change; the next login drops the rest */

uint32_t mfa_lock_wait_s(struct mfa_failures const *failures, struct mfa_policy const *policy,
			 int64_t now_s)
{
	uint64_t wait_s = policy->lock_base_s;
	int64_t left_s;

	if (!failures->present) return 0;
	if (failures->count >= MFA_FAILURES_CAP) return MFA_WAIT_FOREVER;
	if (failures->count < policy->lock_threshold) return 0;
	for (uint32_t i = policy->lock_threshold; i < failures->count; i++) {
		wait_s *= 2;
		if (wait_s >= policy->lock_max_s) break;
	}
	if (wait_s > policy->lock_max_s) wait_s = policy->lock_max_s;
	left_s = failures->time_s + (int64_t)wait_s - now_s;
	if (left_s <= 0) return 0;
	/* A failure from the future is a clock that jumped back: never longer than the full wait. */
	return left_s > (int64_t)wait_s ? (uint32_t)wait_s : (uint32_t)left_s;
}

/** Everything that one decision is made of, so that the steps below stay short */
struct context {
	struct mfa_decision *out;
	struct mfa_record const *record;
	struct mfa_keyring const *ring;
	struct mfa_policy const *policy;
	struct mfa_request const *request;
};

static void refuse(struct mfa_decision *out, enum mfa_result result, char const *reason)
{
	out->verdict = MFA_REJECT;
	out->result = result;
	mfa_diag_say(&out->reason, reason);
}

static void accept_as(struct mfa_decision *out, enum mfa_result result, char const *reason)
{
	out->result = result;
	mfa_diag_say(&out->reason, reason);
	out->verdict = MFA_ACCEPT;
}

static bool refuse_locked(struct context const *ctx, struct mfa_failures const *failures)
{
	struct mfa_decision *out = ctx->out;

	out->wait_s = mfa_lock_wait_s(failures, ctx->policy, ctx->request->now_s);
	if (out->wait_s == 0) return false;
	refuse(out, MFA_RESULT_LOCKED, "");
	if (out->wait_s == MFA_WAIT_FOREVER) {
		mfa_diag_set(&out->reason,
			     "locked after %u wrong codes until an administrator unlocks",
			     failures->count);
	} else {
		mfa_diag_set(&out->reason, "locked for %u s after %u wrong codes", out->wait_s,
			     failures->count);
	}
	return true;
}

static void ask(struct mfa_decision *out)
{
	out->verdict = MFA_CHALLENGE;
	out->result = MFA_RESULT_CHALLENGED;
}

static void decide_password(struct context const *ctx)
{
	struct mfa_record const *record = ctx->record;

	if (refuse_locked(ctx, &record->failures)) return;
	if (ctx->policy->remember_s > 0 &&
	    mfa_device_known(record, ctx->ring, ctx->request->device, ctx->request->now_s)) {
		accept_as(ctx->out, MFA_RESULT_TRUSTED, "remembered device");
		return;
	}
	ask(ctx->out);
	mfa_diag_say(&ctx->out->reason, "password accepted, code asked for");
}

/** Window around now and around the drift that the last use showed (RFC 6238 section 6) */
static struct mfa_totp_window window_of(struct context const *ctx, struct mfa_totp const *totp)
{
	struct mfa_last_use const *last = &ctx->record->last_use;
	int64_t const period_s = mfa_last_use_period_s(last);
	int64_t const drift_max = ctx->policy->drift_max;
	struct mfa_totp_window window = {.steps = ctx->policy->window, .not_after = -1};

	if (!last->present) return window;
	if (period_s == 0) {
		/* Numbers that do not belong together: then the step is taken at its word. */
		window.not_after = last->step * totp->period_s;
		return window;
	}
	window.not_after = last->step * period_s;
	/* A device of another period is another device: its clock has a drift of its own. */
	if (period_s == totp->period_s) window.drift = last->step - last->time_s / period_s;
	if (window.drift > drift_max) window.drift = drift_max;
	if (window.drift < -drift_max) window.drift = -drift_max;
	return window;
}

/** What a code turned out to be */
struct found {
	bool fresh, used;
	size_t secret;
	int64_t step;
};

/** The keyed hash by which the same wrong code is known again */
static enum mfa_rc failure_tag(char tag[static MFA_TAG_TEXT_SIZE], struct context const *ctx)
{
	struct mfa_code const *code = ctx->request->code;
	struct mfa_bytes const part[] = {ctx->record->entry->id,
					 {(uint8_t const *)code->text, code->len},
					 {&code->chap_id, 1},
					 {code->chap, sizeof(code->chap)},
					 {code->challenge, code->challenge_len}};
	uint8_t mac[MFA_MAC_SIZE];
	enum mfa_rc rc = mfa_mac(mac, ctx->ring->key[0].derived[MFA_PURPOSE_FAILURE], part, 5);

	if (rc != MFA_OK) return rc;
	return mfa_base64url_encode(tag, MFA_TAG_TEXT_SIZE, mac, MFA_TAG_SIZE);
}

/** The same wrong code within a minute: a client that retries by itself */
static bool same_failure(struct mfa_failures const *before, char const *tag, int64_t now_s)
{
	int64_t const age_s = now_s - before->time_s;

	return before->present && age_s >= -SAME_FAILURE_S && age_s < SAME_FAILURE_S &&
	       mfa_bytes_equal(mfa_bytes_of(before->tag), mfa_bytes_of(tag));
}

/** The moment whose time steps a code is compared with
 *
 * Of a wrong code that is repeated, the one at which it was counted: else one guess would be
 * compared with more steps than it was counted for.
 */
static enum mfa_rc moment_of(int64_t *moment_s, struct context const *ctx)
{
	struct mfa_failures const *failures = &ctx->record->failures;
	char tag[MFA_TAG_TEXT_SIZE];
	enum mfa_rc rc = MFA_OK;

	*moment_s = ctx->request->now_s;
	if (failures->present) rc = failure_tag(tag, ctx);
	if (rc == MFA_OK && same_failure(failures, tag, ctx->request->now_s))
		*moment_s = failures->time_s;
	return rc;
}

static enum mfa_rc find_totp(struct found *found, struct context const *ctx)
{
	int64_t moment_s;
	enum mfa_rc rc = moment_of(&moment_s, ctx);

	memset(found, 0, sizeof(*found));
	for (size_t i = 0; i < ctx->record->secret_count && rc == MFA_OK; i++) {
		struct mfa_totp const *totp = &ctx->record->secret[i];
		struct mfa_totp_window const window = window_of(ctx, totp);
		struct mfa_totp_match match;

		rc = mfa_totp_match(&match, totp, &window, ctx->request->code, moment_s);
		if (match.fresh ? found->fresh : !match.used || found->fresh || found->used)
			continue;
		*found = (struct found){match.fresh, match.used, i, match.step};
	}
	return rc;
}

static bool nonce_is(struct mfa_last_use const *last, char const *nonce)
{
	return last->present && mfa_bytes_equal(mfa_bytes_of(last->nonce), mfa_bytes_of(nonce));
}

/** Whether a login at this time may be retransmitted now; in the future is a clock that differs */
static bool use_is_recent(struct context const *ctx, int64_t use_s)
{
	int64_t const limit_s =
		ctx->request->prompt > 0 ? ctx->policy->lifetime_s : ctx->policy->retransmission_s;
	int64_t const age_s = ctx->request->now_s - use_s;

	return age_s <= limit_s && age_s >= -limit_s;
}

/** Whether the last use was this recovery code in this very login, a short while ago */
static bool recovery_is_repeated(struct context const *ctx)
{
	struct mfa_last_use const *last = &ctx->record->last_use;
	char expected[MFA_NONCE_TEXT_SIZE];
	int64_t use_s;

	return last->present && mfa_recovery_nonce_time(&use_s, last->nonce) == MFA_OK &&
	       use_is_recent(ctx, use_s) &&
	       mfa_recovery_nonce(expected, ctx->record, ctx->ring, ctx->request->code,
				  ctx->request->nonce, use_s) == MFA_OK &&
	       nonce_is(last, expected);
}

/** Conditions under which an accept was decided; checked again by the directory as it writes */
static void assert_record(struct context const *ctx)
{
	static enum mfa_attr const decided_upon[] = {MFA_ATTR_ENABLED, MFA_ATTR_SECRET,
						     MFA_ATTR_FAILURES, MFA_ATTR_LAST_USE};

	for (size_t i = 0; i < sizeof(decided_upon) / sizeof(decided_upon[0]); i++)
		mfa_change_assert(&ctx->out->change, ctx->record->entry, decided_upon[i]);
}

static void write_use(struct context const *ctx, struct mfa_last_use const *use)
{
	char text[MFA_LAST_USE_SIZE];
	struct mfa_change *change = &ctx->out->change;

	mfa_last_use_format(text, use);
	mfa_change_swap(change, ctx->record->entry, MFA_ATTR_LAST_USE, text);
	mfa_change_swap(change, ctx->record->entry, MFA_ATTR_FAILURES, NULL);
	assert_record(ctx);
}

/** Drop values of this device and expired ones; when still full, the one that expires first */
static void make_room(struct context const *ctx)
{
	struct mfa_entry const *entry = ctx->record->entry;
	size_t const count = mfa_entry_count(entry, MFA_ATTR_TRUSTED_DEVICE);
	struct mfa_bytes oldest = {0};
	int64_t oldest_s = INT64_MAX;
	size_t kept = 0, dropped = 0;

	for (size_t i = 0; i < count; i++) {
		struct mfa_bytes const value = mfa_entry_get(entry, MFA_ATTR_TRUSTED_DEVICE, i);
		struct mfa_device device;

		if (mfa_device_same(ctx->record, ctx->ring, ctx->request->device, value)) {
			mfa_change_delete(&ctx->out->change, MFA_ATTR_TRUSTED_DEVICE, value);
			continue;
		}
		if (mfa_device_parse(&device, value) != MFA_OK ||
		    device.expires_s <= ctx->request->now_s) {
			if (dropped++ < DROPPED_MAX)
				mfa_change_delete(&ctx->out->change, MFA_ATTR_TRUSTED_DEVICE,
						  value);
			continue;
		}
		kept++;
		if (device.expires_s < oldest_s) {
			oldest_s = device.expires_s;
			oldest = value;
		}
	}
	if (kept >= MFA_DEVICES_MAX)
		mfa_change_delete(&ctx->out->change, MFA_ATTR_TRUSTED_DEVICE, oldest);
}

/** Remember the device that this login came from; failure to do so only costs the next code */
static void remember(struct context const *ctx, struct mfa_totp const *totp)
{
	char value[MFA_DEVICE_SIZE];

	if (ctx->policy->remember_s == 0 || ctx->request->device.len == 0) return;
	if (mfa_device_format(value, ctx->ring, ctx->record->entry->id, ctx->request->device, totp,
			      ctx->request->now_s + ctx->policy->remember_s) != MFA_OK) {
		return;
	}
	make_room(ctx);
	mfa_change_add(&ctx->out->change, MFA_ATTR_TRUSTED_DEVICE, value);
}

static void accept_totp(struct context const *ctx, struct found const *found)
{
	struct mfa_last_use use = {
		.present = true, .step = found->step, .time_s = ctx->request->now_s};

	memcpy(use.nonce, ctx->request->nonce, strlen(ctx->request->nonce) + 1);
	write_use(ctx, &use);
	remember(ctx, &ctx->record->secret[found->secret]);
	ctx->out->secret = found->secret;
	accept_as(ctx->out, MFA_RESULT_ACCEPTED, "code accepted");
}

/** A code that was used: by this very login (its answer got lost), or by another one */
static void decide_used(struct context const *ctx, struct found const *found)
{
	struct mfa_last_use const *last = &ctx->record->last_use;
	int64_t const behind_s = last->time_s - ctx->request->now_s;

	if (last->step == found->step && nonce_is(last, ctx->request->nonce) &&
	    use_is_recent(ctx, last->time_s)) {
		ctx->out->secret = found->secret;
		accept_as(ctx->out, MFA_RESULT_ACCEPTED, "retransmission of an accepted login");
		return;
	}
	refuse(ctx->out, MFA_RESULT_REPLAYED, "code was used before");
	/* A little is what servers differ by, and what a packet waits. */
	if (behind_s > ctx->record->secret[found->secret].period_s) {
		mfa_diag_set(
			&ctx->out->reason,
			"code was used before; this server's clock is %lld s behind the last use",
			(long long)behind_s);
	}
}

/** Consume a recovery code by deleting its very value
 *
 * @return whether the code was one of this record, or a retransmission of one.
 */
static bool decide_recovery(struct context const *ctx)
{
	struct mfa_last_use const *last = &ctx->record->last_use;
	struct mfa_entry const *entry = ctx->record->entry;
	struct mfa_last_use use = *last;
	size_t index;

	if (ctx->request->code->kind != MFA_CODE_RECOVERY) return false;
	if (mfa_recovery_nonce(use.nonce, ctx->record, ctx->ring, ctx->request->code,
			       ctx->request->nonce, ctx->request->now_s) != MFA_OK) {
		return false;
	}
	ctx->out->recovery_left = (uint32_t)mfa_entry_count(entry, MFA_ATTR_RECOVERY_CODE);
	if (mfa_recovery_find(&index, entry, ctx->ring, ctx->request->code) != MFA_OK) {
		if (!recovery_is_repeated(ctx)) return false;
		accept_as(ctx->out, MFA_RESULT_RECOVERY, "retransmission of an accepted login");
		return true;
	}
	ctx->out->recovery_left--;
	if (!last->present) use.time_s = ctx->request->now_s;
	mfa_change_delete(&ctx->out->change, MFA_ATTR_RECOVERY_CODE,
			  mfa_entry_get(entry, MFA_ATTR_RECOVERY_CODE, index));
	write_use(ctx, &use);
	accept_as(ctx->out, MFA_RESULT_RECOVERY, "recovery code accepted");
	return true;
}

/** Whether the wrong codes since the first prompt, from this login or another, used its attempts up
 *
 * The record decides, not the number of the prompt: an older State can be answered again.
 * A count that was cleared meanwhile counts from zero.
 */
static bool attempts_are_used(struct context const *ctx, uint32_t count)
{
	uint32_t const before = ctx->request->failures_before;

	if (ctx->request->prompt == 0 || before == MFA_FAILURES_UNKNOWN) return false;
	return (count >= before ? count - before : count) >= ctx->policy->attempts;
}

/** Also where the same wrong code, which counts once, is repeated by the client without end */
static bool is_last_prompt(struct mfa_request const *request, struct mfa_policy const *policy)
{
	return request->prompt == 0 || request->prompt >= policy->attempts;
}

static void decide_wrong(struct context const *ctx)
{
	struct mfa_failures next = ctx->record->failures;
	struct mfa_decision *out = ctx->out;
	char text[MFA_FAILURES_SIZE], tag[MFA_TAG_TEXT_SIZE];

	out->wrong = true;
	if (failure_tag(tag, ctx) != MFA_OK) {
		refuse(out, MFA_RESULT_REJECTED, "keyed hash failed");
		return;
	}
	if (!same_failure(&next, tag, ctx->request->now_s)) {
		next.count += ctx->request->guesses > 0 ? ctx->request->guesses : 1;
		next.present = true;
		next.time_s = ctx->request->now_s;
		memcpy(next.tag, tag, sizeof(tag));
		mfa_failures_format(text, &next);
		mfa_change_swap(&out->change, ctx->record->entry, MFA_ATTR_FAILURES, text);
		if (refuse_locked(ctx, &next)) return;
	}
	if (is_last_prompt(ctx->request, ctx->policy) || attempts_are_used(ctx, next.count)) {
		refuse(out, MFA_RESULT_REJECTED, "wrong code, no attempts left");
		return;
	}
	ask(ctx->out);
	mfa_diag_set(&out->reason, "wrong code (%u in a row), asked again", next.count);
}

/** A use is written down with the login's nonce; without one it could not be told from any other */
static bool has_nonce(struct mfa_request const *request)
{
	return request->nonce && strlen(request->nonce) == MFA_NONCE_TEXT_SIZE - 1;
}

static void decide_code(struct context const *ctx)
{
	struct found found;

	if (!has_nonce(ctx->request)) {
		refuse(ctx->out, MFA_RESULT_REJECTED, "login without a nonce");
		return;
	}
	if (refuse_locked(ctx, &ctx->record->failures)) return;
	if (attempts_are_used(ctx, ctx->record->failures.count)) {
		refuse(ctx->out, MFA_RESULT_REJECTED, "no attempts left in this login");
		return;
	}
	if (decide_recovery(ctx)) return;
	if (find_totp(&found, ctx) != MFA_OK) {
		refuse(ctx->out, MFA_RESULT_REJECTED, "TOTP could not be computed");
	} else if (found.fresh) {
		accept_totp(ctx, &found);
	} else if (found.used) {
		decide_used(ctx, &found);
	} else {
		decide_wrong(ctx);
	}
}

/** Enrolled: the password alone never accepts, but for a remembered device */
static void decide_enrolled(struct context const *ctx)
{
	if (ctx->request->code) {
		decide_code(ctx);
	} else {
		decide_password(ctx);
	}
}

static void decide_unenrolled(struct context const *ctx)
{
	if (ctx->policy->unenrolled == MFA_UNENROLLED_ACCEPT && !ctx->request->code) {
		accept_as(ctx->out, MFA_RESULT_UNENROLLED,
			  "has to enroll, let in by configuration");
	} else if (ctx->policy->unenrolled == MFA_UNENROLLED_ENROLL) {
		ask(ctx->out);
		ctx->out->result = MFA_RESULT_UNENROLLED;
		mfa_diag_say(&ctx->out->reason,
			     "has to enroll, the first code of the new device is asked for");
	} else {
		refuse(ctx->out, MFA_RESULT_UNENROLLED, "has to enroll first");
	}
}

static void decide_off(struct context const *ctx)
{
	if (ctx->request->code) {
		/* Asked for a code, and MFA was turned off meanwhile: the next login needs none. */
		refuse(ctx->out, MFA_RESULT_REJECTED, "MFA was turned off during the login");
	} else {
		accept_as(ctx->out, MFA_RESULT_OFF, "no MFA for this user");
	}
}

void mfa_decide(struct mfa_decision *decision, struct mfa_record const *record,
		struct mfa_keyring const *ring, struct mfa_policy const *policy,
		struct mfa_request const *request)
{
	struct context const ctx = {decision, record, ring, policy, request};

	decision->verdict = MFA_REJECT;
	decision->result = MFA_RESULT_REJECTED;
	decision->wait_s = decision->recovery_left = 0;
	decision->wrong = decision->fault = false;
	decision->secret = 0;
	decision->required_from_s =
		record->required_from_s > request->now_s ? record->required_from_s : -1;
	decision->reason.text[0] = '\0';
	mfa_change_init(&decision->change);

	switch (record->state) {
	case MFA_STATE_ENROLLED: decide_enrolled(&ctx); break;
	case MFA_STATE_OFF:
	case MFA_STATE_SUSPENDED: decide_off(&ctx); break;
	case MFA_STATE_INVITED:
	case MFA_STATE_OVERDUE: decide_unenrolled(&ctx); break;
	case MFA_STATE_BROKEN:
	case MFA_STATE_COUNT:
		refuse(decision, MFA_RESULT_BROKEN, "the record cannot be understood");
		break;
	}
	if (decision->change.overflow) {
		refuse(decision, MFA_RESULT_BROKEN, "the record is too large");
		mfa_change_init(&decision->change);
	}
}
