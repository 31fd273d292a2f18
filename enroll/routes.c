/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/draft.h"
#include "enroll/guess.h"
#include "enroll/layout.h"
#include "enroll/pages.h"

#include <openssl/crypto.h>

#include <string.h>

#define CSRF                                                                                       \
	{                                                                                          \
		"csrf", MFA_TOKEN_SIZE, MFA_ALPHABET_TOKEN, false                                  \
	}
#define PASSWORD                                                                                   \
	{                                                                                          \
		"password", 256, MFA_ALPHABET_SECRET, false                                        \
	}
#define CODE                                                                                       \
	{                                                                                          \
		"code", 64, MFA_ALPHABET_TEXT, true                                                \
	}
/* Forty characters as the field takes them; more bytes than are kept of it. */
#define NAME_MAX_TYPED 160
#define END                                                                                        \
	{                                                                                          \
		NULL, 0, MFA_ALPHABET_TEXT, false                                                  \
	}

static struct mfa_field const sign_in_form[] = {
	CSRF,
	{"user", MFA_SESSION_USER_MAX, MFA_ALPHABET_TEXT, true},
	{"password", 256, MFA_ALPHABET_SECRET, true},
	END};
static struct mfa_field const sign_out_form[] = {
	CSRF, {"everywhere", 1, MFA_ALPHABET_TOKEN, false}, END};
static struct mfa_field const code_form[] = {CSRF, PASSWORD, CODE, END};
static struct mfa_field const setup_form[] = {CSRF,
					      PASSWORD,
					      CODE,
					      {"pending", 512, MFA_ALPHABET_TOKEN, true},
					      {"name", NAME_MAX_TYPED, MFA_ALPHABET_TEXT, true},
					      {"voucher", 64, MFA_ALPHABET_TEXT, false},
					      END};
static struct mfa_field const device_query[] = {{"device", 64, MFA_ALPHABET_TOKEN, true}, END};
static struct mfa_field const remove_form[] = {
	CSRF, PASSWORD, CODE, {"device", 64, MFA_ALPHABET_TOKEN, true}, END};
static struct mfa_field const codes_form[] = {
	CSRF, {"codes", MFA_CODES_BOX_SIZE, MFA_ALPHABET_TOKEN, true}, END};
static struct mfa_field const trusted_form[] = {
	CSRF, PASSWORD, {"device", 64, MFA_ALPHABET_TOKEN, true}, END};

/* clang-format off */
struct mfa_route const mfa_routes[] = {
	/* path            show                    act                   query         form          in     change */
	{"/style.css",     mfa_page_style,         NULL,                 NULL,         NULL,         false, false},
	{"/page.js",       mfa_page_script,        NULL,                 NULL,         NULL,         false, false},
	{"/icon.svg",      mfa_page_icon,          NULL,                 NULL,         NULL,         false, false},
	{"/sign-in",       mfa_page_sign_in_show,  mfa_page_sign_in,     NULL,         sign_in_form, false, false},
	{"/sign-out",      NULL,                   mfa_page_sign_out,    NULL,         sign_out_form, false, false},
	{"/",              mfa_page_home_show,     NULL,                 NULL,         NULL,         true,  false},
	{"/on",            mfa_page_on_show,       mfa_page_on,          NULL,         setup_form,   true,  true},
	{"/off",           mfa_page_off_show,      mfa_page_off,         NULL,         code_form,    true,  true},
	{"/device/add",    mfa_page_add_show,      mfa_page_add,         NULL,         code_form,    true,  true},
	{"/device/new",    mfa_page_new_show,      mfa_page_new,         NULL,         setup_form,   true,  true},
	{"/device/remove", mfa_page_remove_show,   mfa_page_remove,      device_query, remove_form,  true,  true},
	{"/device/replace", mfa_page_replace_show, mfa_page_replace,    NULL,         setup_form,   true,  true},
	{"/lost",          mfa_page_lost_show,     mfa_page_lost,        NULL,         code_form,    true,  true},
	{"/recovery",      mfa_page_recovery_show, mfa_page_recovery,    NULL,         code_form,    true,  true},
	{"/codes",         mfa_page_codes_show,    NULL,                 NULL,         NULL,         true,  false},
	{"/codes.txt",     NULL,                   mfa_page_codes_save,  NULL,         codes_form,   true,  false},
	{"/trusted",       mfa_page_trusted_show,  mfa_page_trusted,     NULL,         trusted_form, true,  true},
	{NULL,             NULL,                   NULL,                 NULL,         NULL,         false, false},
};
/* clang-format on */

