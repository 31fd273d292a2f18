/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/update.h"
#include "core/ledger.h"
#include "core/modify.h"
#include "core/read.h"

#include <unistd.h>

#define PAUSE_US 2000u /* before the second try; doubled before each further one */

/** Read until the decision is content with the entry that it was made upon */
static enum mfa_rc read_and_decide(struct mfa_update *update, struct mfa_diag *diag)
{
	enum mfa_rc rc = MFA_OK;

	do {
		if (!update->have_entry) {
			if (!update->conn) return MFA_ERR_INTERNAL;
			rc = mfa_conn_read(update->entry, diag, update->conn, update->side,
					   update->where);
			if (rc != MFA_OK) return rc;
			update->have_entry = update->fresh = true;
		}
		if (update->conn) rc = mfa_ledger_read(update->entry, diag, update->conn);
		if (rc == MFA_OK) rc = update->decide(update, diag);
	} while (rc == MFA_OK && !update->have_entry);
	return rc;
}

static enum mfa_rc write_change(struct mfa_update *update, struct mfa_diag *diag)
{
	enum mfa_rc rc;

	if (update->change->overflow) {
		mfa_diag_say(diag, "the record is too large");
		return MFA_ERR_SPACE;
	}
	if (update->change->count == 0 || update->dry_run) return MFA_OK;
	if (!update->conn) return MFA_ERR_INTERNAL;
	rc = mfa_ledger_write(diag, update->conn, update->entry, update->change, &update->side);
	update->sent |= rc == MFA_ERR_BROKEN;
	/* Whatever came between reading and writing is in the entry that is read now. */
	if (rc == MFA_OK && update->recheck && update->change->assert_count > 0 &&
	    !mfa_conn_asserts(update->conn) && !mfa_ledger_is_apart(update->conn)) {
		rc = MFA_ERR_CONFLICT;
		update->side = MFA_SIDE_WRITE;
	}
	if (mfa_rc_again(rc)) update->have_entry = false;
	return rc;
}

enum mfa_rc mfa_update_run(struct mfa_update *update, struct mfa_diag *diag)
{
	enum mfa_rc rc = MFA_ERR_CONFLICT;

	update->fresh = update->sent = false;
	for (unsigned i = 0; i < MFA_UPDATE_TRIES && mfa_rc_again(rc); i++) {
		if (i > 0) (void)usleep(PAUSE_US << (i - 1));
		rc = read_and_decide(update, diag);
		if (rc == MFA_OK) rc = write_change(update, diag);
	}
	if (rc == MFA_ERR_CONFLICT) mfa_diag_say(diag, "the record keeps changing");
	/* Whatever went wrong later, an earlier try may have been carried out. */
	return rc != MFA_OK && update->sent ? MFA_ERR_BROKEN : rc;
}
