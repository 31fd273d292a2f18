/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/targets.h
 * @brief Which users a run is about: operands, a file, a group, a filter.
 *
 * All of it is read before the first entry is visited, so that a mistake in it changes nobody.
 */
#ifndef MFA_ADMIN_TARGETS_H
#define MFA_ADMIN_TARGETS_H

#include "admin/walk.h"

/** Users by name or DN, and perhaps a filter; free it with mfa_cli_targets_free() */
struct mfa_cli_targets {
	size_t count, room;
	char **name;
	char const *filter; //!< NULL: none.
	bool everybody;	    //!< Nobody was named at all.
};

/** Read operands, --users-file, --group and --users
 *
 * Says itself what is wrong.
 *
 * @return #MFA_CLI_DONE; #MFA_CLI_USAGE; #MFA_CLI_REFUSED when a file or group names nobody.
 */
enum mfa_cli_exit mfa_cli_targets_read(struct mfa_cli_targets *targets, struct mfa_cli *cli);

/** Count whom a filter finds, before anybody is changed, and ask whether that is meant
 *
 * Asks only where the subcommand wants it and --yes is not given.
 *
 * @return #MFA_CLI_DONE; #MFA_CLI_REFUSED when nobody is found or the answer is not yes.
 */
enum mfa_cli_exit mfa_cli_targets_confirm(struct mfa_cli_targets const *targets,
					  struct mfa_cli *cli);

/** Visit them all; everybody when nobody was named
 *
 * A name that is not found is reported by visitor->missing, or else by a message.
 */
enum mfa_cli_exit mfa_cli_targets_visit(struct mfa_cli_targets const *targets, struct mfa_cli *cli,
					struct mfa_cli_visitor const *visitor);

void mfa_cli_targets_free(struct mfa_cli_targets *targets);

#endif /* MFA_ADMIN_TARGETS_H */
