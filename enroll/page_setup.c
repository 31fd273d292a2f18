/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/utf8.h"
#include "enroll/code.h"
#include "enroll/cookie.h"
#include "enroll/layout.h"
#include "enroll/mail.h"
#include "enroll/pages.h"
#include "enroll/qr.h"
#include "enroll/required.h"

#include <mfa_html.h>
#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

#define KEY_TEXT_SIZE 48u /* 32 characters in groups of four, and NUL */

/** The key in groups of four, for typing */
static enum mfa_rc group_key(char out[static KEY_TEXT_SIZE], struct mfa_pending const *pending)
{
	char base32[40];
	size_t n = 0;
	enum mfa_rc rc =
		mfa_base32_encode(base32, sizeof(base32), pending->key, sizeof(pending->key));

	for (size_t i = 0; rc == MFA_OK && base32[i] && n < KEY_TEXT_SIZE - 2; i++) {
		if (i > 0 && i % 4 == 0) out[n++] = ' ';
		out[n++] = base32[i];
	}
	out[n] = '\0';
	OPENSSL_cleanse(base32, sizeof(base32));
	return rc;
}

#define REASON_SIZE (2 * MFA_WHY_SIZE + MFA_RULE_REASON_MAX)

/** Why MFA is compulsory, since when, and what the policy says about it */
static char const *required_of(char out[static REASON_SIZE], struct mfa_web const *web)
{
	char why[MFA_WHY_SIZE];

	mfa_required_why(why, web);
	(void)snprintf(out, REASON_SIZE, "%s %s %s",
		       _("MFA is required for you. Until you have turned it on you may not be able "
			 "to sign in."),
		       why, mfa_required_reason(web));
	return out;
}

/** Why MFA is asked for; may be empty */
static char const *reason_of(char out[static REASON_SIZE], struct mfa_web const *web,
			     enum mfa_setup setup)
{
	enum mfa_state const state = web->login->record.state;

	if (setup == MFA_SETUP_ON && state == MFA_STATE_INVITED) {
		return _("Your administrator has invited you to turn on MFA. Until you have done "
			 "so you may not be able to sign in.");
	}
	if (setup == MFA_SETUP_ON && state == MFA_STATE_OVERDUE) return required_of(out, web);
	return "";
}

/** The apps that the site recommends: "Name https://address, Name https://address" */
static void list_apps(struct mfa_web *web)
{
	char const *text = web->app->settings.page.apps;
	struct mfa_settings_app app;

	while (mfa_settings_app(&app, &text)) mfa_html_set_up_app_one(web, app.address, app.name);
}

static void show_apps(struct mfa_web *web)
{
	if (web->app->settings.page.apps[0] != '\0') mfa_html_set_up_apps(web, list_apps);
}

/** Before the app: what would be in vain without it */
static void show_voucher_step(struct mfa_web *web, enum mfa_setup setup)
{
	if (setup == MFA_SETUP_ON && web->app->settings.page.require_voucher)
		mfa_html_set_up_voucher(web, mfa_form_get(&web->form, "voucher"));
}

/** Second step: bring the key into the app */
static bool show_key_step(struct mfa_web *web, struct mfa_pending const *pending)
{
	struct mfa_page_config const *page = &web->app->settings.page;
	char uri[MFA_OTPAUTH_LINK_SIZE], key[KEY_TEXT_SIZE];
	char const *issuer = page->issuer[0] != '\0' ? page->issuer : page->site_name;
	struct mfa_totp totp;
	bool done;

	mfa_pending_totp(&totp, pending, "", 0);
	done = mfa_otpauth_format(uri, sizeof(uri), &totp, issuer, web->session.user) == MFA_OK &&
	       group_key(key, pending) == MFA_OK;
	OPENSSL_cleanse(&totp, sizeof(totp));
	if (done) mfa_html_set_up_key(web, uri, key);
	OPENSSL_cleanse(uri, sizeof(uri));
	OPENSSL_cleanse(key, sizeof(key));
	return done;
}

/** Whether the problem, if any, is one of the last step */
static bool is_about_code(struct mfa_web const *web)
{
	return web->error[0] != '\0' && !web->ask_password && strcmp(web->wrong_field, "code") == 0;
}

static char const *button_of(enum mfa_setup setup)
{
	switch (setup) {
	case MFA_SETUP_ON: return _("Turn on MFA");
	case MFA_SETUP_ADD: return _("Add the device");
	case MFA_SETUP_REPLACE: break;
	}
	return _("Use the new device, remove the old ones");
}

static void show_nothing(struct mfa_web *web)
{
	(void)web;
}

