/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/metrics.h"

/** The counters of an instance, by name */
struct counters {
	struct mfa_metrics metrics;
	char name[MAX_STRING_LEN];
	struct counters *next;
};

/* Never freed: an instance that a reload replaced may still have requests under way. */
static struct counters *all;

static struct mfa_metrics *find(char const *name)
{
	struct counters *at = all;

	while (at && strcmp(at->name, name) != 0) at = at->next;
	if (at) return &at->metrics;
	at = calloc(1, sizeof(*at));
	if (!at) return NULL;
	(void)strlcpy(at->name, name, sizeof(at->name));
	at->next = all;
	all = at;
	return &at->metrics;
}

int peruser_metrics_open(rlm_peruser_mfa_t *inst, struct mfa_diag *why)
{
	if (!inst->metrics_file[0]) return 0;
	if (inst->metrics_file[0] != '/') {
		mfa_diag_set(why, "it must be an absolute path");
		return -1;
	}
	/* "freeradius -C" beside a server that runs shall not take its numbers away. */
	if (check_config) return 0;
	inst->metrics = find(inst->name);
	mfa_diag_set(why, "out of memory");
	if (!inst->metrics) return -1;
	return mfa_metrics_write(inst->metrics, why, inst->metrics_file, inst->name) == MFA_OK ? 0
											       : -1;
}

void peruser_metrics_flush(rlm_peruser_mfa_t const *inst)
{
	struct mfa_diag why;

	if (inst->metrics &&
	    mfa_metrics_write(inst->metrics, &why, inst->metrics_file, inst->name) != MFA_OK)
		ERROR("%s: %s", inst->name, why.text);
}

void peruser_metrics_count(rlm_peruser_mfa_t const *inst, REQUEST *request, enum mfa_result result)
{
	struct timeval const *then = &peruser_outermost(request)->packet->timestamp;
	struct timeval now;

	if (!inst->metrics || gettimeofday(&now, NULL) != 0) return;
	mfa_metrics_count(inst->metrics, result,
			  (int64_t)(now.tv_sec - then->tv_sec) * 1000000 +
				  (now.tv_usec - then->tv_usec));
	if (mfa_metrics_is_due(inst->metrics, now.tv_sec)) peruser_metrics_flush(inst);
}
