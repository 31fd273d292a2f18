/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"
#include "admin/import/import.h"
#include "admin/output.h"
#include "admin/process.h"
#include "admin/prompt.h"
#include "admin/undo.h"

#include "core/devices.h"
#include "core/openssl.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>

/** A file that is being imported; holds secrets */
struct import {
	struct mfa_cli *cli;
	bool trial;		      //!< Only look whether all rows could be imported.
	struct mfa_cli_undo *written; //!< With --all-or-nothing.
	struct mfa_cli_pskc_unlock unlock;
	uint8_t key[32];
	char password[256];
};

/** A row of it */
struct row {
	struct import *import;
	struct mfa_new_device device;
	bool noted; //!< A change was about to be written.
};

static enum mfa_outcome decide(struct mfa_cli_edit *edit)
{
	struct row *row = edit->uctx;
	struct import *import = row->import;
	enum mfa_outcome outcome = mfa_devices_add(&edit->record, &row->device);

	if (outcome != MFA_OUTCOME_CHANGED || !import->cli->args.all_or_nothing ||
	    import->cli->args.dry_run) {
		return outcome;
	}
	if (mfa_cli_undo_note(&import->written, edit, row->noted) != MFA_OK) {
		mfa_diag_set(&edit->text, "no memory");
		return MFA_OUTCOME_FAILED;
	}
	row->noted = true;
	return outcome;
}

/** Say which row it was, in JSON too */
static void say_bad(struct mfa_cli *cli, struct mfa_cli_row const *row, char const *text)
{
	char line[MFA_DIAG_SIZE + 32];
	json_t *object = json_pack("{s:i}", "row", (int)row->number);

	(void)snprintf(line, sizeof(line), "row %u: %s", row->number, text);
	mfa_cli_edit_row(cli, row->user[0] ? row->user : "-", (struct mfa_bytes){0},
			 MFA_OUTCOME_FAILED, line, object);
}

/** All or nothing, and something went wrong */
static bool must_undo(struct mfa_cli const *cli)
{
	return cli->args.all_or_nothing && (cli->failed || cli->refused || mfa_cli_must_stop(cli));
}

static bool take(struct mfa_cli_row const *row, void *uctx)
{
	struct import *import = uctx;
	struct mfa_cli *cli = import->cli;
	struct row writing = {.import = import,
			      .device = {.totp = row->totp,
					 .used_step = -1,
					 .suspended = cli->args.suspended > 0}};
	struct mfa_cli_work const work = {
		.decide = decide, .uctx = &writing, .only_problems = import->trial};
	char const *user = cli->args.user ? cli->args.user : row->user;

	if (!row->good) {
		say_bad(cli, row, row->diag.text);
	} else if (!user[0]) {
		say_bad(cli, row, "names no user; give --user");
	} else {
		(void)mfa_cli_edit_user(cli, &work, user);
	}
	OPENSSL_cleanse(&writing, sizeof(writing));
	return !mfa_cli_must_stop(cli) && (import->trial || !must_undo(cli));
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
	case MFA_CLI_FORMAT_PSKC: return mfa_cli_import_pskc(diag, text, &import->unlock, &taker);
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

/** The key in hexadecimal digits, the passphrase as it is; both out of files */
static bool read_unlock(struct import *import, struct mfa_diag *diag)
{
	struct mfa_cli_args const *args = &import->cli->args;
	char hex[2 * sizeof(import->key) + 1] = "";
	size_t len = 0;
	bool good = true;

	if (args->pskc_key_file) {
		good = mfa_cli_read_secret(hex, sizeof(hex), diag, args->pskc_key_file) == MFA_OK;
		if (good &&
		    OPENSSL_hexstr2buf_ex(import->key, sizeof(import->key), &len, hex, '\0') != 1) {
			mfa_diag_set(diag, "%s: not a key in hexadecimal digits",
				     args->pskc_key_file);
			good = false;
		}
		OPENSSL_cleanse(hex, sizeof(hex));
		import->unlock.key = (struct mfa_bytes){import->key, len};
	}
	if (good && args->pskc_password_file) {
		good = mfa_cli_read_secret(import->password, sizeof(import->password), diag,
					   args->pskc_password_file) == MFA_OK;
		import->unlock.passphrase = mfa_bytes_of(import->password);
	}
	return good;
}

static enum mfa_rc import_text(struct import *import, struct mfa_diag *diag, struct mfa_bytes text)
{
	struct mfa_cli *cli = import->cli;
	enum mfa_rc rc = MFA_OK;

	if (cli->args.all_or_nothing) rc = try_all(import, diag, text);
	if (rc == MFA_OK && !mfa_cli_must_stop(cli)) rc = read_rows(import, diag, text);
	if (rc == MFA_OK && must_undo(cli)) {
		mfa_cli_warn("not every row was imported: what was written is taken back");
		mfa_cli_process_finish();
		mfa_cli_undo_all(import->written, cli);
		if (mfa_cli_interrupted()) rc = MFA_ERR_CONFLICT;
	}
	mfa_cli_undo_free(&import->written);
	return rc;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct import import = {.cli = cli};
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc rc = MFA_ERR_ARG;
	uint8_t *data = NULL;
	size_t len = 0;

	if (read_unlock(&import, &diag) &&
	    mfa_cli_read_file(&data, &len, &diag, cli->operand[0], MFA_CLI_IMPORT_MAX) == MFA_OK) {
		rc = import_text(&import, &diag, (struct mfa_bytes){data, len});
		mfa_cli_free_secret(&data, len);
		if (mfa_cli_interrupted()) mfa_diag_set(&diag, "interrupted");
		if (rc != MFA_OK) mfa_cli_warn("%s: %s", cli->operand[0], diag.text);
		mfa_cli_edit_summary(cli);
	} else {
		mfa_cli_warn("%s", diag.text);
	}
	OPENSSL_cleanse(&import, sizeof(import));
	if (rc == MFA_ERR_ARG) return MFA_CLI_USAGE;
	return rc == MFA_OK || cli->unavailable ? mfa_cli_tally_exit(cli) : MFA_CLI_REFUSED;
}

static struct mfa_cli_option const options[] = {
	{0, "format", "FORMAT", "auto, csv, otpauth, google or pskc; default: auto", MFA_CLI_CHOICE,
	 MFA_CLI_AT(format), 0, 0, "auto csv otpauth google pskc"},
	{'u', "user", "USER", "whose it is, for a file that does not say so", MFA_CLI_STRING,
	 MFA_CLI_AT(user), 0, 0, NULL},
	{0, "all-or-nothing", NULL, "write nothing unless every row can be imported", MFA_CLI_FLAG,
	 MFA_CLI_AT(all_or_nothing), 0, 0, NULL},
	{0, "pskc-key", "FILE", "opens a PSKC file: the pre-shared key in hexadecimal digits",
	 MFA_CLI_STRING, MFA_CLI_AT(pskc_key_file), 0, 0, NULL},
	{0, "pskc-password", "FILE", "opens a PSKC file: the passphrase", MFA_CLI_STRING,
	 MFA_CLI_AT(pskc_password_file), 0, 0, NULL},
	{0, "suspended", NULL, "do not set the flag", MFA_CLI_FLAG, MFA_CLI_AT(suspended), 0, 0,
	 NULL},
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_import = {
	.name = "import",
	.event = MFA_EVENT_IMPORTED,
	.operands = "FILE",
	.summary = "Take over devices from CSV, otpauth, google-authenticator or PSKC files",
	.operands_min = 1,
	.operands_max = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
