/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/undo.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>

struct mfa_cli_undo {
	struct mfa_cli_undo *next;
	char *user, *dn;
	size_t secrets; //!< Values of the secret after the change, which takes none away.
	size_t count;
	struct {
		bool added; //!< By the change; else deleted by it.
		enum mfa_attr attr;
		char *value;
	} list[];
};

static void free_first(struct mfa_cli_undo **list)
{
	struct mfa_cli_undo *first = *list;

	*list = first->next;
	for (size_t i = 0; i < first->count; i++) {
		char *value = first->list[i].value;

		if (value) OPENSSL_cleanse(value, strlen(value));
		free(value);
	}
	free(first->user);
	free(first->dn);
	free(first);
}

void mfa_cli_undo_free(struct mfa_cli_undo **list)
{
	while (*list) free_first(list);
}

/** Take over the values that come or go; the object class may stay, it means nothing alone */
static bool copy_values(struct mfa_cli_undo *undo, struct mfa_change const *change)
{
	bool copied = true;

	for (size_t i = 0; i < change->count; i++) {
		struct mfa_bytes const value = change->list[i].value;
		bool const added = change->list[i].op == MFA_OP_ADD;

		if (!added && change->list[i].op != MFA_OP_DELETE) continue;
		if (added && change->list[i].attr == MFA_ATTR_SECRET) undo->secrets++;
		undo->list[undo->count].added = added;
		undo->list[undo->count].attr = change->list[i].attr;
		undo->list[undo->count].value = strndup((char const *)value.data, value.len);
		copied &= undo->list[undo->count++].value != NULL;
	}
	return copied;
}

enum mfa_rc mfa_cli_undo_note(struct mfa_cli_undo **list, struct mfa_cli_edit const *edit,
			      bool again)
{
	struct mfa_cli_undo *undo =
		calloc(1, sizeof(*undo) + edit->change.count * sizeof(undo->list[0]));

	if (again) free_first(list);
	if (!undo) return MFA_ERR_NOMEM;
	undo->next = *list;
	*list = undo;
	undo->secrets = edit->record.secrets;
	undo->user = strdup(edit->user);
	undo->dn = strdup((char const *)edit->entry->dn.data);
	return copy_values(undo, &edit->change) && undo->user && undo->dn ? MFA_OK : MFA_ERR_NOMEM;
}

static bool has_value(struct mfa_entry const *entry, enum mfa_attr attr, char const *value)
{
	size_t const n = mfa_entry_count(entry, attr);

	for (size_t i = 0; i < n; i++) {
		if (mfa_bytes_equal(mfa_entry_get(entry, attr, i), mfa_bytes_of(value)))
			return true;
	}
	return false;
}

/** How much of what was added is there: a sealed value is never made twice, so it is ours */
static size_t count_there(struct mfa_cli_undo const *undo, struct mfa_entry const *entry,
			  size_t *added)
{
	size_t there = 0;

	*added = 0;
	for (size_t i = 0; i < undo->count; i++) {
		if (!undo->list[i].added) continue;
		(*added)++;
		there += has_value(entry, undo->list[i].attr, undo->list[i].value);
	}
	return there;
}

static enum mfa_outcome decide(struct mfa_cli_edit *edit)
{
	struct mfa_cli_undo const *undo = edit->uctx;
	size_t added;
	size_t const there = count_there(undo, edit->entry, &added);

	if (there == 0 && edit->record.secrets < undo->secrets) {
		mfa_diag_set(&edit->text, "is not there, or not any more");
		return MFA_OUTCOME_UNCHANGED;
	}
	if (there < added || edit->record.secrets != undo->secrets) {
		mfa_diag_set(&edit->text, "not taken back: the record was changed since");
		return MFA_OUTCOME_REFUSED;
	}
	for (size_t i = undo->count; i-- > 0;) {
		enum mfa_attr const attr = undo->list[i].attr;

		if (undo->list[i].added) {
			mfa_change_delete(&edit->change, attr, mfa_bytes_of(undo->list[i].value));
		} else {
			mfa_change_add(&edit->change, attr, undo->list[i].value);
		}
	}
	mfa_diag_set(&edit->text, "taken back");
	return MFA_OUTCOME_CHANGED;
}

static enum mfa_outcome undo_one(struct mfa_cli_undo *undo, struct mfa_cli *cli)
{
	struct mfa_cli_work const work = {.decide = decide, .uctx = undo};
	struct mfa_entry *entry = mfa_cli_entry_alloc();
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_outcome outcome = MFA_OUTCOME_FAILED;
	enum mfa_rc rc = MFA_ERR_NOMEM;

	if (cli->unavailable) {
		/* Not waited for again and again. */
		mfa_diag_set(&diag, "the directory does not answer");
		rc = MFA_ERR_UNAVAILABLE;
	} else if (entry && undo->dn && undo->user) {
		rc = mfa_cli_read_again(entry, &diag, cli, undo->dn);
	}
	if (rc == MFA_OK) {
		outcome = mfa_cli_edit_run(cli, &work, undo->user, entry);
	} else {
		struct mfa_diag text;

		mfa_diag_set(&text, "not taken back: %s", diag.text);
		cli->unavailable |= rc == MFA_ERR_UNAVAILABLE;
		mfa_cli_edit_row(cli, undo->user ? undo->user : "-", (struct mfa_bytes){0}, outcome,
				 text.text, NULL);
	}
	mfa_cli_entry_free(&entry);
	return outcome;
}

void mfa_cli_undo_all(struct mfa_cli_undo *list, struct mfa_cli *cli)
{
	uint64_t const changed = cli->changed, unchanged = cli->unchanged;
	bool const unavailable = cli->unavailable;
	uint64_t undone = 0;

	cli->unavailable = false;
	for (; list; list = list->next) {
		if (undo_one(list, cli) == MFA_OUTCOME_CHANGED) undone++;
	}
	/* What is as it was before does not count as changed, and looking at it not at all. */
	cli->changed = changed > undone ? changed - undone : 0;
	cli->unchanged = unchanged;
	cli->unavailable |= unavailable;
}
