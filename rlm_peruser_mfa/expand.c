/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/expand.h"

int peruser_text_read(TALLOC_CTX *ctx, struct peruser_text *text, char const **why)
{
	char *copy = talloc_strdup(ctx, text->fmt); /* the parts point into it */

	text->parts = NULL;
	text->is_plain = !strchr(text->fmt, '%') && !strchr(text->fmt, '\\');
	*why = "out of memory";
	if (!copy) return -1;
	return xlat_tokenize(ctx, copy, &text->parts, why) < 0 ? -1 : 0;
}

ssize_t peruser_expand(char **out, REQUEST *request, struct peruser_text const *text,
		       xlat_escape_t escape)
{
	ssize_t len = 0;

	*out = NULL;
	if (text->is_plain) {
		*out = talloc_strdup(request, text->fmt);
		return *out ? (ssize_t)strlen(*out) : -1;
	}
	if (text->parts) len = radius_axlat_struct(out, request, text->parts, escape, NULL);
	if (len < 0) {
		talloc_free(*out);
		*out = NULL;
		return len;
	}
	if (!*out) *out = talloc_zero_array(request, char, 1); /* nothing to expand is no failure */
	if (!*out) return -1;
	RDEBUG2("EXPAND %s", text->fmt);
	RDEBUG2("   --> %s", *out);
	return len;
}
