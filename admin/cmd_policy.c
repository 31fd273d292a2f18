/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/options.h"
#include "admin/output.h"
#include "admin/walk.h"

#include "core/member.h"

#include <stdio.h>
#include <string.h>

/** What is known of the login that is asked about */
static bool make_facts(struct mfa_policy_facts *facts, struct mfa_cli_args const *args)
{
	*facts = (struct mfa_policy_facts){.is_login = args->nas || args->address};
	if (args->nas) {
		facts->nas = mfa_bytes_of(args->nas);
		mfa_address_parse(&facts->nas_address[0], facts->nas);
	}
	if (!args->address) return true;
	mfa_address_parse(&facts->address, mfa_bytes_of(args->address));
	if (!facts->address.known) mfa_cli_warn("'%s' is not an address", args->address);
	return facts->address.known;
}

/** One rule in words */
static char const *words_of(enum mfa_rule_match match, struct mfa_rule const *rule)
{
	switch (match) {
	case MFA_RULE_NO_LOGIN:
		return "is about logins: give --nas or --address to see whether it matches";
	case MFA_RULE_NOT_NAS: return "does not match: another NAS";
	case MFA_RULE_NOT_NETWORK: return "does not match: another network";
	case MFA_RULE_NOT_USER:
		return rule->filter[0] == '\0' ? "does not match: not in the group"
		       : rule->group[0] == '\0'
			       ? "does not match: the filter does not match"
			       : "does not match: not in the group, or the filter does not match";
	case MFA_RULE_MATCHES:
		return rule->report_only ? "matches, and is only reported" : "matches, and decides";
	case MFA_RULE_ASK: break;
	}
	return "could not be asked";
}

static char const *match_name(enum mfa_rule_match match)
{
	switch (match) {
	case MFA_RULE_NO_LOGIN: return "needs a login";
	case MFA_RULE_NOT_NAS: return "other NAS";
	case MFA_RULE_NOT_NETWORK: return "other network";
	case MFA_RULE_NOT_USER: return "other user";
	case MFA_RULE_MATCHES: return "matches";
	case MFA_RULE_ASK: break;
	}
	return "unknown";
}

static void say_date(struct mfa_cli const *cli, struct mfa_rule const *rule)
{
	char time[MFA_CLI_TIME_SIZE];

	if (rule->mfa == MFA_DEMAND_REQUIRED && rule->from_s > 0)
		mfa_cli_say(cli, " from %s", mfa_cli_time_format(time, rule->from_s));
}

/** Every rule up to the one that decides */
static void say_rules(struct mfa_cli const *cli, struct mfa_policy_facts const *facts,
		      struct mfa_policy_verdict const *verdict)
{
	struct mfa_rules const *rules = &cli->config.rules;

	for (size_t i = 0; i < rules->count; i++) {
		struct mfa_rule const *rule = &rules->list[i];
		enum mfa_rule_match const match = mfa_rule_match(rules, i, facts);

		mfa_cli_say(cli, "policy '%s' (mfa %s", rule->name,
			    mfa_demand_name((enum mfa_demand)rule->mfa));
		say_date(cli, rule);
		mfa_cli_say(cli, "): %s\n", words_of(match, rule));
		if (rule == verdict->rule) break;
	}
}

static void say_verdict(struct mfa_cli const *cli, struct mfa_policy_verdict const *verdict)
{
	if (!verdict->rule) {
		mfa_cli_say(cli, "no policy decides: the user's record does\n");
		return;
	}
	mfa_cli_say(cli, "policy '%s' decides: ", verdict->rule->name);
	if (verdict->required) {
		mfa_cli_say(cli, "MFA is required");
		say_date(cli, verdict->rule);
		mfa_cli_say(cli, "\n");
	} else if (verdict->from_s >= 0) {
		mfa_cli_say(cli, "MFA is optional now, and required");
		say_date(cli, verdict->rule);
		mfa_cli_say(cli, "\n");
	} else {
		mfa_cli_say(cli, "%s\n",
			    verdict->rule->mfa == MFA_DEMAND_SKIP
				    ? "no code is asked for"
				    : "MFA is optional, the user's record decides");
	}
}

