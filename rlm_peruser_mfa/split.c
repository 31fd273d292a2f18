/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/account.h"
#include "rlm_peruser_mfa/reply.h"
#include "rlm_peruser_mfa/user.h"

#include <openssl/crypto.h>

#define SCRV1	      "SCRV1:"
#define SCRV1_LEN     (sizeof(SCRV1) - 1)
#define RECOVERY_LONG 14u /* BCDF-GHJK-LMNP */

/** A login's nonce for a code that came with the password: the same for a retransmission
 *
 * A client that repeats a packet, to us or to another server, repeats all of this.  The
 * authenticator is the client's choice, so it is not enough.
 *
 * @param[in] typed password and code as they arrived.
 * @return 0, or -1.
 */
static int set_nonce(struct mfa_notes *notes, rlm_peruser_mfa_t *inst, REQUEST *request,
		     struct mfa_bytes typed)
{
	REQUEST *outer = peruser_outermost(request);
	RADIUS_PACKET const *packet = outer->packet;
	VALUE_PAIR *vp = fr_pair_find_by_num(packet->vps, PW_CALLING_STATION_ID, 0, TAG_ANY);
	uint8_t const ident = (uint8_t)packet->id;
	uint8_t mac[MFA_MAC_SIZE];
	char *nas;
	int ok = -1;

	if (peruser_expand(&nas, outer, &inst->bind, NULL) < 0) return -1;
	struct mfa_bytes const part[] = {
		mfa_bytes_of("append"),
		{packet->vector, sizeof(packet->vector)},
		{&ident, 1},
		mfa_bytes_of(nas),
		vp ? (struct mfa_bytes){(uint8_t const *)vp->vp_strvalue, vp->vp_length}
		   : (struct mfa_bytes){0},
		peruser_typed_name(request),
		typed,
	};
	/* A keyed hash: it is written into the directory. */
	if (mfa_mac(mac, peruser_keys(inst, request)->key[0].derived[MFA_PURPOSE_STATE], part,
		    sizeof(part) / sizeof(part[0])) == MFA_OK &&
	    mfa_base64url_encode(notes->nonce, sizeof(notes->nonce), mac, MFA_NONCE_SIZE) == MFA_OK)
		ok = 0;
	if (ok == 0) mfa_login_id(notes->login_id, mfa_bytes_of(notes->nonce));
	talloc_free(nas);
	return ok;
}

/** Replace the password by its beginning, or by what was encoded in it; the old one is wiped
 *
 * @return updated; reject when nothing is left, or a NUL would end it for a directory: that may
 *	   bind without a password (RFC 4513 section 5.1.2).
 */
static rlm_rcode_t set_password(rlm_peruser_mfa_t const *inst, REQUEST *request, VALUE_PAIR *vp,
				uint8_t const *password, size_t len)
{
	uint8_t *copy;

	if (len == 0 || memchr(password, '\0', len)) {
		peruser_report(inst, request, MFA_RESULT_REJECTED,
			       "the password is empty or holds a NUL");
		return peruser_reject_with(request, NULL);
	}
	copy = talloc_memdup(vp, password, len);
	if (!copy) return RLM_MODULE_FAIL;
	OPENSSL_cleanse((void *)(uintptr_t)vp->vp_strvalue, vp->vp_length);
	fr_pair_value_bstrncpy(vp, copy, len);
	OPENSSL_cleanse(copy, len);
	talloc_free(copy);
	return RLM_MODULE_UPDATED;
}

/** Password and code as OpenVPN sends a static challenge: SCRV1:base64(password):base64(code)
 *
 * @return noop when it is none.
 */
