/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/edit.h"

#include "admin/event.h"
#include "admin/output.h"
#include "core/record.h"
#include "core/update.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME_FAILURES_MAX 19u

static char const *const outcome_name[] = {
	[MFA_OUTCOME_FAILED] = "failed",
	[MFA_OUTCOME_CHANGED] = "changed",
	[MFA_OUTCOME_UNCHANGED] = "unchanged",
	[MFA_OUTCOME_REFUSED] = "refused",
};

static void count(struct mfa_cli *cli, enum mfa_outcome outcome)
{
	switch (outcome) {
	case MFA_OUTCOME_CHANGED: cli->changed++; break;
	case MFA_OUTCOME_UNCHANGED: cli->unchanged++; break;
	case MFA_OUTCOME_REFUSED: cli->refused++; break;
	case MFA_OUTCOME_FAILED: cli->failed++; break;
	}
}

/** Many in a row for the same reason: then it is not the entries, and the rest would fail, too */
static void note_failure(struct mfa_cli *cli, enum mfa_outcome outcome, char const *text)
{
	bool const same =
		outcome == MFA_OUTCOME_FAILED && strcmp(cli->last_failure.text, text) == 0;

	cli->same_failures = same ? cli->same_failures + 1 : 0;
	if (outcome == MFA_OUTCOME_FAILED) mfa_diag_say(&cli->last_failure, text);
	if (cli->same_failures < SAME_FAILURES_MAX || cli->hopeless) return;
	cli->hopeless = true;
	mfa_cli_warn("stopped: %u entries in a row failed for the same reason; when that is over, "
		     "run it again to go on",
		     cli->same_failures + 1);
}

void mfa_cli_edit_row(struct mfa_cli *cli, char const *user, struct mfa_bytes dn,
		      enum mfa_outcome outcome, char const *text, json_t *row)
{
	bool const bad = outcome == MFA_OUTCOME_FAILED || outcome == MFA_OUTCOME_REFUSED;
	char name[MFA_CLI_NAME_MAX], clean[MFA_DIAG_SIZE + 32];

	count(cli, outcome);
	if (!row) row = json_object();
	mfa_cli_clean(name, sizeof(name), mfa_bytes_of(user));
	mfa_cli_clean(clean, sizeof(clean), mfa_bytes_of(text));
	(void)json_object_set_new(row, "user", json_string(name));
	(void)json_object_set_new(row, "dn", dn.len ? mfa_cli_json_text(dn) : json_null());
	(void)json_object_set_new(row, "outcome", json_string(outcome_name[outcome]));
	(void)json_object_set_new(row, "dry_run", json_boolean(cli->args.dry_run));
	(void)json_object_set_new(row, "text", json_string(clean));
	if (bad) {
		mfa_cli_warn("%s: %s: %s", name, outcome_name[outcome], clean);
	} else {
		mfa_cli_say(cli, "%s: %s%s\n", name, clean,
			    cli->args.dry_run && outcome == MFA_OUTCOME_CHANGED
				    ? " (dry run: nothing was written)"
				    : "");
	}
	mfa_cli_json(cli, row);
	note_failure(cli, outcome, text);
	if (mfa_cli_flush()) return;
	cli->mute = true;
	if (outcome == MFA_OUTCOME_CHANGED)
		mfa_cli_warn("%s: was changed, and nobody could be shown how", name);
}

void mfa_cli_edit_summary(struct mfa_cli const *cli)
{
	json_t *summary = json_object(), *line = json_object();

	(void)json_object_set_new(summary, "changed", json_integer((json_int_t)cli->changed));
	(void)json_object_set_new(summary, "unchanged", json_integer((json_int_t)cli->unchanged));
	(void)json_object_set_new(summary, "refused", json_integer((json_int_t)cli->refused));
	(void)json_object_set_new(summary, "failed", json_integer((json_int_t)cli->failed));
	(void)json_object_set_new(line, "summary", summary);
	mfa_cli_json(cli, line);
	if (cli->args.quiet) return;
	mfa_cli_say(cli, "%llu changed, %llu unchanged, %llu refused, %llu failed%s\n",
		    (unsigned long long)cli->changed, (unsigned long long)cli->unchanged,
		    (unsigned long long)cli->refused, (unsigned long long)cli->failed,
		    cli->args.dry_run ? " (dry run: nothing was written)" : "");
}

