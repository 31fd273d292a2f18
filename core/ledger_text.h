/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/ledger_text.h
 * @brief What a ledger outside the directory holds for one user, and its text.
 *
 * {"last_use":"STEP TIME NONCE","failures":"COUNT TIME TAG","used":["MARK",...]}: the values of
 * the attributes (docs/record.md), and the marks of the recovery codes that were used.  What
 * is not there is left out.
 */
#ifndef MFA_CORE_LEDGER_TEXT_H
#define MFA_CORE_LEDGER_TEXT_H

#include "core/change.h"
#include "core/record.h"
#include "core/seal.h"

#define MFA_LEDGER_MARKS     64u //!< Marks that are kept: more than six sets of codes.
#define MFA_LEDGER_MARK_SIZE (MFA_BASE64URL_SIZE(16u))	  //!< A mark, NUL included.
#define MFA_LEDGER_TEXT_SIZE 4096u			  //!< Bytes of the text, NUL included.
#define MFA_LEDGER_KEY_SIZE  (MFA_ENTRY_ID_MAX * 2u + 1u) //!< A key, NUL included.

/** One user's ledger */
struct mfa_ledger {
	char last_use[MFA_LAST_USE_SIZE]; //!< Empty: none.
	char failures[MFA_FAILURES_SIZE]; //!< Empty: none.
	size_t mark_count;
	char mark[MFA_LEDGER_MARKS][MFA_LEDGER_MARK_SIZE]; //!< The oldest first.
};

/** Read the text; no bytes: an empty ledger
 *
 * @return #MFA_OK; #MFA_ERR_FORMAT with an empty ledger.
 */
enum mfa_rc mfa_ledger_parse(struct mfa_ledger *ledger, struct mfa_bytes text) MFA_MUST_CHECK;

/** Write the text
 *
 * @return #MFA_OK, #MFA_ERR_SPACE, #MFA_ERR_FORMAT (a value that is no UTF-8), #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_ledger_format(char *out, size_t *len, size_t out_size,
			      struct mfa_ledger const *ledger) MFA_MUST_CHECK;

/** Make an entry say what the ledger says
 *
 * Last use and wrong codes of the entry are replaced, and recovery codes with a mark taken out.
 *
 * @return #MFA_OK, #MFA_ERR_SPACE, #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_ledger_show(struct mfa_entry *entry, struct mfa_ledger const *ledger)
	MFA_MUST_CHECK;

/** Carry out a change's part in the ledger
 *
 * A recovery code that is deleted is marked as used; when the marks are full, the oldest goes.
 *
 * @return #MFA_OK; #MFA_ERR_SPACE, #MFA_ERR_CRYPTO with the ledger half changed.
 */
enum mfa_rc mfa_ledger_apply(struct mfa_ledger *ledger, struct mfa_change const *change)
	MFA_MUST_CHECK;

/** Whether a change uses a code up */
bool mfa_ledger_spends(struct mfa_change const *change);

/** The key of a user: the entry id, which is written in hex unless it is a UUID's text */
void mfa_ledger_key(char out[static MFA_LEDGER_KEY_SIZE], struct mfa_bytes id);

#endif /* MFA_CORE_LEDGER_TEXT_H */
