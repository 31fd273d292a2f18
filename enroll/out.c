/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/out.h"
#include "core/utf8.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

void mfa_out_clear(struct mfa_out *out)
{
	OPENSSL_cleanse(out->data, out->len);
	out->len = 0;
}

void mfa_out_reset(struct mfa_out *out)
{
	mfa_out_clear(out);
	out->failed = false;
}

static void append(struct mfa_out *out, void const *data, size_t len)
{
	if (out->failed || len > sizeof(out->data) - out->len) {
		out->failed = true;
		return;
	}
	memcpy(out->data + out->len, data, len);
	out->len += len;
}

void mfa_out_raw(struct mfa_out *out, char const *markup)
{
	append(out, markup, strlen(markup));
}

/** What stands for a character that means something in HTML, or must not be sent */
static char const *replacement(uint8_t c, size_t len)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	case '\n': return NULL;
	default: return len == 0 || c < ' ' || c == 0x7f ? "\xef\xbf\xbd" : NULL;
	}
}

void mfa_out_bytes(struct mfa_out *out, struct mfa_bytes text)
{
	while (text.len > 0) {
		size_t const len = mfa_utf8_length(text);
		char const *other = replacement(text.data[0], len);
		size_t const step = len > 0 ? len : 1;

		if (other) {
			mfa_out_raw(out, other);
		} else {
			append(out, text.data, step);
		}
		text.data += step;
		text.len -= step;
	}
}

void mfa_out_text(struct mfa_out *out, char const *text)
{
	mfa_out_bytes(out, mfa_bytes_of(text));
}

void mfa_out_number(struct mfa_out *out, int64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)number);
	mfa_out_raw(out, text);
}
