/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/throttle.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUCKET	 8u   /* slots in which a counter may be */
#define FORGET_S 3600 /* a counter that was quiet so long begins anew */

/** One counter; this is how it stands in the file, which stays on one machine */
struct slot {
	uint8_t who[16]; //!< Truncated keyed hash of kind and name; all zero: free.
	uint32_t count;	 //!< Wrong guesses in a row.
	uint32_t unused;
	int64_t time_s; //!< Of the last one.
};

_Static_assert(sizeof(struct slot) == 32, "the file's layout");

enum mfa_rc mfa_throttle_open(struct mfa_throttle *throttle, struct mfa_diag *diag,
			      char const *path, uint8_t const key[static MFA_KEY_SIZE])
{
	off_t const size = (off_t)(MFA_THROTTLE_SLOTS * sizeof(struct slot));
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

	throttle->fd = -1;
	memcpy(throttle->key, key, sizeof(throttle->key));
	if (fd < 0) {
		mfa_diag_set(diag, "throttle file %s: cannot be opened or made%s", path,
			     errno == EACCES ? ": permission denied" : "");
		return MFA_ERR_NOT_FOUND;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (st.st_size != size && ftruncate(fd, size) != 0)) {
		mfa_diag_set(diag, "throttle file %s: not a regular file of our own", path);
		(void)close(fd);
		return MFA_ERR_DENIED;
	}
	throttle->fd = fd;
	return MFA_OK;
}

void mfa_throttle_close(struct mfa_throttle *throttle)
{
	if (throttle->fd >= 0) (void)close(throttle->fd);
	throttle->fd = -1;
	OPENSSL_cleanse(throttle->key, sizeof(throttle->key));
}

/** The bucket that a counter belongs to, locked */
struct bucket {
	struct slot slot[BUCKET];
	uint8_t who[16];
	off_t offset;
};

static bool lock_bucket(struct bucket *bucket, struct mfa_throttle const *throttle,
			enum mfa_throttle_kind kind, char const *who)
{
	uint8_t const kind_byte = (uint8_t)kind;
	struct mfa_bytes const part[] = {{&kind_byte, 1}, mfa_bytes_of(who)};
	uint8_t mac[MFA_MAC_SIZE];
	size_t index;

	if (mfa_mac(mac, throttle->key, part, 2) != MFA_OK) return false;
	memcpy(bucket->who, mac, sizeof(bucket->who));
	index = ((size_t)mac[30] << 8 | mac[31]) % (MFA_THROTTLE_SLOTS / BUCKET);
	bucket->offset = (off_t)(index * sizeof(bucket->slot));
	while (flock(throttle->fd, LOCK_EX) != 0) {
		if (errno != EINTR) return false;
	}
	if (pread(throttle->fd, bucket->slot, sizeof(bucket->slot), bucket->offset) ==
	    (ssize_t)sizeof(bucket->slot)) {
		return true;
	}
	(void)flock(throttle->fd, LOCK_UN);
	return false;
}

static bool unlock_bucket(struct bucket const *bucket, struct mfa_throttle const *throttle,
			  bool changed)
{
	bool done = true;

	if (changed) {
		done = pwrite(throttle->fd, bucket->slot, sizeof(bucket->slot), bucket->offset) ==
		       (ssize_t)sizeof(bucket->slot);
	}
	return flock(throttle->fd, LOCK_UN) == 0 && done;
}

static struct slot *find(struct bucket *bucket)
{
	for (size_t i = 0; i < BUCKET; i++) {
		if (CRYPTO_memcmp(bucket->slot[i].who, bucket->who, sizeof(bucket->who)) == 0)
			return &bucket->slot[i];
	}
	return NULL;
}

/** A slot for a new counter: a free one, else the one with the fewest guesses, else the oldest */
static struct slot *make_room(struct bucket *bucket)
{
	struct slot *chosen = &bucket->slot[0];

	for (size_t i = 1; i < BUCKET; i++) {
		struct slot *slot = &bucket->slot[i];

		if (slot->count < chosen->count ||
		    (slot->count == chosen->count && slot->time_s < chosen->time_s)) {
			chosen = slot;
		}
	}
	memset(chosen, 0, sizeof(*chosen));
	memcpy(chosen->who, bucket->who, sizeof(chosen->who));
	return chosen;
}

static uint32_t wait_of(struct slot const *slot, struct mfa_throttle_limit const *limit,
			int64_t now_s)
{
	uint64_t wait_s = limit->wait_s;
	int64_t left_s;

	if (slot->count < limit->free) return 0;
	for (uint32_t i = limit->free; i < slot->count && wait_s < limit->wait_max_s; i++)
		wait_s *= 2;
	if (wait_s > limit->wait_max_s) wait_s = limit->wait_max_s;
	left_s = slot->time_s + (int64_t)wait_s - now_s;
	if (left_s <= 0) return 0;
	/* A guess from the future is a clock that jumped back: never longer than the full wait. */
	return left_s > (int64_t)wait_s ? (uint32_t)wait_s : (uint32_t)left_s;
}

enum mfa_rc mfa_throttle_take(uint32_t *wait_s, struct mfa_throttle const *throttle,
			      enum mfa_throttle_kind kind, char const *who, int64_t now_s)
{
	struct mfa_throttle_limit const *limit = &throttle->limit[kind];
	struct bucket bucket;
	struct slot *slot;

	*wait_s = limit->wait_max_s;
	if (!lock_bucket(&bucket, throttle, kind, who)) return MFA_ERR_INTERNAL;
	slot = find(&bucket);
	if (!slot) slot = make_room(&bucket);
	if (now_s - slot->time_s > FORGET_S + (int64_t)limit->wait_max_s) slot->count = 0;
	*wait_s = wait_of(slot, limit, now_s);
	if (*wait_s == 0) {
		if (slot->count < UINT32_MAX) slot->count++;
		slot->time_s = now_s;
	}
	return unlock_bucket(&bucket, throttle, true) ? MFA_OK : MFA_ERR_INTERNAL;
}

void mfa_throttle_clear(struct mfa_throttle const *throttle, enum mfa_throttle_kind kind,
			char const *who)
{
	struct bucket bucket;
	struct slot *slot;

	if (!lock_bucket(&bucket, throttle, kind, who)) return;
	slot = find(&bucket);
	if (slot) memset(slot, 0, sizeof(*slot));
	(void)unlock_bucket(&bucket, throttle, slot != NULL);
}

void mfa_throttle_give_back(struct mfa_throttle const *throttle, enum mfa_throttle_kind kind,
			    char const *who)
{
	struct bucket bucket;
	struct slot *slot;

	if (!lock_bucket(&bucket, throttle, kind, who)) return;
	slot = find(&bucket);
	if (slot && slot->count > 0) slot->count--;
	(void)unlock_bucket(&bucket, throttle, slot != NULL);
}
