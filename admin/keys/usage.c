/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/keys/usage.h"

#include "admin/output.h"
#include "admin/walk.h"
#include "core/secret.h"

#include <stdio.h>
#include <string.h>

static struct {
	enum mfa_attr attr;
	char const *name;
} const kinds[MFA_CLI_KIND_COUNT] = {
	[MFA_CLI_KIND_SECRET] = {MFA_ATTR_SECRET, "secrets"},
	[MFA_CLI_KIND_RECOVERY] = {MFA_ATTR_RECOVERY_CODE, "recovery_codes"},
	[MFA_CLI_KIND_VOUCHER] = {MFA_ATTR_VOUCHER, "vouchers"},
	[MFA_CLI_KIND_TRUSTED] = {MFA_ATTR_TRUSTED_DEVICE, "trusted_devices"},
};

void mfa_cli_usage_init(struct mfa_cli_usage *usage, struct mfa_keyring const *ring)
{
	memset(usage, 0, sizeof(*usage));
	for (size_t i = 0; i < ring->count; i++) {
		memcpy(usage->key[i].id, ring->key[i].id, sizeof(usage->key[i].id));
		usage->key[i].on_ring = true;
	}
	usage->count = ring->count;
}

/** The id in front of '$' */
static struct mfa_bytes hash_key_id(struct mfa_bytes value)
{
	uint8_t const *dollar = value.len ? memchr(value.data, '$', value.len) : NULL;

	if (!dollar) return (struct mfa_bytes){0};
	return (struct mfa_bytes){value.data, (size_t)(dollar - value.data)};
}

static void count_value(struct mfa_cli_usage *usage, enum mfa_cli_kind kind, struct mfa_bytes id)
{
	size_t i = 0;

	while (i < usage->count && !mfa_bytes_equal(mfa_bytes_of(usage->key[i].id), id)) i++;
	if (i == MFA_CLI_USAGE_KEYS || id.len == 0 || id.len > MFA_KEY_ID_MAX) {
		usage->unknown++;
		return;
	}
	if (i == usage->count) {
		mfa_cli_clean(usage->key[i].id, sizeof(usage->key[i].id), id);
		usage->count++;
	}
	usage->key[i].values[kind]++;
}

static void count_secret(struct mfa_cli_usage *usage, struct mfa_bytes value)
{
	struct mfa_bytes const id = mfa_secret_key_id(value);

	if (id.len == 0) {
		usage->unsealed++;
	} else {
		count_value(usage, MFA_CLI_KIND_SECRET, id);
	}
}

void mfa_cli_usage_add(struct mfa_cli_usage *usage, struct mfa_entry const *entry)
{
	for (size_t i = 0; i < entry->count; i++) {
		struct mfa_bytes const value = entry->list[i].value;

		if (entry->list[i].attr == MFA_ATTR_SECRET) count_secret(usage, value);
		for (unsigned kind = MFA_CLI_KIND_RECOVERY; kind < MFA_CLI_KIND_COUNT; kind++) {
			if (entry->list[i].attr == kinds[kind].attr)
				count_value(usage, (enum mfa_cli_kind)kind, hash_key_id(value));
		}
	}
}

static bool visit(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	(void)cli;
	(void)user;
	mfa_cli_usage_add(uctx, entry);
	return true;
}

enum mfa_cli_exit mfa_cli_usage_count(struct mfa_cli_usage *usage, struct mfa_cli *cli)
{
	struct mfa_cli_visitor const visitor = {
		.visit = visit, .uctx = usage, .what = "entries counted"};
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc rc;

	mfa_cli_usage_init(usage, &cli->ring);
	rc = mfa_cli_walk(cli, &diag, NULL, &visitor);
	if (rc != MFA_OK) mfa_cli_warn("%s", diag.text);
	return mfa_cli_exit_of(rc);
}

enum mfa_cli_exit mfa_cli_usage_count_directory(struct mfa_cli_usage *usage, struct mfa_cli *cli)
{
	struct mfa_cli_visitor const visitor = {
		.visit = visit, .uctx = usage, .what = "entries counted"};
	char *const *attr = cli->config.attr;
	struct mfa_diag diag = {.text = "no memory"};
	char filter[512];
	enum mfa_rc rc;

