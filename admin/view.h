/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/view.h
 * @brief A record as an administrator wants to see it: also what a login would not look at.
 */
#ifndef MFA_ADMIN_VIEW_H
#define MFA_ADMIN_VIEW_H

#include "admin/cli.h"
#include "core/record.h"

#include <jansson.h>

/** One device of the user */
struct mfa_cli_device {
	bool readable;
	struct mfa_totp totp;	 //!< When readable; holds the key.
	struct mfa_bytes key_id; //!< What it is sealed with; no bytes: not sealed.
	struct mfa_diag diag;	 //!< Why it is not readable.
};

/** A record, understood; holds secrets, wipe it with mfa_cli_view_clear() */
struct mfa_cli_view {
	struct mfa_entry const *entry;
	enum mfa_state state;
	struct mfa_diag diag;	 //!< Why it is broken, or what is wrong with a device.
	bool flag;		 //!< Enabled is TRUE.
	int64_t required_from_s; //!< -1: not required.
	size_t device_count;
	struct mfa_cli_device device[MFA_SECRETS_MAX];
	struct mfa_last_use last_use;
	bool last_use_bad;
	int64_t drift; //!< In steps, at the last use; when last_use_period_s > 0.
	uint32_t last_use_period_s;
	struct mfa_failures failures;
	bool failures_bad;
	uint32_t locked_s; //!< Or MFA_WAIT_FOREVER.
	size_t recovery_count, trusted_count;
	int64_t voucher_until_s; //!< -1: none.
};

/** Look at an entry */
void mfa_cli_view_make(struct mfa_cli_view *view, struct mfa_cli const *cli,
		       struct mfa_entry const *entry);

/** Wipe it */
void mfa_cli_view_clear(struct mfa_cli_view *view);

/** When the user's oldest device was added; -1: not known */
int64_t mfa_cli_view_since_s(struct mfa_cli_view const *view);

/** What a state means, in a few words */
char const *mfa_cli_state_words(enum mfa_state state);

/** The record as a JSON object, without any secret */
json_t *mfa_cli_view_json(struct mfa_cli_view const *view, char const *user);

#endif /* MFA_ADMIN_VIEW_H */