static struct mfa_route const *find(char const *path)
{
	struct mfa_route const *route = mfa_routes;

	while (route->path && strcmp(route->path, path) != 0) route++;
	return route->path ? route : NULL;
}

static bool is_post(struct mfa_web const *web)
{
	return strcmp(web->http.method, "POST") == 0;
}

static bool is_get(struct mfa_web const *web)
{
	return strcmp(web->http.method, "GET") == 0 || strcmp(web->http.method, "HEAD") == 0;
}

/** Refuse with a page that tells no more than the status does */
static bool refuse(struct mfa_web *web, int status)
{
	char const *text = _("Your browser sent something that this page does not take.");

	if (status == 413) text = _("What was sent is too large.");
	if (status == 404) text = _("There is no such page.");
	if (status == 403)
		text = _("The form was not from this session. Go back to the overview and try "
			 "again.");
	mfa_layout_message(web, status, status == 404 ? _("Not found") : _("Not accepted"), text);
	return false;
}

/** Passwords and keys travel under TLS, but for a test on this very host */
static bool is_safe_transport(struct mfa_web *web)
{
	if (web->http.https) return true;
	/* What makes a page look well is no secret, and the refusal below is a page too. */
	if (web->route->show == mfa_page_style || web->route->show == mfa_page_script ||
	    web->route->show == mfa_page_icon) {
		return true;
	}
	if (web->app->settings.page.allow_plain_loopback && web->http.loopback) return true;
	mfa_layout_message(
		web, 403, _("HTTPS only"),
		_("This page is only served over an encrypted connection. Use https:// in "
		  "the address."));
	return false;
}

static bool find_route(struct mfa_web *web)
{
	struct mfa_route const *route = find(web->http.path);

	if (!route) return refuse(web, 404);
	if ((is_get(web) && route->show) || (is_post(web) && route->act)) {
		web->route = route;
		return true;
	}
	web->answer.allow = !route->act ? "GET, HEAD" : route->show ? "GET, HEAD, POST" : "POST";
	return refuse(web, 405);
}

/** Read the fields by the table of the page */
static bool read_fields(struct mfa_web *web)
{
	struct mfa_bytes fields = mfa_bytes_of(web->http.query);
	size_t len = 0;
	enum mfa_rc rc;

	if (is_post(web)) {
		int const status = web->http.query[0] == '\0'
					   ? mfa_http_read_body(web->raw, &len, &web->http, web->io)
					   : 400;

		if (status != 0) return refuse(web, status);
		fields = (struct mfa_bytes){web->raw, len};
	}
	rc = mfa_form_parse(&web->form, is_post(web) ? web->route->form : web->route->query,
			    fields);
	OPENSSL_cleanse(web->raw, len);
	return rc == MFA_OK || refuse(web, 400);
}

/** A form of another site, whatever cookies came with it, is refused and changes no cookie */
static bool check_site(struct mfa_web *web)
{
	if (!is_post(web) || !web->http.cross_site) return true;
	mfa_web_log(web, "form %s sent by another site", web->route->path);
	return refuse(web, 403);
}

