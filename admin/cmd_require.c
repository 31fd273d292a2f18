/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/date.h"
#include "admin/edit.h"
#include "admin/output.h"

/** From when on; 0: no clock can lift it, -1: not required any more */
static enum mfa_outcome decide(struct mfa_cli_edit *edit)
{
	int64_t const *from_s = edit->uctx;

	if (*from_s < 0) return mfa_enrollment_unrequire(&edit->record);
	return mfa_enrollment_require(&edit->record, *from_s, edit->cli->args.from != NULL);
}

static bool parse_arguments(int64_t *from_s, struct mfa_cli const *cli)
{
	struct mfa_cli_args const *args = &cli->args;

	if ((args->from != NULL) + (args->until_removed > 0) + (args->remove > 0) > 1) {
		mfa_cli_warn("--from, --until-removed and --remove exclude each other");
		return false;
	}
	*from_s = args->remove ? -1 : args->until_removed ? 0 : cli->now_s;
	if (args->from &&
	    (mfa_cli_date_parse(from_s, mfa_bytes_of(args->from), cli->now_s) != MFA_OK)) {
		mfa_cli_warn("--from must be now, +14d, 2026-12-01 or 2026-12-01T08:00:00+01:00");
		return false;
	}
	return true;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	int64_t from_s = 0;
	struct mfa_cli_work const work = {.decide = decide, .uctx = &from_s};

	if (!parse_arguments(&from_s, cli)) return MFA_CLI_USAGE;
	return mfa_cli_edit_targets(cli, &work);
}

static struct mfa_cli_option const options[] = {
	{0, "from", "DATE", "from this moment on, such as 2026-12-01 or +14d; default: now",
	 MFA_CLI_STRING, MFA_CLI_AT(from), 0, 0, NULL},
	{0, "until-removed", NULL, "always: no clock that is wrong can lift it", MFA_CLI_FLAG,
	 MFA_CLI_AT(until_removed), 0, 0, NULL},
	{0, "remove", NULL, "not required any more", MFA_CLI_FLAG, MFA_CLI_AT(remove), 0, 0, NULL},
	MFA_CLI_OPTION_USERS,
	MFA_CLI_OPTION_USERS_FILE,
	MFA_CLI_OPTION_GROUP,
	MFA_CLI_OPTION_YES,
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_require = {
	.name = "require",
	.event = MFA_EVENT_REQUIRED,
	.operands = "[USER...]",
	.summary = "Make codes compulsory, now or from a date on",
	.operands_max = -1,
	.takes_users = 1,
	.asks = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
