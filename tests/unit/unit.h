/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file tests/unit/unit.h
 * @brief What the unit tests share: cmocka and its includes, bytes, a key ring, entries.
 */
#ifndef MFA_TESTS_UNIT_H
#define MFA_TESTS_UNIT_H

#include "core/hashed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs those above */

#define COUNT_OF(_array) (sizeof(_array) / sizeof((_array)[0]))
#define RUN(_tests)	 cmocka_run_group_tests((_tests), NULL, NULL)

/** Two keys; "new" seals */
#define TWO_KEYS                                                                                   \
	"new AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"                                       \
	"old ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n"

/** The entry id of entries made by entry_new() */
#define ENTRY_ID "6f1c5b0e-26a5-4d4c-9e1b-0d5a3b1c7e11"

/** "12345678901234567890", the key of RFC 4226 appendix D, in base32 */
#define RFC_KEY "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static inline struct mfa_bytes bytes(char const *text)
{
	return mfa_bytes_of(text);
}

static inline struct mfa_bytes raw(void const *data, size_t len)
{
	return (struct mfa_bytes){data, len};
}

static inline void assert_bytes(struct mfa_bytes got, char const *expected)
{
	assert_int_equal(got.len, strlen(expected));
	if (got.len > 0) assert_memory_equal(got.data, expected, got.len);
}

/** A bit of every byte, so that "all zero" can be asserted of a structure that must be wiped */
static inline void assert_zero(void const *data, size_t len)
{
	uint8_t const *p = data;

	for (size_t i = 0; i < len; i++) assert_int_equal(p[i], 0);
}

static inline void ring_parse(struct mfa_keyring *ring, char const *text)
{
	struct mfa_diag diag = {.text = ""};

	if (mfa_keyring_parse(ring, &diag, bytes(text)) != MFA_OK) fail_msg("%s", diag.text);
}

static inline void entry_new(struct mfa_entry *entry)
{
	mfa_entry_init(entry);
	assert_int_equal(mfa_entry_set_dn(entry, bytes("uid=u,dc=example,dc=org")), MFA_OK);
	assert_int_equal(mfa_entry_set_id(entry, bytes(ENTRY_ID)), MFA_OK);
}

static inline void entry_add(struct mfa_entry *entry, enum mfa_attr attr, char const *value)
{
	assert_int_equal(mfa_entry_add(entry, attr, bytes(value)), MFA_OK);
}

static inline struct mfa_code code_of(char const *typed)
{
	struct mfa_code code;

	mfa_code_parse(&code, bytes(typed));
	return code;
}

#endif /* MFA_TESTS_UNIT_H */
