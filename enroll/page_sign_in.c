/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/filter.h"
#include "core/password.h"
#include "enroll/draft.h"
#include "enroll/guess.h"
#include "enroll/layout.h"
#include "enroll/pages.h"

#include <mfa_html.h>
#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

void mfa_page_sign_in_show(struct mfa_web *web)
{
	if (web->session.signed_in) {
		mfa_web_redirect(web, "/");
		return;
	}
	if (!web->session.present) {
		if (mfa_session_begin(&web->session, web->now_s) != MFA_OK) web->body.failed = true;
		web->session_changed = true;
	}
	mfa_html_sign_in(web, mfa_form_get(&web->form, "user"), web->error[0] != '\0');
}

/** Let a refusal leave when others do too, so that the time does not tell which it was
 *
 * A right password, and a wrong one of a known user, show how long the directory takes.
 */
static void set_pace(struct mfa_web *web, int64_t begun_ms, bool known)
{
	struct mfa_throttle const *throttle = &web->app->throttle;
	int64_t const took_ms = mfa_http_clock_ms() - begun_ms;

	if (known && took_ms > 0) mfa_throttle_note_pace(throttle, (uint32_t)took_ms, web->now_s);
	web->hold_until_ms = begun_ms + mfa_throttle_pace_ms(throttle, web->now_s);
}

/** Ask the directory about a password
 *
 * @param[in] name   as it was typed.
 * @param[in] known  whether web->login->entry is the user's; otherwise no password is right.
 * @return whether it was right; otherwise the problem is set, or the page is complete (503).
 */
static bool check_password(struct mfa_web *web, char const *name, bool known)
{
	struct mfa_bytes const password = mfa_bytes_of(mfa_form_get(&web->form, "password"));
	int64_t const begun_ms = mfa_http_clock_ms();
	struct mfa_bytes dn = web->login->entry.dn;
	struct mfa_guess guess;
	struct mfa_diag diag;
	char nobody[1100];
	enum mfa_rc rc;

	if (!mfa_guess_password(&guess, web, name, known)) return false;
	/* The directory is asked about nobody's password too, and may be away for both. */
	(void)snprintf(nobody, sizeof(nobody), "cn=nobody,%s", web->app->settings.shared.base_dn);
	if (!known) dn = mfa_bytes_of(nobody);
	rc = mfa_conn_check_password(&diag, web->app->conn, dn, password);
	if (rc == MFA_ERR_UNAVAILABLE) {
		mfa_guess_unanswered(web, &guess);
		mfa_web_unavailable(web, rc, &diag);
		return false;
	}
	if (rc == MFA_OK && known) {
		set_pace(web, begun_ms, known);
		web->hold_until_ms = 0;
		mfa_guess_right(web, &guess);
		return true;
	}
	set_pace(web, begun_ms, known);
	mfa_web_log(web, "password refused for %s",
		    known ? (char const *)web->login->entry.dn.data : "a name that nobody has");
	mfa_web_event(web, MFA_EVENT_SIGN_IN, "password", "rejected",
		      known ? "wrong password" : "no such user");
	mfa_web_problem(web, 403, "%s", _("User name or password is not right."));
	return false;
}

/** Find the entry that a typed name stands for */
static enum mfa_rc find_user(struct mfa_web *web, struct mfa_diag *diag)
{
	struct mfa_config const *shared = &web->app->settings.shared;
	char filter[1024];
	struct mfa_where const where = {
		.base = shared->base_dn, .scope = (enum mfa_scope)shared->scope, .filter = filter};
	enum mfa_rc rc = mfa_filter_expand(filter, sizeof(filter), diag, shared->filter,
					   mfa_bytes_of(mfa_form_get(&web->form, "user")));

	if (rc != MFA_OK) return rc == MFA_ERR_SPACE ? MFA_ERR_NOT_FOUND : rc;
	return mfa_login_read(web->login, diag, web->app->conn, MFA_SIDE_WRITE, &where);
}

/** A new session with a new id: whoever planted a cookie before does not know it */
static bool begin_session(struct mfa_web *web)
{
	struct mfa_session *session = &web->session;
	struct mfa_bytes const dn = web->login->entry.dn;

	if (dn.len > MFA_SESSION_DN_MAX || mfa_session_begin(session, web->now_s) != MFA_OK ||
	    mfa_digest(session->entry, web->login->entry.id) != MFA_OK) {
		return false;
	}
	memcpy(session->dn, dn.data, dn.len);
	(void)snprintf(session->user, sizeof(session->user), "%s",
		       mfa_form_get(&web->form, "user"));
	session->password_s = web->now_s;
	session->signed_in = true;
	mfa_session_follow(web);
	web->session_changed = true;
	return true;
}

void mfa_page_sign_in(struct mfa_web *web)
{
	struct mfa_diag diag = {.text = ""};
	enum mfa_rc const rc = find_user(web, &diag);

	if (rc != MFA_OK && rc != MFA_ERR_NOT_FOUND && rc != MFA_ERR_AMBIGUOUS) {
		mfa_web_unavailable(web, rc, &diag);
		return;
	}
	if (rc == MFA_ERR_AMBIGUOUS) mfa_web_log(web, "more than one entry has this name");
	if (!check_password(web, mfa_form_get(&web->form, "user"), rc == MFA_OK)) {
		if (!web->complete) mfa_page_sign_in_show(web);
		return;
	}
	if (!begin_session(web) || mfa_guess_know_browser(web) != MFA_OK) {
		mfa_layout_message(web, 500, _("This did not work"),
				   _("The session could not begin."));
		return;
	}
	mfa_web_log(web, "signed in");
	mfa_web_event(web, MFA_EVENT_SIGN_IN, "password", "accepted", "signed in");
	mfa_draft_redirect(web);
}

bool mfa_page_confirm_password(struct mfa_web *web)
{
	web->wrong_field = "password";
	if (!check_password(web, web->session.user, true)) return false;
	web->wrong_field = "code";
	web->session.password_s = web->now_s;
	web->session_changed = true;
	return true;
}

void mfa_page_sign_out(struct mfa_web *web)
{
	bool const everywhere = mfa_form_get(&web->form, "everywhere")[0] != '\0';

	if (web->session.signed_in && !mfa_session_end(web, everywhere)) {
		mfa_web_log(web, "the session could not be ended on the server");
		web->body.failed = true;
	}
	if (web->session.signed_in)
		mfa_web_event(web, MFA_EVENT_SIGN_OUT, NULL, "accepted",
			      everywhere ? "everywhere" : "this session");
	if (mfa_session_begin(&web->session, web->now_s) != MFA_OK) web->body.failed = true;
	web->drop_codes = true;
	mfa_web_redirect_flash(web, "/sign-in",
			       everywhere ? MFA_FLASH_SIGNED_OUT_EVERYWHERE : MFA_FLASH_SIGNED_OUT);
}
