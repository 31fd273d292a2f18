/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/utf8.h"

/** Bytes that the first one announces; 0 when it announces none */
static size_t announced(uint8_t first)
{
	if (first < 0x80) return 1;
	if (first >= 0xc2 && first <= 0xdf) return 2;
	if (first >= 0xe0 && first <= 0xef) return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/** The second byte's range keeps out overlong forms, surrogates and what is above U+10FFFF */
static bool second_is_right(uint8_t first, uint8_t second)
{
	switch (first) {
	case 0xe0: return second >= 0xa0;
	case 0xed: return second <= 0x9f;
	case 0xf0: return second >= 0x90;
	case 0xf4: return second <= 0x8f;
	default: return true;
	}
}

size_t mfa_utf8_length(struct mfa_bytes text)
{
	size_t const len = text.len > 0 ? announced(text.data[0]) : 0;

	if (len == 0 || len > text.len) return 0;
	for (size_t i = 1; i < len; i++) {
		if ((text.data[i] & 0xc0) != 0x80) return 0;
	}
	return len == 1 || second_is_right(text.data[0], text.data[1]) ? len : 0;
}

bool mfa_utf8_is_printable(struct mfa_bytes text)
{
	while (text.len > 0) {
		size_t const len = mfa_utf8_length(text);

		if (len == 0 || text.data[0] < ' ' || text.data[0] == 0x7f) return false;
		if (len == 2 && text.data[0] == 0xc2 && text.data[1] < 0xa0) return false;
		text.data += len;
		text.len -= len;
	}
	return true;
}
