/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/cache.h
 * @brief Records that are kept from a challenge to its answer, to spare a search.
 */
#ifndef PERUSER_CACHE_H
#define PERUSER_CACHE_H

#include "core/login.h"

/** Records between a challenge and its answer, by login nonce */
struct peruser_cache;

/** Make room for so many; to be freed with talloc_free(), which wipes it */
struct peruser_cache *peruser_cache_alloc(uint32_t size);

/** Keep a record; NULL keeps nothing */
void peruser_cache_put(struct peruser_cache *cache, uint8_t const nonce[static MFA_NONCE_SIZE],
		       struct mfa_entry const *entry, int64_t now_s, uint32_t lifetime_s);

/** Take a record out, if it is there: login is given an earlier entry then */
void peruser_cache_take(struct mfa_login *login, struct peruser_cache *cache,
			uint8_t const nonce[static MFA_NONCE_SIZE], int64_t now_s);

#endif /* PERUSER_CACHE_H */
