/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/tally.h
 * @brief Users counted by state, clocks by drift, values by key: for report and metrics.
 */
#ifndef MFA_ADMIN_TALLY_H
#define MFA_ADMIN_TALLY_H

#include "admin/keys/usage.h"
#include "admin/view.h"

#define MFA_CLI_DRIFT 5 //!< Steps told apart on either side; what is beyond counts as that.

/** What was counted */
struct mfa_cli_tally {
	struct mfa_cli_view view;
	struct mfa_cli_usage usage;
	uint64_t users;
	uint64_t state[MFA_STATE_COUNT];
	uint64_t locked, locked_for_ever, required, unused, no_recovery, several, unreadable;
	uint64_t drift[2 * MFA_CLI_DRIFT + 1];
};

/** One of the single numbers */
struct mfa_cli_tally_line {
	char const *name;  //!< For programs.
	char const *words; //!< For people.
	size_t offset;
};

/** The single numbers; ends with a NULL name */
extern struct mfa_cli_tally_line const mfa_cli_tally_lines[];

/** The states in the order of a roll-out; #MFA_STATE_COUNT of them */
extern enum mfa_state const mfa_cli_tally_states[];

uint64_t mfa_cli_tally_number(struct mfa_cli_tally const *tally,
			      struct mfa_cli_tally_line const *line);

/** Count the users that the arguments name, or all; says itself what is wrong
 *
 * @param[out] tally zero before.
 */
enum mfa_cli_exit mfa_cli_tally_users(struct mfa_cli_tally *tally, struct mfa_cli *cli);

#endif /* MFA_ADMIN_TALLY_H */
