/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/conn.h"
#include "core/etcd.h"
#include "core/ledger.h"
#include "core/ledger_text.h"
#include "core/modify.h"

#include <stdlib.h>
#include <string.h>

/*
 * Both ledgers at once, while a running site goes over from one to the other.  Whoever accepts a
 * code swaps it in the directory and then in etcd, so that it counts as used for servers that
 * look at one of them only.  What a server wrote to the directory only is brought to etcd
 * before anything is decided upon; what one wrote to etcd only, with the next write.
 */

#define TRIES 4u /* of bringing etcd up to what the directory says */

struct work {
	struct mfa_etcd_value value;
	struct mfa_ledger ledger;
	struct mfa_change change;	  //!< What is written to the directory.
	char before[MFA_ETCD_VALUE_SIZE]; //!< What etcd held.
};

static enum mfa_rc not_understood(struct mfa_diag *diag)
{
	mfa_diag_say(diag, "what directory or etcd hold of the last use cannot be understood");
	return MFA_ERR_FORMAT;
}

/** The later step counts; of the same step etcd's, where servers that ask it only have swapped it */
static enum mfa_rc merge_last_use(struct mfa_ledger *ledger, struct mfa_last_use *later,
				  struct mfa_bytes other)
{
	struct mfa_last_use here = {.present = false};
	enum mfa_rc rc = MFA_OK;

	*later = (struct mfa_last_use){.present = false};
	if (ledger->last_use[0]) rc = mfa_last_use_parse(later, mfa_bytes_of(ledger->last_use));
	if (rc == MFA_OK && other.len > 0) rc = mfa_last_use_parse(&here, other);
	if (rc != MFA_OK || !here.present || (later->present && here.step <= later->step))
		return rc;
	*later = here;
	mfa_last_use_format(ledger->last_use, &here);
	return MFA_OK;
}

/** The greater number counts, unless a right code came after it */
static enum mfa_rc merge_failures(struct mfa_ledger *ledger, struct mfa_last_use const *last_use,
				  struct mfa_bytes other)
{
	struct mfa_failures here = {.present = false}, there = {.present = false};
	enum mfa_rc rc = MFA_OK;

	if (ledger->failures[0]) rc = mfa_failures_parse(&there, mfa_bytes_of(ledger->failures));
	if (rc == MFA_OK && other.len > 0) rc = mfa_failures_parse(&here, other);
	if (rc != MFA_OK || !here.present || here.count <= there.count) return rc;
	if (last_use->present && here.time_s < last_use->time_s) return MFA_OK;
	mfa_failures_format(ledger->failures, &here);
	return MFA_OK;
}

/** Add to the ledger what the directory knows and etcd does not */
static enum mfa_rc merge(struct work *work, struct mfa_entry const *entry)
{
	struct mfa_bytes const text = {(uint8_t const *)work->value.text, work->value.len};
	struct mfa_last_use later;
	enum mfa_rc rc = mfa_ledger_parse(&work->ledger, text);

	if (rc == MFA_OK)
		rc = merge_last_use(&work->ledger, &later,
				    mfa_entry_get(entry, MFA_ATTR_LAST_USE, 0));
	if (rc == MFA_OK)
		rc = merge_failures(&work->ledger, &later,
				    mfa_entry_get(entry, MFA_ATTR_FAILURES, 0));
	return rc;
}

/** Write the ledger as text behind a value's revision; whether it differs from what was there */
static enum mfa_rc put_text(bool *differs, struct work *work, struct mfa_bytes before)
{
	struct mfa_etcd_value *value = &work->value;
	enum mfa_rc const rc =
		mfa_ledger_format(value->text, &value->len, sizeof(value->text), &work->ledger);

	*differs = !mfa_bytes_equal(before,
				    (struct mfa_bytes){(uint8_t const *)value->text, value->len});
	return rc;
}

/** Read etcd, and write what the directory has in addition; MFA_ERR_CONFLICT: read once more */
static enum mfa_rc bring_up(struct work *work, struct mfa_diag *diag, struct mfa_conn *conn,
			    struct mfa_entry const *entry, char const *key)
{
	size_t len;
	bool differs;
	enum mfa_rc rc = mfa_etcd_get(&work->value, diag, conn, key);

