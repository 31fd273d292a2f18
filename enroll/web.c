/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/web.h"
#include "core/filter.h"
#include "enroll/code.h"
#include "enroll/cookie.h"
#include "enroll/draft.h"
#include "enroll/layout.h"
#include "enroll/pages.h"

#include <openssl/crypto.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The browser forgets after this; the box inside says what counts. */
#define COOKIE_S 43200u
#define KNOWN_S	 (400u * 86400u)

void mfa_web_log(struct mfa_web *web, char const *fmt, ...)
{
	struct mfa_diag line;
	char text[MFA_DIAG_SIZE];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* The diagnosis takes out control characters: nobody forges a line. */
	mfa_diag_set(&line, "peruser-mfa-enroll: %s%s%s: %s", web->session.user,
		     web->session.user[0] != '\0' ? " from " : "", web->http.address, text);
	web->io->log(web->io->uctx, line.text);
}

void mfa_web_event(struct mfa_web *web, enum mfa_event_kind kind, char const *factor,
		   char const *result, char const *reason)
{
	struct mfa_session const *session = &web->session;
	struct mfa_event_sink sink = web->app->events;
	struct mfa_event const event = {
		.kind = kind,
		.time_s = web->now_s,
		.user = mfa_bytes_of(session->signed_in ? session->user
							: mfa_form_get(&web->form, "user")),
		.dn = web->login->entry.dn.len > 0 ? web->login->entry.dn
						   : mfa_bytes_of(session->dn),
		.entry_id = web->login->entry.id,
		.actor = MFA_ACTOR_USER,
		.address = web->http.address,
		.factor = factor,
		.result = result,
		.reason = reason};

	sink.uctx = (void *)(uintptr_t)web->io;
	if (mfa_event_write(&sink, &event) != MFA_OK)
		mfa_web_log(web, "the event cannot be written to %s",
			    web->app->settings.page.events);
}

void mfa_web_redirect(struct mfa_web *web, char const *path)
{
	web->answer.status = 303;
	(void)snprintf(web->answer.location, sizeof(web->answer.location), "%s%s", web->http.base,
		       path);
	mfa_out_clear(&web->body);
	web->complete = true;
}

void mfa_web_redirect_flash(struct mfa_web *web, char const *path, enum mfa_flash flash)
{
	web->session.flash = flash;
	web->session_changed = true;
	mfa_web_redirect(web, path);
}

void mfa_web_problem(struct mfa_web *web, int status, char const *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(web->error, sizeof(web->error), fmt, args);
	va_end(args);
	web->answer.status = status;
}

void mfa_web_wait(struct mfa_web *web, uint32_t wait_s)
{
	uint32_t const minutes = (wait_s + 59) / 60;

	web->answer.retry_after_s = wait_s;
	if (wait_s <= 90) {
		mfa_web_problem(web, 429,
				ngettext("Too many wrong tries. Wait %u second, then try again.",
					 "Too many wrong tries. Wait %u seconds, then try again.",
					 wait_s),
				wait_s);
	} else {
		mfa_web_problem(web, 429,
				ngettext("Too many wrong tries. Wait %u minute, then try again.",
					 "Too many wrong tries. Wait %u minutes, then try again.",
					 minutes),
				minutes);
	}
}

void mfa_web_unavailable(struct mfa_web *web, enum mfa_rc rc, struct mfa_diag const *diag)
{
	mfa_web_log(web, "directory: %s (%s)", diag->text, mfa_rc_name(rc));
	if (rc == MFA_ERR_UNAVAILABLE) {
		web->answer.retry_after_s = 30;
		mfa_layout_message(
			web, 503, _("Not available just now"),
			_("The directory does not answer. Nothing was changed and nothing is lost. "
			  "Please try again in a minute."));
		return;
	}
	if (rc == MFA_ERR_BROKEN) {
		web->answer.retry_after_s = 30;
		mfa_layout_message(
			web, 503, _("It is not known whether this worked"),
			_("The connection to the directory broke before it answered. The change "
			  "may have been made or not. Look at the overview in a minute, and try "
			  "again if it was not."));
		return;
	}
	mfa_layout_message(
		web, 500, _("This did not work"),
		_("The change could not be written. An administrator can see the reason in "
		  "the log."));
}