/** Show that it arrived; what was wrong is said here, where the code is typed */
static void show_code_step(struct mfa_web *web, struct mfa_pending const *pending)
{
	char const *name = mfa_form_get(&web->form, "name");

	mfa_html_set_up_code(web, web->problem_below ? mfa_layout_problem : show_nothing,
			     name[0] != '\0' ? name : _("My phone"), button_of(pending->setup));
}

static char const *title_of(enum mfa_setup setup)
{
	switch (setup) {
	case MFA_SETUP_ON: return _("Turn on MFA");
	case MFA_SETUP_ADD: return _("Add a device");
	case MFA_SETUP_REPLACE: break;
	}
	return _("Set up your new device");
}

static void show_setup(struct mfa_web *web, struct mfa_pending const *pending)
{
	char box[MFA_PENDING_TEXT_SIZE], reason[REASON_SIZE];
	enum mfa_setup const setup = pending->setup;

	web->problem_below = is_about_code(web);
	if (mfa_pending_seal(box, pending, web) != MFA_OK) web->body.failed = true;
	mfa_html_set_up(web, title_of(setup), reason_of(reason, web, setup), web->route->path, box);
	show_voucher_step(web, setup);
	mfa_html_set_up_app(web, setup == MFA_SETUP_ON, show_apps);
	if (!show_key_step(web, pending)) web->body.failed = true;
	show_code_step(web, pending);
	mfa_html_set_up_end(web,
			    setup != MFA_SETUP_ON || web->login->record.state == MFA_STATE_OFF);
}

/** Find the key of the form, else that of the cookie, else make one; and keep it in the cookie */
static enum mfa_rc find_key(struct mfa_pending *pending, struct mfa_web *web, enum mfa_setup setup)
{
	char cookie[MFA_KEY_TEXT_MAX + 1];
	enum mfa_rc rc = mfa_pending_open(pending, web, mfa_form_get(&web->form, "pending"), setup);

	if (rc != MFA_OK && mfa_cookie_take(cookie, sizeof(cookie), &web->http, MFA_COOKIE_KEY))
		rc = mfa_pending_open(pending, web, cookie, setup);
	if (rc != MFA_OK) rc = mfa_pending_make(pending, web->now_s, setup);
	return rc == MFA_OK ? mfa_pending_seal(web->key_box, pending, web) : rc;
}

/** Show the form; with the same key when it was shown before */
static void show_for(struct mfa_web *web, enum mfa_setup setup)
{
	struct mfa_pending pending;

	if (find_key(&pending, web, setup) == MFA_OK) {
		show_setup(web, &pending);
	} else {
		web->body.failed = true;
	}
	OPENSSL_cleanse(&pending, sizeof(pending));
}

/** Whether MFA can be turned on; otherwise the page says why not */
static bool can_turn_on(struct mfa_web *web)
{
	if (mfa_page_blocked(web)) return false;
	if (web->login->record.state != MFA_STATE_ENROLLED) return true;
	mfa_layout_message(
		web, 409, _("MFA is already on"),
		_("Nothing was changed. To use another phone as well, add it as a device."));
	return false;
}

void mfa_page_on_show(struct mfa_web *web)
{
	if (can_turn_on(web)) show_for(web, MFA_SETUP_ON);
}

/** Whether a device can be added: a code was given, and there is room */
static bool can_add(struct mfa_web *web)
{
	if (mfa_page_blocked(web)) return false;
	if (web->login->record.state != MFA_STATE_ENROLLED) {
		mfa_layout_message(web, 409, _("MFA is not on"), _("Turn on MFA first."));
		return false;
	}
	if (mfa_entry_count(&web->login->entry, MFA_ATTR_SECRET) >= MFA_SECRETS_MAX) {
		mfa_layout_message(web, 409, _("No more devices can be added"),
				   _("Remove a device first."));
		return false;
	}
	if (mfa_code_was_given(web, MFA_SETUP_ADD)) return true;
	mfa_web_redirect(web, "/device/add");
	return false;
}

/** Whether all devices can be replaced: a recovery code was given for that */
static bool can_replace(struct mfa_web *web)
{
	if (mfa_page_blocked(web)) return false;
	if (mfa_code_was_given(web, MFA_SETUP_REPLACE)) return true;
	mfa_web_redirect(web, "/lost");
	return false;
}

static bool can_set_up(struct mfa_web *web, enum mfa_setup setup)
{
	switch (setup) {
	case MFA_SETUP_ON: return can_turn_on(web);
	case MFA_SETUP_ADD: return can_add(web);
	case MFA_SETUP_REPLACE: break;
	}
	return can_replace(web);
}

void mfa_page_new_show(struct mfa_web *web)
{
	if (can_add(web)) show_for(web, MFA_SETUP_ADD);
}

