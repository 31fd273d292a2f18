/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/output.h"
#include "admin/tally.h"
#include "core/metrics.h"

#include <stdio.h>
#include <stdlib.h>

/** What is written, and when it was counted */
struct page {
	struct mfa_cli_tally const *tally;
	int64_t now_s;
};

static void put(FILE *out, void *uctx)
{
	struct page const *page = uctx;

	(void)fputs("# HELP peruser_mfa_users Users by state.\n# TYPE peruser_mfa_users gauge\n",
		    out);
	for (size_t i = 0; i < MFA_STATE_COUNT; i++)
		(void)fprintf(out, "peruser_mfa_users{state=\"%s\"} %llu\n",
			      mfa_state_name(mfa_cli_tally_states[i]),
			      (unsigned long long)page->tally->state[mfa_cli_tally_states[i]]);
	(void)fputs("# HELP peruser_mfa_report Other numbers of peruser-mfa report.\n"
		    "# TYPE peruser_mfa_report gauge\n",
		    out);
	for (struct mfa_cli_tally_line const *line = mfa_cli_tally_lines; line->name; line++)
		(void)fprintf(out, "peruser_mfa_report{item=\"%s\"} %llu\n", line->name,
			      (unsigned long long)mfa_cli_tally_number(page->tally, line));
	(void)fprintf(out,
		      "# HELP peruser_mfa_report_time_seconds When users were counted, Unix time.\n"
		      "# TYPE peruser_mfa_report_time_seconds gauge\n"
		      "peruser_mfa_report_time_seconds %lld\n",
		      (long long)page->now_s);
}

/** Write all or nothing: a part would look like the whole */
static enum mfa_cli_exit write_page(struct mfa_cli *cli, struct page *page)
{
	struct mfa_diag diag;

	if (cli->failed > 0) {
		mfa_cli_warn("%llu entries could not be counted: nothing was written",
			     (unsigned long long)cli->failed);
		return MFA_CLI_REFUSED;
	}
	if (!cli->args.output) {
		put(stdout, page);
		return MFA_CLI_DONE;
	}
	if (mfa_metrics_replace(&diag, cli->args.output, put, page) == MFA_OK) return MFA_CLI_DONE;
	mfa_cli_warn("%s", diag.text);
	return MFA_CLI_REFUSED;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct mfa_cli_tally *tally = calloc(1, sizeof(*tally));
	struct page page = {tally, cli->now_s};
	enum mfa_cli_exit status = tally ? mfa_cli_tally_users(tally, cli) : MFA_CLI_REFUSED;

	if (status == MFA_CLI_DONE) status = write_page(cli, &page);
	free(tally);
	return status;
}

static struct mfa_cli_option const options[] = {
	{'o', "output", "FILE", "write this file, atomically; default: standard output",
	 MFA_CLI_STRING, MFA_CLI_AT(output), 0, 0, NULL},
	MFA_CLI_OPTION_END,
};

struct mfa_cli_command const mfa_cli_metrics = {
	.name = "metrics",
	.operands = "",
	.summary = "Write the numbers of report for Prometheus",
	.operands_max = 0,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
