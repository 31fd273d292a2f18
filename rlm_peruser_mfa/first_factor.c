/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/first_factor.h"
#include "rlm_peruser_mfa/reply.h"
#include "rlm_peruser_mfa/user.h"

/*
 * The first factor by the module itself: it finds the user and reads the record in one search,
 * and binds as the user on a connection that is kept for that; meanwhile, where the user's DN
 * is known (user_dn).  rlm_ldap binds the user on the connection that it searches with, and
 * has to bind again as itself.
 */

int peruser_offer_bind(rlm_peruser_mfa_t *inst, REQUEST *request)
{
	if (!inst->bind_users || !peruser_password(request)) return 0;
	if (fr_pair_find_by_num(request->config, PW_AUTH_TYPE, 0, TAG_ANY) ||
	    fr_pair_find_by_num(request->config, PW_PROXY_TO_REALM, 0, TAG_ANY)) {
		return 0;
	}
	return peruser_set_auth_type(inst, request) < 0 ? -1 : 1;
}

rlm_rcode_t peruser_bind(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_notes *notes)
{
	VALUE_PAIR *vp = peruser_password(request);
	struct mfa_diag why = {.text = ""};
	enum mfa_rc rc;

	if (!vp) return RLM_MODULE_INVALID;
	if (!notes->record.login) notes->record.login = mfa_login_alloc();
	if (!notes->record.login) return RLM_MODULE_FAIL;
	rc = peruser_check_password(
		inst, request, &notes->record, &why,
		(struct mfa_bytes){(uint8_t const *)vp->vp_strvalue, vp->vp_length});
	if (rc == MFA_OK) return RLM_MODULE_OK;
	mfa_login_free(&notes->record.login);
	/* Whether there is such a user is for the log alone. */
	if (rc == MFA_ERR_NOT_FOUND || rc == MFA_ERR_DENIED) {
		module_failure_msg(request, "%s", why.text);
		return RLM_MODULE_REJECT;
	}
	peruser_report_fault(
		inst, request,
		rc == MFA_ERR_UNAVAILABLE ? MFA_RESULT_UNAVAILABLE : MFA_RESULT_REJECTED, why.text);
	return rc == MFA_ERR_UNAVAILABLE ? RLM_MODULE_FAIL : RLM_MODULE_REJECT;
}
