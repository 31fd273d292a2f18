/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/edit.h"
#include "admin/keys/usage.h"
#include "admin/output.h"

#include "core/secret.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS	  "abcdefghijklmnopqrstuvwxyz0123456789"
#define SLICE_MAX 8u /* letters of a name by which slices are told apart */

/** Seal one value again, if another key sealed it or none */
static enum mfa_rc reseal(struct mfa_cli_edit *edit, struct mfa_bytes value)
{
	struct mfa_keyring const *ring = &edit->cli->ring;
	char sealed[MFA_SECRET_SIZE];
	struct mfa_totp totp;
	enum mfa_rc rc;

	if (mfa_bytes_equal(mfa_secret_key_id(value), mfa_bytes_of(ring->key[0].id))) return MFA_OK;
	rc = mfa_secret_parse(&totp, &edit->text, ring, edit->entry->id, value);
	if (rc == MFA_OK) rc = mfa_secret_format(sealed, &totp, ring, edit->entry->id);
	OPENSSL_cleanse(&totp, sizeof(totp));
	if (rc != MFA_OK) return rc;
	mfa_change_delete(&edit->change, MFA_ATTR_SECRET, value);
	mfa_change_add(&edit->change, MFA_ATTR_SECRET, sealed);
	return MFA_OK;
}

/* A value is replaced by deleting exactly it: a login or an administrator in between is a
 * conflict, after which the entry is read and looked at again. */
static enum mfa_outcome decide(struct mfa_cli_edit *edit)
{
	uint64_t *unreadable = edit->uctx;
	uint64_t bad = 0;

	for (size_t i = 0; i < edit->record.secrets; i++) {
		if (reseal(edit, mfa_entry_get(edit->entry, MFA_ATTR_SECRET, i)) != MFA_OK) bad++;
	}
	if (edit->change.count == 0 && bad > 0) return MFA_OUTCOME_REFUSED;
	*unreadable += bad;
	return edit->change.count > 0 ? MFA_OUTCOME_CHANGED : MFA_OUTCOME_UNCHANGED;
}

static bool visit(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	if (mfa_entry_count(entry, MFA_ATTR_SECRET) > 0)
		(void)mfa_cli_edit_run(cli, uctx, user, entry);
	return !mfa_cli_must_stop(cli);
}

/** As visit(), for an entry that an earlier slice may have had: what is done is not counted */
static bool visit_again(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	uint64_t const unchanged = cli->unchanged;
	bool const more = visit(cli, user, entry, uctx);

	cli->unchanged = unchanged;
	return more;
}

/** The filter of a slice: names that begin so, and, for the rest, with none of the letters then */
static bool make_slice(char *out, size_t out_size, char const *name, char const *prefix, bool rest)
{
	int n = snprintf(out, out_size, rest ? "(&(%s=%s*)(!(|" : "(%s=%s*)", name, prefix);

	for (char const *c = LETTERS; rest && *c && n > 0 && (size_t)n < out_size; c++)
		n += snprintf(out + n, out_size - (size_t)n, "(%s=%s%c*)", name, prefix, *c);
	if (rest && n > 0 && (size_t)n < out_size)
		n += snprintf(out + n, out_size - (size_t)n, ")))");
	return n > 0 && (size_t)n < out_size;
}

static enum mfa_rc walk_slice(struct mfa_cli *cli, struct mfa_diag *diag,
			      struct mfa_cli_visitor const *visitor, char const *prefix, bool rest)
{
	char filter[2048];
	enum mfa_rc rc;

	if (!make_slice(filter, sizeof(filter), cli->name_attr, prefix, rest)) return MFA_ERR_SPACE;
	rc = mfa_cli_walk(cli, diag, filter, visitor);
	return rc == MFA_ERR_NOT_FOUND ? MFA_OK : rc;
}

/** Where the directory's limit is too small for all, take them by the letters of their names
 *
 * So that each run gets further, whatever the limit.  Slices that are still too large are cut
 * again; names that have none of the letters are the last slice.
 */
static enum mfa_rc walk_slices(struct mfa_cli *cli, struct mfa_diag *diag,
			       struct mfa_cli_visitor const *visitor)
{
	char prefix[SLICE_MAX + 1] = "a";
	size_t depth = 1;
	enum mfa_rc rc = MFA_OK;

