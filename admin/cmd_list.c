/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/output.h"
#include "admin/targets.h"
#include "admin/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** What is to be listed */
struct listing {
	struct mfa_cli_view *view;
	enum mfa_state state; //!< MFA_STATE_COUNT: any.
	uint64_t shown;
};

static bool is_required(struct mfa_cli const *cli, struct mfa_cli_view const *view)
{
	return view->required_from_s >= 0 && view->required_from_s <= cli->now_s;
}

/** A device that was never used since it was added, or not for so many days */
static bool is_stale(struct mfa_cli const *cli, struct mfa_cli_view const *view)
{
	int64_t const before_s = cli->now_s - (int64_t)cli->args.stale_days * 86400;

	if (view->device_count == 0) return false;
	if (view->last_use.present) return view->last_use.time_s < before_s;
	return mfa_cli_view_since_s(view) < before_s;
}

static bool is_wanted(struct mfa_cli const *cli, struct listing const *listing)
{
	struct mfa_cli_view const *view = listing->view;

	if (listing->state != MFA_STATE_COUNT && view->state != listing->state) return false;
	if (cli->args.required && !is_required(cli, view)) return false;
	if (cli->args.locked && view->locked_s == 0) return false;
	return cli->args.stale_days == 0 || is_stale(cli, view);
}

static void say_row(struct mfa_cli const *cli, struct mfa_cli_view const *view, char const *user)
{
	char use[MFA_CLI_TIME_SIZE], required[MFA_CLI_TIME_SIZE], lock[MFA_CLI_TIME_SIZE] = "-";

	if (view->locked_s == MFA_WAIT_FOREVER) {
		memcpy(lock, "locked", 7);
	} else if (view->locked_s > 0) {
		(void)mfa_cli_span_format(lock, view->locked_s);
	}
	mfa_cli_say(cli, "%-20s %-10s %7zu  %-20s %6u  %-8s %8zu  %s\n", user,
		    mfa_state_name(view->state), view->device_count,
		    mfa_cli_time_format(use, view->last_use.present ? view->last_use.time_s : -1),
		    view->failures.count, lock, view->recovery_count,
		    mfa_cli_time_format(required, view->required_from_s));
}

static bool visit(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	struct listing *listing = uctx;

	mfa_cli_view_make(listing->view, cli, entry);
	if (is_wanted(cli, listing)) {
		listing->shown++;
		say_row(cli, listing->view, user);
		if (cli->args.json) mfa_cli_json(cli, mfa_cli_view_json(listing->view, user));
	}
	mfa_cli_view_clear(listing->view);
	return !ferror(stdout);
}

static bool parse_state(enum mfa_state *state, char const *name)
{
	*state = MFA_STATE_COUNT;
	if (!name) return true;
	for (unsigned i = 0; i < MFA_STATE_COUNT; i++) {
		if (strcmp(mfa_state_name((enum mfa_state)i), name) == 0) {
			*state = (enum mfa_state)i;
			return true;
		}
	}
	mfa_cli_warn("--state must be one of: off suspended enrolled invited overdue broken");
	return false;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct listing listing = {.view = malloc(sizeof(*listing.view))};
	struct mfa_cli_visitor const visitor = {
		.visit = visit, .uctx = &listing, .what = isatty(STDOUT_FILENO) ? NULL : "users"};
	struct mfa_cli_targets targets = {0};
	enum mfa_cli_exit status = MFA_CLI_USAGE;

	if (parse_state(&listing.state, cli->args.state))
		status = mfa_cli_targets_read(&targets, cli);
	if (status != MFA_CLI_DONE) goto out;
	status = MFA_CLI_REFUSED;
	mfa_cli_say(cli, "%-20s %-10s %7s  %-20s %6s  %-8s %8s  %s\n", "USER", "STATE", "DEVICES",
		    "LAST USE", "WRONG", "LOCKED", "RECOVERY", "REQUIRED FROM");
	if (listing.view) status = mfa_cli_targets_visit(&targets, cli, &visitor);
	if (status == MFA_CLI_DONE && !cli->args.quiet)
		mfa_cli_say(cli, "%llu users\n", (unsigned long long)listing.shown);
out:
	mfa_cli_targets_free(&targets);
	free(listing.view);
	return status == MFA_CLI_DONE ? mfa_cli_tally_exit(cli) : status;
}

static struct mfa_cli_option const options[] = {
	{'s', "state", "STATE", "off, suspended, enrolled, invited, overdue or broken",
	 MFA_CLI_STRING, MFA_CLI_AT(state), 0, 0, NULL},
	{'r', "required", NULL, "only users for whom it is required now", MFA_CLI_FLAG,
	 MFA_CLI_AT(required), 0, 0, NULL},
	{'l', "locked", NULL, "only users who are locked now", MFA_CLI_FLAG, MFA_CLI_AT(locked), 0,
	 0, NULL},
	{0, "stale", "DAYS", "only users with a device and no use of it for so many days",
	 MFA_CLI_NUMBER, MFA_CLI_AT(stale_days), 1, 36500, NULL},
	MFA_CLI_OPTION_USERS,
	MFA_CLI_OPTION_USERS_FILE,
	MFA_CLI_OPTION_GROUP,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_list = {
	.name = "list",
	.operands = "",
	.summary = "List users and their states",
	.operands_max = 0,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
