/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/layout.h"
#include "enroll/qr.h"

#include <mfa_html.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

static char const *flash_text(enum mfa_flash flash)
{
	switch (flash) {
	case MFA_FLASH_SIGNED_OUT: return _("You are signed out.");
	case MFA_FLASH_EXPIRED: return _("Your session has ended. Please sign in again.");
	case MFA_FLASH_TURNED_OFF: return _("MFA is off. Your password alone signs you in now.");
	case MFA_FLASH_DEVICE_ADDED: return _("The device was added.");
	case MFA_FLASH_DEVICE_REMOVED:
		return _("The device was removed. Delete it from its app too.");
	case MFA_FLASH_FORGOTTEN:
		return _("Forgotten. The next sign-in from there asks for a code.");
	case MFA_FLASH_CODES_GONE:
		return _("Recovery codes are shown only once. If you have not kept them, make new "
			 "ones.");
	case MFA_FLASH_START_AGAIN:
		return _("That took too long, or something has changed: this is a new key. Please "
			 "scan "
			 "it, and delete the entry from before.");
	case MFA_FLASH_STILL_HERE:
		return _("Your session had ended. What you typed is still here: type a code of now "
			 "and send it again.");
	case MFA_FLASH_SIGNED_OUT_EVERYWHERE: return _("You are signed out in all browsers.");
	case MFA_FLASH_NONE:
	case MFA_FLASH_COUNT: break;
	}
	return NULL;
}

static bool flash_is_good(enum mfa_flash flash)
{
	return flash != MFA_FLASH_EXPIRED && flash != MFA_FLASH_CODES_GONE &&
	       flash != MFA_FLASH_START_AGAIN && flash != MFA_FLASH_STILL_HERE;
}

/** Show once what the page before had to say */
static void show_flash(struct mfa_web *web)
{
	char const *text = flash_text(web->session.flash);

	if (!text) return;
	mfa_html_notice(web, flash_is_good(web->session.flash) ? "good" : "warn", text);
	web->session.flash = MFA_FLASH_NONE;
	web->session_changed = true;
}

void mfa_layout_begin(struct mfa_web *web, char const *title)
{
	struct mfa_page_config const *page = &web->app->settings.page;

	mfa_out_clear(&web->body);
	mfa_html_begin(web, web->lang, web->error[0] != '\0', title, page->site_name,
		       page->style_sheet);
	mfa_html_bar(web, page->logo, page->site_name,
		     web->session.signed_in ? web->session.user : "");
	show_flash(web);
	mfa_html_title(web, title);
	if (!web->problem_below) mfa_layout_problem(web);
}

void mfa_layout_problem(struct mfa_web *web)
{
	if (web->error[0] != '\0') mfa_html_problem(web, web->error);
}

void mfa_layout_end(struct mfa_web *web)
{
	mfa_html_end(web, web->app->settings.page.support);
	web->complete = true;
}

void mfa_layout_message(struct mfa_web *web, int status, char const *title, char const *text)
{
	web->answer.status = status;
	web->error[0] = '\0';
	/* With nothing wrong it is shown in place of the overview. */
	mfa_html_message(web, title, text, status != 200);
}

void mfa_layout_form(struct mfa_web *web, char const *path)
{
	char token[MFA_TOKEN_SIZE];

	if (mfa_token_make(token, &web->app->ring,
			   (struct mfa_bytes){web->session.id, sizeof(web->session.id)},
			   mfa_bytes_of(path)) != MFA_OK) {
		web->body.failed = true;
	}
	mfa_html_form(web, path, token);
}

void mfa_layout_form_end(struct mfa_web *web, char const *kind, char const *label)
{
	mfa_html_form_end(web, kind, label);
}

void mfa_layout_button(struct mfa_web *web, char const *kind, char const *path, char const *label)
{
	mfa_html_button(web, kind, path, label);
}

/** Whether what went wrong is about this field */
static bool is_wrong(struct mfa_web const *web, char const *name)
{
	return web->error[0] != '\0' && strcmp(web->wrong_field, name) == 0;
}

void mfa_layout_code(struct mfa_web *web, char const *hint, bool digits)
{
	mfa_html_code(web, hint, digits, is_wrong(web, "code"));
}

void mfa_layout_text(struct mfa_web *web, char const *name, char const *label, char const *hint,
		     char const *value)
{
	mfa_html_text(web, name, label, hint, value, is_wrong(web, name));
}

void mfa_layout_show_password(struct mfa_web *web)
{
	mfa_html_show_password(web);
}

void mfa_layout_password(struct mfa_web *web)
{
	if (web->ask_password) mfa_html_password(web, is_wrong(web, "password"));
}

void mfa_layout_hidden(struct mfa_web *web, char const *name, char const *value)
{
	mfa_html_hidden(web, name, value);
}

void mfa_layout_qr(struct mfa_web *web, char const *uri)
{
	if (mfa_qr_draw(&web->body, uri, _("QR code with your key")) != MFA_OK)
		web->body.failed = true;
}

void mfa_layout_date(struct mfa_web *web, int64_t time_s)
{
	char machine[MFA_DATE_SIZE] = "", people[MFA_DATE_SIZE];
	time_t const time = (time_t)time_s;
	struct tm tm;

	if (!gmtime_r(&time, &tm) || strftime(machine, sizeof(machine), "%Y-%m-%d", &tm) == 0)
		machine[0] = '\0';
	mfa_date_format(people, time_s);
	if (machine[0] != '\0') mfa_html_date(web, machine, people);
}

void mfa_date_format(char out[static MFA_DATE_SIZE], int64_t time_s)
{
	time_t const time = (time_t)time_s;
	struct tm tm;

	out[0] = '\0';
	if (!gmtime_r(&time, &tm)) return;
	/* TRANSLATORS: how a date is written, for strftime(3): %d day, %m month, %Y year. */
	if (strftime(out, MFA_DATE_SIZE, _("%Y-%m-%d"), &tm) == 0) out[0] = '\0';
}

void mfa_date_format_time(char out[static MFA_DATE_SIZE], int64_t time_s)
{
	time_t const time = (time_t)time_s;
	struct tm tm;

	out[0] = '\0';
	if (!gmtime_r(&time, &tm)) return;
	/* TRANSLATORS: how a date and a time are written, for strftime(3). */
	if (strftime(out, MFA_DATE_SIZE, _("%Y-%m-%d %H:%M UTC"), &tm) == 0) out[0] = '\0';
}
