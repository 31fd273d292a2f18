/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/code.h"
#include "enroll/devices.h"
#include "enroll/layout.h"
#include "enroll/mail.h"
#include "enroll/pages.h"
#include "enroll/required.h"

#include <mfa_html.h>

/** Whether MFA is on; otherwise the page says that it is not */
static bool is_on(struct mfa_web *web)
{
	if (mfa_page_blocked(web)) return false;
	if (web->login->record.state == MFA_STATE_ENROLLED) return true;
	mfa_layout_message(web, 409, _("MFA is not on"), _("Nothing was changed."));
	return false;
}

/** Whether MFA may be turned off; otherwise the page says why not */
static bool can_turn_off(struct mfa_web *web)
{
	char text[MFA_WHY_SIZE];

	if (!is_on(web)) return false;
	if (!mfa_required_now(web)) return true;
	mfa_required_why(text, web);
	mfa_layout_message(web, 403, _("MFA cannot be turned off"), text);
	return false;
}

void mfa_page_off_show(struct mfa_web *web)
{
	int64_t const from_s = web->login->record.required_from_s;

	if (can_turn_off(web)) mfa_html_off(web, from_s > web->now_s ? from_s : 0);
}

static enum mfa_outcome write_off(struct mfa_web *web, struct mfa_enrollment *enrollment,
				  void *uctx)
{
	(void)web;
	(void)uctx;
	/* Read again after a conflict: it may have become compulsory meanwhile. */
	return mfa_enrollment_turn_off(enrollment);
}

void mfa_page_off(struct mfa_web *web)
{
	if (!can_turn_off(web)) return;
	if (mfa_code_spend(web, true, write_off, NULL)) {
		mfa_web_log(web, "turned MFA off");
		mfa_web_event(web, MFA_EVENT_TURNED_OFF, "code", "changed", "turned MFA off");
		mfa_mail_notice(web, MFA_MAIL_OFF);
		mfa_web_redirect_flash(web, "/", MFA_FLASH_TURNED_OFF);
	} else if (!web->complete) {
		mfa_page_off_show(web);
	}
}

void mfa_page_add_show(struct mfa_web *web)
{
	if (!is_on(web)) return;
	if (mfa_entry_count(&web->login->entry, MFA_ATTR_SECRET) >= MFA_SECRETS_MAX) {
		mfa_layout_message(web, 409, _("No more devices can be added"),
				   _("Remove a device first."));
		return;
	}
	mfa_html_device_add(web);
}

/** The use of the code is all that is written */
static enum mfa_outcome write_nothing(struct mfa_web *web, struct mfa_enrollment *enrollment,
				      void *uctx)
{
	(void)web;
	(void)enrollment;
	(void)uctx;
	return MFA_OUTCOME_CHANGED;
}

void mfa_page_add(struct mfa_web *web)
{
	if (!is_on(web)) return;
	if (mfa_entry_count(&web->login->entry, MFA_ATTR_SECRET) < MFA_SECRETS_MAX &&
	    mfa_code_spend(web, false, write_nothing, NULL)) {
		mfa_code_remember(web, MFA_SETUP_ADD);
		mfa_web_redirect(web, "/device/new");
	} else if (!web->complete) {
		mfa_page_add_show(web);
	}
}

/** Find the device of the form, and whether it can be removed without the others being of no use */
static bool find_removable(size_t *index, struct mfa_web *web)
{
	struct mfa_record const *record = &web->login->record;

	return mfa_device_find(index, web, MFA_ATTR_SECRET, mfa_form_get(&web->form, "device")) ==
		       MFA_OK &&
	       (record->secret_count > 1 || !mfa_device_totp(web, *index));
}

/** Whether there is such a device; the last one is removed by turning MFA off */
static bool can_remove(size_t *index, struct mfa_web *web)
{
	if (!is_on(web)) return false;
	if (mfa_device_find(index, web, MFA_ATTR_SECRET, mfa_form_get(&web->form, "device")) !=
	    MFA_OK) {
		mfa_layout_message(web, 404, _("No such device"),
				   _("It may have been removed already."));
		return false;
	}
	if (find_removable(index, web)) return true;
	mfa_web_redirect(web, "/off");
	return false;
}

void mfa_page_remove_show(struct mfa_web *web)
{
	size_t index = 0;

	if (!can_remove(&index, web)) return;
	mfa_html_device_remove(web, mfa_device_name(mfa_device_totp(web, index)),
			       mfa_form_get(&web->form, "device"));
}

static enum mfa_outcome write_removal(struct mfa_web *web, struct mfa_enrollment *enrollment,
				      void *uctx)
{
	size_t index = 0;

	(void)uctx;
	if (mfa_device_find(&index, web, MFA_ATTR_SECRET, mfa_form_get(&web->form, "device")) !=
	    MFA_OK) {
		return MFA_OUTCOME_UNCHANGED;
	}
	return mfa_devices_remove(enrollment,
				  mfa_entry_get(enrollment->entry, MFA_ATTR_SECRET, index));
}

void mfa_page_remove(struct mfa_web *web)
{
	size_t index = 0;

	if (!can_remove(&index, web)) return;
	if (mfa_code_spend(web, false, write_removal, NULL)) {
		mfa_web_log(web, "removed a device");
		mfa_web_event(web, MFA_EVENT_DEVICE_REMOVED, "totp", "changed", "removed a device");
		mfa_mail_notice(web, MFA_MAIL_REMOVED);
		mfa_web_redirect_flash(web, "/", MFA_FLASH_DEVICE_REMOVED);
	} else if (!web->complete) {
		mfa_page_remove_show(web);
	}
}
