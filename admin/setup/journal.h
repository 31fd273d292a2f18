/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/setup/journal.h
 * @brief Texts that are changed in memory, and notes of what was done, for the way back.
 */
#ifndef MFA_ADMIN_SETUP_JOURNAL_H
#define MFA_ADMIN_SETUP_JOURNAL_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

/** A text on the heap, wiped when it is freed; zero at first */
struct mfa_text {
	char *data; //!< NUL-terminated; NULL: empty.
	size_t len;
};

enum mfa_rc mfa_text_read(struct mfa_text *text, struct mfa_diag *diag, char const *path)
	MFA_MUST_CHECK;
enum mfa_rc mfa_text_add(struct mfa_text *text, char const *more) MFA_MUST_CHECK;
enum mfa_rc mfa_text_replace(struct mfa_text *text, char const *from, char const *to)
	MFA_MUST_CHECK;

/** Put a text in at a place */
enum mfa_rc mfa_text_insert(struct mfa_text *text, size_t at, char const *more) MFA_MUST_CHECK;

/** Drop the lines that begin with '#' */
enum mfa_rc mfa_text_drop_comments(struct mfa_text *text) MFA_MUST_CHECK;

/** A value in double quotes, as libconfuse, FreeRADIUS and radclient read it
 *
 * @param[out] out NUL-terminated; twice the value's length and 3 are enough.
 */
void mfa_text_quote(char *out, size_t out_size, char const *value);

/** Set `name = "value"` where the first line has it, as a comment or not
 *
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND (no such line), #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_text_set_item(struct mfa_text *text, char const *name, char const *value)
	MFA_MUST_CHECK;

void mfa_text_free(struct mfa_text *text);

/** Append a line to a list */
enum mfa_rc mfa_journal_note(struct mfa_diag *diag, char const *list, char const *line)
	MFA_MUST_CHECK;

/** Whether a list has this line */
bool mfa_journal_has(char const *list, char const *line);

/** The last line of a list */
bool mfa_journal_last(char *out, size_t out_size, char const *list);

/** Take the last line off a list */
void mfa_journal_drop_last(char const *list);

#endif /* MFA_ADMIN_SETUP_JOURNAL_H */
