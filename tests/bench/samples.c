/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t bench_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool grow(struct bench_samples *samples, size_t wanted)
{
	size_t size = samples->size ? samples->size : 4096;
	uint32_t *us;

	if (wanted <= samples->size) return true;
	while (size < wanted) size *= 2;
	us = realloc(samples->us, size * sizeof(*us));
	if (!us) return false;
	samples->us = us;
	samples->size = size;
	return true;
}

bool bench_samples_add(struct bench_samples *samples, int64_t ns)
{
	int64_t const us = ns / 1000;

	if (!grow(samples, samples->count + 1)) return false;
	samples->us[samples->count++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
	return true;
}

bool bench_samples_join(struct bench_samples *samples, struct bench_samples const *more)
{
	if (more->count == 0) return true;
	if (!grow(samples, samples->count + more->count)) return false;
	memcpy(samples->us + samples->count, more->us, more->count * sizeof(*more->us));
	samples->count += more->count;
	return true;
}

void bench_samples_free(struct bench_samples *samples)
{
	free(samples->us);
	memset(samples, 0, sizeof(*samples));
}

static int by_size(void const *a, void const *b)
{
	uint32_t const x = *(uint32_t const *)a, y = *(uint32_t const *)b;

	return (x > y) - (x < y);
}

static uint32_t percentile(struct bench_samples const *samples, unsigned percent)
{
	return samples->count ? samples->us[(samples->count - 1) * percent / 100] : 0;
}

void bench_samples_print(struct bench_samples *samples)
{
	if (samples->count) qsort(samples->us, samples->count, sizeof(*samples->us), by_size);
	printf("\"p50_us\": %" PRIu32 ", \"p95_us\": %" PRIu32 ", \"p99_us\": %" PRIu32,
	       percentile(samples, 50), percentile(samples, 95), percentile(samples, 99));
}

bool bench_processes_add(struct bench_processes *processes, char const *text)
{
	char const *colon = strchr(text, ':');
	size_t const len = colon ? (size_t)(colon - text) : 0;
	char *end;

	if (len == 0 || len >= sizeof(processes->list[0].name) ||
	    processes->count == BENCH_PROCESSES_MAX || strcspn(text, "\"\\") < len) {
		return false;
	}
	memcpy(processes->list[processes->count].name, text, len);
	processes->list[processes->count].pid = strtol(colon + 1, &end, 10);
	if (*end || end == colon + 1) return false;
	processes->count++;
	return true;
}

/** CPU time of all threads of a process so far, as the scheduler counts it; 0 when it is gone */
static int64_t cpu_ns(long pid)
{
	clockid_t clock;
	struct timespec used;

	if (clock_getcpuclockid((pid_t)pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return 0;
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

void bench_processes_start(struct bench_processes *processes)
{
	for (size_t i = 0; i < processes->count; i++)
		processes->list[i].start_ns = cpu_ns(processes->list[i].pid);
}

void bench_processes_print(struct bench_processes const *processes, uint64_t logins)
{
	printf("\"cpu_us\": {");
	for (size_t i = 0; i < processes->count; i++) {
		double const ns =
			(double)(cpu_ns(processes->list[i].pid) - processes->list[i].start_ns);

		printf("%s\"%s\": %.1f", i ? ", " : "", processes->list[i].name,
		       logins ? ns / 1000 / (double)logins : 0.0);
	}
	printf("}");
}
