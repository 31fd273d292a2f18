/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/required.h"
#include "enroll/layout.h"

#include <stdio.h>

bool mfa_required_now(struct mfa_web const *web)
{
	int64_t const from_s = web->login->record.required_from_s;

	return mfa_web_requires(web) || (from_s >= 0 && from_s <= web->now_s);
}

void mfa_required_why(char out[static MFA_WHY_SIZE], struct mfa_web const *web)
{
	int64_t const from_s = web->login->record.required_from_s;
	char date[MFA_DATE_SIZE];

	if (web->app->settings.page.required) {
		(void)snprintf(out, MFA_WHY_SIZE, "%s",
			       _("Your organisation requires MFA for everybody."));
	} else if (from_s > 0) {
		mfa_date_format(date, from_s);
		(void)snprintf(out, MFA_WHY_SIZE,
			       _("Your administrator requires MFA for you since %s."), date);
	} else {
		(void)snprintf(out, MFA_WHY_SIZE, "%s",
			       _("Your administrator requires MFA: it cannot be turned off here."));
	}
}

char const *mfa_required_reason(struct mfa_web const *web)
{
	struct mfa_policy_verdict const *verdict = &web->login->policy;

	return verdict->from_s >= 0 && verdict->rule ? verdict->rule->reason : "";
}
