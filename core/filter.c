/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/filter.h"

#include <string.h>

/** What RFC 4515 section 3 wants escaped, and control characters; UTF-8 stays as it is */
static bool special_in_filter(uint8_t c)
{
	return c < ' ' || c == 0x7f || c == '*' || c == '(' || c == ')' || c == '\\';
}

/** All but what can never mean anything in a DN */
static bool special_in_dn(uint8_t c)
{
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' &&
	       c != '_' && c != '-' && c != '@';
}

/** Write special bytes as a backslash and two hexadecimal digits */
static int escape(char *out, size_t out_size, struct mfa_bytes value, bool (*special)(uint8_t c))
{
	static char const hex[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		uint8_t const c = value.data[i];

		if (n + 4 > out_size) return -1;
		if (special(c)) {
			out[n++] = '\\';
			out[n++] = hex[c >> 4];
			out[n++] = hex[c & 15];
		} else {
			out[n++] = (char)c;
		}
	}
	if (n >= out_size) return -1;
	out[n] = '\0';
	return (int)n;
}

int mfa_filter_escape(char *out, size_t out_size, struct mfa_bytes value)
{
	return escape(out, out_size, value, special_in_filter);
}

int mfa_dn_escape(char *out, size_t out_size, struct mfa_bytes value)
{
	return escape(out, out_size, value, special_in_dn);
}

/** How long the user-name expansion is that stands here; 0 when it is none */
static size_t user_expansion(char const *at)
{
	static char const *const known[] = {
		"%{%{Stripped-User-Name}:-%{User-Name}}",
		"%{User-Name}",
		"%{Stripped-User-Name}",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strncmp(at, known[i], strlen(known[i])) == 0) return strlen(known[i]);
	}
	return 0;
}

enum mfa_rc mfa_filter_expand(char *out, size_t out_size, struct mfa_diag *diag, char const *filter,
			      struct mfa_bytes user)
{
	size_t n = 0;

	while (*filter) {
		size_t const expansion = user_expansion(filter);
		int added = 1;

		if (expansion) {
			added = mfa_filter_escape(out + n, out_size - n, user);
			filter += expansion;
		} else if (*filter == '%') {
			mfa_diag_set(diag, "user filter: only %%{User-Name} and "
					   "%%{Stripped-User-Name} can be expanded here");
			return MFA_ERR_FORMAT;
		} else if (n + 1 < out_size) {
			out[n] = *filter++;
		} else {
			added = -1;
		}
		if (added < 0) return MFA_ERR_SPACE;
		n += (size_t)added;
	}
	if (n >= out_size) return MFA_ERR_SPACE;
	out[n] = '\0';
	return MFA_OK;
}
