/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/metrics.h
 * @brief Counters and latencies of decisions, as a file of Prometheus text: docs/metrics.md.
 */
#ifndef MFA_CORE_METRICS_H
#define MFA_CORE_METRICS_H

#include "core/verdict.h"

#include <stdatomic.h>
#include <stdio.h>

#define MFA_METRICS_BUCKETS 9u //!< Of the histogram, without the last one, which has no limit.
#define MFA_METRICS_EVERY_S 15 //!< Between two writes, at least.

/** What was counted since the program or instance began; zero at first; any thread may count */
struct mfa_metrics {
	struct {
		atomic_uint_least64_t
			bucket[MFA_METRICS_BUCKETS + 1]; //!< Decisions, by time taken.
		atomic_uint_least64_t sum_us;		 //!< Time of all of them together.
	} result[MFA_RESULT_COUNT];
	atomic_int_least64_t written_s; //!< When the file was written last.
};

/** Count a decision
 *
 * @param[in] took_us microseconds; less than 0 counts as 0.
 */
void mfa_metrics_count(struct mfa_metrics *metrics, enum mfa_result result, int64_t took_us);

/** Whether the file is to be written now: true for one caller each #MFA_METRICS_EVERY_S */
bool mfa_metrics_is_due(struct mfa_metrics *metrics, int64_t now_s);

/** Write all that was counted, in place of the file's old contents, atomically
 *
 * @param[in] path     absolute; its folder is written to.
 * @param[in] instance a label on each line: letters, digits and what else JSON leaves alone.
 * @return #MFA_OK; #MFA_ERR_DENIED with the reason in @p diag.
 */
enum mfa_rc mfa_metrics_write(struct mfa_metrics *metrics, struct mfa_diag *diag, char const *path,
			      char const *instance) MFA_MUST_CHECK;

/** Replace a file by what a function writes, atomically; mode 0644
 *
 * @return as mfa_metrics_write().
 */
enum mfa_rc mfa_metrics_replace(struct mfa_diag *diag, char const *path,
				void (*put)(FILE *out, void *uctx), void *uctx) MFA_MUST_CHECK;

#endif /* MFA_CORE_METRICS_H */
