/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/devices.h"
#include "enroll/layout.h"
#include "enroll/pages.h"

#include <stdio.h>

#define FEW_CODES 3u /* from here on the page warns */

bool mfa_page_blocked(struct mfa_web *web)
{
	enum mfa_state const state = web->login->record.state;
	int const status = web->route && web->route->change ? 409 : 200;

	if (state == MFA_STATE_SUSPENDED) {
		mfa_layout_message(web, status, _("MFA is suspended"),
				   _("An administrator has suspended your MFA. Your devices are "
				     "kept, and no code "
				     "is asked for. Only an administrator can end this."));
		return true;
	}
	if (state != MFA_STATE_BROKEN && state != MFA_STATE_COUNT) return false;
	mfa_web_log(web, "broken record: %s", web->login->record_diag.text);
	mfa_layout_message(
		web, status, _("Your MFA needs an administrator"),
		_("What the directory has stored about your MFA cannot be read. You cannot sign in "
		  "with a code until an administrator has reset it."));
	return true;
}

/** A date from which on MFA is not optional */
static void show_required(struct mfa_web *web)
{
	struct mfa_record const *record = &web->login->record;
	char date[MFA_DATE_SIZE];

	if (record->required_from_s <= web->now_s) return;
	mfa_layout_date(date, record->required_from_s);
	mfa_out_html(&web->body, "<p class=\"notice warn\">% <time datetime=\"%\">%</time></p>\n",
		     _("MFA becomes compulsory for you on:"), date, date);
}

/** End all sessions: for somebody who signed in on a computer of others */
static void show_sessions(struct mfa_web *web)
{
	struct mfa_out *out = &web->body;

	mfa_out_html(out, "<section class=\"card\"><h2>%</h2>\n<p>%</p>\n", _("Your sessions"),
		     _("You are signed in on this page for at most 30 minutes after you gave your "
		       "password. Signed in somewhere else as well? End it there too."));
	mfa_layout_form(web, "/sign-out");
	mfa_layout_hidden(web, "everywhere", "1");
	mfa_layout_form_end(web, "plain", _("Sign out in all browsers"));
	mfa_out_raw(out, "</section>\n");
}

static void show_off(struct mfa_web *web)
{
	struct mfa_out *out = &web->body;

	mfa_layout_begin(web, _("Your MFA"));
	mfa_out_html(out, "<p class=\"state off\"><strong>%</strong> %</p>\n", _("MFA is off."),
		     _("Your password alone signs you in."));
	show_required(web);
	mfa_out_html(out, "<p>%</p>\n",
		     _("With MFA a code from your phone is asked for as well. Whoever learns your "
		       "password cannot sign in without your phone. It takes about two minutes."));
	mfa_layout_button(web, "primary", "/on", _("Turn on MFA"));
	show_sessions(web);
	mfa_layout_end(web);
}

static void show_device(struct mfa_web *web, size_t index, bool can_remove)
{
	struct mfa_totp const *totp = mfa_device_totp(web, index);
	struct mfa_out *out = &web->body;
	char token[MFA_TOKEN_SIZE], date[MFA_DATE_SIZE] = "";

	if (mfa_device_token(token, web,
			     mfa_entry_get(&web->login->entry, MFA_ATTR_SECRET, index)) != MFA_OK) {
		out->failed = true;
	}
	mfa_out_html(out, "<li><div><strong>%</strong>", mfa_device_name(totp));
	if (totp && totp->added_s > 0) mfa_layout_date(date, totp->added_s);
	if (date[0] != '\0')
		mfa_out_html(out, "<br><small>% <time datetime=\"%\">%</time></small>",
			     _("Added on"), date, date);
	mfa_out_raw(out, "</div>");
	if (can_remove) {
		mfa_out_html(out,
			     "<a class=\"button plain\" href=\"%/device/remove?device=%\">%"
			     "<span class=\"away\"> %</span></a>",
			     web->http.base, token, _("Remove"), mfa_device_name(totp));
	}
	mfa_out_raw(out, "</li>\n");
}