static json_t *rules_json(struct mfa_cli const *cli, struct mfa_policy_facts const *facts,
			  struct mfa_policy_verdict const *verdict)
{
	struct mfa_rules const *rules = &cli->config.rules;
	json_t *list = json_array();

	for (size_t i = 0; i < rules->count; i++) {
		struct mfa_rule const *rule = &rules->list[i];
		enum mfa_rule_match const match = mfa_rule_match(rules, i, facts);

		(void)json_array_append_new(
			list, json_pack("{ss ss ss sb}", "policy", rule->name, "mfa",
					mfa_demand_name((enum mfa_demand)rule->mfa), "match",
					match_name(match), "report_only", rule->report_only != 0));
		if (rule == verdict->rule) break;
	}
	return list;
}

static json_t *verdict_json(struct mfa_cli const *cli, struct mfa_policy_facts const *facts,
			    struct mfa_policy_verdict const *verdict, char const *user)
{
	struct mfa_rule const *rule = verdict->rule;
	json_t *object = json_object();

	(void)json_object_set_new(object, "user", mfa_cli_json_text(mfa_bytes_of(user)));
	(void)json_object_set_new(object, "policy", rule ? json_string(rule->name) : json_null());
	(void)json_object_set_new(object, "mfa",
				  rule ? json_string(mfa_demand_name((enum mfa_demand)rule->mfa))
				       : json_null());
	(void)json_object_set_new(object, "required", json_boolean(verdict->required));
	(void)json_object_set_new(object, "from", mfa_cli_json_time(verdict->from_s));
	(void)json_object_set_new(object, "rules", rules_json(cli, facts, verdict));
	return object;
}

static enum mfa_rc explain(struct mfa_cli *cli, struct mfa_diag *diag, char const *user,
			   struct mfa_entry const *entry, struct mfa_policy_facts *facts)
{
	struct mfa_member const member = {
		.conn = cli->conn, .side = MFA_SIDE_WRITE, .dn = (char const *)entry->dn.data};
	struct mfa_policy_verdict verdict;
	enum mfa_rc rc;

	mfa_conn_start(cli->conn);
	rc = mfa_member_decide(&verdict, diag, &member, &cli->config.rules, facts, cli->now_s);
	if (rc != MFA_OK) return rc;
	say_rules(cli, facts, &verdict);
	say_verdict(cli, &verdict);
	mfa_cli_json(cli, verdict_json(cli, facts, &verdict, user));
	return MFA_OK;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct mfa_entry *entry = mfa_cli_entry_alloc();
	struct mfa_policy_facts facts;
	struct mfa_diag diag = {.text = "no memory"};
	char const *user = cli->operand[0];
	enum mfa_rc rc = MFA_ERR_ARG;

	if (!make_facts(&facts, &cli->args)) goto out;
	rc = entry ? mfa_cli_find(entry, &diag, cli, user) : MFA_ERR_NOMEM;
	if (rc == MFA_OK) rc = explain(cli, &diag, user, entry, &facts);
	if (rc != MFA_OK) mfa_cli_warn("%s: %s", user, diag.text);
out:
	mfa_cli_entry_free(&entry);
	return mfa_cli_exit_of(rc);
}

static struct mfa_cli_option const options[] = {
	{0, "nas", "NAME", "a login at this NAS: NAS-Identifier or address", MFA_CLI_STRING,
	 MFA_CLI_AT(nas), 0, 0, NULL},
	{0, "address", "ADDRESS", "a login from this address of the user", MFA_CLI_STRING,
	 MFA_CLI_AT(address), 0, 0, NULL},
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_policy = {
	.name = "policy",
	.operands = "USER",
	.summary = "Explain which policy decides about a user",
	.operands_min = 1,
	.operands_max = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.option = options,
	.run = run,
};