void mfa_cli_edit_look(struct mfa_cli_edit *edit)
{
	mfa_change_init(&edit->change);
	edit->record =
		(struct mfa_enrollment){.entry = edit->entry,
					.ring = &edit->cli->ring,
					.change = &edit->change,
					.text = &edit->text,
					.now_s = edit->cli->now_s,
					.use_class = edit->cli->config.object_class[0] != '\0'};
	mfa_enrollment_look(&edit->record);
}

/** One edit, and what was decided last */
struct run {
	struct mfa_cli_edit *edit;
	struct mfa_cli_work const *work;
	enum mfa_outcome outcome;
	struct mfa_diag done; //!< What the last change said.
};

static enum mfa_rc decide(struct mfa_update *update, struct mfa_diag *diag)
{
	struct run *run = update->uctx;
	struct mfa_cli_edit *edit = run->edit;

	(void)diag;
	mfa_cli_edit_look(edit);
	run->outcome = run->work->decide(edit);
	if (run->outcome != MFA_OUTCOME_CHANGED) mfa_change_init(&edit->change);
	/* The try whose answer got lost was carried out: so it is changed, and by us. */
	if (update->sent && run->outcome == MFA_OUTCOME_UNCHANGED) {
		run->outcome = MFA_OUTCOME_CHANGED;
		edit->text = run->done;
	}
	run->done = edit->text;
	return MFA_OK;
}

/** What the failure of a change means for the run and for who started it */
static void explain(struct mfa_cli_edit *edit, enum mfa_rc rc, struct mfa_diag const *diag)
{
	edit->text = *diag;
	if (rc == MFA_ERR_BROKEN)
		mfa_diag_set(&edit->text, "not known whether it was written: %.200s", diag->text);
	edit->cli->unavailable |= rc == MFA_ERR_UNAVAILABLE || rc == MFA_ERR_BROKEN;
}

static enum mfa_outcome try_all(struct mfa_cli_edit *edit, struct mfa_cli_work const *work)
{
	char *dn = strdup((char const *)edit->entry->dn.data);
	struct mfa_where const where = {.base = dn, .scope = MFA_SCOPE_BASE};
	struct run run = {.edit = edit, .work = work};
	struct mfa_update update = {.conn = edit->cli->conn,
				    .where = &where,
				    .side = MFA_SIDE_WRITE,
				    .entry = edit->entry,
				    .change = &edit->change,
				    .decide = decide,
				    .uctx = &run,
				    .have_entry = true,
				    .dry_run = edit->cli->args.dry_run > 0};
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc rc = MFA_ERR_NOMEM;

	mfa_conn_start(edit->cli->conn);
	if (dn) rc = mfa_update_run(&update, &diag);
	free(dn);
	if (rc == MFA_OK) return run.outcome;
	explain(edit, rc, &diag);
	return MFA_OUTCOME_FAILED;
}

enum mfa_outcome mfa_cli_edit_run(struct mfa_cli *cli, struct mfa_cli_work const *work,
				  char const *user, struct mfa_entry *entry)
{
	struct mfa_cli_edit *edit = malloc(sizeof(*edit));
	enum mfa_outcome outcome = MFA_OUTCOME_FAILED;
	json_t *row = NULL;

	if (!edit) {
		mfa_cli_edit_row(cli, user, entry->dn, outcome, "no memory", NULL);
		return outcome;
	}
	edit->cli = cli;
	edit->user = user;
	edit->entry = entry;
	edit->uctx = work->uctx;
	outcome = try_all(edit, work);
	if (outcome == MFA_OUTCOME_CHANGED && !cli->args.dry_run)
		mfa_cli_event(cli, cli->event, user, entry, "changed", edit->text.text);
	if (outcome == MFA_OUTCOME_CHANGED && work->report) row = json_object();
	if (work->only_problems &&
	    (outcome == MFA_OUTCOME_UNCHANGED || outcome == MFA_OUTCOME_CHANGED)) {
		count(cli, outcome);
		cli->same_failures = 0;
		json_decref(row);
	} else {
		if (row) work->report(edit, row);
		mfa_cli_edit_row(cli, user, entry->dn, outcome, edit->text.text, row);
	}
	OPENSSL_cleanse(edit, sizeof(*edit));
	free(edit);
	return outcome;
}