	if (rc != MFA_OK) return rc;
	len = work->value.len;
	memcpy(work->before, work->value.text, len);
	rc = merge(work, entry);
	if (rc == MFA_OK)
		rc = put_text(&differs, work,
			      (struct mfa_bytes){(uint8_t const *)work->before, len});
	if (rc != MFA_OK) return not_understood(diag);
	if (!differs || (work->value.revision == 0 && strcmp(work->value.text, "{}") == 0))
		return MFA_OK;
	rc = mfa_etcd_swap(diag, conn, key, &work->value);
	return rc == MFA_OK ? MFA_ERR_CONFLICT : rc;
}

static enum mfa_rc read_ledger(struct mfa_entry *entry, struct mfa_diag *diag,
			       struct mfa_conn *conn)
{
	struct work *work = malloc(sizeof(*work));
	char key[MFA_LEDGER_KEY_SIZE];
	enum mfa_rc rc = MFA_ERR_CONFLICT;

	if (!work) return MFA_ERR_NOMEM;
	mfa_ledger_key(key, entry->id);
	for (unsigned i = 0; i < TRIES && mfa_rc_again(rc); i++)
		rc = bring_up(work, diag, conn, entry, key);
	if (mfa_rc_again(rc)) rc = MFA_ERR_UNAVAILABLE;
	if (rc == MFA_OK) {
		struct mfa_bytes const text = {(uint8_t const *)work->value.text, work->value.len};

		entry->in_directory[0] = mfa_entry_get(entry, MFA_ATTR_LAST_USE, 0);
		entry->in_directory[1] = mfa_entry_get(entry, MFA_ATTR_FAILURES, 0);
		rc = mfa_ledger_show(entry, &work->ledger);
		if (rc == MFA_OK) rc = mfa_entry_set_ledger(entry, text, work->value.revision);
	}
	free(work);
	return rc;
}

/** Swap the directory's own value, whatever etcd said, for the new one */
static void swap_value(struct mfa_change *change, enum mfa_attr attr, struct mfa_bytes before,
		       char const *after)
{
	if (mfa_bytes_equal(before, mfa_bytes_of(after))) return;
	if (before.len > 0) mfa_change_delete(change, attr, before);
	if (after[0]) mfa_change_add(change, attr, after);
}

static enum mfa_rc write_both(struct mfa_diag *diag, struct mfa_conn *conn,
			      struct mfa_entry const *entry, struct work *work, enum mfa_side *side)
{
	char key[MFA_LEDGER_KEY_SIZE];
	bool differs;
	enum mfa_rc rc = put_text(&differs, work, entry->ledger);

	if (rc != MFA_OK) return not_understood(diag);
	rc = mfa_conn_modify(diag, conn, entry->dn, &work->change);
	if (mfa_rc_again(rc)) *side = MFA_SIDE_WRITE;
	if (rc != MFA_OK || !differs) return rc;
	mfa_ledger_key(key, entry->id);
	work->value.revision = entry->ledger_revision;
	rc = mfa_etcd_swap(diag, conn, key, &work->value);
	/* The entry as it was read is no more, whoever wrote the key. */
	if (mfa_rc_again(rc)) *side = MFA_SIDE_WRITE;
	return rc;
}

static enum mfa_rc write_change(struct mfa_diag *diag, struct mfa_conn *conn,
				struct mfa_entry const *entry, struct mfa_change const *change,
				enum mfa_side *side)
{
	struct work *work;
	enum mfa_rc rc;

	if (change->must_assert || !entry->has_ledger) return MFA_ERR_CONFLICT;
	work = malloc(sizeof(*work));
	if (!work) return MFA_ERR_NOMEM;
	mfa_change_without(&work->change, change,
			   MFA_ATTR_BIT(MFA_ATTR_LAST_USE) | MFA_ATTR_BIT(MFA_ATTR_FAILURES));
	rc = mfa_ledger_parse(&work->ledger, entry->ledger);
	if (rc == MFA_OK) rc = mfa_ledger_apply(&work->ledger, change);
	if (rc == MFA_OK) {
		swap_value(&work->change, MFA_ATTR_LAST_USE, entry->in_directory[0],
			   work->ledger.last_use);
		swap_value(&work->change, MFA_ATTR_FAILURES, entry->in_directory[1],
			   work->ledger.failures);
		rc = write_both(diag, conn, entry, work, side);
	} else {
		rc = not_understood(diag);
	}
	free(work);
	return rc;
}

struct mfa_ledger_kind const mfa_ledger_both = {.read = read_ledger, .write = write_change};