	mfa_cli_usage_init(usage, &cli->ring);
	(void)snprintf(filter, sizeof(filter), "(|(%s=*)(%s=*)(%s=*)(%s=*))", attr[MFA_ATTR_SECRET],
		       attr[MFA_ATTR_RECOVERY_CODE], attr[MFA_ATTR_VOUCHER],
		       attr[MFA_ATTR_TRUSTED_DEVICE]);
	rc = mfa_cli_walk_directory(cli, &diag, filter, &visitor);
	if (rc != MFA_OK) mfa_cli_warn("%s", diag.text);
	return mfa_cli_exit_of(rc);
}

bool mfa_cli_usage_proves_unused(struct mfa_diag *why, struct mfa_cli_usage const *users,
				 struct mfa_cli_usage const *directory, char const *id)
{
	uint64_t others = 0;

	for (size_t i = 0; i < directory->count; i++) {
		uint64_t const total = mfa_cli_usage_total(directory, i);

		if (strcmp(directory->key[i].id, id) == 0 && total > 0) {
			mfa_diag_set(why, "%llu values need key '%s'; see 'keys' and 'rekey'",
				     (unsigned long long)total, id);
			return false;
		}
	}
	for (size_t i = 0; i < users->count; i++) {
		if (users->key[i].on_ring && strcmp(users->key[i].id, id) != 0)
			others += mfa_cli_usage_total(users, i);
	}
	if (others > 0) return true;
	mfa_diag_set(why, "no value of any other key on the ring was found: are server and base_dn "
			  "right, and is this the ring that they use?");
	return false;
}

uint64_t mfa_cli_usage_total(struct mfa_cli_usage const *usage, size_t key)
{
	uint64_t total = 0;

	for (size_t kind = 0; kind < MFA_CLI_KIND_COUNT; kind++)
		total += usage->key[key].values[kind];
	return total;
}

static char const *role(struct mfa_cli_usage const *usage, size_t key)
{
	if (!usage->key[key].on_ring) return "missing";
	return key == 0 ? "seals" : "opens";
}

void mfa_cli_usage_say(struct mfa_cli_usage const *usage, struct mfa_cli const *cli)
{
	mfa_cli_say(cli, "%-20s %-8s %10s %10s %10s %10s\n", "KEY", "ROLE", "SECRETS", "RECOVERY",
		    "VOUCHERS", "TRUSTED");
	for (size_t i = 0; i < usage->count; i++) {
		uint64_t const *values = usage->key[i].values;

		mfa_cli_say(cli, "%-20s %-8s %10llu %10llu %10llu %10llu\n", usage->key[i].id,
			    role(usage, i), (unsigned long long)values[MFA_CLI_KIND_SECRET],
			    (unsigned long long)values[MFA_CLI_KIND_RECOVERY],
			    (unsigned long long)values[MFA_CLI_KIND_VOUCHER],
			    (unsigned long long)values[MFA_CLI_KIND_TRUSTED]);
	}
	if (usage->unsealed)
		mfa_cli_say(cli, "%llu secrets are not sealed at all\n",
			    (unsigned long long)usage->unsealed);
	if (usage->unknown)
		mfa_cli_say(cli, "%llu values name no key that can be told\n",
			    (unsigned long long)usage->unknown);
}

json_t *mfa_cli_usage_json(struct mfa_cli_usage const *usage)
{
	json_t *array = json_array();

	for (size_t i = 0; i < usage->count; i++) {
		json_t *key = json_object();

		(void)json_object_set_new(key, "id", json_string(usage->key[i].id));
		(void)json_object_set_new(key, "role", json_string(role(usage, i)));
		for (size_t kind = 0; kind < MFA_CLI_KIND_COUNT; kind++) {
			(void)json_object_set_new(
				key, kinds[kind].name,
				json_integer((json_int_t)usage->key[i].values[kind]));
		}
		(void)json_array_append_new(array, key);
	}
	return array;
}
