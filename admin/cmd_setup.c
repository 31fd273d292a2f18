/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/output.h"
#include "admin/prompt.h"
#include "admin/setup/setup.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct mfa_setup_step const forward[] = {
	{"schema", mfa_setup_schema},	    {"accounts", mfa_setup_accounts},
	{"access rules", mfa_setup_access}, {"settings", mfa_setup_settings},
	{"key ring", mfa_setup_ring},	    {"site", mfa_setup_site},
	{"page", mfa_setup_page},	    {"restart", mfa_setup_restart},
	{"check", mfa_setup_check},	    {"trial", mfa_setup_trial},
};

static struct mfa_setup_step const back[] = {
	{"files", mfa_setup_undo_files},       {"page", mfa_setup_undo_page},
	{"restart", mfa_setup_restart},	       {"access rules", mfa_setup_undo_access},
	{"accounts", mfa_setup_undo_accounts},
};

#define COUNT(_list) (sizeof(_list) / sizeof((_list)[0]))

/** The administrator's password: asked once, kept in memory alone */
static enum mfa_rc ask_password(struct mfa_setup *setup, struct mfa_diag *diag)
{
	char const *file = setup->cli->args.password_file;

	if (file && !setup->cli->args.ask_password)
		return mfa_cli_read_secret(setup->password, sizeof(setup->password), diag, file);
	mfa_diag_set(diag, "no password of the administrator");
	return mfa_cli_ask(setup->password, sizeof(setup->password),
			   "Password of the directory's administrator: ", true);
}

static enum mfa_rc prepare(struct mfa_setup *setup, struct mfa_diag *diag)
{
	enum mfa_rc rc;

	if (geteuid() != 0) {
		mfa_diag_set(diag, "setup changes files of root: run it as root");
		return MFA_ERR_DENIED;
	}
	rc = mfa_setup_answer(setup, diag);
	/* The directory's tools read it; no other thread is there yet. */
	if (rc == MFA_OK && setup->answer.ca_file[0] &&
	    setenv("LDAPTLS_CACERT", setup->answer.ca_file, 1) !=
		    0) /* NOLINT(concurrency-mt-unsafe) */
		rc = MFA_ERR_NOMEM;
	if (rc == MFA_OK) rc = mfa_setup_recognize(setup, diag);
	if (rc == MFA_OK) rc = ask_password(setup, diag);
	return rc == MFA_OK ? mfa_setup_bind(setup, diag) : rc;
}

/** Somebody at the terminal sees everything first, and says yes */
static enum mfa_rc confirm(struct mfa_setup *setup, struct mfa_diag *diag)
{
	char typed[16] = "";
	enum mfa_rc rc = mfa_cli_ask(typed, sizeof(typed), "Do all of this? [yes/no]: ", false);

	(void)setup;
	if (rc == MFA_OK && strcmp(typed, "yes") == 0) return MFA_OK;
	mfa_diag_set(diag, "nothing was changed");
	return MFA_ERR_DENIED;
}

static enum mfa_rc walk(struct mfa_setup *setup, struct mfa_diag *diag,
			struct mfa_setup_step const *steps, size_t count)
{
	enum mfa_rc rc = MFA_OK;

	for (size_t i = 0; i < count && rc == MFA_OK; i++) {
		mfa_cli_say(setup->cli, "== %s\n", steps[i].name);
		rc = steps[i].run(setup, diag);
	}
	return rc;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct mfa_setup *setup = calloc(1, sizeof(*setup));
	struct mfa_setup_step const *steps = cli->args.undo ? back : forward;
	size_t const count = cli->args.undo ? COUNT(back) : COUNT(forward);
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc rc = setup ? MFA_OK : MFA_ERR_NOMEM;

	if (setup) setup->cli = cli;
	if (rc == MFA_OK) rc = prepare(setup, &diag);
	if (rc == MFA_OK && !cli->args.answers && !cli->args.dry_run) {
		setup->dry_run = true;
		rc = walk(setup, &diag, steps, count);
		if (rc == MFA_OK) rc = confirm(setup, &diag);
	}
	if (rc == MFA_OK) {
		setup->dry_run = cli->args.dry_run > 0;
		if (!cli->args.undo) rc = mfa_setup_keep_answers(setup, &diag);
		if (rc == MFA_OK) rc = walk(setup, &diag, steps, count);
		if (rc == MFA_OK && cli->args.undo && !setup->dry_run) mfa_setup_forget_answers();
	}
	if (rc != MFA_OK) mfa_cli_warn("setup: %s", diag.text);
	if (setup) {
		mfa_config_clear(&setup->answer, mfa_setup_items);
		OPENSSL_cleanse(setup, sizeof(*setup));
	}
	free(setup);
	return mfa_cli_exit_of(rc);
}

static struct mfa_cli_option const options[] = {
	{0, "answers", "FILE", "take the answers from a file, and ask nothing", MFA_CLI_STRING,
	 MFA_CLI_AT(answers), 0, 0, NULL},
	{0, "undo", NULL, "take everything back that setup did", MFA_CLI_FLAG, MFA_CLI_AT(undo), 0,
	 0, NULL},
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_setup = {
	.name = "setup",
	.operands = "",
	.summary = "Set up directory, FreeRADIUS and page, or take that back",
	.operands_max = 0,
	.needs = MFA_CLI_NEED_NOTHING,
	.option = options,
	.run = run,
};
