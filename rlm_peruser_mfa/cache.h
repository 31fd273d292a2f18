/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/cache.h
 * @brief Records that are kept from a challenge to its answer, to spare a search.
 */
#ifndef PERUSER_CACHE_H
#define PERUSER_CACHE_H

#include "rlm_peruser_mfa/request.h"

/** Make room for so many; to be freed with talloc_free(), which wipes it */
struct peruser_cache *peruser_cache_alloc(uint32_t size);

/** Keep a record; NULL keeps nothing */
void peruser_cache_put(struct peruser_cache *cache, uint8_t const nonce[static MFA_NONCE_SIZE],
		       struct peruser_record const *from, int64_t now_s, uint32_t lifetime_s);

/** Take a record out, if it is there: into->login is given an earlier entry then
 *
 * Whether it is the record of the account that answers is for peruser_ask() to find out.
 */
void peruser_cache_take(struct peruser_record *into, struct peruser_cache *cache,
			uint8_t const nonce[static MFA_NONCE_SIZE], int64_t now_s);

#endif /* PERUSER_CACHE_H */
