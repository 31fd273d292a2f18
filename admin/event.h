/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/event.h
 * @brief What an administrator did to whom, as events: docs/events.md.
 */
#ifndef MFA_ADMIN_EVENT_H
#define MFA_ADMIN_EVENT_H

#include "admin/cli.h"

/** Open what 'events' in admin.conf names
 *
 * Before the first change: nothing is changed that cannot be recorded.
 */
enum mfa_rc mfa_cli_event_open(struct mfa_cli *cli, struct mfa_diag *diag) MFA_MUST_CHECK;

/** Write an event; when it cannot be written, a message says so and cli->unrecorded is set
 *
 * @param[in] user  NULL: about no single user.
 * @param[in] entry of the user, or NULL.
 * @param[in] reason a sentence; no secret.
 */
void mfa_cli_event(struct mfa_cli *cli, enum mfa_event_kind kind, char const *user,
		   struct mfa_entry const *entry, char const *result, char const *reason);

/** The same, about a code or another factor */
void mfa_cli_event_factor(struct mfa_cli *cli, enum mfa_event_kind kind, char const *user,
			  struct mfa_entry const *entry, char const *factor, char const *result,
			  char const *reason);

#endif /* MFA_ADMIN_EVENT_H */
