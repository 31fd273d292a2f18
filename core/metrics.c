/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/metrics.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "peruser_mfa_decisions"

/* A search takes milliseconds; ldap.timeout ends it after seconds. */
static struct {
	int64_t us;
	char const *text;
} const limit[MFA_METRICS_BUCKETS] = {
	{1000, "0.001"}, {2500, "0.0025"}, {5000, "0.005"}, {10000, "0.01"}, {25000, "0.025"},
	{100000, "0.1"}, {500000, "0.5"},  {1000000, "1"},  {5000000, "5"},
};

void mfa_metrics_count(struct mfa_metrics *metrics, enum mfa_result result, int64_t took_us)
{
	size_t i = 0;

	if ((unsigned)result >= MFA_RESULT_COUNT) return;
	if (took_us < 0) took_us = 0;
	while (i < MFA_METRICS_BUCKETS && took_us > limit[i].us) i++;
	atomic_fetch_add_explicit(&metrics->result[result].bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&metrics->result[result].sum_us, (uint64_t)took_us,
				  memory_order_relaxed);
}

bool mfa_metrics_is_due(struct mfa_metrics *metrics, int64_t now_s)
{
	int_least64_t last_s = atomic_load_explicit(&metrics->written_s, memory_order_relaxed);

	/* A clock that went back does not stop the file. */
	if (now_s >= last_s && now_s - last_s < MFA_METRICS_EVERY_S) return false;
	return atomic_compare_exchange_strong(&metrics->written_s, &last_s, now_s);
}

/** What is written, and for which instance */
struct page {
	struct mfa_metrics *metrics;
	char const *instance;
};

static void put_result(FILE *out, struct page const *page, enum mfa_result result)
{
	char const *name = mfa_result_name(result);
	uint64_t total = 0;

	for (size_t i = 0; i <= MFA_METRICS_BUCKETS; i++) {
		total += atomic_load_explicit(&page->metrics->result[result].bucket[i],
					      memory_order_relaxed);
		(void)fprintf(out,
			      NAME "_seconds_bucket{instance_name=\"%s\",result=\"%s\",le=\"%s\"} "
				   "%" PRIu64 "\n",
			      page->instance, name,
			      i < MFA_METRICS_BUCKETS ? limit[i].text : "+Inf", total);
	}
	(void)fprintf(
		out,
		NAME "_seconds_sum{instance_name=\"%s\",result=\"%s\"} %" PRIu64 ".%06" PRIu64 "\n",
		page->instance, name, atomic_load(&page->metrics->result[result].sum_us) / 1000000,
		atomic_load(&page->metrics->result[result].sum_us) % 1000000);
	(void)fprintf(out, NAME "_seconds_count{instance_name=\"%s\",result=\"%s\"} %" PRIu64 "\n",
		      page->instance, name, total);
}

static void put_all(FILE *out, void *uctx)
{
	(void)fputs("# HELP " NAME "_seconds Decisions by result, and the time from packet to "
		    "decision.\n# TYPE " NAME "_seconds histogram\n",
		    out);
	for (unsigned i = 0; i < MFA_RESULT_COUNT; i++) put_result(out, uctx, (enum mfa_result)i);
}

enum mfa_rc mfa_metrics_write(struct mfa_metrics *metrics, struct mfa_diag *diag, char const *path,
			      char const *instance)
{
	struct page page = {metrics, instance};

	return mfa_metrics_replace(diag, path, put_all, &page);
}

/** Fill the file that is about to take the other one's place */
static bool fill(int fd, void (*put)(FILE *out, void *uctx), void *uctx)
{
	FILE *out = fdopen(fd, "w");
	bool done;

	if (!out) {
		(void)close(fd);
		return false;
	}
	put(out, uctx);
	done = !ferror(out) && fchmod(fd, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) == 0;
	return fclose(out) == 0 && done;
}

enum mfa_rc mfa_metrics_replace(struct mfa_diag *diag, char const *path,
				void (*put)(FILE *out, void *uctx), void *uctx)
{
	char fresh[1024];
	int fd = -1;

	/* node_exporter reads *.prom only, so never a file that is half written. */
	if (snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path) < (int)sizeof(fresh))
		fd = mkostemp(fresh, O_CLOEXEC);
	if (fd >= 0 && fill(fd, put, uctx) && rename(fresh, path) == 0) return MFA_OK;
	mfa_diag_set(diag, "metrics: '%s' cannot be written", path);
	if (fd >= 0) (void)unlink(fresh);
	return MFA_ERR_DENIED;
}
