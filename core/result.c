/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/result.h"

char const *mfa_result_name(enum mfa_result result)
{
	static char const *const name[MFA_RESULT_COUNT] = {
		[MFA_RESULT_REJECTED] = "rejected",	  [MFA_RESULT_OFF] = "off",
		[MFA_RESULT_ACCEPTED] = "accepted",	  [MFA_RESULT_RECOVERY] = "recovery",
		[MFA_RESULT_TRUSTED] = "trusted",	  [MFA_RESULT_CHALLENGED] = "challenged",
		[MFA_RESULT_REPLAYED] = "replayed",	  [MFA_RESULT_LOCKED] = "locked",
		[MFA_RESULT_UNENROLLED] = "unenrolled",	  [MFA_RESULT_BROKEN] = "broken",
		[MFA_RESULT_UNAVAILABLE] = "unavailable", [MFA_RESULT_EXPIRED] = "expired",
		[MFA_RESULT_SKIPPED] = "skipped",
	};

	return (unsigned)result < MFA_RESULT_COUNT ? name[result] : name[MFA_RESULT_REJECTED];
}
