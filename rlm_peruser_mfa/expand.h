/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/expand.h
 * @brief Configured texts with %{...} in them.
 */
#ifndef RLM_PERUSER_MFA_EXPAND_H
#define RLM_PERUSER_MFA_EXPAND_H

#include <freeradius/radiusd.h>

#include <freeradius/xlat.h>

/** A configured text: as it stands in the file, and taken apart once */
struct peruser_text {
	char const *fmt;
	xlat_exp_t *parts; //!< NULL when it is empty.
	bool is_plain;	   //!< It stands for itself.
};

/** A text with the user's name in it */
struct peruser_named {
	struct peruser_text full;
	struct peruser_text stripped; //!< For requests that have a Stripped-User-Name.
};

/** Take a text apart, so that it is not done for every request
 *
 * @param[in] ctx   to live as long as the text.
 * @param[out] why  what is wrong with it.
 * @return 0, or -1.
 */
int peruser_text_read(TALLOC_CTX *ctx, struct peruser_text *text, char const **why);

/** Expand a text
 *
 * @param[out] out to be freed with talloc_free(); NULL on failure.
 * @return bytes, or -1.
 */
ssize_t peruser_expand(char **out, REQUEST *request, struct peruser_text const *text,
		       xlat_escape_t escape);

/** Take apart a text with the user's name in it
 *
 * The server escapes the texts of an alternation twice, so that a name with a
 * backslash or a parenthesis would not be found.  For the usual one, the name that it
 * would come to is known beforehand.
 *
 * @return 0, or -1 and @p why.
 */
int peruser_named_read(TALLOC_CTX *ctx, struct peruser_named *named, char const *fmt,
		       char const **why);

#endif /* RLM_PERUSER_MFA_EXPAND_H */
