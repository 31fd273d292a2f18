/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/policy.h"

#include <string.h>

/** Whether a word is this NAS: its name, its address, or a network that it is in */
static bool is_nas(struct mfa_bytes word, struct mfa_policy_facts const *facts)
{
	struct mfa_prefixes prefixes;
	char text[MFA_ADDRESS_TEXT_SIZE];

	if (facts->nas.len > 0 && mfa_bytes_equal(word, facts->nas)) return true;
	if (word.len >= sizeof(text)) return false;
	memcpy(text, word.data, word.len);
	text[word.len] = '\0';
	if (mfa_prefixes_parse(&prefixes, text) != MFA_OK) return false;
	return mfa_prefixes_hold(&prefixes, &facts->nas_address[0]) ||
	       mfa_prefixes_hold(&prefixes, &facts->nas_address[1]);
}

static bool matches_nas(char const *list, struct mfa_policy_facts const *facts)
{
	struct mfa_bytes rest = mfa_bytes_of(list), word;

	while (rest.len > 0) {
		if (mfa_text_word(&word, &rest) && is_nas(word, facts)) return true;
	}
	return false;
}

bool mfa_rule_asks(struct mfa_rule const *rule)
{
	return rule->group[0] != '\0' || rule->filter[0] != '\0';
}

enum mfa_rule_match mfa_rule_match(struct mfa_rules const *rules, size_t i,
				   struct mfa_policy_facts const *facts)
{
	struct mfa_rule const *rule = &rules->list[i];
	bool const of_login = rule->nas[0] != '\0' || rule->network[0] != '\0';

	if (of_login && !facts->is_login) return MFA_RULE_NO_LOGIN;
	if (rule->nas[0] != '\0' && !matches_nas(rule->nas, facts)) return MFA_RULE_NOT_NAS;
	if (rule->network[0] != '\0' && !mfa_prefixes_hold(&rule->networks, &facts->address))
		return MFA_RULE_NOT_NETWORK;
	if (!mfa_rule_asks(rule)) return MFA_RULE_MATCHES;
	switch (facts->directory[i]) {
	case MFA_ANSWER_YES: return MFA_RULE_MATCHES;
	case MFA_ANSWER_NO: return MFA_RULE_NOT_USER;
	case MFA_ANSWER_UNKNOWN: break;
	}
	return MFA_RULE_ASK;
}

/** What the rule that matched says */
static void take_rule(struct mfa_policy_verdict *verdict, struct mfa_rule const *rule,
		      bool is_login, int64_t now_s)
{
	verdict->rule = rule;
	verdict->skip = rule->mfa == MFA_DEMAND_SKIP && is_login;
	if (rule->mfa != MFA_DEMAND_REQUIRED) return;
	verdict->from_s = rule->from_s;
	verdict->required = rule->from_s <= now_s;
}

bool mfa_policy_decide(struct mfa_policy_verdict *verdict, size_t *ask,
		       struct mfa_rules const *rules, struct mfa_policy_facts const *facts,
		       int64_t now_s)
{
	*verdict = (struct mfa_policy_verdict){.from_s = -1};
	*ask = 0;
	for (size_t i = 0; i < rules->count; i++) {
		struct mfa_rule const *rule = &rules->list[i];
		enum mfa_rule_match const match = mfa_rule_match(rules, i, facts);

		if (match == MFA_RULE_ASK) {
			*ask = i;
			return false;
		}
		if (match != MFA_RULE_MATCHES) continue;
		if (!rule->report_only) {
			take_rule(verdict, rule, facts->is_login, now_s);
			break;
		}
		if (!verdict->report) verdict->report = rule;
	}
	verdict->decided = true;
	return true;
}

char const *mfa_demand_name(enum mfa_demand demand)
{
	switch (demand) {
	case MFA_DEMAND_REQUIRED: break;
	case MFA_DEMAND_OPTIONAL: return "optional";
	case MFA_DEMAND_SKIP: return "skip";
	}
	return "required";
}
