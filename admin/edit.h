/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/edit.h
 * @brief One change of one entry: read, decide, write by compare-and-swap, decide again on conflict.
 */
#ifndef MFA_ADMIN_EDIT_H
#define MFA_ADMIN_EDIT_H

#include "admin/options.h"
#include "admin/walk.h"

#include <jansson.h>

/** An entry that is being changed */
struct mfa_cli_edit {
	struct mfa_cli *cli;
	char const *user;	  //!< As it is shown.
	struct mfa_entry *entry;  //!< As read last.
	bool flag;		  //!< Enabled is TRUE.
	bool flag_bad;		  //!< Enabled is neither TRUE nor FALSE.
	size_t secrets;		  //!< Values of the secret.
	int64_t required_from_s;  //!< -1: not required; 0 also when it cannot be read.
	bool required_bad;	  //!< RequiredFrom cannot be read.
	struct mfa_change change; //!< To be filled in.
	struct mfa_diag text;	  //!< To be filled in: what was done, or why not.
	void *uctx;
};

/** What a subcommand does to an entry */
struct mfa_cli_work {
	/** Fill in change and text; called again after a conflict, with the entry as it is then */
	enum mfa_cli_outcome (*decide)(struct mfa_cli_edit *edit);
	/** Add to the JSON row, or say more, once it was changed; NULL: nothing */
	void (*report)(struct mfa_cli_edit const *edit, json_t *row);
	void *uctx;
	bool only_problems; //!< No row for an entry where all went well.
};

/** Look at an entry, as far as that needs no key: flag, required, number of secrets
 *
 * Empties the change.
 */
void mfa_cli_edit_look(struct mfa_cli_edit *edit);

/** Change one entry and print a row
 *
 * @param[in,out] entry as it was read.
 * @return the outcome; counted in the tally of @p cli.
 */
enum mfa_cli_outcome mfa_cli_edit_run(struct mfa_cli *cli, struct mfa_cli_work const *work,
				      char const *user, struct mfa_entry *entry);

/** Change all users that the arguments name: operands, --users FILE, --users FILTER
 *
 * Ends early when the directory does not answer any more.
 */
enum mfa_cli_exit mfa_cli_edit_targets(struct mfa_cli *cli, struct mfa_cli_work const *work);

/** A subcommand that does cli->command->decide to the users it is given, and no more */
enum mfa_cli_exit mfa_cli_edit_command(struct mfa_cli *cli);

/** The options of such a subcommand: which users, dry run */
extern struct mfa_cli_option const mfa_cli_edit_options[];

/** Change one user */
enum mfa_cli_outcome mfa_cli_edit_user(struct mfa_cli *cli, struct mfa_cli_work const *work,
				       char const *user);

/** Print a row that says what became of an entry, and count it */
void mfa_cli_edit_row(struct mfa_cli *cli, char const *user, struct mfa_bytes dn,
		      enum mfa_cli_outcome outcome, char const *text, json_t *row);

/** Print how many entries had which outcome */
void mfa_cli_edit_summary(struct mfa_cli const *cli);

/** Pieces of changes; each also asserts what it was decided upon */

/** Set the flag, and add the object class where it is missing */
void mfa_cli_change_flag(struct mfa_cli_edit *edit, bool flag);
/** Add the object class, where it is missing */
void mfa_cli_change_class(struct mfa_cli_edit *edit);
/** Delete every value of an attribute, one by one: a value that came meanwhile is a conflict */
void mfa_cli_change_remove(struct mfa_cli_edit *edit, enum mfa_attr attr);

#endif /* MFA_ADMIN_EDIT_H */
