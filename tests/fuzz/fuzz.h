/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file tests/fuzz/fuzz.h
 * @brief What the fuzzers share: a check that stops them, a key ring, a reader of the input.
 */
#ifndef MFA_TESTS_FUZZ_H
#define MFA_TESTS_FUZZ_H

#include "core/hashed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size);

/** What must hold whatever the input is */
#define CHECK(_condition)                                                                          \
	do {                                                                                       \
		if (!(_condition)) abort();                                                        \
	} while (0)

#define FUZZ_ENTRY_ID "6f1c5b0e-26a5-4d4c-9e1b-0d5a3b1c7e11"

/** The same two keys in every run; the corpus holds values that they sealed */
static inline struct mfa_keyring const *fuzz_ring(void)
{
	static struct mfa_keyring ring;
	static char const text[] = "new AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
				   "old ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n";

	if (ring.count == 0) CHECK(mfa_keyring_parse(&ring, NULL, mfa_bytes_of(text)) == MFA_OK);
	return &ring;
}

/** Cut off up to the next newline */
static inline struct mfa_bytes fuzz_line(struct mfa_bytes *rest)
{
	uint8_t const *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
	struct mfa_bytes line = *rest;

	if (!end) {
		*rest = (struct mfa_bytes){0};
		return line;
	}
	line.len = (size_t)(end - rest->data);
	rest->data += line.len + 1;
	rest->len -= line.len + 1;
	return line;
}

/** A copy of exactly this size on the heap, so that reading past it is noticed */
static inline struct mfa_bytes fuzz_copy(struct mfa_bytes bytes)
{
	uint8_t *copy = malloc(bytes.len ? bytes.len : 1);

	CHECK(copy);
	if (bytes.len > 0) memcpy(copy, bytes.data, bytes.len);
	return (struct mfa_bytes){copy, bytes.len};
}

static inline void fuzz_free(struct mfa_bytes copy)
{
	free((void *)(uintptr_t)copy.data);
}

#endif /* MFA_TESTS_FUZZ_H */
