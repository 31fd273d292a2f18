/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"
#include "admin/output.h"

#include "core/hashed.h"

#include <openssl/crypto.h>

#include <unistd.h>

/** The codes of the user in hand */
struct codes {
	char text[MFA_RECOVERY_SET_SIZE]; //!< A line each.
};

static enum mfa_outcome decide(struct mfa_cli_edit *edit)
{
	struct codes *codes = edit->uctx;

	if (mfa_recovery_generate_set(codes->text) == MFA_OK)
		return mfa_enrollment_codes(&edit->record, codes->text);
	mfa_diag_set(&edit->text, "a recovery code could not be made");
	return MFA_OUTCOME_FAILED;
}

static void report(struct mfa_cli_edit const *edit, json_t *row)
{
	struct codes const *codes = edit->uctx;
	json_t *list = json_array();

	if (!edit->cli->args.dry_run) {
		for (size_t i = 0; i < MFA_RECOVERY_COUNT; i++) {
			char const *code = codes->text + i * MFA_RECOVERY_TEXT_SIZE;

			(void)json_array_append_new(list,
						    json_stringn(code, MFA_RECOVERY_TEXT_SIZE - 1));
		}
		mfa_cli_say(edit->cli, "%s", codes->text);
	}
	(void)json_object_set_new(row, "recovery_codes", list);
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct codes codes = {0};
	struct mfa_cli_work const work = {.decide = decide, .report = report, .uctx = &codes};

	if (!cli->args.dry_run) {
		mfa_cli_warn_if_readable(STDOUT_FILENO, "recovery codes");
		if (!mfa_cli_can_show(cli, "recovery codes, each of which is good once:"))
			return MFA_CLI_REFUSED;
	}
	(void)mfa_cli_edit_user(cli, &work, cli->operand[0]);
	OPENSSL_cleanse(&codes, sizeof(codes));
	return mfa_cli_tally_exit(cli);
}

static struct mfa_cli_option const options[] = {MFA_CLI_OPTION_DRY_RUN, MFA_CLI_OPTION_END};

struct mfa_cli_command const mfa_cli_recovery = {
	.name = "recovery",
	.event = MFA_EVENT_RECOVERY_CODES,
	.operands = "USER",
	.summary = "Make new recovery codes and show them once; old ones are void",
	.operands_min = 1,
	.operands_max = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
