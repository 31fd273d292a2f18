/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/lang.h
 * @brief Which language a visitor reads; texts are translated by gettext.
 *
 * Every text of the interface stands in English in _() where it is used, and for
 * translators in enroll/po.
 */
#ifndef MFA_ENROLL_LANG_H
#define MFA_ENROLL_LANG_H

#include <libintl.h>
#include <stddef.h>

#define MFA_LANG_DOMAIN "peruser-mfa-enroll"
/* The name that everybody who translates knows. */
#define _(_text) gettext(_text) /* NOLINT(bugprone-reserved-identifier) */

/** Load the translations
 *
 * Each language's file is opened here, so that none has to be opened later.
 */
void mfa_lang_init(char const *locale_dir);

/** Choose from an Accept-Language header (RFC 9110 section 12.5.4)
 *
 * @param[in] header any text; NULL when there was none.
 * @return such as "en" or "de": what the lang attribute says.
 */
char const *mfa_lang_choose(char const *header);

/** Use a language for the texts from now on */
void mfa_lang_use(char const *lang);

#endif /* MFA_ENROLL_LANG_H */