static rlm_rcode_t take_scrv1(rlm_peruser_mfa_t *inst, REQUEST *request, VALUE_PAIR *vp)
{
	uint8_t password[256], code[MFA_CODE_MAX * 2];
	struct mfa_bytes first, second, rest;
	size_t password_len = 0, code_len = 0;
	rlm_rcode_t rcode = RLM_MODULE_NOOP;
	struct mfa_notes *notes;
	uint8_t const *colon;

	if (vp->vp_length <= SCRV1_LEN || strncmp(vp->vp_strvalue, SCRV1, SCRV1_LEN) != 0)
		return RLM_MODULE_NOOP;
	rest = (struct mfa_bytes){(uint8_t const *)vp->vp_strvalue + SCRV1_LEN,
				  vp->vp_length - SCRV1_LEN};
	colon = memchr(rest.data, ':', rest.len);
	if (!colon) return RLM_MODULE_NOOP;
	notes = peruser_notes(request);
	if (!notes || set_nonce(notes, inst, request, rest) < 0) return RLM_MODULE_FAIL;
	first = (struct mfa_bytes){rest.data, (size_t)(colon - rest.data)};
	second = (struct mfa_bytes){colon + 1, rest.len - first.len - 1};
	if (mfa_base64_decode(password, &password_len, sizeof(password), first) == MFA_OK &&
	    password_len > 0 &&
	    mfa_base64_decode(code, &code_len, sizeof(code), second) == MFA_OK) {
		mfa_code_parse(&notes->code, (struct mfa_bytes){code, code_len});
		notes->has_code = code_len > 0;
		rcode = set_password(inst, request, vp, password, password_len);
	}
	OPENSSL_cleanse(password, sizeof(password));
	OPENSSL_cleanse(code, sizeof(code));
	return rcode;
}

/** How a password with @p code_len characters of code behind it would be cut; 0 when it does not fit
 *
 * @return bytes of the password.
 */
static size_t password_len(struct mfa_bytes typed, size_t code_len, char const *separator)
{
	size_t const separator_len = strlen(separator);
	size_t len;

	if (typed.len <= code_len + separator_len) return 0;
	len = typed.len - code_len - separator_len;
	return strncmp((char const *)typed.data + len, separator, separator_len) == 0 ? len : 0;
}

static bool ends_in_digits(struct mfa_bytes typed, size_t digits)
{
	if (typed.len < digits) return false;
	for (size_t i = typed.len - digits; i < typed.len; i++) {
		if (typed.data[i] < '0' || typed.data[i] > '9') return false;
	}
	return true;
}

/** Where a password may be cut */
struct cut {
	size_t password_len, code_len;
};

/** Whether the code behind this cut would be right; nothing is used up */
static bool is_right(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_notes *notes,
		     struct mfa_bytes typed, struct cut cut)
{
	struct mfa_login *login = notes->record.login;
	struct mfa_code code;
	struct mfa_request const ask = {
		.now_s = peruser_now_s(request), .code = &code, .nonce = notes->nonce};

	mfa_code_parse(&code,
		       (struct mfa_bytes){typed.data + typed.len - cut.code_len, cut.code_len});
	mfa_decide(&login->decision, &login->record, peruser_keys(inst, request), &inst->policy,
		   &ask);
	mfa_code_clear(&code);
	return login->decision.verdict == MFA_ACCEPT ||
	       login->decision.result == MFA_RESULT_REPLAYED;
}

/** Whether a recovery code may stand behind the password; they end in a letter */
static bool may_be_recovery(struct mfa_bytes typed)
{
	return !ends_in_digits(typed, 1);
}

/** Every cut that leaves a code of some device, or a recovery code that is right
 *
 * @return how many; at most 3 + 1.
 */
static size_t find_cuts(struct cut cuts[static 4], rlm_peruser_mfa_t *inst, REQUEST *request,
			struct mfa_notes *notes, struct mfa_bytes typed)
{
	struct mfa_record const *record = &notes->record.login->record;
	static size_t const recovery_len[] = {RECOVERY_LONG, MFA_CODE_RECOVERY_LEN};
	size_t count = 0;

