/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/date.h"
#include "admin/edit.h"
#include "admin/output.h"

/** From when on; 0: no clock can lift it, -1: not required any more */
struct requirement {
	int64_t from_s;
	char value[MFA_TIME_SIZE];
};

static enum mfa_cli_outcome remove_date(struct mfa_cli_edit *edit)
{
	if (mfa_entry_count(edit->entry, MFA_ATTR_REQUIRED_FROM) == 0) {
		mfa_diag_set(&edit->text, "not required");
		return MFA_CLI_UNCHANGED;
	}
	mfa_cli_change_remove(edit, MFA_ATTR_REQUIRED_FROM);
	mfa_diag_set(&edit->text, "not required any more");
	return MFA_CLI_CHANGED;
}

static enum mfa_cli_outcome decide(struct mfa_cli_edit *edit)
{
	struct requirement const *requirement = edit->uctx;
	int64_t const old_s = edit->required_bad ? -1 : edit->required_from_s;
	char time[MFA_CLI_TIME_SIZE];

	if (requirement->from_s < 0) return remove_date(edit);
	/* Without a date it is enough that it is required already. */
	if (old_s == requirement->from_s ||
	    (old_s >= 0 && !edit->cli->args.from && old_s <= requirement->from_s)) {
		mfa_diag_set(&edit->text, "required already, from %s",
			     mfa_cli_time_format(time, old_s));
		return MFA_CLI_UNCHANGED;
	}
	mfa_cli_change_class(edit);
	mfa_change_swap(&edit->change, edit->entry, MFA_ATTR_REQUIRED_FROM, requirement->value);
	mfa_change_assert(&edit->change, edit->entry, MFA_ATTR_REQUIRED_FROM);
	if (requirement->from_s == 0) {
		mfa_diag_set(&edit->text, "required until that is removed%s",
			     edit->secrets ? "" : "; has no device yet");
	} else {
		mfa_diag_set(&edit->text, "required from %s%s",
			     mfa_cli_time_format(time, requirement->from_s),
			     edit->secrets ? "" : "; has no device yet");
	}
	return MFA_CLI_CHANGED;
}

static bool parse_arguments(struct requirement *requirement, struct mfa_cli const *cli)
{
	struct mfa_cli_args const *args = &cli->args;

	if ((args->from != NULL) + (args->until_removed > 0) + (args->remove > 0) > 1) {
		mfa_cli_warn("--from, --until-removed and --remove exclude each other");
		return false;
	}
	requirement->from_s = args->remove ? -1 : args->until_removed ? 0 : cli->now_s;
	if (args->from && (mfa_cli_date_parse(&requirement->from_s, mfa_bytes_of(args->from),
					      cli->now_s) != MFA_OK)) {
		mfa_cli_warn("--from must be now, +14d, 2026-12-01 or 2026-12-01T08:00:00+01:00");
		return false;
	}
	return requirement->from_s < 0 ||
	       mfa_time_format(requirement->value, requirement->from_s) == MFA_OK;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct requirement requirement = {0};
	struct mfa_cli_work const work = {.decide = decide, .uctx = &requirement};

	if (!parse_arguments(&requirement, cli)) return MFA_CLI_USAGE;
	return mfa_cli_edit_targets(cli, &work);
}

static struct mfa_cli_option const options[] = {
	{0, "from", "DATE", "from this moment on, such as 2026-12-01 or +14d; default: now",
	 MFA_CLI_STRING, MFA_CLI_AT(from), 0, 0, NULL},
	{0, "until-removed", NULL, "always: no clock that is wrong can lift it", MFA_CLI_FLAG,
	 MFA_CLI_AT(until_removed), 0, 0, NULL},
	{0, "remove", NULL, "not required any more", MFA_CLI_FLAG, MFA_CLI_AT(remove), 0, 0, NULL},
	MFA_CLI_OPTION_USERS,
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_require = {
	.name = "require",
	.operands = "[USER...]",
	.summary = "Make codes compulsory, now or from a date on",
	.operands_max = -1,
	.takes_users = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.option = options,
	.run = run,
};
