/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/layout.h"
#include "enroll/pages.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#define REFUSAL_MS 400 /* every refusal takes at least so long, whatever its reason */

void mfa_page_sign_in_show(struct mfa_web *web)
{
	struct mfa_out *out = &web->body;
	char const *wrong =
		web->error[0] != '\0' ? " aria-invalid=\"true\" aria-describedby=\"problem\"" : "";

	if (web->session.signed_in) {
		mfa_web_redirect(web, "/");
		return;
	}
	if (!web->session.present) {
		if (mfa_session_begin(&web->session, web->now_s) != MFA_OK) out->failed = true;
		web->session_changed = true;
	}
	mfa_layout_begin(web, _("Sign in"));
	mfa_out_html(
		out, "<p class=\"lead\">%</p>\n",
		_("Here you look after your multi-factor authentication (MFA): the code from your "
		  "phone that is asked for beside your password."));
	mfa_layout_form(web, "/sign-in");
	mfa_out_html(out,
		     "<div class=\"field\"><label for=\"user\">%</label>\n"
		     "<input id=\"user\" name=\"user\" type=\"text\" autocomplete=\"username\" "
		     "autocapitalize=\"none\" spellcheck=\"false\" maxlength=\"128\" required "
		     "value=\"%\"",
		     _("User name"), mfa_form_get(&web->form, "user"));
	mfa_out_raw(out, wrong);
	mfa_out_html(out,
		     "></div>\n<div class=\"field\"><label for=\"password\">%</label>\n"
		     "<input id=\"password\" name=\"password\" type=\"password\" "
		     "autocomplete=\"current-password\" maxlength=\"256\" required",
		     _("Password"));
	mfa_out_raw(out, wrong);
	mfa_out_raw(out, "></div>\n");
	mfa_layout_form_end(web, "primary", _("Sign in"));
	mfa_layout_end(web);
}

/** What a guess is counted under: the entry, or, where there is none, the name that was typed */
static void counted_as(char out[static 96], struct mfa_web *web, enum mfa_rc found)
{
	char const *user = mfa_form_get(&web->form, "user");
	struct mfa_bytes what =
		web->session.signed_in ? mfa_bytes_of(web->session.dn) : mfa_bytes_of(user);
	uint8_t hash[MFA_MAC_SIZE];
	char text[MFA_BASE64URL_SIZE(MFA_MAC_SIZE)];

	if (found == MFA_OK) what = web->login->entry.id;
	if (mfa_digest(hash, what) != MFA_OK ||
	    mfa_base64url_encode(text, sizeof(text), hash, sizeof(hash)) != MFA_OK) {
		text[0] = '\0';
	}
	(void)snprintf(out, 96, "%s %s", found == MFA_OK ? "entry" : "name", text);
}

/** Count the guess by user and by address, or make the visitor wait */
static bool take_guess(struct mfa_web *web, char const *who)
{
	struct mfa_throttle const *throttle = &web->app->throttle;
	uint32_t wait_s = 0;
	enum mfa_rc rc = mfa_throttle_take(&wait_s, throttle, MFA_THROTTLE_ADDRESS,
					   web->http.address, web->now_s);

	if (rc == MFA_OK && wait_s == 0) {
		rc = mfa_throttle_take(&wait_s, throttle, MFA_THROTTLE_USER, who, web->now_s);
		if (rc == MFA_OK && wait_s > 0) {
			mfa_throttle_give_back(throttle, MFA_THROTTLE_ADDRESS, web->http.address);
		}
	}
	if (rc == MFA_OK && wait_s == 0) return true;
	if (rc != MFA_OK) mfa_web_log(web, "the throttle file cannot be used: refused");
	mfa_web_log(web, "too many wrong passwords, %u s to wait", wait_s);
	mfa_web_wait(web, wait_s);
	return false;
}

/** Answer to a refusal no sooner than others, so that the time does not tell which it was */
static void slow_down(struct timespec const *begun)
{
	struct timespec until = *begun;

	until.tv_nsec += REFUSAL_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/** Ask the directory about a password
 *
 * @return whether it was right; otherwise the problem is set, or the page is complete (503).
 */
static bool check_password(struct mfa_web *web, struct mfa_bytes dn, char const *who)
{
	struct mfa_throttle const *throttle = &web->app->throttle;
	char const *password = mfa_form_get(&web->form, "password");
	struct timespec begun;
	struct mfa_diag diag;
	enum mfa_rc rc;

	(void)clock_gettime(CLOCK_MONOTONIC, &begun);
	if (!take_guess(web, who)) return false;
	rc = mfa_conn_check_password(&diag, web->app->conn, dn, mfa_bytes_of(password));
	if (rc == MFA_OK || rc == MFA_ERR_UNAVAILABLE)
		mfa_throttle_give_back(throttle, MFA_THROTTLE_ADDRESS, web->http.address);
	if (rc == MFA_OK) {
		mfa_throttle_clear(throttle, MFA_THROTTLE_USER, who);
		return true;
	}
	if (rc == MFA_ERR_UNAVAILABLE) {
		mfa_throttle_give_back(throttle, MFA_THROTTLE_USER, who);
		mfa_web_unavailable(web, rc, &diag);
		return false;
	}
	slow_down(&begun);
	mfa_web_log(web, "password refused for %s",
		    web->login->entry.dn.len > 0 ? (char const *)web->login->entry.dn.data
						 : "a name that nobody has");
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
	web->session_changed = true;
	return true;
}

void mfa_page_sign_in(struct mfa_web *web)
{
	struct mfa_diag diag = {.text = ""};
	enum mfa_rc const rc = find_user(web, &diag);
	char who[96], nobody[1100];
	struct mfa_bytes dn = web->login->entry.dn;

	if (rc != MFA_OK && rc != MFA_ERR_NOT_FOUND && rc != MFA_ERR_AMBIGUOUS) {
		mfa_web_unavailable(web, rc, &diag);
		return;
	}
	if (rc == MFA_ERR_AMBIGUOUS) mfa_web_log(web, "more than one entry has this name");
	counted_as(who, web, rc);
	/* The directory is asked about nobody's password too: it takes about as long. */
	(void)snprintf(nobody, sizeof(nobody), "cn=nobody,%s", web->app->settings.shared.base_dn);
	if (rc != MFA_OK) dn = mfa_bytes_of(nobody);
	if (!check_password(web, dn, who) || rc != MFA_OK) {
		if (web->answer.status != 503 && web->answer.status != 500)
			mfa_page_sign_in_show(web);
		return;
	}
	if (!begin_session(web)) {
		mfa_layout_message(web, 500, _("This did not work"),
				   _("The session could not begin."));
		return;
	}
	mfa_web_log(web, "signed in");
	mfa_web_redirect(web, "/");
}

bool mfa_page_confirm_password(struct mfa_web *web)
{
	char who[96];

	counted_as(who, web, MFA_OK);
	web->wrong_field = "password";
	if (!check_password(web, web->login->entry.dn, who)) return false;
	web->wrong_field = "code";
	web->session.password_s = web->now_s;
	web->session_changed = true;
	return true;
}

void mfa_page_sign_out(struct mfa_web *web)
{
	if (mfa_session_begin(&web->session, web->now_s) != MFA_OK) web->body.failed = true;
	web->drop_codes = true;
	mfa_web_redirect_flash(web, "/sign-in", MFA_FLASH_SIGNED_OUT);
}
