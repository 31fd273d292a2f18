/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file tests/bench/samples.h
 * @brief Latencies, and the CPU time that servers use meanwhile.
 */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_PROCESSES_MAX 8u //!< Processes that are watched.

/** Latencies in microseconds; all of them are kept */
struct bench_samples {
	uint32_t *us;
	size_t count, size;
};

/** Nanoseconds of the monotonic clock */
int64_t bench_now_ns(void);

/** Note one; false when memory ran out */
bool bench_samples_add(struct bench_samples *samples, int64_t ns);

/** Put those of another list behind ours; false when memory ran out */
bool bench_samples_join(struct bench_samples *samples, struct bench_samples const *more);

void bench_samples_free(struct bench_samples *samples);

/** Print "p50_us": ..., "p95_us": ..., "p99_us": ... as members of a JSON object */
void bench_samples_print(struct bench_samples *samples);

/** Processes whose CPU time is measured */
struct bench_processes {
	size_t count;
	struct {
		char name[32];
		long pid;
		int64_t start_ns;
	} list[BENCH_PROCESSES_MAX];
};

/** Take "name:pid"; false when it is none */
bool bench_processes_add(struct bench_processes *processes, char const *text);

/** Remember the time used so far */
void bench_processes_start(struct bench_processes *processes);

/** Print "cpu_us": {"name": microseconds a login} as a member of a JSON object */
void bench_processes_print(struct bench_processes const *processes, uint64_t logins);

#endif /* BENCH_SAMPLES_H */
