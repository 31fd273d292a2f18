/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Preloaded in front of a program whose clock shall be wrong by TIME_SHIFT_S seconds, or whose
 * clock shall stand at the Unix time that the file TIME_FILE holds, until it holds another one.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/** The time that the file holds; 0 when there is none */
static time_t written_time(char const *path)
{
	char text[32];
	int const fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = 0;

	if (fd < 0) return 0;
	len = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (len <= 0) return 0;
	text[len] = '\0';
	return strtol(text, NULL, 10);
}

/** The clock of the program, wrong as it shall be */
static struct timespec wrong_time(void)
{
	char const *shift = getenv("TIME_SHIFT_S"); /* NOLINT(concurrency-mt-unsafe) */
	char const *path = getenv("TIME_FILE");	    /* NOLINT(concurrency-mt-unsafe) */
	time_t const written = path ? written_time(path) : 0;
	struct timespec now = {.tv_sec = written};

	if (written) return now;
	(void)syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	if (shift) now.tv_sec += strtol(shift, NULL, 10);
	return now;
}

time_t time(time_t *out) /* NOLINT(readability-inconsistent-declaration-parameter-name) */
{
	struct timespec const now = wrong_time();

	if (out) *out = now.tv_sec;
	return now.tv_sec;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int gettimeofday(struct timeval *out, void *zone)
{
	struct timespec const now = wrong_time();

	(void)zone;
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}
