/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/output.h"
#include "admin/process.h"
#include "admin/suggest.h"

#include <mfa_build.h>
#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mfa_cli_command const *const commands[] = {
	&mfa_cli_status,  &mfa_cli_list,   &mfa_cli_report,   &mfa_cli_metrics,
	&mfa_cli_enroll,  &mfa_cli_invite, &mfa_cli_require,  &mfa_cli_suspend,
	&mfa_cli_resume,  &mfa_cli_reset,  &mfa_cli_unlock,   &mfa_cli_device_command,
	&mfa_cli_trusted, &mfa_cli_policy, &mfa_cli_recovery, &mfa_cli_verify,
	&mfa_cli_import,  &mfa_cli_export, &mfa_cli_keygen,   &mfa_cli_keys,
	&mfa_cli_rekey,	  &mfa_cli_check,  &mfa_cli_ledger,   &mfa_cli_setup,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(void)
{
	(void)puts("usage: " MFA_CLI_NAME " [-c FILE] SUBCOMMAND [OPTION...] [OPERAND...]\n\n"
		   "Optional one-time codes, kept in the users' LDAP entries.\n\nsubcommands:");
	for (size_t i = 0; i < COMMANDS; i++)
		(void)printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	(void)puts("\noptions of every subcommand:");
	mfa_cli_options_print(mfa_cli_common_options);
	(void)puts("\n" MFA_CLI_NAME " SUBCOMMAND --help shows the others.  Exit status: 0 done, 1 "
		   "refused,\n2 usage, 3 directory unavailable.");
}

static void print_help(struct mfa_cli_command const *command)
{
	(void)printf("usage: " MFA_CLI_NAME " %s [OPTION...]%s%s\n\n%s.\n\noptions:\n",
		     command->name, command->operands[0] ? " " : "", command->operands,
		     command->summary);
	mfa_cli_options_print(command->option);
	(void)puts("\noptions of every subcommand:");
	mfa_cli_options_print(mfa_cli_common_options);
}

static struct mfa_cli_command const *find_command(char const *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0) return commands[i];
	}
	return NULL;
}

static enum mfa_cli_exit usage_error(struct mfa_cli_command const *command, char const *text)
{
	mfa_cli_warn("%s", text);
	(void)fprintf(stderr, "Try '" MFA_CLI_NAME "%s%s --help'.\n", command ? " " : "",
		      command ? command->name : "");
	return MFA_CLI_USAGE;
}

static enum mfa_cli_exit unknown_command(char const *name)
{
	char const *best = NULL;
	struct mfa_diag diag;
	size_t distance = 3;

	for (size_t i = 0; i < COMMANDS; i++)
		mfa_cli_suggest(&best, &distance, name, commands[i]->name);
	mfa_diag_set(&diag, "no subcommand '%s'%s%s%s", name, best ? "; did you mean '" : "",
		     best ? best : "", best ? "'?" : "");
	return usage_error(NULL, diag.text);
}

/** "help" and "help SUBCOMMAND" */
static enum mfa_cli_exit help_on(char const *name)
{
	struct mfa_cli_command const *command = name ? find_command(name) : NULL;

	if (name && !command) return unknown_command(name);
	if (command) {
		print_help(command);
	} else {
		print_usage();
	}
	return MFA_CLI_DONE;
}

/** How many operands there must be; users may come from --users as well */
static enum mfa_cli_exit check_operands(struct mfa_cli const *cli)
{
	struct mfa_cli_command const *command = cli->command;

	if (command->takes_users && cli->operand_count == 0 && !cli->args.users &&
	    !cli->args.users_file && !cli->args.group)
		return usage_error(command, "no user named");
	if (!command->takes_users && cli->operand_count < command->operands_min)
		return usage_error(command, "an operand is missing");
	if (command->operands_max >= 0 && cli->operand_count > command->operands_max)
		return usage_error(command, "too many operands");
	return MFA_CLI_DONE;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	enum mfa_cli_exit status = check_operands(cli);

	if (status == MFA_CLI_DONE) status = mfa_cli_open(cli, cli->command->needs);
	if (status == MFA_CLI_DONE) status = cli->command->run(cli);
	if (mfa_cli_interrupted()) mfa_cli_warn("interrupted; run it again to go on");
	if ((!mfa_cli_flush() || mfa_cli_interrupted() || cli->unrecorded) &&
	    status == MFA_CLI_DONE)
		status = MFA_CLI_REFUSED;
	return status;
}

/** Common options, the subcommand, its options and operands */
static enum mfa_cli_exit parse_and_run(struct mfa_cli *cli, int argc, char **argv)
{
	struct mfa_diag diag = {.text = ""};

	if (mfa_cli_options_parse(&cli->args, &diag, &argc, argv, NULL) != MFA_OK)
		return usage_error(NULL, diag.text);
	if (cli->args.version) {
		(void)puts(MFA_CLI_NAME " " MFA_VERSION);
		return MFA_CLI_DONE;
	}
	if (argc == 0 && cli->args.help) {
		print_usage();
		return MFA_CLI_DONE;
	}
	if (argc == 0) return usage_error(NULL, "no subcommand");
	if (strcmp(argv[0], "help") == 0) return help_on(argc > 1 ? argv[1] : NULL);
	cli->command = find_command(argv[0]);
	if (!cli->command) return unknown_command(argv[0]);
	cli->event = cli->command->event;
	cli->operand = argv + 1;
	cli->operand_count = argc - 1;
	if (mfa_cli_options_parse(&cli->args, &diag, &cli->operand_count, cli->operand,
				  cli->command->option) != MFA_OK) {
		return usage_error(cli->command, diag.text);
	}
	if (cli->args.help) {
		print_help(cli->command);
		return MFA_CLI_DONE;
	}
	return run(cli);
}

int main(int argc, char **argv)
{
	struct mfa_cli *cli = calloc(1, sizeof(*cli));
	enum mfa_cli_exit status;

	mfa_cli_process_prepare();
	if (!cli) return MFA_CLI_REFUSED;
	cli->events.fd = -1;
	mfa_cli_args_init(&cli->args);
	status = parse_and_run(cli, argc - 1, argv + 1);
	mfa_cli_close(cli);
	OPENSSL_cleanse(cli, sizeof(*cli));
	free(cli);
	return (int)status;
}
