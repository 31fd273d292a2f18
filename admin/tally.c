/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/tally.h"

#include "admin/targets.h"

static void count_drift(struct mfa_cli_tally *tally)
{
	int64_t drift = tally->view.drift;

	if (tally->view.last_use_period_s == 0) return;
	if (drift > MFA_CLI_DRIFT) drift = MFA_CLI_DRIFT;
	if (drift < -MFA_CLI_DRIFT) drift = -MFA_CLI_DRIFT;
	tally->drift[drift + MFA_CLI_DRIFT]++;
}

static bool visit(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	struct mfa_cli_tally *tally = uctx;
	struct mfa_cli_view *view = &tally->view;

	(void)user;
	mfa_cli_view_make(view, cli, entry);
	mfa_cli_usage_add(&tally->usage, entry);
	tally->users++;
	tally->state[view->state]++;
	tally->locked += view->locked_s > 0;
	tally->locked_for_ever += view->locked_s == MFA_WAIT_FOREVER;
	tally->required += view->required_from_s >= 0 && view->required_from_s <= cli->now_s;
	tally->unused += view->device_count > 0 && !view->last_use.present;
	tally->no_recovery += view->device_count > 0 && view->recovery_count == 0;
	tally->several += view->device_count > 1;
	for (size_t i = 0; i < view->device_count; i++)
		tally->unreadable += !view->device[i].readable;
	count_drift(tally);
	mfa_cli_view_clear(view);
	return true;
}

#define AT(_field) offsetof(struct mfa_cli_tally, _field)

struct mfa_cli_tally_line const mfa_cli_tally_lines[] = {
	{"users", "users", AT(users)},
	{"required", "required now", AT(required)},
	{"locked", "locked now", AT(locked)},
	{"locked_until_unlocked", "of them until they are unlocked", AT(locked_for_ever)},
	{"several_devices", "with several devices", AT(several)},
	{"never_used", "with a device that was never used", AT(unused)},
	{"without_recovery_codes", "with a device and no recovery code left", AT(no_recovery)},
	{"unreadable_secrets", "secrets that cannot be read", AT(unreadable)},
	{"unsealed_secrets", "secrets that are not sealed", AT(usage.unsealed)},
	{NULL, NULL, 0},
};

enum mfa_state const mfa_cli_tally_states[] = {MFA_STATE_OFF,	    MFA_STATE_INVITED,
					       MFA_STATE_ENROLLED,  MFA_STATE_OVERDUE,
					       MFA_STATE_SUSPENDED, MFA_STATE_BROKEN};

uint64_t mfa_cli_tally_number(struct mfa_cli_tally const *tally,
			      struct mfa_cli_tally_line const *line)
{
	return *(uint64_t const *)(void const *)((char const *)tally + line->offset);
}

enum mfa_cli_exit mfa_cli_tally_users(struct mfa_cli_tally *tally, struct mfa_cli *cli)
{
	struct mfa_cli_visitor const visitor = {.visit = visit, .uctx = tally, .what = "users"};
	struct mfa_cli_targets targets = {0};
	enum mfa_cli_exit status = mfa_cli_targets_read(&targets, cli);

	if (status == MFA_CLI_DONE) {
		mfa_cli_usage_init(&tally->usage, &cli->ring);
		status = mfa_cli_targets_visit(&targets, cli, &visitor);
	}
	mfa_cli_targets_free(&targets);
	return status;
}
