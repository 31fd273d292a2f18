/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/code.h"
#include "enroll/layout.h"
#include "enroll/pages.h"

#include <mfa_html.h>

/** Whether there is something to replace, and something to prove oneself by; otherwise the page says what to do */
static bool can_recover(struct mfa_web *web)
{
	struct mfa_entry const *entry = &web->login->entry;

	if (mfa_page_blocked(web)) return false;
	if (web->login->record.state != MFA_STATE_ENROLLED) {
		mfa_layout_message(web, 409, _("MFA is not on"), _("Turn on MFA first."));
		return false;
	}
	if (mfa_entry_count(entry, MFA_ATTR_RECOVERY_CODE) > 0) return true;
	mfa_layout_message(web, 409, _("You have no recovery codes"),
			   _("Ask your administrator for help. If you still have another device, "
			     "use its code to remove the lost one."));
	return false;
}

void mfa_page_lost_show(struct mfa_web *web)
{
	if (can_recover(web)) mfa_html_lost(web);
}

/** The use of the recovery code is all that is written; the device follows when its first code is right */
static enum mfa_outcome write_nothing(struct mfa_web *web, struct mfa_enrollment *enrollment,
				      void *uctx)
{
	(void)web;
	(void)enrollment;
	(void)uctx;
	return MFA_OUTCOME_CHANGED;
}

void mfa_page_lost(struct mfa_web *web)
{
	if (!can_recover(web)) return;
	if (mfa_code_spend(web, true, write_nothing, NULL)) {
		mfa_web_log(web, "gave a recovery code to replace all devices");
		mfa_code_remember(web, MFA_SETUP_REPLACE);
		mfa_web_redirect(web, "/device/replace");
	} else if (!web->complete) {
		mfa_page_lost_show(web);
	}
}