/** Bytes of the whole characters that a name has room for, blanks at the end left out */
static size_t fitting(char const *name)
{
	struct mfa_bytes rest = mfa_bytes_of(name);
	size_t len = 0, next = mfa_utf8_length(rest);

	while (next > 0 && len + next <= MFA_TOTP_NAME_MAX) {
		len += next;
		rest.data += next;
		rest.len -= next;
		next = mfa_utf8_length(rest);
	}
	while (len > 0 && name[len - 1] == ' ') len--;
	return len;
}

/** A name for the device: what was typed without blanks around it, or a usual one */
static void take_name(char name[static MFA_TOTP_NAME_MAX + 1], struct mfa_web const *web)
{
	char const *typed = mfa_form_get(&web->form, "name");
	size_t len;

	typed += strspn(typed, " ");
	len = fitting(typed);
	if (len == 0) {
		typed = _("My phone");
		len = fitting(typed);
	}
	(void)snprintf(name, MFA_TOTP_NAME_MAX + 1, "%.*s", (int)len, typed);
}

/** Somebody else was faster, or this form was sent before: say how it stands now */
static void show_changed(struct mfa_web *web, enum mfa_setup setup)
{
	if (can_set_up(web, setup))
		mfa_web_redirect_flash(web, web->route->path, MFA_FLASH_START_AGAIN);
}

/** MFA was turned on, or its devices replaced: show the recovery codes that came with it */
static void finish_with_codes(struct mfa_web *web, char const *codes, enum mfa_mail_event event)
{
	if (mfa_codes_hand_over(web, codes) != MFA_OK) web->body.failed = true;
	mfa_web_event(web,
		      event == MFA_MAIL_ON ? MFA_EVENT_DEVICE_ADDED : MFA_EVENT_DEVICES_REPLACED,
		      "totp", "changed",
		      event == MFA_MAIL_ON ? "turned MFA on" : "replaced all devices by a new one");
	mfa_web_log(web,
		    event == MFA_MAIL_ON ? "turned MFA on" : "replaced all devices by a new one");
	mfa_mail_notice(web, event);
	mfa_web_redirect(web, "/codes");
}

static void finish_add(struct mfa_web *web)
{
	mfa_web_log(web, "added a device");
	mfa_web_event(web, MFA_EVENT_DEVICE_ADDED, "totp", "changed", "added a device");
	mfa_mail_notice(web, MFA_MAIL_ADDED);
	mfa_web_redirect_flash(web, "/", MFA_FLASH_DEVICE_ADDED);
}

static void finish(struct mfa_web *web, enum mfa_setup setup, char const *codes)
{
	web->session.may_add_until_s = 0;
	web->session_changed = true;
	switch (setup) {
	case MFA_SETUP_ON: finish_with_codes(web, codes, MFA_MAIL_ON); break;
	case MFA_SETUP_ADD: finish_add(web); break;
	case MFA_SETUP_REPLACE: finish_with_codes(web, codes, MFA_MAIL_REPLACED); break;
	}
}

static void activate(struct mfa_web *web, enum mfa_setup setup)
{
	char codes[MFA_CODES_TEXT_SIZE + 1] = "", name[MFA_TOTP_NAME_MAX + 1];
	struct mfa_pending pending;

	if (mfa_pending_open(&pending, web, mfa_form_get(&web->form, "pending"), setup) != MFA_OK) {
		web->answer.status = 409;
		web->session.flash = MFA_FLASH_START_AGAIN;
		web->session_changed = true;
		show_for(web, setup); /* another key, and what was typed */
		return;
	}
	if (setup != MFA_SETUP_ADD && mfa_recovery_generate_set(codes) != MFA_OK) {
		web->body.failed = true;
		goto out;
	}
	take_name(name, web);
	switch (mfa_activate(web, &pending, name, mfa_form_get(&web->form, "voucher"), codes)) {
	case MFA_ACTIVATION_DONE: finish(web, setup, codes); break;
	case MFA_ACTIVATION_WRONG: show_setup(web, &pending); break;
	case MFA_ACTIVATION_CHANGED: show_changed(web, setup); break;
	case MFA_ACTIVATION_FAILED: break;
	}
out:
	OPENSSL_cleanse(codes, sizeof(codes));
	OPENSSL_cleanse(&pending, sizeof(pending));
}

void mfa_page_on(struct mfa_web *web)
{
	if (can_turn_on(web)) activate(web, MFA_SETUP_ON);
}

void mfa_page_new(struct mfa_web *web)
{
	if (can_add(web)) activate(web, MFA_SETUP_ADD);
}

void mfa_page_replace_show(struct mfa_web *web)
{
	if (can_replace(web)) show_for(web, MFA_SETUP_REPLACE);
}

void mfa_page_replace(struct mfa_web *web)
{
	if (can_replace(web)) activate(web, MFA_SETUP_REPLACE);
}
