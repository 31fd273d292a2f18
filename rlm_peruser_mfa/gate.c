/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/gate.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct peruser_gate {
	pthread_mutex_t lock;
	pthread_cond_t left; //!< Somebody left; by the clock that nobody sets.
	uint32_t free;	     //!< How many may still go in.
};

struct peruser_gate *peruser_gate_alloc(uint32_t max)
{
	struct peruser_gate *gate = calloc(1, sizeof(*gate));
	pthread_condattr_t attr;

	if (!gate) return NULL;
	gate->free = max;
	(void)pthread_mutex_init(&gate->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&gate->left, &attr);
	(void)pthread_condattr_destroy(&attr);
	return gate;
}

void peruser_gate_free(struct peruser_gate **gate)
{
	if (!*gate) return;
	(void)pthread_cond_destroy(&(*gate)->left);
	(void)pthread_mutex_destroy(&(*gate)->lock);
	free(*gate);
	*gate = NULL;
}

static struct timespec after_ms(uint32_t wait_ms)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += wait_ms / 1000;
	at.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

bool peruser_gate_enter(struct peruser_gate *gate, uint32_t wait_ms)
{
	struct timespec const end = after_ms(wait_ms);
	int late = 0;
	bool in;

	(void)pthread_mutex_lock(&gate->lock);
	while (gate->free == 0 && late != ETIMEDOUT)
		late = pthread_cond_timedwait(&gate->left, &gate->lock, &end);
	in = gate->free > 0;
	if (in) gate->free--;
	(void)pthread_mutex_unlock(&gate->lock);
	return in;
}

void peruser_gate_leave(struct peruser_gate *gate)
{
	(void)pthread_mutex_lock(&gate->lock);
	gate->free++;
	(void)pthread_cond_signal(&gate->left);
	(void)pthread_mutex_unlock(&gate->lock);
}
