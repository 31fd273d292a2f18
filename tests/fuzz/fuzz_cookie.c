/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Cookie header: what is found lies within it and holds no character that we never write. */
#include "enroll/cookie.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size);

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	struct mfa_bytes value;

	if (mfa_cookie_find(&value, (struct mfa_bytes){data, size}, "__Host-mfa") != MFA_OK) {
		if (value.len != 0) abort();
		return 0;
	}
	if (value.len == 0 || value.data < data || value.data + value.len > data + size) abort();
	if (memchr(value.data, ';', value.len) || memchr(value.data, ' ', value.len)) abort();
	return 0;
}