/** The sign-in page was open for too long, or another tab signed in meanwhile: show it again */
static void sign_in_again(struct mfa_web *web)
{
	web->session.present = web->session.signed_in = false;
	web->wrong_field = "password";
	mfa_web_problem(
		web, 403, "%s",
		_("This page was open for a long time. Please type your password once more."));
	mfa_page_sign_in_show(web);
}

/** A form is taken from the session that it was made for alone */
static bool check_token(struct mfa_web *web)
{
	if (!is_post(web)) return true;
	if (web->session.present &&
	    mfa_token_check(&web->app->ring,
			    (struct mfa_bytes){web->session.id, sizeof(web->session.id)},
			    mfa_bytes_of(web->route->path), mfa_form_get(&web->form, "csrf"))) {
		return true;
	}
	mfa_web_log(web, "form %s without the token of its session", web->route->path);
	if (web->route->act == mfa_page_sign_in && !web->session.signed_in) {
		sign_in_again(web);
		return false;
	}
	if (web->route->act == mfa_page_sign_in) {
		mfa_web_redirect(web, "/");
		return false;
	}
	if (!web->session.signed_in || !web->route->show) return refuse(web, 403);
	/* Of an older session of this visitor, most likely: the form once more, filled in. */
	mfa_web_problem(web, 403, "%s",
			_("This form was from an earlier session. What you typed is still here: "
			  "please send it again."));
	return true;
}

/** Ask to sign in, and come back here afterwards */
static void send_to_sign_in(struct mfa_web *web, bool expired)
{
	mfa_draft_keep(web);
	/* A form that came without any cookie: a browser that withholds it keeps what it has. */
	if (is_post(web) && web->http.cookie[0] == '\0') {
		mfa_web_redirect(web, "/sign-in");
		return;
	}
	if (mfa_session_begin(&web->session, web->now_s) != MFA_OK) {
		(void)refuse(web, 500);
		return;
	}
	mfa_web_redirect_flash(web, "/sign-in", expired ? MFA_FLASH_EXPIRED : MFA_FLASH_NONE);
}

/** Who is not signed in is sent to do so; who is has their record read */
static bool check_signed_in(struct mfa_web *web, bool expired)
{
	struct mfa_diag diag = {.text = "read"};
	enum mfa_rc rc;

	if (!web->route->signed_in) return true;
	if (web->session.signed_in) {
		rc = mfa_session_is_ended(web) ? MFA_ERR_NOT_FOUND : mfa_web_read_record(web);
		if (rc == MFA_OK) return true;
		if (rc != MFA_ERR_NOT_FOUND) {
			mfa_web_unavailable(web, rc, &diag);
			return false;
		}
		expired = true;
	}
	send_to_sign_in(web, expired);
	return false;
}

/** A change wants a password that is not old; the form is shown again with a field for it */
static bool check_password(struct mfa_web *web)
{
	if (!web->route->change || !mfa_session_needs_password(&web->session, web->now_s))
		return true;
	web->ask_password = true;
	if (mfa_form_get(&web->form, "password")[0] == '\0') {
		web->wrong_field = "password";
		mfa_web_problem(
			web, 403, "%s",
			_("You signed in a while ago: please give your password once more."));
	} else if (mfa_page_confirm_password(web)) {
		web->ask_password = false;
		return true;
	}
	if (!web->complete) web->route->show(web);
	return false;
}

void mfa_route_run(struct mfa_web *web, bool expired)
{
	if (!find_route(web) || !is_safe_transport(web) || !check_site(web) || !read_fields(web))
		return;
	if (is_post(web) && !web->session.present && web->route->signed_in) {
		(void)check_signed_in(web, expired);
		return;
	}
	if (!check_token(web) || !check_signed_in(web, expired)) return;
	if (is_post(web) && web->error[0] == '\0') {
		if (check_password(web)) web->route->act(web);
	} else {
		web->ask_password =
			web->route->change && mfa_session_needs_password(&web->session, web->now_s);
		if (!is_post(web)) mfa_draft_fill(web);
		web->route->show(web);
	}
}
