/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/cache.h"

#include <openssl/crypto.h>

#include <pthread.h>

/*
 * Records are kept from the challenge to the answer, to spare a search.  It is a cache and no
 * more: a record that is not here is read again, and what is decided upon one that is here only
 * holds when the directory agrees as it writes (mfa_login_run()).  So it may lose what it likes:
 * its size is fixed, a newcomer takes the place of whoever is there, and nothing has to be
 * cleaned up for logins that are abandoned.
 */
#define RECORD_SIZE 768u /* bytes of a packed record; larger ones are not kept */

struct cached_record {
	uint8_t nonce[MFA_NONCE_SIZE];
	uint8_t read_for[MFA_CHALLENGE_HASH];
	int64_t expires_s; //!< 0: nothing here.
	size_t len;
	uint8_t packed[RECORD_SIZE];
};

struct peruser_cache {
	pthread_mutex_t lock;
	uint32_t size;
	uint32_t sweep; //!< Where the next look for an expired record is.
	struct cached_record list[];
};

static int free_cache(struct peruser_cache *cache)
{
	OPENSSL_cleanse(cache->list, cache->size * sizeof(cache->list[0]));
	(void)pthread_mutex_destroy(&cache->lock);
	return 0;
}

struct peruser_cache *peruser_cache_alloc(uint32_t size)
{
	struct peruser_cache *cache = talloc_zero_size(
		NULL, sizeof(struct peruser_cache) + size * sizeof(struct cached_record));

	if (!cache) return NULL;
	if (pthread_mutex_init(&cache->lock, NULL) != 0) {
		talloc_free(cache);
		return NULL;
	}
	cache->size = size;
	talloc_set_destructor(cache, free_cache);
	return cache;
}

/** The place of a login: its nonce is random */
static struct cached_record *place(struct peruser_cache *cache,
				   uint8_t const nonce[static MFA_NONCE_SIZE])
{
	uint32_t number;

	memcpy(&number, nonce, sizeof(number));
	return &cache->list[number % cache->size];
}

/** Forget a record */
static void wipe(struct cached_record *record)
{
	OPENSSL_cleanse(record->packed, record->len);
	record->len = 0;
	record->expires_s = 0;
}

/** Wipe one record that nobody will ask for any more */
static void sweep_one(struct peruser_cache *cache, int64_t now_s)
{
	struct cached_record *record = &cache->list[cache->sweep];

	cache->sweep = (cache->sweep + 1) % cache->size;
	if (record->expires_s != 0 && record->expires_s < now_s) wipe(record);
}

void peruser_cache_put(struct peruser_cache *cache, uint8_t const nonce[static MFA_NONCE_SIZE],
		       struct peruser_record const *from, int64_t now_s, uint32_t lifetime_s)
{
	struct cached_record *record;

	if (!cache) return;
	(void)pthread_mutex_lock(&cache->lock);
	sweep_one(cache, now_s);
	record = place(cache, nonce);
	wipe(record);
	if (mfa_entry_pack(record->packed, &record->len, sizeof(record->packed),
			   &from->login->entry) == MFA_OK) {
		memcpy(record->nonce, nonce, sizeof(record->nonce));
		memcpy(record->read_for, from->read_for, sizeof(record->read_for));
		record->expires_s = now_s + lifetime_s;
	}
	(void)pthread_mutex_unlock(&cache->lock);
}

void peruser_cache_take(struct peruser_record *into, struct peruser_cache *cache,
			uint8_t const nonce[static MFA_NONCE_SIZE], int64_t now_s)
{
	struct mfa_login *login = into->login;
	struct cached_record *record;

	if (!cache) return;
	(void)pthread_mutex_lock(&cache->lock);
	record = place(cache, nonce);
	if (record->expires_s >= now_s &&
	    CRYPTO_memcmp(record->nonce, nonce, sizeof(record->nonce)) == 0) {
		login->have_entry = login->is_earlier =
			mfa_entry_unpack(&login->entry,
					 (struct mfa_bytes){record->packed, record->len}) == MFA_OK;
		memcpy(into->read_for, record->read_for, sizeof(into->read_for));
		wipe(record);
	}
	(void)pthread_mutex_unlock(&cache->lock);
}
