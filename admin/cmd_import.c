/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/enrolment.h"
#include "admin/import.h"
#include "admin/output.h"
#include "admin/prompt.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>

/** A file that is being imported */
struct import {
	struct mfa_cli *cli;
	bool trial; //!< Only look whether all rows could be imported.
};

static enum mfa_cli_outcome decide(struct mfa_cli_edit *edit)
{
	return mfa_cli_enrolment_decide(edit, edit->uctx);
}

/** Say which row it was, in JSON too */
static void say_bad(struct mfa_cli *cli, struct mfa_cli_row const *row, char const *text)
{
	char line[MFA_DIAG_SIZE + 32];
	json_t *object = json_pack("{s:i}", "row", (int)row->number);

	(void)snprintf(line, sizeof(line), "row %u: %s", row->number, text);
	mfa_cli_edit_row(cli, row->user[0] ? row->user : "-", (struct mfa_bytes){0}, MFA_CLI_FAILED,
			 line, object);
}

static void report(struct mfa_cli_edit const *edit, json_t *row)
{
	(void)edit;
	(void)json_object_set_new(row, "imported", json_true());
}

static bool take(struct mfa_cli_row const *row, void *uctx)
{
	struct import *import = uctx;
	struct mfa_cli *cli = import->cli;
	struct mfa_cli_enrolment enrolment = {
		.totp = row->totp, .used_step = -1, .suspended = cli->args.suspended > 0};
	struct mfa_cli_work const work = {.decide = decide,
					  .report = report,
					  .uctx = &enrolment,
					  .only_problems = import->trial};
	char const *user = cli->args.user ? cli->args.user : row->user;

	if (!row->good) {
		say_bad(cli, row, row->diag.text);
	} else if (!user[0]) {
		say_bad(cli, row, "names no user; give --user");
	} else {
		(void)mfa_cli_edit_user(cli, &work, user);
	}
	OPENSSL_cleanse(&enrolment, sizeof(enrolment));
	return !cli->unavailable;
}

static enum mfa_rc read_rows(struct import *import, struct mfa_diag *diag, struct mfa_bytes text)
{
	struct mfa_cli_row_taker const taker = {take, import};
	enum mfa_cli_format format = (enum mfa_cli_format)import->cli->args.format;

	if (format == MFA_CLI_FORMAT_AUTO) format = mfa_cli_import_guess(text);
	switch (format) {
	case MFA_CLI_FORMAT_CSV: return mfa_cli_import_csv(diag, text, &taker);
	case MFA_CLI_FORMAT_OTPAUTH: return mfa_cli_import_otpauth(diag, text, &taker);
	case MFA_CLI_FORMAT_GOOGLE: return mfa_cli_import_google(diag, text, &taker);
	case MFA_CLI_FORMAT_PSKC: return mfa_cli_import_pskc(diag, text, &taker);
	case MFA_CLI_FORMAT_AUTO: break;
	}
	mfa_diag_set(diag, "the format cannot be told: give --format");
	return MFA_ERR_FORMAT;
}

/** All or nothing: a first pass in which nothing is written must find no problem */
static enum mfa_rc try_all(struct import *import, struct mfa_diag *diag, struct mfa_bytes text)
{
	struct mfa_cli *cli = import->cli;
	uint32_t const dry_run = cli->args.dry_run;
	enum mfa_rc rc;

	import->trial = true;
	cli->args.dry_run = 1;
	rc = read_rows(import, diag, text);
	cli->args.dry_run = dry_run;
	import->trial = false;
	cli->changed = cli->unchanged = 0;
	if (rc == MFA_OK && (cli->failed || cli->refused)) {
		mfa_diag_set(diag, "nothing was imported, since not every row can be");
		return MFA_ERR_DENIED;
	}
	return rc;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct import import = {.cli = cli};
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc rc;
	uint8_t *data;
	size_t len;

	if (mfa_cli_read_file(&data, &len, &diag, cli->operand[0], MFA_CLI_IMPORT_MAX) != MFA_OK) {
		mfa_cli_warn("%s", diag.text);
		return MFA_CLI_USAGE;
	}
	rc = MFA_OK;
	if (cli->args.all_or_nothing) rc = try_all(&import, &diag, (struct mfa_bytes){data, len});
	if (rc == MFA_OK && !cli->unavailable)
		rc = read_rows(&import, &diag, (struct mfa_bytes){data, len});
	mfa_cli_free_secret(&data, len);
	if (rc != MFA_OK) mfa_cli_warn("%s: %s", cli->operand[0], diag.text);
	mfa_cli_edit_summary(cli);
	return rc == MFA_OK || cli->unavailable ? mfa_cli_tally_exit(cli) : MFA_CLI_REFUSED;
}

static struct mfa_cli_option const options[] = {
	{0, "format", "FORMAT", "auto, csv, otpauth, google or pskc; default: auto", MFA_CLI_CHOICE,
	 MFA_CLI_AT(format), 0, 0, "auto csv otpauth google pskc"},
	{'u', "user", "USER", "whose it is, for a file that does not say so", MFA_CLI_STRING,
	 MFA_CLI_AT(user), 0, 0, NULL},
	{0, "all-or-nothing", NULL, "write nothing unless every row can be imported", MFA_CLI_FLAG,
	 MFA_CLI_AT(all_or_nothing), 0, 0, NULL},
	{0, "suspended", NULL, "do not set the flag", MFA_CLI_FLAG, MFA_CLI_AT(suspended), 0, 0,
	 NULL},
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_import = {
	.name = "import",
	.operands = "FILE",
	.summary = "Take over devices from CSV, otpauth, google-authenticator or PSKC files",
	.operands_min = 1,
	.operands_max = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.option = options,
	.run = run,
};
