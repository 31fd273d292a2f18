/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/throttle.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUCKET	      8u    /* slots in which a counter may be */
#define COUNT_MAX     64    /* guesses that one counter remembers beyond the free ones */
#define PACE_MS	      400u  /* a refusal never takes less */
#define PACE_MAX_MS   4000u /* nor does it wait longer, however slow the directory once was */
#define PACE_HALVES_S 3600

/** One counter; this is how it stands in the file, which stays on one machine */
struct slot {
	uint8_t who[16];  //!< Truncated keyed hash of kind and name; all zero: free.
	int64_t empty_s;  //!< When all its guesses will be forgotten, Unix time.
	int64_t latest_s; //!< Of the last one.
};

/** How slow the directory is; behind the counters in the file */
struct pace {
	int64_t took_ms;
	int64_t time_s; //!< When it was so slow.
};

_Static_assert(sizeof(struct slot) == 32, "the file's layout");
_Static_assert(sizeof(struct pace) == 16, "the file's layout");
#define PACE_OFFSET ((off_t)(MFA_THROTTLE_SLOTS * sizeof(struct slot)))

enum mfa_rc mfa_throttle_open(struct mfa_throttle *throttle, struct mfa_diag *diag,
			      char const *path, uint8_t const key[static MFA_KEY_SIZE])
{
	off_t const size = PACE_OFFSET + (off_t)sizeof(struct pace);
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
			struct mfa_throttle_guess const *guess)
{
	uint8_t const kind_byte = (uint8_t)guess->kind;
	struct mfa_bytes const part[] = {{&kind_byte, 1}, mfa_bytes_of(guess->who)};
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

/** A slot for a new counter: a free one, else the one that is empty first */
static struct slot *make_room(struct bucket *bucket)
{
	struct slot *chosen = &bucket->slot[0];

	for (size_t i = 1; i < BUCKET; i++) {
		if (bucket->slot[i].empty_s < chosen->empty_s) chosen = &bucket->slot[i];
	}
	memset(chosen, 0, sizeof(*chosen));
	memcpy(chosen->who, bucket->who, sizeof(chosen->who));
	return chosen;
}

/** Guesses that are not forgotten yet */
static uint32_t count_of(struct slot const *slot, struct mfa_throttle_limit const *limit,
			 int64_t now_s)
{
	int64_t const left_s = slot->empty_s - now_s;
	int64_t const most = (int64_t)limit->free + COUNT_MAX;
	int64_t count;

	if (left_s <= 0) return 0;
	count = (left_s + limit->forget_s - 1) / limit->forget_s;
	/* More than that is a clock that jumped back. */
	return (uint32_t)(count < most ? count : most);
}

static uint32_t wait_of(struct slot const *slot, struct mfa_throttle_limit const *limit,
			int64_t now_s)
{
	uint32_t const count = count_of(slot, limit, now_s);
	uint64_t wait_s = limit->wait_s;
	int64_t left_s;

	if (count < limit->free) return 0;
	for (uint32_t i = limit->free; i < count && wait_s < limit->wait_max_s; i++) wait_s *= 2;
	if (wait_s > limit->wait_max_s) wait_s = limit->wait_max_s;
	left_s = slot->latest_s + (int64_t)wait_s - now_s;
	if (left_s <= 0) return 0;
	/* A guess from the future is a clock that jumped back: never longer than the full wait. */
	return left_s > (int64_t)wait_s ? (uint32_t)wait_s : (uint32_t)left_s;
}

static void count_guess(struct slot *slot, struct mfa_throttle_limit const *limit, int64_t now_s)
{
	int64_t const count = count_of(slot, limit, now_s);
	int64_t const left_s = count > 0 ? slot->empty_s - now_s : 0;
	int64_t const most_s = ((int64_t)limit->free + COUNT_MAX) * limit->forget_s;

	slot->empty_s = now_s + limit->forget_s + (left_s < most_s ? left_s : most_s);
	slot->latest_s = now_s;
}

enum mfa_rc mfa_throttle_take(uint32_t *wait_s, struct mfa_throttle const *throttle,
			      struct mfa_throttle_guess *guess, int64_t now_s)
{
	struct mfa_throttle_limit const *limit = &throttle->limit[guess->kind];
	struct bucket bucket;
	struct slot *slot;