	for (size_t i = 0; i < 2 && may_be_recovery(typed); i++) {
		struct cut const cut = {password_len(typed, recovery_len[i], inst->separator),
					recovery_len[i]};

		if (cut.password_len == 0) continue;
		if (!is_right(inst, request, notes, typed, cut)) continue;
		cuts[0] = cut;
		return 1;
	}
	for (uint32_t digits = MFA_TOTP_DIGITS_MIN; digits <= MFA_TOTP_DIGITS_MAX; digits++) {
		struct cut const cut = {password_len(typed, digits, inst->separator), digits};
		bool wanted = false;

		for (size_t i = 0; i < record->secret_count; i++)
			wanted |= record->secret[i].digits == digits;
		if (wanted && cut.password_len > 0 && ends_in_digits(typed, digits))
			cuts[count++] = cut;
	}
	return count;
}

/*
 * The length of a password that was right is remembered for a while, in memory only: 24 bits of
 * a hash of the entry's id, then 8 bits of the length.  It is taken out when it is used, and noted
 * again when the password was right: of a password that was changed it spoils one guess.
 */
static uint32_t *seen_of(uint32_t *tag, rlm_peruser_mfa_t *inst, struct mfa_login const *login)
{
	uint8_t hash[MFA_CHALLENGE_HASH];
	uint32_t place;

	if (mfa_challenge_hash(hash, login->entry.id) != MFA_OK) return NULL;
	memcpy(tag, hash, sizeof(*tag));
	memcpy(&place, hash + sizeof(*tag), sizeof(place));
	*tag &= ~UINT32_C(0xff);
	return &inst->seen[place % PERUSER_SEEN_SIZE];
}

void peruser_note_cut(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_login const *login)
{
	VALUE_PAIR const *vp = peruser_password(request);
	uint32_t tag, *seen = seen_of(&tag, inst, login);

	if (vp && seen && vp->vp_length <= UINT8_MAX)
		__atomic_store_n(seen, tag | (uint32_t)vp->vp_length, __ATOMIC_RELAXED);
}

/** The length of this user's password; 0 when it is not known */
static size_t take_seen(rlm_peruser_mfa_t *inst, struct mfa_login const *login)
{
	uint32_t tag, *seen = seen_of(&tag, inst, login);
	uint32_t value = seen ? __atomic_load_n(seen, __ATOMIC_RELAXED) : 0;

	if (value == 0 || (value & ~UINT32_C(0xff)) != tag) return 0;
	if (!__atomic_compare_exchange_n(seen, &value, 0, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED)) {
		return 0;
	}
	return value & UINT32_C(0xff);
}

/** The cut behind the password as it was the last time, or NULL */
static struct cut const *find_seen(struct cut const *cuts, size_t count, size_t len)
{
	for (size_t i = 0; i < count; i++) {
		if (cuts[i].password_len == len) return &cuts[i];
	}
	return NULL;
}

/** Choose among cuts: the one whose code is right, else where the password ended before, else any
 *
 * "Any" is drawn by lot: were it always the same, codes of the other length could
 * be guessed behind a known password without ever being counted as wrong.  The first
 * factor sees one cut alone, so only one of so many guesses gets as far as to be
 * counted.  It counts for all of them.
 *
 * @param[out] drawn among how many it was drawn; 1 when there was no choice.
 */
static struct cut choose_cut(uint32_t *drawn, struct cut const *cuts, size_t count,
			     rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_notes *notes,
			     struct mfa_bytes typed)
{
	struct cut const *seen;
	uint8_t lot = 0;

	*drawn = 1;
	if (count == 1) return cuts[0];
	for (size_t i = 0; i < count; i++) {
		if (is_right(inst, request, notes, typed, cuts[i])) return cuts[i];
	}
	seen = find_seen(cuts, count, take_seen(inst, notes->record.login));
	if (seen) return *seen;
	*drawn = (uint32_t)count;
	if (mfa_random(&lot, 1) != MFA_OK) return cuts[0];
	return cuts[lot % count];
}