enum mfa_rc mfa_web_where(struct mfa_where *where, char *filter, size_t filter_size,
			  struct mfa_web *web)
{
	struct mfa_diag diag;
	enum mfa_rc rc =
		mfa_filter_expand(filter, filter_size, &diag, web->app->settings.shared.filter,
				  mfa_bytes_of(web->session.user));

	/* The filter as well: who may not sign in any more does not stay either. */
	*where = (struct mfa_where){
		.base = web->session.dn, .scope = MFA_SCOPE_BASE, .filter = filter};
	return rc;
}

void mfa_web_login_context(struct mfa_login_context *ctx, struct mfa_policy_facts *facts,
			   struct mfa_web *web)
{
	*facts = (struct mfa_policy_facts){.is_login = false};
	ctx->conn = web->app->conn;
	ctx->ring = &web->app->ring;
	ctx->rules = &web->app->settings.shared.rules;
	ctx->facts = facts;
	ctx->required = web->app->settings.page.required != 0;
}

/** Ask the policy about the entry, and understand the record as it says */
static enum mfa_rc judge_record(struct mfa_web *web)
{
	struct mfa_policy_facts facts;
	struct mfa_login_context ctx = {.conn = NULL};
	struct mfa_diag diag = {.text = ""};
	enum mfa_rc rc;

	mfa_web_login_context(&ctx, &facts, web);
	rc = mfa_login_judge(web->login, &diag, &ctx, MFA_SIDE_WRITE, web->now_s);
	if (rc == MFA_OK) {
		mfa_login_parse(web->login, &ctx, web->now_s);
	} else {
		mfa_web_log(web, "policy: %s (%s)", diag.text, mfa_rc_name(rc));
	}
	return rc;
}

bool mfa_web_requires(struct mfa_web const *web)
{
	return web->app->settings.page.required != 0 || web->login->policy.required;
}

enum mfa_rc mfa_web_take_record(struct mfa_web *web)
{
	uint8_t hash[MFA_MAC_SIZE];

	if (mfa_digest(hash, web->login->entry.id) != MFA_OK ||
	    CRYPTO_memcmp(hash, web->session.entry, sizeof(hash)) != 0) {
		return MFA_ERR_NOT_FOUND;
	}
	return judge_record(web);
}

enum mfa_rc mfa_web_read_record(struct mfa_web *web)
{
	char filter[1024];
	struct mfa_where where;
	struct mfa_diag diag = {.text = "filter"};
	enum mfa_rc rc = mfa_web_where(&where, filter, sizeof(filter), web);

	if (rc == MFA_OK)
		rc = mfa_login_read(web->login, &diag, web->app->conn, MFA_SIDE_WRITE, &where);
	if (rc != MFA_OK) {
		if (rc != MFA_ERR_NOT_FOUND)
			mfa_web_log(web, "directory: %s (%s)", diag.text, mfa_rc_name(rc));
		return rc;
	}
	return mfa_web_take_record(web);
}

/** Read a changed key ring; a bad one is logged and the old one stays */
static void refresh_ring(struct mfa_web *web)
{
	char const *path = web->app->settings.shared.key_ring;
	struct stat *known = &web->app->ring_stat, now;
	struct mfa_keyring *fresh = &web->app->spare_ring;
	struct mfa_diag diag;

	if (stat(path, &now) != 0) return;
	if (now.st_ino == known->st_ino && now.st_size == known->st_size &&
	    now.st_mtim.tv_sec == known->st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == known->st_mtim.tv_nsec) {
		return;
	}
	*known = now;
	if (mfa_keyring_load(fresh, &diag, path) == MFA_OK) {
		web->app->ring = *fresh;
		mfa_web_log(web, "key ring read again: %zu keys", fresh->count);
	} else {
		mfa_web_log(web, "key ring: %s; the one read before is kept", diag.text);
	}
	mfa_keyring_clear(fresh);
}

/** Take the session out of the cookie */
static void open_session(struct mfa_web *web, bool *expired)
{
	char text[MFA_SESSION_TEXT_MAX + 1];

	*expired = false;
	if (!mfa_cookie_take(text, sizeof(text), &web->http, MFA_COOKIE_SESSION)) return;
	mfa_session_open(&web->session, expired, &web->app->ring, text, web->now_s);
}

