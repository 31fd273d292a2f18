/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"
#include "admin/output.h"

#include "core/hashed.h"

#include <openssl/crypto.h>

#include <unistd.h>

/** The voucher of the user in hand */
struct invitation {
	char text[MFA_RECOVERY_TEXT_SIZE];
	int64_t expires_s;
};

/** After a conflict another voucher is made, since the first may be in use */
static enum mfa_outcome decide(struct mfa_cli_edit *edit)
{
	struct invitation *invitation = edit->uctx;

	enum mfa_outcome outcome;

	if (edit->cli->args.voucher && mfa_recovery_generate(invitation->text) != MFA_OK) {
		mfa_diag_set(&edit->text, "a voucher could not be made");
		return MFA_OUTCOME_FAILED;
	}
	outcome = mfa_enrollment_invite(&edit->record,
					edit->cli->args.voucher ? invitation->text : NULL,
					invitation->expires_s);
	/* Nobody is to learn that from the users. */
	if (outcome == MFA_OUTCOME_CHANGED)
		mfa_diag_set(&edit->text,
			     "invited: every login is refused until a device is enrolled");
	return outcome;
}

/** Say the voucher, now that the directory has it */
static void report(struct mfa_cli_edit const *edit, json_t *row)
{
	struct mfa_cli const *cli = edit->cli;
	struct invitation *invitation = edit->uctx;
	char time[MFA_CLI_TIME_SIZE];

	if (!cli->args.voucher || cli->args.dry_run) return;
	(void)json_object_set_new(row, "voucher", json_string(invitation->text));
	(void)json_object_set_new(row, "voucher_until", mfa_cli_json_time(invitation->expires_s));
	mfa_cli_say(cli, "%s: voucher %s, valid until %s\n", edit->user, invitation->text,
		    mfa_cli_time_format(time, invitation->expires_s));
	OPENSSL_cleanse(invitation->text, sizeof(invitation->text));
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct invitation invitation = {.expires_s =
						cli->now_s + (int64_t)cli->args.valid_hours * 3600};
	struct mfa_cli_work const work = {.decide = decide,
					  .report = report,
					  .uctx = &invitation,
					  .title = cli->args.voucher ? "vouchers, each good once:"
								     : NULL};
	enum mfa_cli_exit status = MFA_CLI_DONE;

	if (cli->args.voucher) {
		status = mfa_cli_open(cli, MFA_CLI_NEED_RING);
		mfa_cli_warn_if_readable(STDOUT_FILENO, "vouchers");
	}
	if (status == MFA_CLI_DONE) status = mfa_cli_edit_targets(cli, &work);
	OPENSSL_cleanse(&invitation, sizeof(invitation));
	return status;
}

static struct mfa_cli_option const options[] = {
	{0, "voucher", NULL, "make a voucher for the enrolment page; an old one is void",
	 MFA_CLI_FLAG, MFA_CLI_AT(voucher), 0, 0, NULL},
	{0, "valid", "HOURS", "how long the voucher is valid; default: 168", MFA_CLI_NUMBER,
	 MFA_CLI_AT(valid_hours), 1, 8760, NULL},
	MFA_CLI_OPTION_USERS,
	MFA_CLI_OPTION_USERS_FILE,
	MFA_CLI_OPTION_GROUP,
	MFA_CLI_OPTION_YES,
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_invite = {
	.name = "invite",
	.event = MFA_EVENT_INVITED,
	.operands = "[USER...]",
	.summary = "Demand enrollment: logins are refused until the user has a device",
	.operands_max = -1,
	.takes_users = 1,
	.asks = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
