/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/layout.h
 * @brief What all pages look like, and the parts that they are made of.
 *
 * The HTML itself is in enroll/html, of which tools/html.awk makes mfa_html.h.
 */
#ifndef MFA_ENROLL_LAYOUT_H
#define MFA_ENROLL_LAYOUT_H

#include "enroll/web.h"

#define MFA_DATE_SIZE 48u //!< A date, or date and time, in any language, NUL included.

/** Begin a page: head, the site's name, what there is to say, the title */
void mfa_layout_begin(struct mfa_web *web, char const *title);

/** End it: support text */
void mfa_layout_end(struct mfa_web *web);

/** A whole page that says one thing, with a way back */
void mfa_layout_message(struct mfa_web *web, int status, char const *title, char const *text);

/** Begin a form that posts to @p path; its token is of this path and this session */
void mfa_layout_form(struct mfa_web *web, char const *path);

/** End it with a button
 *
 * @param[in] kind "primary", "danger" or "plain".
 */
void mfa_layout_form_end(struct mfa_web *web, char const *kind, char const *label);

/** A link that looks like a button */
void mfa_layout_button(struct mfa_web *web, char const *kind, char const *path, char const *label);

/** The field for a code
 *
 * @param[in] hint   what is accepted.
 * @param[in] digits nothing but digits: a phone shows its keypad.
 */
void mfa_layout_code(struct mfa_web *web, char const *hint, bool digits);

/** A line of text; @p value may be empty */
void mfa_layout_text(struct mfa_web *web, char const *name, char const *label, char const *hint,
		     char const *value);

/** A button that lets the password be read, for the field with the id "password" */
void mfa_layout_show_password(struct mfa_web *web);

/** The password, where it is asked for once more */
void mfa_layout_password(struct mfa_web *web);

/** What went wrong, if anything, once on a page: mfa_layout_begin() says it unless web->problem_below is set */
void mfa_layout_problem(struct mfa_web *web);

/** A value that travels along */
void mfa_layout_hidden(struct mfa_web *web, char const *name, char const *value);

/** A picture for the camera of a phone */
void mfa_layout_qr(struct mfa_web *web, char const *uri);

/** A date in UTC, as the language writes it; nothing when the time cannot be written */
void mfa_layout_date(struct mfa_web *web, int64_t time_s);

/** A date in UTC, as the language writes it; empty when the time cannot be written */
void mfa_date_format(char out[static MFA_DATE_SIZE], int64_t time_s);

/** As mfa_date_format(), with the time of day */
void mfa_date_format_time(char out[static MFA_DATE_SIZE], int64_t time_s);

#endif /* MFA_ENROLL_LAYOUT_H */
