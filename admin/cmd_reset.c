/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/device.h"

static enum mfa_outcome decide(struct mfa_cli_edit *edit)
{
	size_t at;

	if (edit->cli->args.device) {
		if (!mfa_cli_device_find(&at, edit, edit->cli->args.device))
			return MFA_OUTCOME_REFUSED;
		/* Without any device, what belongs to devices goes as well. */
		if (edit->record.secrets > 1) return mfa_cli_device_remove(edit, at);
	}
	return mfa_enrollment_reset(&edit->record);
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	/* Only the name of a device is a secret of the ring. */
	if (cli->args.device && mfa_cli_open(cli, MFA_CLI_NEED_RING) != MFA_CLI_DONE)
		return MFA_CLI_USAGE;
	return mfa_cli_edit_command(cli);
}

static struct mfa_cli_option const options[] = {
	{'d', "device", "NAME", "only this device, by its name or number; the others are kept",
	 MFA_CLI_STRING, MFA_CLI_AT(device), 0, 0, NULL},
	MFA_CLI_OPTION_USERS,
	MFA_CLI_OPTION_USERS_FILE,
	MFA_CLI_OPTION_GROUP,
	MFA_CLI_OPTION_YES,
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_reset = {
	.name = "reset",
	.event = MFA_EVENT_RESET,
	.operands = "[USER...]",
	.summary = "Forget the devices of users who lost them; they have to enrol again",
	.operands_max = -1,
	.takes_users = 1,
	.asks = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
	.decide = decide,
};
