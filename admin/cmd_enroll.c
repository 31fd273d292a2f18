/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"
#include "admin/output.h"
#include "admin/prompt.h"
#include "admin/qr.h"

#include "core/devices.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONFIRM_TRIES 3u

static enum mfa_outcome decide(struct mfa_cli_edit *edit)
{
	return mfa_devices_add(&edit->record, edit->uctx);
}

/** A secret as long as the hash (RFC 4226 section 4, R6; RFC 6238 section 5.1) */
static enum mfa_rc make_totp(struct mfa_totp *totp, struct mfa_cli const *cli)
{
	static size_t const key_len[] = {
		[MFA_TOTP_SHA1] = 20, [MFA_TOTP_SHA256] = 32, [MFA_TOTP_SHA512] = 64};
	char const *name = cli->args.device ? cli->args.device : "";

	memset(totp, 0, sizeof(*totp));
	totp->hash = (enum mfa_totp_hash)cli->args.algorithm;
	totp->digits = cli->args.digits;
	totp->period_s = cli->args.period_s;
	totp->key_len = key_len[totp->hash];
	if (strlen(name) > MFA_TOTP_NAME_MAX) return MFA_ERR_ARG;
	mfa_cli_clean(totp->name, sizeof(totp->name), mfa_bytes_of(name));
	return mfa_random(totp->key, totp->key_len);
}

/** Show it as QR code, key and link */
static enum mfa_rc show(struct mfa_cli const *cli, struct mfa_totp const *totp, char const *user)
{
	char const *issuer = cli->args.issuer ? cli->args.issuer : cli->settings.issuer;
	char uri[MFA_OTPAUTH_LINK_SIZE], key[MFA_TOTP_KEY_MAX * 8 / 5 + 2];
	enum mfa_rc rc = mfa_otpauth_format(uri, sizeof(uri), totp, issuer, user);

	if (rc == MFA_OK) rc = mfa_base32_encode(key, sizeof(key), totp->key, totp->key_len);
	if (rc == MFA_OK && cli->args.json) {
		mfa_cli_json(cli, json_pack("{s:o, s:s, s:s}", "user",
					    mfa_cli_json_text(mfa_bytes_of(user)), "uri", uri,
					    "key", key));
	} else if (rc == MFA_OK) {
		rc = mfa_cli_qr_draw(stdout, uri, isatty(STDOUT_FILENO) == 1);
		mfa_cli_say(cli, "key:  %s\nlink: %s\n", key, uri);
	}
	OPENSSL_cleanse(uri, sizeof(uri));
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

/** Ask for a code; the step that it is of, or -1 */
static int64_t ask_step(struct mfa_cli const *cli, struct mfa_totp const *totp)
{
	struct mfa_totp_window const window = {.steps = cli->config.window, .not_after = -1};
	struct mfa_totp_match match;
	char line[MFA_CODE_MAX + 1];
	struct mfa_code code;
	int64_t step = -1;

	for (unsigned i = 0; i < CONFIRM_TRIES && step < 0; i++) {
		if (mfa_cli_ask(line, sizeof(line), "Code that the app shows: ", false) != MFA_OK)
			break;
		mfa_code_parse(&code, mfa_bytes_of(line));
		if (mfa_totp_match(&match, totp, &window, &code, (int64_t)time(NULL)) == MFA_OK &&
		    match.fresh) {
			step = match.step;
		} else {
			mfa_cli_warn("that is not the code of now; is the app's clock right?");
		}
		mfa_code_clear(&code);
	}
	OPENSSL_cleanse(line, sizeof(line));
	return step;
}

/** Whether it could be added, before anybody scans a code in vain */
static bool may_enrol(struct mfa_cli *cli, struct mfa_new_device *device, char const *user,
		      struct mfa_entry *entry)
{
	struct mfa_cli_edit *edit = calloc(1, sizeof(*edit));
	enum mfa_outcome outcome;

