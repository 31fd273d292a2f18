/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/keys/usage.h"
#include "admin/output.h"
#include "admin/targets.h"
#include "admin/view.h"

#include <stdio.h>
#include <stdlib.h>

#define DRIFT_SHOWN 5 /* steps told apart on either side; what is beyond counts as that */

/** What was counted */
struct report {
	struct mfa_cli_view view;
	struct mfa_cli_usage usage;
	uint64_t users;
	uint64_t state[MFA_STATE_COUNT];
	uint64_t locked, locked_for_ever, required, unused, no_recovery, several, unreadable;
	uint64_t drift[2 * DRIFT_SHOWN + 1];
};

static void count_drift(struct report *report)
{
	int64_t drift = report->view.drift;

	if (report->view.last_use_period_s == 0) return;
	if (drift > DRIFT_SHOWN) drift = DRIFT_SHOWN;
	if (drift < -DRIFT_SHOWN) drift = -DRIFT_SHOWN;
	report->drift[drift + DRIFT_SHOWN]++;
}

static bool visit(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	struct report *report = uctx;
	struct mfa_cli_view *view = &report->view;

	(void)user;
	mfa_cli_view_make(view, cli, entry);
	mfa_cli_usage_add(&report->usage, entry);
	report->users++;
	report->state[view->state]++;
	report->locked += view->locked_s > 0;
	report->locked_for_ever += view->locked_s == MFA_WAIT_FOREVER;
	report->required += view->required_from_s >= 0 && view->required_from_s <= cli->now_s;
	report->unused += view->device_count > 0 && !view->last_use.present;
	report->no_recovery += view->device_count > 0 && view->recovery_count == 0;
	report->several += view->device_count > 1;
	for (size_t i = 0; i < view->device_count; i++)
		report->unreadable += !view->device[i].readable;
	count_drift(report);
	mfa_cli_view_clear(view);
	return true;
}

/** The single numbers, for text and JSON alike */
struct line {
	char const *name, *words;
	size_t offset;
};
#define AT(_field) offsetof(struct report, _field)

static struct line const lines[] = {
	{"users", "users", AT(users)},
	{"required", "required now", AT(required)},
	{"locked", "locked now", AT(locked)},
	{"locked_until_unlocked", "of them until they are unlocked", AT(locked_for_ever)},
	{"several_devices", "with several devices", AT(several)},
	{"never_used", "with a device that was never used", AT(unused)},
	{"without_recovery_codes", "with a device and no recovery code left", AT(no_recovery)},
	{"unreadable_secrets", "secrets that cannot be read", AT(unreadable)},
	{"unsealed_secrets", "secrets that are not sealed", AT(usage.unsealed)},
};

static uint64_t number_of(struct report const *report, struct line const *line)
{
	return *(uint64_t const *)(void const *)((char const *)report + line->offset);
}

static enum mfa_state const order[] = {MFA_STATE_OFF,	  MFA_STATE_INVITED,   MFA_STATE_ENROLLED,
				       MFA_STATE_OVERDUE, MFA_STATE_SUSPENDED, MFA_STATE_BROKEN};

static void say_drift(struct report const *report, struct mfa_cli const *cli)
{
	uint64_t most = 1;

	for (size_t i = 0; i < 2 * DRIFT_SHOWN + 1; i++) {
		if (report->drift[i] > most) most = report->drift[i];
	}
	mfa_cli_say(cli, "\nclocks of the devices, in time steps, at their last use:\n");
	for (int i = -DRIFT_SHOWN; i <= DRIFT_SHOWN; i++) {
		uint64_t const count = report->drift[i + DRIFT_SHOWN];
		int const width = (int)(count * 40 / most);

		mfa_cli_say(cli, "%s%+3d %10llu %.*s\n",
			    i == -DRIFT_SHOWN || i == DRIFT_SHOWN ? "~" : " ", i,
			    (unsigned long long)count, width,
			    "########################################");
	}
}

static void say_report(struct report const *report, struct mfa_cli const *cli)
{
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		uint64_t const count = report->state[order[i]];
		uint64_t const tenths = report->users ? count * 1000 / report->users : 0;

		mfa_cli_say(cli, "%10llu %5llu.%llu %%  %-10s %s\n", (unsigned long long)count,
			    (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10),
			    mfa_state_name(order[i]), mfa_cli_state_words(order[i]));
	}
	mfa_cli_say(cli, "\n");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		mfa_cli_say(cli, "%10llu  %s\n", (unsigned long long)number_of(report, &lines[i]),
			    lines[i].words);
	say_drift(report, cli);
	mfa_cli_say(cli, "\n");
	mfa_cli_usage_say(&report->usage, cli);
}

static json_t *report_json(struct report const *report)
{
	json_t *object = json_object(), *states = json_object(), *drift = json_object();

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		(void)json_object_set_new(states, mfa_state_name(order[i]),
					  json_integer((json_int_t)report->state[order[i]]));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		(void)json_object_set_new(object, lines[i].name,
					  json_integer((json_int_t)number_of(report, &lines[i])));
	for (int i = -DRIFT_SHOWN; i <= DRIFT_SHOWN; i++) {
		char steps[8];

		(void)snprintf(steps, sizeof(steps), "%+d", i);
		(void)json_object_set_new(drift, i ? steps : "0",
					  json_integer((json_int_t)report->drift[i + DRIFT_SHOWN]));
	}
	(void)json_object_set_new(object, "states", states);
	(void)json_object_set_new(object, "drift_steps", drift);
	(void)json_object_set_new(object, "keys", mfa_cli_usage_json(&report->usage));
	return object;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct report *report = calloc(1, sizeof(*report));
	struct mfa_cli_visitor const visitor = {.visit = visit, .uctx = report, .what = "users"};
	struct mfa_cli_targets targets = {0};
	enum mfa_cli_exit status = MFA_CLI_REFUSED;

	if (report) status = mfa_cli_targets_read(&targets, cli);
	if (status == MFA_CLI_DONE) {
		mfa_cli_usage_init(&report->usage, &cli->ring);
		status = mfa_cli_targets_visit(&targets, cli, &visitor);
	}
	if (status == MFA_CLI_DONE) {
		if (cli->failed)
			mfa_cli_warn("%llu entries are not counted: this is not the whole",
				     (unsigned long long)cli->failed);
		say_report(report, cli);
		mfa_cli_json(cli, report_json(report));
	}
	mfa_cli_targets_free(&targets);
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
