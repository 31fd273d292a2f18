/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/ring.h
 * @brief The key ring of an instance, and what becomes of it at a reload.
 *
 * The server looks at the time of a file, in seconds, and forgets a file that it could not
 * use.  So the module itself looks again at a ring that could not be read at a reload, and at
 * one that was changed within the seconds before it was read.
 */
#ifndef PERUSER_RING_H
#define PERUSER_RING_H

#include "core/keyring.h"

/** A key ring file and its keys; opaque */
struct peruser_ring;

/** Read the ring of an instance
 *
 * When the file cannot be used, the keys that an instance of this name has are taken over, and
 * the file is read again as soon as it has changed.
 *
 * @param[out] diag why the file cannot be used; empty when it can.
 * @return NULL when there are no keys, or memory ran out.
 */
struct peruser_ring *peruser_ring_alloc(struct mfa_diag *diag, char const *name, char const *path);

/** Wipe and free; sets *ring to NULL */
void peruser_ring_free(struct peruser_ring **ring);

/** Read the file again when it has changed, for an instance whose reload failed */
void peruser_ring_watch(char const *name);

/** The keys, valid as long as the ring
 *
 * @param[in] now_s Unix time; a ring that is watched is looked at once per second.
 */
struct mfa_keyring const *peruser_ring_keys(struct peruser_ring *ring, int64_t now_s);

#endif /* PERUSER_RING_H */