/** Cut the code off, when the user has MFA and something that looks like a code is there */
static rlm_rcode_t take_appended(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_notes *notes,
				 VALUE_PAIR *vp, struct mfa_bytes typed)
{
	struct mfa_login *login = notes->record.login;
	struct cut cuts[4], cut;
	size_t count;
	struct mfa_login_context const ctx = {.ring = peruser_keys(inst, request),
					      .required = peruser_required(request)};

	mfa_login_parse(login, &ctx, peruser_now_s(request));
	if (login->record.state != MFA_STATE_ENROLLED) return RLM_MODULE_NOOP;
	if (set_nonce(notes, inst, request, typed) < 0 ||
	    mfa_challenge_hash(notes->cut_for, login->entry.id) != MFA_OK) {
		return RLM_MODULE_FAIL;
	}
	/* Where to cut does not depend on a lock: post-auth tells the user, after the password. */
	login->record.failures = (struct mfa_failures){0};
	count = find_cuts(cuts, inst, request, notes, typed);
	if (count == 0) return RLM_MODULE_NOOP;
	cut = choose_cut(&notes->cuts, cuts, count, inst, request, notes, typed);
	mfa_code_parse(&notes->code,
		       (struct mfa_bytes){typed.data + typed.len - cut.code_len, cut.code_len});
	notes->has_code = notes->was_cut = true;
	return set_password(inst, request, vp, typed.data, cut.password_len);
}

/** Read the record that tells whether a code was appended */
static rlm_rcode_t split_appended(rlm_peruser_mfa_t *inst, REQUEST *request, VALUE_PAIR *vp)
{
	struct mfa_bytes const typed = {(uint8_t const *)vp->vp_strvalue, vp->vp_length};
	struct mfa_notes *notes = peruser_notes(request);
	struct mfa_diag why = {.text = ""};
	enum mfa_rc rc;

	if (!notes) return RLM_MODULE_FAIL;
	if (!notes->record.login) notes->record.login = mfa_login_alloc();
	if (!notes->record.login) return RLM_MODULE_FAIL;
	rc = peruser_read(inst, request, &notes->record, &why, may_be_recovery(typed));
	if (rc == MFA_ERR_NOT_FOUND) {
		/* post-auth decides about strangers */
		RINFO("not in the directory yet: no code is taken off; list realm modules before "
		      "%s",
		      inst->name);
		return RLM_MODULE_NOOP;
	}
	/* Now that the policy was asked. */
	if (rc == MFA_OK && peruser_mode(inst, request) == MFA_MODE_CHALLENGE)
		return RLM_MODULE_NOOP;
	if (rc == MFA_OK) return take_appended(inst, request, notes, vp, typed);
	peruser_report_fault(
		inst, request,
		rc == MFA_ERR_UNAVAILABLE ? MFA_RESULT_UNAVAILABLE : MFA_RESULT_REJECTED, why.text);
	return rc == MFA_ERR_UNAVAILABLE ? RLM_MODULE_FAIL : RLM_MODULE_REJECT;
}

rlm_rcode_t peruser_split(rlm_peruser_mfa_t *inst, REQUEST *request)
{
	VALUE_PAIR *vp = peruser_password(request);
	enum mfa_mode const mode = peruser_mode(inst, request);
	struct mfa_notes const *notes;
	rlm_rcode_t rcode;

	if (!vp || mode == MFA_MODE_SKIP || inst->report_only) return RLM_MODULE_NOOP;
	notes = peruser_find_notes(request);
	if (notes && notes->has_code) return RLM_MODULE_NOOP;
	rcode = take_scrv1(inst, request, vp);
	if (rcode != RLM_MODULE_NOOP) return rcode;
	if (mode == MFA_MODE_CHALLENGE && !inst->mode_by_policy) return RLM_MODULE_NOOP;
	return split_appended(inst, request, vp);
}
