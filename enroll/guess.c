/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/guess.h"
#include "enroll/cookie.h"

#include <openssl/crypto.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#define KIND	  "known browser"
#define KNOWN_S	  (400 * 86400) /* browsers keep no cookie longer */
#define FOLD_SIZE (MFA_SESSION_USER_MAX * 4 + 1)

/** Sealed in the cookie of a known browser */
struct known {
	uint8_t id[MFA_SESSION_ID_SIZE];
	uint8_t entry[MFA_MAC_SIZE];
	int64_t issued_s;
};

/** Characters that a directory's matching takes as none (RFC 4518 section 2.2) */
static bool is_nothing(wint_t c)
{
	return c == 0xad || c == 0x34f || c == 0x1806 || (c >= 0x180b && c <= 0x180e) ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff;
}

/** One character as it is compared: small, and not of double width */
static wint_t fold_one(wint_t c)
{
	if (c >= 0xff01 && c <= 0xff5e) c -= 0xfee0;
	if (c == 0xa0 || c == 0x3000) c = ' ';
	return towlower(c);
}

/** Bring a name into the form that it is counted in: as a directory compares names
 *
 * So an unknown name that is spelled in another way is the same one, as a known name is.
 */
static void fold(char out[static FOLD_SIZE], char const *name)
{
	mbstate_t in = {0}, to = {0};
	size_t len = 0, step;
	wchar_t c;

	/* NOLINTBEGIN(concurrency-mt-unsafe) one thread */
	while (*name && (step = mbrtowc(&c, name, strlen(name), &in)) > 0 && step <= 4) {
		wchar_t const folded = (wchar_t)fold_one((wint_t)c);
		bool const again = folded == L' ' && (len == 0 || out[len - 1] == ' ');

		name += step;
		if (again || is_nothing((wint_t)c) || len + MB_LEN_MAX >= FOLD_SIZE) continue;
		len += wcrtomb(out + len, folded, &to);
	}
	/* NOLINTEND(concurrency-mt-unsafe) */
	if (len > 0 && out[len - 1] == ' ') len--;
	out[len] = '\0';
}

/** Name a counter by a hash, so that any name fits */
static bool add(struct mfa_guess *guess, enum mfa_throttle_kind kind, struct mfa_bytes what)
{
	struct mfa_throttle_guess *one = &guess->list[guess->count];
	uint8_t hash[MFA_MAC_SIZE];

	if (mfa_digest(hash, what) != MFA_OK ||
	    mfa_base64url_encode(one->who, sizeof(one->who), hash, sizeof(hash)) != MFA_OK) {
		return false;
	}
	one->kind = kind;
	guess->count++;
	return true;
}

static bool add_addresses(struct mfa_guess *guess, struct mfa_web const *web)
{
	struct mfa_http const *http = &web->http;

	if (!add(guess, MFA_THROTTLE_ADDRESS, mfa_bytes_of(http->network))) return false;
	return http->site[0] == '\0' || add(guess, MFA_THROTTLE_SITE, mfa_bytes_of(http->site));
}

/** Read the cookie of a known browser: whether it signed in the user of this entry before */
static bool is_known(struct known *known, struct mfa_web const *web)
{
	char text[MFA_KNOWN_TEXT_MAX + 1];
	uint8_t plain[sizeof(*known) + 16], entry[MFA_MAC_SIZE];
	struct mfa_unpacker unpacker = {0};
	size_t len = 0;

	if (!mfa_cookie_take(text, sizeof(text), &web->http, MFA_COOKIE_KNOWN) ||
	    mfa_box_open(plain, &len, sizeof(plain), &web->app->ring, KIND, text) != MFA_OK ||
	    mfa_digest(entry, web->login->entry.id) != MFA_OK) {
		return false;
	}
	unpacker.rest = (struct mfa_bytes){plain, len};
	mfa_unpack_bytes(known->id, sizeof(known->id), &unpacker);
	mfa_unpack_bytes(known->entry, sizeof(known->entry), &unpacker);
	known->issued_s = mfa_unpack_number(&unpacker);
	return !unpacker.failed && unpacker.rest.len == 0 &&
	       CRYPTO_memcmp(known->entry, entry, sizeof(entry)) == 0 &&
	       web->now_s - known->issued_s <= KNOWN_S;
}

enum mfa_rc mfa_guess_know_browser(struct mfa_web *web)
{
	uint8_t plain[sizeof(struct known) + 16];
	struct mfa_packer packer = {.data = plain, .size = sizeof(plain)};
	struct known known;

	/* A browser that is known keeps its counter: signing in does not empty it for others. */
	if (!is_known(&known, web) && mfa_random(known.id, sizeof(known.id)) != MFA_OK)
		return MFA_ERR_CRYPTO;
	if (mfa_digest(known.entry, web->login->entry.id) != MFA_OK) return MFA_ERR_CRYPTO;
	mfa_pack_bytes(&packer, known.id, sizeof(known.id));
	mfa_pack_bytes(&packer, known.entry, sizeof(known.entry));
	mfa_pack_number(&packer, web->now_s);
	return mfa_box_seal(web->known_box, sizeof(web->known_box), &web->app->ring, KIND,
			    (struct mfa_bytes){plain, packer.len});
}

static void give_back(struct mfa_web *web, struct mfa_guess const *guess, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mfa_throttle_give_back(&web->app->throttle, &guess->list[i]);
}

