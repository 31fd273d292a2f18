/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/usage.h
 * @brief Which key of the ring how many values in the directory still depend upon.
 */
#ifndef MFA_ADMIN_USAGE_H
#define MFA_ADMIN_USAGE_H

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

/** Count the whole directory, or say why not */
enum mfa_cli_exit mfa_cli_usage_count(struct mfa_cli_usage *usage, struct mfa_cli *cli);

/** All values that need one key */
uint64_t mfa_cli_usage_total(struct mfa_cli_usage const *usage, size_t key);

/** Print as a table */
void mfa_cli_usage_say(struct mfa_cli_usage const *usage, struct mfa_cli const *cli);

/** As a JSON array */
json_t *mfa_cli_usage_json(struct mfa_cli_usage const *usage);

#endif /* MFA_ADMIN_USAGE_H */