	while (depth > 0 && !mfa_cli_must_stop(cli) && rc != MFA_ERR_UNAVAILABLE) {
		char const *at;

		rc = walk_slice(cli, diag, visitor, prefix, false);
		if (rc == MFA_ERR_SPACE && depth < SLICE_MAX) {
			prefix[depth++] = LETTERS[0];
			prefix[depth] = '\0';
			continue;
		}
		/* The next letter; after the last one, the rest, and one letter less. */
		for (at = strchr(LETTERS, prefix[depth - 1]); !at[1] && depth > 0;
		     at = depth > 0 ? strchr(LETTERS, prefix[depth - 1]) : LETTERS) {
			prefix[--depth] = '\0';
			rc = walk_slice(cli, diag, visitor, prefix, true);
		}
		if (depth > 0) prefix[depth - 1] = at[1];
	}
	return rc;
}

static enum mfa_rc walk_all(struct mfa_cli *cli, struct mfa_diag *diag, struct mfa_cli_work *work)
{
	struct mfa_cli_visitor const all = {
		.visit = visit, .uctx = work, .what = "entries looked at"};
	struct mfa_cli_visitor const again = {
		.visit = visit_again, .uctx = work, .what = "entries looked at"};
	enum mfa_rc const rc = mfa_cli_walk(cli, diag, NULL, &all);
	struct mfa_diag ignored;

	if (rc == MFA_ERR_SPACE && !mfa_cli_must_stop(cli)) {
		mfa_cli_warn("%s", diag->text);
		(void)walk_slices(cli, &ignored, &again);
	}
	return rc;
}

/** Name the keys that may go; in a dry run, or when something was hidden, nothing is proved */
static void advise(struct mfa_cli *cli, struct mfa_cli_usage const *usage)
{
	struct mfa_cli_usage *directory = calloc(1, sizeof(*directory));
	struct mfa_diag why;

	if (directory && !cli->args.dry_run && cli->failed == 0 &&
	    mfa_cli_usage_count_directory(directory, cli) == MFA_CLI_DONE && cli->failed == 0) {
		for (size_t i = 1; i < cli->ring.count; i++) {
			if (mfa_cli_usage_proves_unused(&why, usage, directory, usage->key[i].id))
				mfa_cli_say(cli, "key '%s' may go: keys remove %s\n",
					    usage->key[i].id, usage->key[i].id);
		}
	}
	free(directory);
}

/** Tell which keys are still needed, now that every secret is sealed by the first */
static enum mfa_cli_exit say_left(struct mfa_cli *cli)
{
	struct mfa_cli_usage *usage = calloc(1, sizeof(*usage));
	enum mfa_cli_exit status = usage ? mfa_cli_usage_count(usage, cli) : MFA_CLI_REFUSED;

	if (status == MFA_CLI_DONE) {
		mfa_cli_say(cli, "\nvalues by key now:\n");
		mfa_cli_usage_say(usage, cli);
		advise(cli, usage);
		mfa_cli_json(cli, json_pack("{s:o, s:I}", "keys", mfa_cli_usage_json(usage),
					    "unsealed_secrets", (json_int_t)usage->unsealed));
	}
	free(usage);
	return status;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	uint64_t unreadable = 0;
	struct mfa_cli_work work = {.decide = decide, .uctx = &unreadable, .only_problems = true};
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_cli_exit status;
	enum mfa_rc rc = walk_all(cli, &diag, &work);

	mfa_cli_edit_summary(cli);
	if (rc != MFA_OK) {
		mfa_cli_warn("%s", diag.text);
		return mfa_cli_exit_of(rc);
	}
	if (cli->unavailable) {
		mfa_cli_warn("the directory does not answer any more; run it again to go on");
		return MFA_CLI_UNAVAILABLE;
	}
	if (unreadable > 0) {
		mfa_cli_warn("%llu secrets beside others could not be read and stay as they are",
			     (unsigned long long)unreadable);
		cli->failed += unreadable;
	}
	status = say_left(cli);
	return status != MFA_CLI_DONE ? status : mfa_cli_tally_exit(cli);
}

static struct mfa_cli_option const options[] = {
	{'p', "progress", NULL, "say how far it is, also when there is no terminal", MFA_CLI_FLAG,
	 MFA_CLI_AT(progress), 0, 0, NULL},
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_rekey = {
	.name = "rekey",
	.event = MFA_EVENT_REENCRYPTED,
	.operands = "",
	.summary = "Seal every secret again with the first key, while logins continue",
	.operands_max = 0,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
