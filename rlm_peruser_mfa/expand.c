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

/** Take apart a text with one of the user's names in it */
static int read_with_name(TALLOC_CTX *ctx, struct peruser_text *text, char const *fmt,
			  char const *name, char const **why)
{
	static char const usual[] = "%{%{Stripped-User-Name}:-%{User-Name}}";
	char const *at = strstr(fmt, usual);

	text->fmt = fmt;
	if (at)
		text->fmt = talloc_asprintf(ctx, "%.*s%s%s", (int)(at - fmt), fmt, name,
					    at + sizeof(usual) - 1);
	*why = "out of memory";
	return text->fmt ? peruser_text_read(ctx, text, why) : -1;
}

int peruser_named_read(TALLOC_CTX *ctx, struct peruser_named *named, char const *fmt,
		       char const **why)
{
	if (read_with_name(ctx, &named->full, fmt, "%{User-Name}", why) < 0) return -1;
	return read_with_name(ctx, &named->stripped, fmt, "%{Stripped-User-Name}", why);
}