static void show_devices(struct mfa_web *web)
{
	size_t const count = mfa_entry_count(&web->login->entry, MFA_ATTR_SECRET);
	struct mfa_out *out = &web->body;

	mfa_out_html(out, "<section class=\"card\"><h2>%</h2>\n<ul class=\"list\">\n",
		     _("Your devices"));
	for (size_t i = 0; i < count; i++) show_device(web, i, count > 1);
	mfa_out_raw(out, "</ul>\n");
	mfa_out_html(out, "<p><a href=\"%/lost\">%</a></p>\n", web->http.base,
		     _("Lost your phone?"));
	if (count < MFA_SECRETS_MAX) {
		mfa_layout_button(web, "plain", "/device/add", _("Add a device"));
	} else {
		mfa_out_html(out, "<p class=\"hint\">%</p>\n", _("No more devices can be added."));
	}
	mfa_out_raw(out, "</section>\n");
}

static void show_recovery(struct mfa_web *web)
{
	size_t const left = mfa_entry_count(&web->login->entry, MFA_ATTR_RECOVERY_CODE);
	struct mfa_out *out = &web->body;
	char text[200];

	(void)snprintf(text, sizeof(text),
		       ngettext("%zu recovery code is left.", "%zu recovery codes are left.", left),
		       left);
	mfa_out_html(out, "<section class=\"card\"><h2>%</h2>\n", _("Recovery codes"));
	mfa_out_html(out, "<p class=\"%\">% %</p>\n", left <= FEW_CODES ? "notice warn" : "", text,
		     left <= FEW_CODES
			     ? _("Make new ones before you need them.")
			     : _("Each one signs you in once, when your phone is not at hand."));
	mfa_layout_button(web, "plain", "/recovery", _("Make new recovery codes"));
	mfa_out_raw(out, "</section>\n");
}

static void show_trusted(struct mfa_web *web)
{
	size_t const count = mfa_entry_count(&web->login->entry, MFA_ATTR_TRUSTED_DEVICE);
	struct mfa_out *out = &web->body;
	char text[200];

	if (count == 0) return;
	(void)snprintf(text, sizeof(text),
		       ngettext("%zu place is remembered and asks for no code.",
				"%zu places are remembered and ask for no code.", count),
		       count);
	mfa_out_html(out, "<section class=\"card\"><h2>%</h2>\n<p>%</p>\n", _("Trusted devices"),
		     text);
	mfa_layout_button(web, "plain", "/trusted", _("Look at them"));
	mfa_out_raw(out, "</section>\n");
}

static void show_enrolled(struct mfa_web *web)
{
	struct mfa_out *out = &web->body;
	struct mfa_record const *record = &web->login->record;
	bool const required =
		web->app->settings.page.required ||
		(record->required_from_s >= 0 && record->required_from_s <= web->now_s);

	mfa_layout_begin(web, _("Your MFA"));
	mfa_out_html(out, "<p class=\"state on\"><strong>%</strong> %</p>\n", _("MFA is on."),
		     _("Signing in asks for a code from one of your devices."));
	show_required(web);
	show_devices(web);
	show_recovery(web);
	show_trusted(web);
	mfa_out_html(out, "<section class=\"card\"><h2>%</h2>\n", _("Turn off MFA"));
	if (required) {
		mfa_out_html(out, "<p>%</p>\n",
			     _("Your administrator requires MFA: it cannot be turned off here."));
	} else {
		mfa_out_html(out, "<p>%</p>\n",
			     _("All devices and recovery codes are deleted, and your password "
			       "alone signs you in."));
		mfa_layout_button(web, "danger", "/off", _("Turn off MFA"));
	}
	mfa_out_raw(out, "</section>\n");
	show_sessions(web);
	mfa_layout_end(web);
}

void mfa_page_home_show(struct mfa_web *web)
{
	if (mfa_page_blocked(web)) return;
	switch (web->login->record.state) {
	case MFA_STATE_INVITED:
	case MFA_STATE_OVERDUE: mfa_web_redirect(web, "/on"); break;
	case MFA_STATE_ENROLLED: show_enrolled(web); break;
	case MFA_STATE_OFF:
	case MFA_STATE_SUSPENDED:
	case MFA_STATE_BROKEN:
	case MFA_STATE_COUNT: show_off(web); break;
	}
}
