/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/keys/usage.h
 * @brief Which key of the ring how many values in the directory still depend upon.
 */
#ifndef MFA_ADMIN_KEYS_USAGE_H
#define MFA_ADMIN_KEYS_USAGE_H

#include "admin/cli.h"

#include <jansson.h>

#define MFA_CLI_USAGE_KEYS (MFA_KEYRING_MAX + 48u) //!< Key ids that are told apart.

/** What a value is; each names the key that it needs */
enum mfa_cli_kind {
	MFA_CLI_KIND_SECRET,
	MFA_CLI_KIND_RECOVERY,
	MFA_CLI_KIND_VOUCHER,
	MFA_CLI_KIND_TRUSTED,
	MFA_CLI_KIND_COUNT
};

/** Counts by key id */
struct mfa_cli_usage {
	size_t count; //!< Keys below; those of the ring come first, in its order.
	struct {
		char id[MFA_KEY_ID_MAX + 1];
		bool on_ring;
		uint64_t values[MFA_CLI_KIND_COUNT];
	} key[MFA_CLI_USAGE_KEYS];
	uint64_t unsealed; //!< Secrets that no key protects.
	uint64_t unknown;  //!< Values that name no key, or one too many.
};

/** Begin with the keys of the ring */
void mfa_cli_usage_init(struct mfa_cli_usage *usage, struct mfa_keyring const *ring);

/** Count the values of an entry */
void mfa_cli_usage_add(struct mfa_cli_usage *usage, struct mfa_entry const *entry);

/** Count all users, or say why not
 *
 * An entry of which something is hidden is reported, and counted in cli->failed.
 */
enum mfa_cli_exit mfa_cli_usage_count(struct mfa_cli_usage *usage, struct mfa_cli *cli);

/** Count every entry of the directory, also outside base_dn and the user filter */
enum mfa_cli_exit mfa_cli_usage_count_directory(struct mfa_cli_usage *usage, struct mfa_cli *cli);

/** Whether what was counted proves that nothing needs a key
 *
 * To have found nothing proves nothing: some user must have a value of another key.
 *
 * @param[out] why	 what speaks against it.
 * @param[in] users	 of mfa_cli_usage_count().
 * @param[in] directory	 of mfa_cli_usage_count_directory().
 */
bool mfa_cli_usage_proves_unused(struct mfa_diag *why, struct mfa_cli_usage const *users,
				 struct mfa_cli_usage const *directory, char const *id);

/** All values that need one key */
uint64_t mfa_cli_usage_total(struct mfa_cli_usage const *usage, size_t key);

/** Print as a table */
void mfa_cli_usage_say(struct mfa_cli_usage const *usage, struct mfa_cli const *cli);

/** As a JSON array */
json_t *mfa_cli_usage_json(struct mfa_cli_usage const *usage);

#endif /* MFA_ADMIN_KEYS_USAGE_H */
