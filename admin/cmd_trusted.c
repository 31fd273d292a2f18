/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"
#include "admin/output.h"

#include <string.h>

static enum mfa_outcome forget(struct mfa_cli_edit *edit)
{
	return mfa_enrollment_forget(&edit->record, (struct mfa_bytes){0});
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct mfa_cli_work const work = {.decide = forget};

	if (strcmp(cli->operand[0], "forget") != 0) {
		mfa_cli_warn("say 'trusted forget USER...'");
		return MFA_CLI_USAGE;
	}
	for (int i = 1; i < cli->operand_count && !mfa_cli_must_stop(cli); i++)
		(void)mfa_cli_edit_user(cli, &work, cli->operand[i]);
	return mfa_cli_tally_exit(cli);
}

static struct mfa_cli_option const options[] = {MFA_CLI_OPTION_DRY_RUN, MFA_CLI_OPTION_END};

struct mfa_cli_command const mfa_cli_trusted = {
	.name = "trusted",
	.event = MFA_EVENT_TRUSTED_FORGOTTEN,
	.operands = "forget USER...",
	.summary = "Forget remembered devices: the next login from there asks for a code",
	.operands_min = 2,
	.operands_max = -1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_ATTR_BIT(MFA_ATTR_TRUSTED_DEVICE),
	.option = options,
	.run = run,
};