	*wait_s = limit->wait_max_s;
	if (!lock_bucket(&bucket, throttle, guess)) return MFA_ERR_INTERNAL;
	slot = find(&bucket);
	if (!slot) slot = make_room(&bucket);
	*wait_s = wait_of(slot, limit, now_s);
	guess->time_s = now_s;
	guess->previous_s = slot->latest_s;
	if (*wait_s == 0) count_guess(slot, limit, now_s);
	return unlock_bucket(&bucket, throttle, *wait_s == 0) ? MFA_OK : MFA_ERR_INTERNAL;
}

void mfa_throttle_clear(struct mfa_throttle const *throttle, struct mfa_throttle_guess const *guess)
{
	struct bucket bucket;
	struct slot *slot;

	if (!lock_bucket(&bucket, throttle, guess)) return;
	slot = find(&bucket);
	if (slot) memset(slot, 0, sizeof(*slot));
	(void)unlock_bucket(&bucket, throttle, slot != NULL);
}

void mfa_throttle_give_back(struct mfa_throttle const *throttle,
			    struct mfa_throttle_guess const *guess)
{
	struct bucket bucket;
	struct slot *slot;

	if (!lock_bucket(&bucket, throttle, guess)) return;
	slot = find(&bucket);
	if (slot) {
		slot->empty_s -= throttle->limit[guess->kind].forget_s;
		/* Unless somebody guessed later: the wait is for what was wrong. */
		if (slot->latest_s == guess->time_s) slot->latest_s = guess->previous_s;
	}
	(void)unlock_bucket(&bucket, throttle, slot != NULL);
}

enum mfa_rc mfa_throttle_latest(int64_t *time_s, struct mfa_throttle const *throttle,
				struct mfa_throttle_guess const *guess, int64_t now_s)
{
	struct bucket bucket;
	struct slot const *slot;

	*time_s = 0;
	if (!lock_bucket(&bucket, throttle, guess)) return MFA_ERR_INTERNAL;
	slot = find(&bucket);
	if (slot && slot->empty_s > now_s) *time_s = slot->latest_s;
	return unlock_bucket(&bucket, throttle, false) ? MFA_OK : MFA_ERR_INTERNAL;
}

static uint32_t pace_now(struct pace const *pace, int64_t now_s)
{
	int64_t const halves = (now_s - pace->time_s) / PACE_HALVES_S;

	if (pace->took_ms <= 0 || halves > 16) return 0;
	return (uint32_t)((pace->took_ms < PACE_MAX_MS ? pace->took_ms : PACE_MAX_MS) >>
			  (halves > 0 ? halves : 0));
}

static bool read_pace(struct pace *pace, struct mfa_throttle const *throttle)
{
	return pread(throttle->fd, pace, sizeof(*pace), PACE_OFFSET) == (ssize_t)sizeof(*pace);
}

void mfa_throttle_note_pace(struct mfa_throttle const *throttle, uint32_t took_ms, int64_t now_s)
{
	struct pace pace;

	while (flock(throttle->fd, LOCK_EX) != 0) {
		if (errno != EINTR) return;
	}
	if (read_pace(&pace, throttle) && took_ms > pace_now(&pace, now_s)) {
		pace = (struct pace){.took_ms = took_ms, .time_s = now_s};
		(void)!pwrite(throttle->fd, &pace, sizeof(pace), PACE_OFFSET);
	}
	(void)flock(throttle->fd, LOCK_UN);
}

uint32_t mfa_throttle_pace_ms(struct mfa_throttle const *throttle, int64_t now_s)
{
	struct pace pace;
	uint32_t slowest_ms = read_pace(&pace, throttle) ? pace_now(&pace, now_s) : 0;

	slowest_ms += slowest_ms / 4;
	return slowest_ms > PACE_MS ? slowest_ms : PACE_MS;
}
