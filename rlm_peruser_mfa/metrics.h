/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/metrics.h
 * @brief Counters and latencies for Prometheus: docs/metrics.md.
 */
#ifndef PERUSER_METRICS_H
#define PERUSER_METRICS_H

#include "rlm_peruser_mfa/request.h"

/** Find or begin the counters of this instance, and write the file once
 *
 * Counters belong to the name: an instance that takes over at a reload goes on with them.  Only
 * the server's main thread calls this.
 *
 * @return 0, or -1 with the reason in @p why.
 */
int peruser_metrics_open(rlm_peruser_mfa_t *inst, struct mfa_diag *why);

/** Count a decision, and write the file when it is due */
void peruser_metrics_count(rlm_peruser_mfa_t const *inst, REQUEST *request, enum mfa_result result);

/** Write what was counted since the file was written last */
void peruser_metrics_flush(rlm_peruser_mfa_t const *inst);

#endif /* PERUSER_METRICS_H */