/** What is answered in place of a page that could not be made */
static void write_sorry(struct mfa_web *web)
{
	mfa_out_reset(&web->head);
	mfa_out_reset(&web->body);
	web->answer = (struct mfa_head){.status = 500, .type = "text/plain; charset=utf-8"};
	mfa_head_write(&web->head, &web->answer, web->http.https);
	mfa_out_raw(&web->head, "\r\n");
	mfa_out_raw(&web->body, "Internal error\n");
}

/** Send head and body; a page that did not fit becomes a bare 500 */
static void send_answer(struct mfa_web *web)
{
	char text[MFA_SESSION_TEXT_MAX + 1];
	bool const https = web->http.https;
	bool failed = web->body.failed;

	web->answer.language = web->lang;
	mfa_head_write(&web->head, &web->answer, https);
	if (web->session_changed && web->session.present) {
		failed |= mfa_session_seal(text, &web->session, &web->app->ring) != MFA_OK;
		mfa_head_cookie(&web->head, MFA_COOKIE_SESSION, text, https, COOKIE_S);
	}
	if (web->codes_box[0] != '\0' || web->drop_codes)
		mfa_head_cookie(&web->head, MFA_COOKIE_CODES, web->codes_box, https, MFA_CODES_S);
	if (web->key_box[0] != '\0')
		mfa_head_cookie(&web->head, MFA_COOKIE_KEY, web->key_box, https, MFA_PENDING_S);
	if (web->draft_box[0] != '\0' || web->drop_draft)
		mfa_head_cookie(&web->head, MFA_COOKIE_DRAFT, web->draft_box, https, MFA_DRAFT_S);
	if (web->known_box[0] != '\0')
		mfa_head_cookie(&web->head, MFA_COOKIE_KNOWN, web->known_box, https, KNOWN_S);
	mfa_out_raw(&web->head, "\r\n");
	if (failed || web->head.failed) {
		mfa_web_log(web, "the page could not be made");
		write_sorry(web);
	}
	if (web->hold_until_ms > 0) web->io->hold(web->io->uctx, web->hold_until_ms);
	if (web->io->write(web->io->uctx, web->head.data, web->head.len) &&
	    strcmp(web->http.method, "HEAD") != 0) {
		(void)web->io->write(web->io->uctx, web->body.data, web->body.len);
	}
}

static void clear(struct mfa_web *web)
{
	mfa_form_clear(&web->form);
	mfa_entry_clear(&web->login->entry);
	mfa_record_clear(&web->login->record);
	OPENSSL_cleanse(&web->login->decision, sizeof(web->login->decision));
	mfa_entry_init(&web->login->entry);
	web->login->have_entry = false;
	/* The next request may come when the groups have changed. */
	web->login->policy = (struct mfa_policy_verdict){.from_s = -1};
	OPENSSL_cleanse(&web->session, sizeof(web->session));
	OPENSSL_cleanse(web->codes_box, sizeof(web->codes_box));
	OPENSSL_cleanse(web->key_box, sizeof(web->key_box));
	OPENSSL_cleanse(web->draft_box, sizeof(web->draft_box));
	web->known_box[0] = '\0';
	web->drop_draft = false;
	web->hold_until_ms = 0;
	mfa_out_reset(&web->head);
	mfa_out_reset(&web->body);
	web->error[0] = '\0';
	web->wrong_field = "code";
	web->complete = false;
	web->session_changed = web->ask_password = web->problem_below = web->drop_codes = false;
	web->route = NULL;
	web->answer = (struct mfa_head){.status = 200, .type = "text/html; charset=utf-8"};
}

void mfa_web_serve(struct mfa_web *web, struct mfa_app *app, struct mfa_io const *io, int64_t now_s)
{
	bool expired = false;

	web->app = app;
	web->io = io;
	web->now_s = now_s;
	clear(web);
	mfa_http_read(&web->http, io, app->settings.page.base_path, &app->settings.proxies);
	web->lang = mfa_lang_choose(web->http.accept_language);
	mfa_lang_use(web->lang);
	mfa_conn_start(app->conn);
	refresh_ring(web);
	open_session(web, &expired);
	mfa_route_run(web, expired);
	send_answer(web);
	clear(web);
}
