/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/layout.h"

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
	mfa_out_html(&web->body, "<p class=\"notice %\" role=\"status\">%</p>\n",
		     flash_is_good(web->session.flash) ? "good" : "warn", text);
	web->session.flash = MFA_FLASH_NONE;
	web->session_changed = true;
}

static void write_head(struct mfa_web *web, char const *title)
{
	struct mfa_page_config const *page = &web->app->settings.page;
	struct mfa_out *out = &web->body;

	mfa_out_html(out,
		     "<!doctype html>\n<html lang=\"%\">\n<head>\n<meta charset=\"utf-8\">\n"
		     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		     "<meta name=\"color-scheme\" content=\"light dark\">\n"
		     "<meta name=\"robots\" content=\"noindex\">\n"
		     "<title>%% – %</title>\n"
		     "<link rel=\"icon\" type=\"image/svg+xml\" href=\"%/icon.svg\">\n"
		     "<link rel=\"stylesheet\" href=\"%/style.css\">\n",
		     web->lang, web->error[0] != '\0' ? _("Problem: ") : "", title, page->site_name,
		     web->http.base, web->http.base);
	if (page->style_sheet[0] != '\0')
		mfa_out_html(out, "<link rel=\"stylesheet\" href=\"%\">\n", page->style_sheet);
	mfa_out_html(out, "<script src=\"%/page.js\" defer></script>\n</head>\n", web->http.base);
}

static void write_bar(struct mfa_web *web)
{
	struct mfa_page_config const *page = &web->app->settings.page;
	struct mfa_out *out = &web->body;

	mfa_out_html(out,
		     "<body>\n<a class=\"skip\" href=\"#main\">%</a>\n<header class=\"bar\">\n",
		     _("Skip to content"));
	mfa_out_html(out, "<a class=\"site\" href=\"%/\">", web->http.base);
	if (page->logo[0] != '\0')
		mfa_out_html(out, "<img src=\"%\" alt=\"\" height=\"32\">", page->logo);
	mfa_out_html(out, "<span>%</span></a>\n", page->site_name);
	if (web->session.signed_in) {
		mfa_out_html(out, "<div class=\"who\"><span class=\"user\">%</span>",
			     web->session.user);
		mfa_layout_form(web, "/sign-out");
		mfa_layout_form_end(web, "small", _("Sign out"));
		mfa_out_raw(out, "</div>\n");
	}
	mfa_out_raw(out, "</header>\n<main id=\"main\" tabindex=\"-1\">\n");
}

void mfa_layout_begin(struct mfa_web *web, char const *title)
{
	mfa_out_clear(&web->body);
	write_head(web, title);
	write_bar(web);
	show_flash(web);
	mfa_out_html(&web->body, "<h1>%</h1>\n", title);
	if (web->error[0] != '\0' && !web->problem_below) mfa_layout_problem(web);
}

void mfa_layout_problem(struct mfa_web *web)
{
	mfa_out_html(&web->body, "<p class=\"notice bad\" role=\"alert\" id=\"problem\">%</p>\n",
		     web->error);
}

void mfa_layout_end(struct mfa_web *web)
{
	char const *support = web->app->settings.page.support;

	mfa_out_html(&web->body,
		     "</main>\n<footer><p><strong>%</strong> %</p></footer>\n</body>\n</html>\n",
		     _("Need help?"), support[0] != '\0' ? support : _("Ask your administrator."));
}

void mfa_layout_message(struct mfa_web *web, int status, char const *title, char const *text)
{
	web->answer.status = status;
	web->error[0] = '\0';
	mfa_layout_begin(web, title);
	mfa_out_html(&web->body, "<p>%</p>\n", text);
	/* With nothing wrong it stands in place of the overview. */
	if (status != 200) mfa_layout_button(web, "primary", "/", _("Back to the overview"));
	mfa_layout_end(web);
}

void mfa_layout_form(struct mfa_web *web, char const *path)
{
	char token[MFA_TOKEN_SIZE];

	if (mfa_token_make(token, &web->app->ring,
			   (struct mfa_bytes){web->session.id, sizeof(web->session.id)},
			   mfa_bytes_of(path)) != MFA_OK) {
		web->body.failed = true;
	}
	mfa_out_html(&web->body, "<form method=\"post\" action=\"%%\">\n", web->http.base, path);
	mfa_layout_hidden(web, "csrf", token);
}

