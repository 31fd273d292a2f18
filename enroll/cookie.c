/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/cookie.h"

#include <string.h>

static struct mfa_bytes trim(struct mfa_bytes text)
{
	while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 &&
	       (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t')) {
		text.len--;
	}
	return text;
}

static bool is_clean(struct mfa_bytes value)
{
	for (size_t i = 0; i < value.len; i++) {
		uint8_t const c = value.data[i];

		if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') &&
		    c != '-' && c != '_' && c != '.') {
			return false;
		}
	}
	return value.len > 0;
}

enum mfa_rc mfa_cookie_find(struct mfa_bytes *value, struct mfa_bytes header, char const *name)
{
	struct mfa_bytes const wanted = mfa_bytes_of(name);
	struct mfa_bytes found = {0};
	size_t count = 0;

	*value = (struct mfa_bytes){0};
	while (header.len > 0) {
		uint8_t const *end = memchr(header.data, ';', header.len);
		size_t const len = end ? (size_t)(end - header.data) : header.len;
		struct mfa_bytes const pair = trim((struct mfa_bytes){header.data, len});
		uint8_t const *equals = pair.len > 0 ? memchr(pair.data, '=', pair.len) : NULL;

		if (equals &&
		    mfa_bytes_equal(wanted,
				    (struct mfa_bytes){pair.data, (size_t)(equals - pair.data)})) {
			found = (struct mfa_bytes){equals + 1,
						   pair.len - (size_t)(equals - pair.data) - 1};
			count++;
		}
		header.data += len + (end ? 1 : 0);
		header.len -= len + (end ? 1 : 0);
	}
	if (count != 1 || !is_clean(found)) return MFA_ERR_NOT_FOUND;
	*value = found;
	return MFA_OK;
}

bool mfa_cookie_take(char *text, size_t text_size, struct mfa_http const *http,
		     enum mfa_cookie cookie)
{
	struct mfa_bytes value;

	text[0] = '\0';
	if (mfa_cookie_find(&value, mfa_bytes_of(http->cookie),
			    mfa_http_cookie_name(cookie, http->https)) != MFA_OK ||
	    value.len >= text_size) {
		return false;
	}
	memcpy(text, value.data, value.len);
	text[value.len] = '\0';
	return true;
}
