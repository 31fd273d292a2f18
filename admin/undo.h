/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/undo.h
 * @brief What was written in a run, to be taken back when the rest of it fails.
 *
 * LDAP has no transaction over several entries that every server knows.  So each entry is
 * changed back, in the opposite order, and only where it is as it was left.
 */
#ifndef MFA_ADMIN_UNDO_H
#define MFA_ADMIN_UNDO_H

#include "admin/edit.h"

/** One entry's change; the last one is the first in the list */
struct mfa_cli_undo;

/** Note a change that is about to be written
 *
 * After a conflict the change is decided anew: then it takes the place of the last note.
 *
 * @return #MFA_OK, #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_cli_undo_note(struct mfa_cli_undo **list, struct mfa_cli_edit const *edit,
			      bool again) MFA_MUST_CHECK;

/** Change all back that was noted, and print a row for each
 *
 * What cannot be changed back is counted as failed, and its row says so.
 */
void mfa_cli_undo_all(struct mfa_cli_undo *list, struct mfa_cli *cli);

/** Wipe and free; sets *list to NULL */
void mfa_cli_undo_free(struct mfa_cli_undo **list);

#endif /* MFA_ADMIN_UNDO_H */
