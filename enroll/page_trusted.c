/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/devices.h"
#include "enroll/layout.h"
#include "enroll/pages.h"

#include <string.h>

#define ALL "all" /* no token is so short */

static void show_one(struct mfa_web *web, struct mfa_bytes value)
{
	struct mfa_out *out = &web->body;
	char token[MFA_TOKEN_SIZE], date[MFA_DATE_SIZE] = "";
	struct mfa_bytes name = mfa_bytes_of(_("Device without a name"));
	struct mfa_device device;

	if (mfa_device_token(token, web, value) != MFA_OK) out->failed = true;
	if (mfa_device_parse(&device, value) == MFA_OK) mfa_layout_date(date, device.expires_s);
	if (device.label.len > 0) name = device.label;
	mfa_out_raw(out, "<li><div><strong>");
	mfa_out_bytes(out, name);
	mfa_out_raw(out, "</strong>");
	if (date[0] != '\0')
		mfa_out_html(out, "<br><small>% <time datetime=\"%\">%</time></small>",
			     _("Remembered until"), date, date);
	mfa_out_raw(out, "</div>");
	mfa_layout_form(web, "/trusted");
	mfa_layout_hidden(web, "device", token);
	mfa_out_html(out, "<button type=\"submit\" class=\"button plain\">%<span class=\"away\"> ",
		     _("Forget"));
	mfa_out_bytes(out, name);
	mfa_out_raw(out, "</span></button>\n</form></li>\n");
}

/** Asked for the password once more: one form for what was meant */
static void show_confirm(struct mfa_web *web)
{
	mfa_layout_form(web, "/trusted");
	mfa_layout_hidden(web, "device", mfa_form_get(&web->form, "device"));
	mfa_layout_password(web);
	mfa_layout_form_end(web, "primary", _("Forget"));
}

void mfa_page_trusted_show(struct mfa_web *web)
{
	struct mfa_entry const *entry = &web->login->entry;
	size_t const count = mfa_entry_count(entry, MFA_ATTR_TRUSTED_DEVICE);
	struct mfa_out *out = &web->body;

	if (mfa_page_blocked(web)) return;
	mfa_layout_begin(web, _("Trusted devices"));
	if (web->ask_password && mfa_form_get(&web->form, "device")[0] != '\0') {
		show_confirm(web);
	} else if (count == 0) {
		mfa_out_html(out, "<p>%</p>\n", _("No device is remembered."));
	} else {
		mfa_out_html(out, "<p>%</p>\n<ul class=\"list card\">\n",
			     _("A sign-in from these asks for no code until the date shown. Forget "
			       "those that "
			       "you do not know or do not use any more."));
		for (size_t i = 0; i < count; i++)
			show_one(web, mfa_entry_get(entry, MFA_ATTR_TRUSTED_DEVICE, i));
		mfa_out_raw(out, "</ul>\n");
		mfa_layout_form(web, "/trusted");
		mfa_layout_hidden(web, "device", ALL);
		mfa_layout_form_end(web, "danger", _("Forget all"));
	}
	mfa_layout_button(web, "plain", "/", _("Back to the overview"));
	mfa_layout_end(web);
}

/** What is to be deleted: one value or all, as they were read */
static bool build(struct mfa_change *change, struct mfa_web const *web)
{
	struct mfa_entry const *entry = &web->login->entry;
	char const *token = mfa_form_get(&web->form, "device");
	size_t index = 0;

	mfa_change_init(change);
	if (strcmp(token, ALL) == 0) {
		if (mfa_entry_count(entry, MFA_ATTR_TRUSTED_DEVICE) > 0)
			mfa_change_clear(change, MFA_ATTR_TRUSTED_DEVICE);
		return true;
	}
	if (mfa_device_find(&index, web, MFA_ATTR_TRUSTED_DEVICE, token) != MFA_OK) return false;
	mfa_change_delete(change, MFA_ATTR_TRUSTED_DEVICE,
			  mfa_entry_get(entry, MFA_ATTR_TRUSTED_DEVICE, index));
	return true;
}

void mfa_page_trusted(struct mfa_web *web)
{
	struct mfa_change *change = &web->login->decision.change;
	struct mfa_diag diag = {.text = ""};
	enum mfa_rc rc = MFA_OK;

	if (mfa_page_blocked(web)) return;
	if (!build(change, web)) {
		mfa_layout_message(web, 404, _("No such device"),
				   _("It may have been forgotten already."));
		return;
	}
	if (change->count > 0)
		rc = mfa_conn_modify(&diag, web->app->conn, web->login->entry.dn, change);
	/* Gone meanwhile: that is what was asked for. */
	if (rc != MFA_OK && rc != MFA_ERR_CONFLICT) {
		mfa_web_unavailable(web, rc, &diag);
		return;
	}
	mfa_web_log(web, "forgot trusted devices");
	mfa_web_redirect_flash(web, "/trusted", MFA_FLASH_FORGOTTEN);
}
