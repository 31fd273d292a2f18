/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/doctor/site.h"
#include "admin/output.h"
#include "admin/walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char const *const health_name[MFA_CLI_HEALTH_COUNT] = {
	[MFA_CLI_OK] = "ok", [MFA_CLI_WARNING] = "warning", [MFA_CLI_WRONG] = "wrong"};

void mfa_cli_doctor_say(struct mfa_cli_doctor *doctor, enum mfa_cli_health health, char const *what,
			char const *fmt, ...)
{
	char raw[512], text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	mfa_cli_clean(text, sizeof(text), mfa_bytes_of(raw));
	doctor->lines[health]++;
	mfa_cli_say(doctor->cli, "%-8s %s: %s\n", health_name[health], what, text);
	mfa_cli_json(doctor->cli, json_pack("{s:s, s:s, s:s}", "check", what, "health",
					    health_name[health], "text", text));
}

/** The entry to try things on: the first with a secret, or else the first */
static bool take_entry(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	struct mfa_cli_doctor *doctor = uctx;
	bool const has_secret = mfa_entry_count(entry, MFA_ATTR_SECRET) > 0;

	(void)cli;
	(void)user;
	doctor->users++;
	if (entry->dn.len < sizeof(doctor->test_dn) &&
	    (!doctor->test_dn[0] || (has_secret && !doctor->test_has_secret))) {
		memcpy(doctor->test_dn, entry->dn.data, entry->dn.len + 1);
		doctor->test_has_secret = has_secret;
	}
	return true;
}

/** The user that was named, or anyone who has a record, or anyone
 *
 * All users are read, as the lists of this command do: a limit that is too small shows now.
 */
static enum mfa_rc find_test_entry(struct mfa_cli_doctor *doctor, struct mfa_diag *diag)
{
	struct mfa_cli *cli = doctor->cli;
	struct mfa_cli_visitor const visitor = {.visit = take_entry, .uctx = doctor};
	struct mfa_entry *entry;
	enum mfa_rc rc;

	if (cli->operand_count == 0) {
		rc = mfa_cli_walk(cli, diag, NULL, &visitor);
		return rc == MFA_ERR_NOT_FOUND ? MFA_OK : rc;
	}
	entry = mfa_cli_entry_alloc();
	rc = entry ? mfa_cli_find(entry, diag, cli, cli->operand[0]) : MFA_ERR_NOMEM;
	if (rc == MFA_OK) (void)take_entry(cli, NULL, entry, doctor);
	mfa_cli_entry_free(&entry);
	return rc;
}

static void check_users(struct mfa_cli_doctor *doctor)
{
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc const rc = find_test_entry(doctor, &diag);

	if (rc == MFA_ERR_SPACE) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "limits", "after %llu users: %s",
				   (unsigned long long)doctor->users, diag.text);
	} else if (rc != MFA_OK) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "users", "%s", diag.text);
	} else if (doctor->cli->failed > 0) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "users",
				   "an entry has no readable '%s': set 'id' in section attribute",
				   doctor->cli->config.attr_id);
	} else if (doctor->test_dn[0]) {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "users", "found, such as '%s'",
				   doctor->test_dn);
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "users", "none below '%s' by '%s'",
				   doctor->cli->config.base_dn, doctor->cli->everyone);
	}
}

static enum mfa_cli_exit check_directory(struct mfa_cli_doctor *doctor)
{
	struct mfa_cli *cli = doctor->cli;
	struct mfa_diag diag = {.text = ""};
	enum mfa_cli_exit status = mfa_cli_open_account(cli, &diag);
	enum mfa_rc rc = MFA_OK;

	if (status == MFA_CLI_DONE) {
		rc = mfa_cli_connect(cli, &diag);
		status = mfa_cli_exit_of(rc);
	}
	if (status == MFA_CLI_DONE)
		doctor->handle = mfa_conn_handle(&diag, cli->conn, MFA_SIDE_WRITE);
	if (!doctor->handle) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "directory", "%s", diag.text);
		return status == MFA_CLI_DONE ? MFA_CLI_UNAVAILABLE : status;
	}
	mfa_cli_doctor_say(doctor, MFA_CLI_OK, "directory", "connected as '%s'",
			   cli->store.account.external ? "SASL EXTERNAL"
						       : cli->store.account.identity);
	mfa_cli_doctor_directory(doctor);
	check_users(doctor);
	mfa_cli_doctor_access(doctor);
	return MFA_CLI_DONE;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct mfa_cli_doctor *doctor = calloc(1, sizeof(*doctor));
	struct mfa_diag diag = {.text = ""};
	enum mfa_cli_exit status;

	if (!doctor) return MFA_CLI_REFUSED;
	doctor->cli = cli;
	status = mfa_cli_open_config(cli, &diag);
	if (status == MFA_CLI_DONE) {
		mfa_cli_doctor_files(doctor);
		mfa_cli_doctor_module(doctor);
		mfa_cli_doctor_placeholders(doctor);
		mfa_cli_doctor_ledger(doctor);
		status = check_directory(doctor);
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "configuration", "%s", diag.text);
	}
	if (!cli->args.quiet)
		mfa_cli_say(cli, "%u ok, %u warnings, %u wrong\n", doctor->lines[MFA_CLI_OK],
			    doctor->lines[MFA_CLI_WARNING], doctor->lines[MFA_CLI_WRONG]);
	if (status == MFA_CLI_DONE && doctor->lines[MFA_CLI_WRONG] > 0) status = MFA_CLI_REFUSED;
	free(doctor);
	return status;
}

#define OPTION(_name, _argument, _help, _field)                                                    \
	{                                                                                          \
		0, _name, _argument, _help, MFA_CLI_STRING, MFA_CLI_AT(_field), 0, 0, NULL         \
	}

static struct mfa_cli_option const options[] = {
	OPTION("as-radius", "DN", "also look what the account of FreeRADIUS may do", as_radius),
	OPTION("as-radius-file", "FILE", "its password", as_radius_file),
	OPTION("as-page", "DN", "also look what the account of the enrolment page may do", as_page),
	OPTION("as-page-file", "FILE", "its password", as_page_file),
	OPTION("as-user", "DN", "also look what this user may do", as_user),
	OPTION("as-user-file", "FILE", "the user's password", as_user_file),
	OPTION("module", "FILE", "the FreeRADIUS module; default: where it is installed", module),
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_check = {
	.name = "check",
	.operands = "[USER]",
	.summary = "Look for what is wrong with configuration, files and directory",
	.operands_max = 1,
	.needs = MFA_CLI_NEED_NOTHING,
	.option = options,
	.run = run,
};
