/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/etcd.h"
#include "core/ledger.h"
#include "core/ledger_text.h"
#include "core/modify.h"
#include "core/operation.h"

#include <stdlib.h>
#include <string.h>

/* One key for each user.  Its revision is compared when it is written: whatever was decided
 * upon last use, wrong codes and used recovery codes holds then, or nothing is written. */

_Static_assert(MFA_LEDGER_TEXT_SIZE <= MFA_ETCD_VALUE_SIZE, "a ledger must fit into a value");

/** What it takes to read or write; large, so it lives on the heap */
struct work {
	struct mfa_etcd_value value;
	struct mfa_ledger ledger;
	struct mfa_change rest; //!< What of a change belongs to the directory.
};

static enum mfa_rc not_understood(struct mfa_diag *diag, char const *key)
{
	mfa_diag_set(diag, "what etcd holds under '%s' cannot be understood", key);
	return MFA_ERR_FORMAT;
}

static enum mfa_rc read_ledger(struct mfa_entry *entry, struct mfa_diag *diag,
			       struct mfa_conn *conn)
{
	struct work *work = malloc(sizeof(*work));
	char key[MFA_LEDGER_KEY_SIZE];
	enum mfa_rc rc = MFA_ERR_NOMEM;

	if (!work) return rc;
	mfa_ledger_key(key, entry->id);
	rc = mfa_etcd_get(&work->value, diag, conn, key);
	if (rc == MFA_OK) {
		struct mfa_bytes const text = {(uint8_t const *)work->value.text, work->value.len};

		rc = mfa_ledger_parse(&work->ledger, text);
		if (rc == MFA_OK) rc = mfa_ledger_show(entry, &work->ledger);
		if (rc == MFA_OK) rc = mfa_entry_set_ledger(entry, text, work->value.revision);
		if (rc != MFA_OK) rc = not_understood(diag, key);
	}
	free(work);
	return rc;
}

/** Swap the key for what it is after the change; nothing when it is the same */
static enum mfa_rc swap(struct mfa_diag *diag, struct mfa_conn *conn, struct work *work,
			struct mfa_entry const *entry, struct mfa_change const *change)
{
	char key[MFA_LEDGER_KEY_SIZE];
	enum mfa_rc rc = mfa_ledger_parse(&work->ledger, entry->ledger);

	mfa_ledger_key(key, entry->id);
	if (rc == MFA_OK) rc = mfa_ledger_apply(&work->ledger, change);
	if (rc == MFA_OK)
		rc = mfa_ledger_format(work->value.text, &work->value.len, sizeof(work->value.text),
				       &work->ledger);
	if (rc != MFA_OK) return not_understood(diag, key);
	if (mfa_bytes_equal(entry->ledger, (struct mfa_bytes){(uint8_t const *)work->value.text,
							      work->value.len})) {
		return MFA_OK;
	}
	work->value.revision = entry->ledger_revision;
	return mfa_etcd_swap(diag, conn, key, &work->value);
}

/** Whether a login counts without it: a used recovery code deleted, a device remembered */
static bool may_fail(struct mfa_change const *rest)
{
	bool remembers = false;

	for (size_t i = 0; i < rest->count; i++)
		remembers |= rest->list[i].attr == MFA_ATTR_TRUSTED_DEVICE &&
			     rest->list[i].op == MFA_OP_ADD;
	for (size_t i = 0; i < rest->count; i++) {
		bool const used = rest->list[i].attr == MFA_ATTR_RECOVERY_CODE &&
				  rest->list[i].op == MFA_OP_DELETE;

		if (!used && !(remembers && rest->list[i].attr == MFA_ATTR_TRUSTED_DEVICE))
			return false;
	}
	return true;
}

static enum mfa_rc write_rest(struct mfa_diag *diag, struct mfa_conn *conn,
			      struct mfa_entry const *entry, struct work *work, enum mfa_side *side)
{
	enum mfa_rc const rc = mfa_conn_modify(diag, conn, entry->dn, &work->rest);

	if (mfa_rc_again(rc)) *side = MFA_SIDE_WRITE;
	return rc;
}

/** A code is marked used first; then what goes with it is written in the directory */
static enum mfa_rc spend(struct mfa_diag *diag, struct mfa_conn *conn,
			 struct mfa_entry const *entry, struct mfa_change const *change,
			 struct work *work, enum mfa_side *side)
{
	struct mfa_store const *store = conn->store;
	struct mfa_diag line;
	enum mfa_rc rc = swap(diag, conn, work, entry, change);

	if (rc != MFA_OK || work->rest.count == 0) return rc;
	if (!may_fail(&work->rest)) return write_rest(diag, conn, entry, work, side);
	/* The directory as it is now decides nothing any more. */
	work->rest.assert_count = 0;
	rc = mfa_conn_modify(diag, conn, entry->dn, &work->rest);
	if (rc != MFA_OK && store->log) {
		mfa_diag_set(&line,
			     "%s: the login counts, but what it leaves in the directory was not "
			     "written: %s",
			     (char const *)entry->dn.data, diag->text);
		store->log(line.text);
	}
	return MFA_OK;
}

/** Without a code that is used up: the ledger forgets only what the directory forgot before */
static enum mfa_rc edit(struct mfa_diag *diag, struct mfa_conn *conn, struct mfa_entry const *entry,
			struct mfa_change const *change, struct work *work, enum mfa_side *side)
{
	enum mfa_rc const rc = write_rest(diag, conn, entry, work, side);

	return rc == MFA_OK ? swap(diag, conn, work, entry, change) : rc;
}

static enum mfa_rc write_change(struct mfa_diag *diag, struct mfa_conn *conn,
				struct mfa_entry const *entry, struct mfa_change const *change,
				enum mfa_side *side)
{
	struct work *work;
	enum mfa_rc rc;

	/* The directory cannot check as it writes what is in etcd: whoever asks for it reads again. */
	if (change->must_assert || !entry->has_ledger) return MFA_ERR_CONFLICT;
	if (change->overflow) {
		mfa_diag_say(diag, "modify: too many values");
		return MFA_ERR_SPACE;
	}
	work = malloc(sizeof(*work));
	if (!work) return MFA_ERR_NOMEM;
	mfa_change_without(&work->rest, change, mfa_config_ledger_attrs(conn->store->config));
	rc = mfa_ledger_spends(change) ? spend(diag, conn, entry, change, work, side)
				       : edit(diag, conn, entry, change, work, side);
	free(work);
	return rc;
}

struct mfa_ledger_kind const mfa_ledger_etcd = {.read = read_ledger, .write = write_change};
