/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/update.h
 * @brief Read an entry, decide upon it, write; once more when somebody else was faster.
 *
 * The only such loop: logins, the page and the command all change a record by it.
 */
#ifndef MFA_CORE_UPDATE_H
#define MFA_CORE_UPDATE_H

#include "core/conn.h"

#define MFA_UPDATE_TRIES 8u //!< Reads, before a record that keeps changing is given up.

struct mfa_update;

/** Decide upon update->entry, and say in update->change what to write
 *
 * Called again with the entry as it is then, after a conflict and after a connection that
 * broke.  It must not rely on what it decided before: somebody else changed the record, or,
 * when update->sent is set, perhaps an earlier try of this very update.  It may clear
 * update->have_entry to have the entry read once more before anything is written.
 *
 * @param[out] diag why it failed.
 * @return #MFA_OK, with an empty change when there is nothing to write; anything else ends
 *	the update with this result.
 */
typedef enum mfa_rc (*mfa_update_decide)(struct mfa_update *update, struct mfa_diag *diag);

/** One change of one entry */
struct mfa_update {
	struct mfa_conn *conn; //!< NULL: the entry is there and nothing may need writing.
	struct mfa_where const *where;
	enum mfa_side side;	   //!< Where it is read first; later it is the provider.
	struct mfa_entry *entry;   //!< As read last.
	struct mfa_change *change; //!< Filled in by decide; initialise it there.
	mfa_update_decide decide;
	void *uctx;
	bool have_entry; //!< The entry holds something: do not read it first.
	bool fresh;	 //!< The entry was read by this update; set by mfa_update_run().
	bool sent;	 //!< A change was sent and not answered; set by mfa_update_run().
	bool dry_run;	 //!< Decide, and write nothing.
	bool recheck;	 //!< Decide once more upon what was written under unchecked conditions.
};

/** Carry it out
 *
 * Waits a little before each further try, longer each time, 0.25 s in all.
 *
 * @return
 *	- #MFA_OK when what was decided last is in the directory, or nothing had to be written.
 *	- #MFA_ERR_BROKEN when a change was sent, and it is not known whether it was made.
 *	- #MFA_ERR_CONFLICT when the record kept changing; nothing was written.
 *	- #MFA_ERR_INTERNAL when a connection was needed and there is none.
 *	- As mfa_conn_read(), mfa_conn_modify() and decide; nothing was written.
 */
enum mfa_rc mfa_update_run(struct mfa_update *update, struct mfa_diag *diag) MFA_MUST_CHECK;

#endif /* MFA_CORE_UPDATE_H */
