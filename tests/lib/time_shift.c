/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Preloaded in front of a program whose clock shall be wrong by TIME_SHIFT_S seconds.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

time_t time(time_t *out) /* NOLINT(readability-inconsistent-declaration-parameter-name) */
{
	char const *shift = getenv("TIME_SHIFT_S"); /* NOLINT(concurrency-mt-unsafe) */
	struct timespec now = {0};

	(void)syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	if (shift) now.tv_sec += strtol(shift, NULL, 10);
	if (out) *out = now.tv_sec;
	return now.tv_sec;
}