void mfa_layout_form_end(struct mfa_web *web, char const *kind, char const *label)
{
	mfa_out_html(&web->body, "<button type=\"submit\" class=\"button %\">%</button>\n</form>\n",
		     kind, label);
}

void mfa_layout_button(struct mfa_web *web, char const *kind, char const *path, char const *label)
{
	mfa_out_html(&web->body, "<p><a class=\"button %\" href=\"%%\">%</a></p>\n", kind,
		     web->http.base, path, label);
}

/** End a field's tag: what ties it to its hint, and to what was wrong */
static void describe(struct mfa_web *web, char const *name)
{
	bool const wrong = web->error[0] != '\0' && strcmp(web->wrong_field, name) == 0;

	mfa_out_raw(&web->body, wrong ? " aria-invalid=\"true\"" : "");
	mfa_out_html(&web->body, " aria-describedby=\"%%-hint\"", wrong ? "problem " : "", name);
	mfa_out_raw(&web->body, wrong ? " autofocus></div>\n" : "></div>\n");
}

void mfa_layout_code(struct mfa_web *web, char const *hint, bool digits)
{
	mfa_out_html(&web->body,
		     "<div class=\"field\"><label for=\"code\">%</label>\n"
		     "<p class=\"hint\" id=\"code-hint\">%</p>\n"
		     "<input id=\"code\" name=\"code\" class=\"code\" type=\"text\" "
		     "inputmode=\"%\" autocomplete=\"one-time-code\" autocapitalize=\"characters\" "
		     "spellcheck=\"false\" maxlength=\"40\" required",
		     _("Code"), hint, digits ? "numeric" : "text");
	describe(web, "code");
}

void mfa_layout_text(struct mfa_web *web, char const *name, char const *label, char const *hint,
		     char const *value)
{
	mfa_out_html(&web->body,
		     "<div class=\"field\"><label for=\"%\">%</label>\n"
		     "<p class=\"hint\" id=\"%-hint\">%</p>\n"
		     "<input id=\"%\" name=\"%\" type=\"text\" autocomplete=\"off\" "
		     "spellcheck=\"false\" maxlength=\"40\" value=\"%\" required",
		     name, label, name, hint, name, name, value);
	describe(web, name);
}

void mfa_layout_show_password(struct mfa_web *web)
{
	/* Of use with scripts only, which let it appear. */
	mfa_out_html(&web->body,
		     "<p><button type=\"button\" class=\"button small\" data-show=\"password\" "
		     "aria-pressed=\"false\" hidden>%</button></p>\n",
		     _("Show the password"));
}

void mfa_layout_password(struct mfa_web *web)
{
	if (!web->ask_password) return;
	mfa_out_html(&web->body,
		     "<div class=\"field\"><label for=\"password\">%</label>\n"
		     "<p class=\"hint\" id=\"password-hint\">%</p>\n"
		     "<input id=\"password\" name=\"password\" type=\"password\" "
		     "autocomplete=\"current-password\" maxlength=\"256\" required",
		     _("Password"), _("You signed in a while ago: please give it once more."));
	describe(web, "password");
	mfa_layout_show_password(web);
}

void mfa_layout_hidden(struct mfa_web *web, char const *name, char const *value)
{
	mfa_out_html(&web->body, "<input type=\"hidden\" name=\"%\" value=\"%\">\n", name, value);
}

void mfa_layout_time(char out[static MFA_DATE_SIZE], int64_t time_s)
{
	time_t const time = (time_t)time_s;
	struct tm tm;

	out[0] = '\0';
	if (!gmtime_r(&time, &tm)) return;
	if (strftime(out, MFA_DATE_SIZE, "%Y-%m-%d %H:%M UTC", &tm) == 0) out[0] = '\0';
}

void mfa_layout_date(char out[static MFA_DATE_SIZE], int64_t time_s)
{
	time_t const time = (time_t)time_s;
	struct tm tm;

	out[0] = '\0';
	if (!gmtime_r(&time, &tm)) return;
	if (strftime(out, MFA_DATE_SIZE, "%Y-%m-%d", &tm) == 0) out[0] = '\0';
}
