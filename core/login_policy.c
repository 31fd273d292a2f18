/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/login.h"
#include "core/member.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

bool mfa_login_is_judged(struct mfa_login const *login)
{
	uint8_t hash[MFA_MAC_SIZE];

	return login->policy.decided && mfa_digest(hash, login->entry.dn) == MFA_OK &&
	       CRYPTO_memcmp(hash, login->judged_for, sizeof(hash)) == 0;
}

enum mfa_rc mfa_login_judge(struct mfa_login *login, struct mfa_diag *diag,
			    struct mfa_login_context const *ctx, enum mfa_side side, int64_t now_s)
{
	struct mfa_member const member = {
		.conn = ctx->conn, .side = side, .dn = (char const *)login->entry.dn.data};
	struct mfa_policy_facts facts;
	enum mfa_rc rc;

	if (!ctx->rules || ctx->rules->count == 0 || mfa_login_is_judged(login)) return MFA_OK;
	facts = *ctx->facts;
	rc = mfa_member_decide(&login->policy, diag, &member, ctx->rules, &facts, now_s);
	if (rc == MFA_OK) rc = mfa_digest(login->judged_for, login->entry.dn);
	if (rc != MFA_OK) login->policy = (struct mfa_policy_verdict){.from_s = -1};
	return rc;
}

void mfa_login_parse(struct mfa_login *login, struct mfa_login_context const *ctx, int64_t now_s)
{
	struct mfa_policy_verdict const *verdict = &login->policy;
	struct mfa_record *record = &login->record;

	mfa_record_parse(record, &login->record_diag, &login->entry, ctx->ring,
			 ctx->required || verdict->required, now_s);
	if (verdict->skip) record->state = MFA_STATE_OFF;
	if (verdict->from_s < 0) return;
	if (record->required_from_s < 0 || verdict->from_s < record->required_from_s)
		record->required_from_s = verdict->from_s;
}

void mfa_login_apply(struct mfa_policy *policy, struct mfa_login const *login)
{
	struct mfa_rule const *rule = login->policy.rule;

	if (!rule) return;
	if (rule->remember_s != MFA_REMEMBER_UNSET) policy->remember_s = rule->remember_s;
	if (rule->unenrolled == MFA_RULE_REJECT) policy->unenrolled = MFA_UNENROLLED_REJECT;
	if (rule->unenrolled == MFA_RULE_ACCEPT) policy->unenrolled = MFA_UNENROLLED_ACCEPT;
	if (rule->unenrolled == MFA_RULE_ENROLL) policy->unenrolled = MFA_UNENROLLED_ENROLL;
}

/** Add to a reason which rule counted */
static void name_rule(struct mfa_diag *diag, struct mfa_rule const *rule)
{
	size_t const len = strlen(diag->text);

	if (!rule) return;
	(void)snprintf(diag->text + len, sizeof(diag->text) - len, " (policy '%s': %s)", rule->name,
		       mfa_demand_name((enum mfa_demand)rule->mfa));
}

void mfa_login_tell_policy(struct mfa_login *login)
{
	struct mfa_policy_verdict const *verdict = &login->policy;
	struct mfa_decision *decision = &login->decision;

	if (verdict->skip && decision->result == MFA_RESULT_OFF) {
		decision->result = MFA_RESULT_SKIPPED;
		mfa_diag_say(&decision->reason, "no code is asked for");
	}
	name_rule(&decision->reason, verdict->rule);
}
