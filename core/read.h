/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/read.h
 * @brief Read an entry with one search.
 */
#ifndef MFA_CORE_READ_H
#define MFA_CORE_READ_H

#include "core/conn.h"
#include "core/entry.h"

/** Read one entry
 *
 * @param[out] entry initialised by this call; cleared on failure.
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_NOT_FOUND, #MFA_ERR_AMBIGUOUS (more than one entry).
 *	- #MFA_ERR_UNAVAILABLE, #MFA_ERR_DENIED (also when a value, or base_dn, is hidden from us).
 *	- #MFA_ERR_FORMAT when the entry has no readable id, or when an attribute came with an
 *	  option or by a name that was not asked for; #MFA_ERR_SPACE when it is too large.
 */
enum mfa_rc mfa_conn_read(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_conn *conn,
			  enum mfa_side side, struct mfa_where const *where) MFA_MUST_CHECK;

#endif /* MFA_CORE_READ_H */
