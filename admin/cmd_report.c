/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/output.h"
#include "admin/tally.h"

#include <stdio.h>
#include <stdlib.h>

static void say_drift(struct mfa_cli_tally const *report, struct mfa_cli const *cli)
{
	uint64_t most = 1;

	for (size_t i = 0; i < 2 * MFA_CLI_DRIFT + 1; i++) {
		if (report->drift[i] > most) most = report->drift[i];
	}
	mfa_cli_say(cli, "\nclocks of the devices, in time steps, at their last use:\n");
	for (int i = -MFA_CLI_DRIFT; i <= MFA_CLI_DRIFT; i++) {
		uint64_t const count = report->drift[i + MFA_CLI_DRIFT];
		int const width = (int)(count * 40 / most);

		mfa_cli_say(cli, "%s%+3d %10llu %.*s\n",
			    i == -MFA_CLI_DRIFT || i == MFA_CLI_DRIFT ? "~" : " ", i,
			    (unsigned long long)count, width,
			    "########################################");
	}
}

static void say_report(struct mfa_cli_tally const *report, struct mfa_cli const *cli)
{
	for (size_t i = 0; i < MFA_STATE_COUNT; i++) {
		uint64_t const count = report->state[mfa_cli_tally_states[i]];
		uint64_t const tenths = report->users ? count * 1000 / report->users : 0;

		mfa_cli_say(cli, "%10llu %5llu.%llu %%  %-10s %s\n", (unsigned long long)count,
			    (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10),
			    mfa_state_name(mfa_cli_tally_states[i]),
			    mfa_cli_state_words(mfa_cli_tally_states[i]));
	}
	mfa_cli_say(cli, "\n");
	for (size_t i = 0; mfa_cli_tally_lines[i].name; i++)
		mfa_cli_say(
			cli, "%10llu  %s\n",
			(unsigned long long)mfa_cli_tally_number(report, &mfa_cli_tally_lines[i]),
			mfa_cli_tally_lines[i].words);
	say_drift(report, cli);
	mfa_cli_say(cli, "\n");
	mfa_cli_usage_say(&report->usage, cli);
}

static json_t *report_json(struct mfa_cli_tally const *report)
{
	json_t *object = json_object(), *states = json_object(), *drift = json_object();

	for (size_t i = 0; i < MFA_STATE_COUNT; i++)
		(void)json_object_set_new(
			states, mfa_state_name(mfa_cli_tally_states[i]),
			json_integer((json_int_t)report->state[mfa_cli_tally_states[i]]));
	for (size_t i = 0; mfa_cli_tally_lines[i].name; i++)
		(void)json_object_set_new(object, mfa_cli_tally_lines[i].name,
					  json_integer((json_int_t)mfa_cli_tally_number(
						  report, &mfa_cli_tally_lines[i])));
	for (int i = -MFA_CLI_DRIFT; i <= MFA_CLI_DRIFT; i++) {
		char steps[8];

		(void)snprintf(steps, sizeof(steps), "%+d", i);
		(void)json_object_set_new(
			drift, i ? steps : "0",
			json_integer((json_int_t)report->drift[i + MFA_CLI_DRIFT]));
	}
	(void)json_object_set_new(object, "states", states);
	(void)json_object_set_new(object, "drift_steps", drift);
	(void)json_object_set_new(object, "keys", mfa_cli_usage_json(&report->usage));
	return object;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct mfa_cli_tally *report = calloc(1, sizeof(*report));
	enum mfa_cli_exit const status =
		report ? mfa_cli_tally_users(report, cli) : MFA_CLI_REFUSED;

	if (status == MFA_CLI_DONE) {
		if (cli->failed)
			mfa_cli_warn("%llu entries are not counted: this is not the whole",
				     (unsigned long long)cli->failed);
		say_report(report, cli);
		mfa_cli_json(cli, report_json(report));
	}
	free(report);
	return status == MFA_CLI_DONE ? mfa_cli_tally_exit(cli) : status;
}

static struct mfa_cli_option const options[] = {
	MFA_CLI_OPTION_USERS,
	MFA_CLI_OPTION_USERS_FILE,
	MFA_CLI_OPTION_GROUP,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_report = {
	.name = "report",
	.operands = "",
	.summary = "Count users by state, clocks by drift and values by key",
	.operands_max = 0,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
