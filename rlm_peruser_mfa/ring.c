/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/ring.h"

#include <freeradius/radiusd.h>

#include <openssl/crypto.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#define RACY_S 2 /* a file that is younger may change again without a new time */

/** Keys as they were read once; older ones stay while a request may use them */
struct keys {
	struct mfa_keyring ring;
	struct keys *older;
};

struct peruser_ring {
	char name[MAX_STRING_LEN];
	char path[1024];
	_Atomic(struct keys *) current;
	atomic_bool watched;
	pthread_mutex_t lock; //!< Of all below.
	int64_t looked_s;
	bool failed;	  //!< The last try did.
	struct stat seen; //!< When it was last tried.
	struct peruser_ring *next;
};

/* The newest ring of each instance, by name.  Only the server's main thread changes the list. */
static struct peruser_ring *rings;

static struct peruser_ring *find(char const *name)
{
	for (struct peruser_ring *ring = rings; ring; ring = ring->next) {
		if (strcmp(ring->name, name) == 0) return ring;
	}
	return NULL;
}

static bool same_file(struct stat const *a, struct stat const *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void look(struct stat *seen, char const *path)
{
	if (stat(path, seen) != 0) memset(seen, 0, sizeof(*seen));
}

/** Read the file and put its keys in front of the ones that are there */
static enum mfa_rc load(struct peruser_ring *ring, struct mfa_diag *diag)
{
	struct keys *keys = calloc(1, sizeof(*keys));
	enum mfa_rc rc = MFA_ERR_NOMEM;

	mfa_diag_say(diag, "out of memory");
	look(&ring->seen, ring->path);
	if (keys) rc = mfa_keyring_load(&keys->ring, diag, ring->path);
	ring->failed = rc != MFA_OK;
	if (ring->failed) {
		free(keys);
		return rc;
	}
	diag->text[0] = '\0';
	keys->older = atomic_load(&ring->current);
	atomic_store(&ring->current, keys);
	return MFA_OK;
}

/** Take over the keys of the instance before */
static bool inherit(struct peruser_ring *ring)
{
	struct peruser_ring *before = find(ring->name);
	struct keys *keys = before ? calloc(1, sizeof(*keys)) : NULL;

	if (!keys) return false;
	keys->ring = atomic_load(&before->current)->ring;
	atomic_store(&ring->current, keys);
	return true;
}

struct peruser_ring *peruser_ring_alloc(struct mfa_diag *diag, char const *name, char const *path)
{
	struct peruser_ring *ring = calloc(1, sizeof(*ring));

	mfa_diag_say(diag, "out of memory");
	if (!ring) return NULL;
	(void)pthread_mutex_init(&ring->lock, NULL);
	strlcpy(ring->name, name, sizeof(ring->name));
	strlcpy(ring->path, path, sizeof(ring->path));
	if (load(ring, diag) != MFA_OK && !inherit(ring)) {
		free(ring);
		return NULL;
	}
	atomic_store(&ring->watched, true);
	ring->next = rings;
	rings = ring;
	return ring;
}

void peruser_ring_free(struct peruser_ring **ring)
{
	struct peruser_ring **at = &rings;
	struct keys *keys;

	if (!*ring) return;
	while (*at && *at != *ring) at = &(*at)->next;
	if (*at) *at = (*ring)->next;
	keys = atomic_load(&(*ring)->current);
	while (keys) {
		struct keys *older = keys->older;

		mfa_keyring_clear(&keys->ring);
		free(keys);
		keys = older;
	}
	(void)pthread_mutex_destroy(&(*ring)->lock);
	free(*ring);
	*ring = NULL;
}

void peruser_ring_watch(char const *name)
{
	struct peruser_ring *ring = find(name);

	if (ring) atomic_store(&ring->watched, true);
}

/** Look at a watched file; called with the lock held */
static void look_again(struct peruser_ring *ring, int64_t now_s)
{
	struct mfa_diag diag;
	struct stat now;

	ring->looked_s = now_s;
	look(&now, ring->path);
	if (same_file(&now, &ring->seen)) {
		if (!ring->failed && now.st_mtim.tv_sec + RACY_S <= now_s)
			atomic_store(&ring->watched, false);
		return;
	}
	if (load(ring, &diag) == MFA_OK) {
		INFO("rlm_peruser_mfa (%s): the changed key ring was read", ring->name);
	} else {
		ERROR("rlm_peruser_mfa (%s): %s; the keys read before stay in use", ring->name,
		      diag.text);
	}
}

struct mfa_keyring const *peruser_ring_keys(struct peruser_ring *ring, int64_t now_s)
{
	if (atomic_load(&ring->watched) && pthread_mutex_trylock(&ring->lock) == 0) {
		if (ring->looked_s != now_s) look_again(ring, now_s);
		(void)pthread_mutex_unlock(&ring->lock);
	}
	return &atomic_load(&ring->current)->ring;
}
