/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/output.h"
#include "admin/view.h"
#include "admin/walk.h"

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

/** Only a user who has something in the record can be in another state than off */
static char *make_filter(struct mfa_cli const *cli, struct listing const *listing)
{
	char *const *attr = cli->config.attr;
	char *filter;

	if (listing->state == MFA_STATE_OFF) return NULL;
	if (listing->state == MFA_STATE_COUNT && !cli->args.required && !cli->args.locked &&
	    cli->args.stale_days == 0) {
		return NULL;
	}
	if (asprintf(&filter, "(|(%s=*)(%s=*)(%s=*))", attr[MFA_ATTR_ENABLED],
		     attr[MFA_ATTR_SECRET], attr[MFA_ATTR_REQUIRED_FROM]) < 0) {
		return NULL;
	}
	return filter;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct listing listing = {.view = malloc(sizeof(*listing.view))};
	struct mfa_cli_visitor const visitor = {visit, &listing,
						isatty(STDOUT_FILENO) ? NULL : "users"};
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc rc = MFA_ERR_NOMEM;
	char *filter;

	if (!parse_state(&listing.state, cli->args.state)) {
		free(listing.view);
		return MFA_CLI_USAGE;
	}
	filter = make_filter(cli, &listing);
	mfa_cli_say(cli, "%-20s %-10s %7s  %-20s %6s  %-8s %8s  %s\n", "USER", "STATE", "DEVICES",
		    "LAST USE", "WRONG", "LOCKED", "RECOVERY", "REQUIRED FROM");
	if (listing.view) rc = mfa_cli_walk(cli, &diag, filter, &visitor);
	if (rc != MFA_OK) mfa_cli_warn("%s", diag.text);
	if (rc == MFA_OK && !cli->args.quiet)
		mfa_cli_say(cli, "%llu users\n", (unsigned long long)listing.shown);
	free(filter);
	free(listing.view);
	return rc == MFA_OK ? mfa_cli_tally_exit(cli) : mfa_cli_exit_of(rc);
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
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_list = {
	.name = "list",
	.operands = "",
	.summary = "List users and their states",
	.operands_max = 0,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.option = options,
	.run = run,
};
