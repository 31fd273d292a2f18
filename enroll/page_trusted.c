/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/code.h"
#include "enroll/devices.h"
#include "enroll/layout.h"
#include "enroll/pages.h"

#include <mfa_html.h>

#include <string.h>

#define ALL "all" /* no token is so short */

static void list_devices(struct mfa_web *web)
{
	struct mfa_entry const *entry = &web->login->entry;
	size_t const count = mfa_entry_count(entry, MFA_ATTR_TRUSTED_DEVICE);

	for (size_t i = 0; i < count; i++) {
		struct mfa_bytes const value = mfa_entry_get(entry, MFA_ATTR_TRUSTED_DEVICE, i);
		struct mfa_device device = {0};
		char token[MFA_TOKEN_SIZE];

		if (mfa_device_token(token, web, value) != MFA_OK) web->body.failed = true;
		if (mfa_device_parse(&device, value) != MFA_OK) device.expires_s = 0;
		if (device.label.len == 0) device.label = mfa_bytes_of(_("Device without a name"));
		mfa_html_trusted_one(web, device.label, device.expires_s, token);
	}
}

static void show_content(struct mfa_web *web)
{
	char const *chosen = mfa_form_get(&web->form, "device");

	/* Asked for the password once more: one form for what was meant. */
	if (web->ask_password && chosen[0] != '\0') {
		mfa_html_trusted_confirm(web, chosen);
	} else if (mfa_entry_count(&web->login->entry, MFA_ATTR_TRUSTED_DEVICE) == 0) {
		mfa_html_trusted_none(web);
	} else {
		mfa_html_trusted_list(web, list_devices, ALL);
	}
}

void mfa_page_trusted_show(struct mfa_web *web)
{
	if (!mfa_page_blocked(web)) mfa_html_trusted(web, show_content);
}

/** Forget one device or all, as they were read; false when there is no such device */
static bool forget_chosen(struct mfa_web *web)
{
	char const *token = mfa_form_get(&web->form, "device");
	struct mfa_enrollment enrollment;
	struct mfa_bytes value = {0};
	size_t index = 0;

	mfa_change_init(&web->login->decision.change);
	mfa_web_enrollment(&enrollment, web);
	if (strcmp(token, ALL) != 0) {
		if (mfa_device_find(&index, web, MFA_ATTR_TRUSTED_DEVICE, token) != MFA_OK)
			return false;
		value = mfa_entry_get(enrollment.entry, MFA_ATTR_TRUSTED_DEVICE, index);
	}
	(void)mfa_enrollment_forget(&enrollment, value);
	return true;
}

static enum mfa_rc decide(struct mfa_update *update, struct mfa_diag *diag)
{
	struct mfa_web *web = update->uctx;
	enum mfa_rc const rc = mfa_web_take_record(web);

	if (rc != MFA_OK) {
		mfa_diag_say(diag, "another entry than the one that signed in");
		return rc;
	}
	/* Gone since it was shown: that is what was asked for. */
	return forget_chosen(web) || update->fresh ? MFA_OK : MFA_ERR_NOT_FOUND;
}

static enum mfa_rc forget(struct mfa_web *web, struct mfa_diag *diag)
{
	char filter[1024];
	struct mfa_where where;
	struct mfa_update update = {.conn = web->app->conn,
				    .where = &where,
				    .side = MFA_SIDE_WRITE,
				    .entry = &web->login->entry,
				    .change = &web->login->decision.change,
				    .decide = decide,
				    .uctx = web,
				    .have_entry = true};
	enum mfa_rc const rc = mfa_web_where(&where, filter, sizeof(filter), web);

	return rc == MFA_OK ? mfa_update_run(&update, diag) : rc;
}

/** The connection broke: show what the directory has now, if it answers */
static void show_unknown(struct mfa_web *web, struct mfa_diag const *diag)
{
	if (mfa_web_read_record(web) != MFA_OK) {
		mfa_web_unavailable(web, MFA_ERR_BROKEN, diag);
		return;
	}
	mfa_web_log(web, "directory: %s; not known whether devices were forgotten", diag->text);
	mfa_web_problem(web, 503, "%s",
			_("The connection to the directory broke: it is not known whether this "
			  "worked. Below is what the directory remembers now."));
	mfa_page_trusted_show(web);
}

void mfa_page_trusted(struct mfa_web *web)
{
	struct mfa_diag diag = {.text = ""};
	enum mfa_rc rc;

	if (mfa_page_blocked(web)) return;
	rc = forget(web, &diag);
	if (rc == MFA_OK) {
		mfa_web_log(web, "forgot trusted devices");
		mfa_web_event(web, MFA_EVENT_TRUSTED_FORGOTTEN, "password", "changed",
			      "forgot trusted devices");
		mfa_web_redirect_flash(web, "/trusted", MFA_FLASH_FORGOTTEN);
	} else if (rc == MFA_ERR_BROKEN) {
		show_unknown(web, &diag);
	} else if (rc == MFA_ERR_NOT_FOUND) {
		mfa_layout_message(web, 404, _("No such device"),
				   _("It may have been forgotten already."));
	} else {
		mfa_web_unavailable(web, rc, &diag);
	}
}
