/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/gate.h"

#include <errno.h>
#include <limits.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

/*
 * A semaphore costs a busy server less than a mutex with a condition: whoever finds a place, or
 * leaves while nobody waits, makes no system call.
 */
struct peruser_gate {
	sem_t places;
	uint64_t moved_ms; //!< When somebody last went in or left.
};

struct peruser_gate *peruser_gate_alloc(uint32_t max)
{
	struct peruser_gate *gate = calloc(1, sizeof(*gate));

	if (gate && sem_init(&gate->places, 0, max > SEM_VALUE_MAX ? SEM_VALUE_MAX : max) < 0) {
		free(gate);
		gate = NULL;
	}
	return gate;
}

void peruser_gate_free(struct peruser_gate **gate)
{
	if (!*gate) return;
	(void)sem_destroy(&(*gate)->places);
	free(*gate);
	*gate = NULL;
}

/** A few milliseconds of difference do not matter here */
static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void note_move(struct peruser_gate *gate)
{
	__atomic_store_n(&gate->moved_ms, now_ms(), __ATOMIC_RELAXED);
}

static bool wait_for_place(struct peruser_gate *gate, uint32_t wait_ms)
{
	struct timespec end;
	int rc;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += wait_ms / 1000;
	end.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	do {
		rc = sem_clockwait(&gate->places, CLOCK_MONOTONIC, &end);
	} while (rc < 0 && errno == EINTR);
	return rc == 0;
}

bool peruser_gate_enter(struct peruser_gate *gate, uint32_t wait_ms)
{
	if (sem_trywait(&gate->places) < 0) {
		uint64_t const moved_ms = __atomic_load_n(&gate->moved_ms, __ATOMIC_RELAXED);

		if (now_ms() - moved_ms > wait_ms) return false;
		if (!wait_for_place(gate, wait_ms)) return false;
	}
	note_move(gate);
	return true;
}

void peruser_gate_leave(struct peruser_gate *gate)
{
	note_move(gate);
	(void)sem_post(&gate->places);
}
