/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/devices.h"
#include "enroll/layout.h"
#include "enroll/pages.h"
#include "enroll/required.h"

#include <mfa_html.h>

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
	int64_t const from_s = web->login->record.required_from_s;

	char const *reason = mfa_required_reason(web);

	if (from_s > web->now_s) mfa_html_home_required(web, from_s);
	if (reason[0] != '\0') mfa_html_home_reason(web, reason);
}

static void list_devices(struct mfa_web *web)
{
	size_t const count = mfa_entry_count(&web->login->entry, MFA_ATTR_SECRET);

	for (size_t i = 0; i < count; i++) {
		struct mfa_totp const *totp = mfa_device_totp(web, i);
		char token[MFA_TOKEN_SIZE];

		if (mfa_device_token(token, web,
				     mfa_entry_get(&web->login->entry, MFA_ATTR_SECRET, i)) !=
		    MFA_OK) {
			web->body.failed = true;
		}
		mfa_html_home_device(web, mfa_device_name(totp), totp ? totp->added_s : 0,
				     count > 1, token);
	}
}

static void show_devices(struct mfa_web *web)
{
	mfa_html_home_devices(web, list_devices,
			      mfa_entry_count(&web->login->entry, MFA_ATTR_SECRET) >=
				      MFA_SECRETS_MAX);
}

static void show_recovery(struct mfa_web *web)
{
	size_t const left = mfa_entry_count(&web->login->entry, MFA_ATTR_RECOVERY_CODE);
	char text[200];

	(void)snprintf(text, sizeof(text),
		       ngettext("%zu recovery code is left.", "%zu recovery codes are left.", left),
		       left);
	mfa_html_home_recovery(web, left <= FEW_CODES, text);
}

static void show_trusted(struct mfa_web *web)
{
	size_t const count = mfa_entry_count(&web->login->entry, MFA_ATTR_TRUSTED_DEVICE);
	char text[200];

	if (count == 0) return;
	(void)snprintf(text, sizeof(text),
		       ngettext("%zu place is remembered and asks for no code.",
				"%zu places are remembered and ask for no code.", count),
		       count);
	mfa_html_home_trusted(web, text);
}

static void show_enrolled(struct mfa_web *web)
{
	mfa_html_home_on(web, show_required, show_devices, show_recovery, show_trusted,
			 mfa_required_now(web), mfa_html_home_sessions);
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
	case MFA_STATE_COUNT: mfa_html_home_off(web, show_required, mfa_html_home_sessions); break;
	}
}
