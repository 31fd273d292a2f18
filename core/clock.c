/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/clock.h"

#include <time.h>

int64_t mfa_monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
