/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/options.h
 * @brief Options by table: what is parsed, and what --help shows, is one thing.
 */
#ifndef MFA_ADMIN_OPTIONS_H
#define MFA_ADMIN_OPTIONS_H

#include "admin/cli.h"

/** What follows an option */
enum mfa_cli_option_type {
	MFA_CLI_FLAG,	//!< Nothing; counts how often it stands.
	MFA_CLI_STRING, //!< char const *
	MFA_CLI_NUMBER, //!< uint32_t between min and max.
	MFA_CLI_CHOICE, //!< uint32_t: index into the words of choices.
};

/** One option; tables end with a NULL name */
struct mfa_cli_option {
	char letter; //!< 0: none.
	char const *name;
	char const *argument; //!< As --help shows it; NULL for flags.
	char const *help;
	enum mfa_cli_option_type type;
	size_t offset; //!< In struct mfa_cli_args.
	uint32_t min, max;
	char const *choices; //!< Words separated by spaces.
};

#define MFA_CLI_AT(_field) offsetof(struct mfa_cli_args, _field)

/** Rows that several subcommands have */
#define MFA_CLI_OPTION_DRY_RUN                                                                     \
	{                                                                                          \
		'n', "dry-run", NULL, "say what would be done, write nothing", MFA_CLI_FLAG,       \
			MFA_CLI_AT(dry_run), 0, 0, NULL                                            \
	}
#define MFA_CLI_OPTION_USERS                                                                       \
	{                                                                                          \
		0, "users", "FILTER", "users by an LDAP filter in parentheses", MFA_CLI_STRING,    \
			MFA_CLI_AT(users), 0, 0, NULL                                              \
	}
#define MFA_CLI_OPTION_USERS_FILE                                                                  \
	{                                                                                          \
		0, "users-file", "FILE", "users from a file, one per line", MFA_CLI_STRING,        \
			MFA_CLI_AT(users_file), 0, 0, NULL                                         \
	}
#define MFA_CLI_OPTION_GROUP                                                                       \
	{                                                                                          \
		0, "group", "DN", "users who are members of this group", MFA_CLI_STRING,           \
			MFA_CLI_AT(group), 0, 0, NULL                                              \
	}
#define MFA_CLI_OPTION_YES                                                                         \
	{                                                                                          \
		0, "yes", NULL, "do not ask", MFA_CLI_FLAG, MFA_CLI_AT(yes), 0, 0, NULL            \
	}
#define MFA_CLI_OPTION_END                                                                         \
	{                                                                                          \
		0, NULL, NULL, NULL, MFA_CLI_FLAG, 0, 0, 0, NULL                                   \
	}

/** Options that every subcommand takes */
extern struct mfa_cli_option const mfa_cli_common_options[];

/** Set the options to their defaults */
void mfa_cli_args_init(struct mfa_cli_args *args);

/** Read arguments
 *
 * Options and operands may be mixed; "--" ends the options.  An option may stand
 * before the subcommand when it is a common one.
 *
 * @param[in,out] argv    operands are moved to the front.
 * @param[in,out] argc    afterwards how many operands there are.
 * @param[in] own	  NULL: stop at the first operand, which is the subcommand.
 * @param[out] diag	  what is wrong.
 * @return #MFA_OK or #MFA_ERR_FORMAT.
 */
enum mfa_rc mfa_cli_options_parse(struct mfa_cli_args *args, struct mfa_diag *diag, int *argc,
				  char **argv, struct mfa_cli_option const *own) MFA_MUST_CHECK;

/** Print the rows of a table for --help */
void mfa_cli_options_print(struct mfa_cli_option const *options);

#endif /* MFA_ADMIN_OPTIONS_H */