/** The event of a guess that may not be made now */
static enum mfa_event_kind guess_event(char const *what)
{
	if (strcmp(what, "code") == 0) return MFA_EVENT_CODE;
	return strcmp(what, "voucher") == 0 ? MFA_EVENT_VOUCHER : MFA_EVENT_SIGN_IN;
}

/** Count under all of them or none; what it is about is for the log */
static bool take(struct mfa_guess *guess, struct mfa_web *web, char const *what)
{
	for (size_t i = 0; i < guess->count; i++) {
		uint32_t wait_s = 0;
		enum mfa_rc const rc = mfa_throttle_take(&wait_s, &web->app->throttle,
							 &guess->list[i], web->now_s);

		if (rc == MFA_OK && wait_s == 0) continue;
		give_back(web, guess, i);
		if (rc != MFA_OK) mfa_web_log(web, "the throttle file cannot be used: refused");
		mfa_web_log(web, "%s: too many wrong tries %s, %u s to wait", what,
			    guess->list[i].kind == MFA_THROTTLE_ADDRESS ||
					    guess->list[i].kind == MFA_THROTTLE_SITE
				    ? "from this address"
				    : "for this user",
			    wait_s);
		mfa_web_event(web, guess_event(what), NULL, "locked", "too many wrong tries");
		mfa_web_wait(web, wait_s);
		return false;
	}
	return true;
}

bool mfa_guess_password(struct mfa_guess *guess, struct mfa_web *web, char const *name, bool entry)
{
	struct mfa_bytes const dn = web->login->entry.dn;
	char what[MFA_DIAG_SIZE], folded[FOLD_SIZE];
	struct known known;
	bool done;

	guess->count = 0;
	fold(folded, name);
	if (entry && is_known(&known, web)) {
		done = add(guess, MFA_THROTTLE_BROWSER,
			   (struct mfa_bytes){known.id, sizeof(known.id)});
	} else {
		done = add_addresses(guess, web) &&
		       add(guess, MFA_THROTTLE_NAME, mfa_bytes_of(folded)) &&
		       (!entry || add(guess, MFA_THROTTLE_ENTRY, web->login->entry.id));
	}
	(void)snprintf(what, sizeof(what), "password for %s",
		       entry ? (char const *)dn.data : "a name that nobody has");
	if (done) return take(guess, web, what);
	mfa_web_wait(web, web->app->settings.page.wait_max_s);
	return false;
}

bool mfa_guess_code(struct mfa_guess *guess, struct mfa_web *web)
{
	guess->count = 0;
	return add_addresses(guess, web) && take(guess, web, "code");
}

bool mfa_guess_voucher(struct mfa_guess *guess, struct mfa_web *web)
{
	guess->count = 0;
	return add(guess, MFA_THROTTLE_VOUCHER, web->login->entry.id) &&
	       take(guess, web, "voucher");
}

void mfa_guess_right(struct mfa_web *web, struct mfa_guess const *guess)
{
	for (size_t i = 0; i < guess->count; i++) {
		struct mfa_throttle_guess const *one = &guess->list[i];

		if (one->kind == MFA_THROTTLE_ADDRESS || one->kind == MFA_THROTTLE_SITE) {
			mfa_throttle_give_back(&web->app->throttle, one);
		} else {
			mfa_throttle_clear(&web->app->throttle, one);
		}
	}
}

void mfa_guess_unanswered(struct mfa_web *web, struct mfa_guess const *guess)
{
	give_back(web, guess, guess->count);
}

/** The mark of a session that was ended, and of its user who ended all */
static bool marks_of(struct mfa_guess *marks, struct mfa_session const *session)
{
	marks->count = 0;
	return add(marks, MFA_THROTTLE_ENDED,
		   (struct mfa_bytes){session->id, sizeof(session->id)}) &&
	       add(marks, MFA_THROTTLE_LEFT,
		   (struct mfa_bytes){session->entry, sizeof(session->entry)});
}

bool mfa_session_end(struct mfa_web *web, bool everywhere)
{
	struct mfa_guess marks;
	uint32_t wait_s;

	return marks_of(&marks, &web->session) &&
	       mfa_throttle_take(&wait_s, &web->app->throttle, &marks.list[everywhere ? 1 : 0],
				 web->now_s) == MFA_OK;
}

bool mfa_session_is_ended(struct mfa_web const *web)
{
	struct mfa_guess marks;
	int64_t ended_s, left_s;

	if (!marks_of(&marks, &web->session) ||
	    mfa_throttle_latest(&ended_s, &web->app->throttle, &marks.list[0], web->now_s) !=
		    MFA_OK ||
	    mfa_throttle_latest(&left_s, &web->app->throttle, &marks.list[1], web->now_s) !=
		    MFA_OK) {
		return true;
	}
	return ended_s > 0 || web->session.issued_s <= left_s;
}

void mfa_session_follow(struct mfa_web *web)
{
	struct mfa_guess marks;
	int64_t left_s = 0;

	if (marks_of(&marks, &web->session) &&
	    mfa_throttle_latest(&left_s, &web->app->throttle, &marks.list[1], web->now_s) ==
		    MFA_OK &&
	    web->session.issued_s <= left_s) {
		web->session.issued_s = left_s + 1;
	}
}