	if (!edit) return false;
	edit->cli = cli;
	edit->entry = entry;
	mfa_cli_edit_look(edit);
	outcome = mfa_devices_add(&edit->record, device);
	if (outcome != MFA_OUTCOME_CHANGED)
		mfa_cli_edit_row(cli, user, entry->dn, outcome, edit->text.text, NULL);
	OPENSSL_cleanse(edit, sizeof(*edit));
	free(edit);
	return outcome == MFA_OUTCOME_CHANGED;
}

static void enrol(struct mfa_cli *cli, struct mfa_new_device *device, struct mfa_entry *entry)
{
	struct mfa_cli_work const work = {.decide = decide, .uctx = device};
	char const *user = cli->operand[0];

	if (!may_enrol(cli, device, user, entry)) return;
	if (cli->args.dry_run) {
		(void)mfa_cli_edit_run(cli, &work, user, entry);
		return;
	}
	mfa_cli_warn_if_readable(STDOUT_FILENO, "secrets");
	if (show(cli, &device->totp, user) != MFA_OK) {
		mfa_cli_edit_row(cli, user, entry->dn, MFA_OUTCOME_FAILED,
				 "the secret cannot be shown; is the issuer too long?", NULL);
		return;
	}
	if (!mfa_cli_flush()) {
		mfa_cli_edit_row(cli, user, entry->dn, MFA_OUTCOME_FAILED,
				 "nobody saw the secret; nothing was written", NULL);
		return;
	}
	if (!cli->args.no_confirm) {
		device->used_step = ask_step(cli, &device->totp);
		cli->now_s = (int64_t)time(NULL);
		if (device->used_step < 0) {
			mfa_cli_edit_row(cli, user, entry->dn, MFA_OUTCOME_REFUSED,
					 "not confirmed; nothing was written", NULL);
			return;
		}
	}
	(void)mfa_cli_edit_run(cli, &work, user, entry);
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct mfa_entry *entry = mfa_cli_entry_alloc();
	char nonce[MFA_NONCE_TEXT_SIZE] = "";
	struct mfa_new_device device = {.used_step = -1, .nonce = nonce};
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc rc = entry ? make_totp(&device.totp, cli) : MFA_ERR_NOMEM;

	if (rc == MFA_ERR_ARG) mfa_diag_set(&diag, "--device: at most 64 bytes");
	if (rc == MFA_OK) rc = mfa_nonce_make(nonce);
	if (rc == MFA_OK) rc = mfa_cli_find(entry, &diag, cli, cli->operand[0]);
	if (rc == MFA_OK) {
		enrol(cli, &device, entry);
	} else {
		mfa_cli_warn("%s: %s", cli->operand[0], diag.text);
	}
	OPENSSL_cleanse(&device, sizeof(device));
	mfa_cli_entry_free(&entry);
	return rc == MFA_OK ? mfa_cli_tally_exit(cli) : mfa_cli_exit_of(rc);
}

static struct mfa_cli_option const options[] = {
	{'d', "device", "NAME", "what the device is called; default: device 1, 2 and so on",
	 MFA_CLI_STRING, MFA_CLI_AT(device), 0, 0, NULL},
	{0, "algorithm", "NAME", "SHA1, SHA256 or SHA512; most apps know SHA1 alone",
	 MFA_CLI_CHOICE, MFA_CLI_AT(algorithm), 0, 0, "SHA1 SHA256 SHA512"},
	{0, "digits", "NUMBER", "6 to 8; default: 6", MFA_CLI_NUMBER, MFA_CLI_AT(digits),
	 MFA_TOTP_DIGITS_MIN, MFA_TOTP_DIGITS_MAX, NULL},
	{0, "period", "SECONDS", "15 to 120; default: 30", MFA_CLI_NUMBER, MFA_CLI_AT(period_s),
	 MFA_TOTP_PERIOD_MIN, MFA_TOTP_PERIOD_MAX, NULL},
	{0, "issuer", "NAME", "what the app shows above the code", MFA_CLI_STRING,
	 MFA_CLI_AT(issuer), 0, 0, NULL},
	{0, "no-confirm", NULL, "do not ask for a code", MFA_CLI_FLAG, MFA_CLI_AT(no_confirm), 0, 0,
	 NULL},
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_enroll = {
	.name = "enroll",
	.event = MFA_EVENT_DEVICE_ADDED,
	.operands = "USER",
	.summary = "Add a device: show QR code and key, ask for a code",
	.operands_min = 1,
	.operands_max = 1,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
