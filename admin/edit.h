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
	char const *user;	      //!< As it is shown.
	struct mfa_entry *entry;      //!< As read last.
	struct mfa_enrollment record; //!< The entry, for the functions of core/enrollment.h.
	struct mfa_change change;     //!< To be filled in.
	struct mfa_diag text;	      //!< To be filled in: what was done, or why not.
	void *uctx;
};

/** What a subcommand does to an entry */
struct mfa_cli_work {
	/** Fill in change and text; called again after a conflict, with the entry as it is then */
	enum mfa_outcome (*decide)(struct mfa_cli_edit *edit);
	/** Add to the JSON row, or say more, once it was changed; NULL: nothing */
	void (*report)(struct mfa_cli_edit const *edit, json_t *row);
	void *uctx;
	bool only_problems; //!< No row for an entry where all went well.
	char const *title;  //!< Shown before the first change, where something is shown once.
};

/** Look at an entry by mfa_enrollment_look(), and empty the change */
void mfa_cli_edit_look(struct mfa_cli_edit *edit);

/** Change one entry and print a row
 *
 * @param[in,out] entry as it was read.
 * @return the outcome; counted in the tally of @p cli.
 */
enum mfa_outcome mfa_cli_edit_run(struct mfa_cli *cli, struct mfa_cli_work const *work,
				  char const *user, struct mfa_entry *entry);

/** Change all users that the arguments name (struct mfa_cli_targets)
 *
 * All of it is read before the first change.  Ends early when the directory does not answer
 * any more, when the output cannot be written, and on a signal.
 */
enum mfa_cli_exit mfa_cli_edit_targets(struct mfa_cli *cli, struct mfa_cli_work const *work);

/** A subcommand that does cli->command->decide to the users it is given, and no more */
enum mfa_cli_exit mfa_cli_edit_command(struct mfa_cli *cli);

/** The options of such a subcommand: which users, dry run, no question */
extern struct mfa_cli_option const mfa_cli_edit_options[];

/** Change one user */
enum mfa_outcome mfa_cli_edit_user(struct mfa_cli *cli, struct mfa_cli_work const *work,
				   char const *user);

/** Print a row that says what became of an entry, and count it */
void mfa_cli_edit_row(struct mfa_cli *cli, char const *user, struct mfa_bytes dn,
		      enum mfa_outcome outcome, char const *text, json_t *row);

/** Print how many entries had which outcome */
void mfa_cli_edit_summary(struct mfa_cli const *cli);

#endif /* MFA_ADMIN_EDIT_H */
