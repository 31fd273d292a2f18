/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/commands.h"
#include "admin/event.h"
#include "admin/output.h"
#include "admin/prompt.h"
#include "admin/view.h"
#include "admin/walk.h"
#include "core/update.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>

#define NONCE "AAAAAAAAAAAAAAAA" /* of no login: a retransmission is never what we see */

/** What the code turned out to be */
struct finding {
	bool found;
	size_t device;
	int64_t offset; //!< In time steps from now; the nearest one.
};

/** Look further than a login would, so that a wrong clock is told from a wrong secret */
static void find_offset(struct finding *finding, struct mfa_cli_view const *view,
			struct mfa_code const *code, int64_t now_s)
{
	static int64_t const centers[] = {0, -20, 20, -40, 40};

	memset(finding, 0, sizeof(*finding));
	for (size_t i = 0; i < view->device_count * 5; i++) {
		struct mfa_totp const *totp = &view->device[i / 5].totp;
		struct mfa_totp_window const window = {
			.steps = MFA_TOTP_WINDOW_MAX, .drift = centers[i % 5], .not_after = -1};
		struct mfa_totp_match match;
		int64_t offset;

		if (!view->device[i / 5].readable ||
		    mfa_totp_match(&match, totp, &window, code, now_s) != MFA_OK || !match.fresh)
			continue;
		offset = match.step - now_s / totp->period_s;
		if (finding->found && llabs(offset) >= llabs(finding->offset)) continue;
		*finding = (struct finding){true, i / 5, offset};
	}
}

/** One question, and what a login with this code would be answered */
struct question {
	struct mfa_cli const *cli;
	struct mfa_code const *code;
	struct mfa_decision *decision;
};

/** Decide as a login does.  Only a wrong code is written down: a right one is not used up. */
static enum mfa_rc decide(struct mfa_update *update, struct mfa_diag *diag)
{
	struct question const *question = update->uctx;
	struct mfa_cli const *cli = question->cli;
	struct mfa_decision *decision = question->decision;
	struct mfa_request const request = {
		.now_s = cli->now_s, .code = question->code, .nonce = NONCE};
	struct mfa_record record;

	mfa_record_parse(&record, diag, update->entry, &cli->ring, false, cli->now_s);
	mfa_decide(decision, &record, &cli->ring, &cli->policy, &request);
	/* It was asked here, not by a login that began when codes were asked for. */
	if (record.state == MFA_STATE_OFF || record.state == MFA_STATE_SUSPENDED)
		mfa_diag_set(&decision->reason, "no code is asked for: the record is %s",
			     mfa_state_name(record.state));
	if (!decision->wrong) mfa_change_init(&decision->change);
	mfa_record_clear(&record);
	return MFA_OK;
}

/** Decide, and count a wrong code before anything is said about it */
static enum mfa_rc ask(struct question *question, struct mfa_entry *entry, struct mfa_diag *diag)
{
	char *dn = strdup((char const *)entry->dn.data);
	struct mfa_where const where = {.base = dn, .scope = MFA_SCOPE_BASE};
	struct mfa_update update = {.conn = question->cli->conn,
				    .where = &where,
				    .side = MFA_SIDE_WRITE,
				    .entry = entry,
				    .change = &question->decision->change,
				    .decide = decide,
				    .uctx = question};
	enum mfa_rc rc = MFA_ERR_NOMEM;

	mfa_conn_start(question->cli->conn);
	if (dn) rc = mfa_update_run(&update, diag);
	free(dn);
	return rc;
}

static void say_finding(struct mfa_cli const *cli, struct mfa_cli_view const *view,
			struct finding const *finding, struct mfa_decision const *decision)
{
	struct mfa_totp const *totp = &view->device[finding->device].totp;
	char name[MFA_TOTP_NAME_MAX + 1];

	if (decision->result == MFA_RESULT_LOCKED) {
		mfa_cli_say(cli, "the record is locked: nothing is said about the code\n");
	} else if (finding->found) {
		mfa_cli_clean(name, sizeof(name), mfa_bytes_of(totp->name));
		mfa_cli_say(cli, "the code is of device '%s', offset %+lld steps (%+lld s)\n", name,
			    (long long)finding->offset,
			    (long long)finding->offset * (long long)totp->period_s);
	} else if (decision->result == MFA_RESULT_RECOVERY) {
		mfa_cli_say(cli, "the code is a recovery code; %u others are left\n",
			    decision->recovery_left);
	} else {
		mfa_cli_say(cli, "the code is of none of the user's devices\n");
	}
	mfa_cli_say(cli, "a login with it now: %s (%s)\n", mfa_result_name(decision->result),
		    decision->reason.text);
	if (decision->wrong) mfa_cli_say(cli, "it was counted as a wrong code, as a login does\n");
}

static json_t *finding_json(struct mfa_cli_view const *view, struct finding const *finding,
			    struct mfa_decision const *decision, char const *user)
{
	json_t *row = json_object();

	(void)json_object_set_new(row, "user", mfa_cli_json_text(mfa_bytes_of(user)));
	(void)json_object_set_new(row, "dn", mfa_cli_json_text(view->entry->dn));
	(void)json_object_set_new(row, "right", json_boolean(decision->verdict == MFA_ACCEPT));
	(void)json_object_set_new(row, "counted", json_boolean(decision->wrong));
	(void)json_object_set_new(row, "result", json_string(mfa_result_name(decision->result)));
	(void)json_object_set_new(row, "text",
				  mfa_cli_json_text(mfa_bytes_of(decision->reason.text)));
	(void)json_object_set_new(row, "device",
				  finding->found ? mfa_cli_json_text(mfa_bytes_of(
							   view->device[finding->device].totp.name))
						 : json_null());
	(void)json_object_set_new(row, "offset_steps",
				  finding->found ? json_integer(finding->offset) : json_null());
	return row;
}

static void say_all(struct mfa_cli *cli, struct mfa_entry const *entry,
		    struct question const *question)
{
	struct mfa_cli_view *view = malloc(sizeof(*view));
	struct finding finding = {.found = false};

	if (!view) return;
	mfa_cli_view_make(view, cli, entry);
	if (question->decision->result != MFA_RESULT_LOCKED)
		find_offset(&finding, view, question->code, cli->now_s);
	say_finding(cli, view, &finding, question->decision);
	mfa_cli_json(cli, finding_json(view, &finding, question->decision, cli->operand[0]));
	mfa_cli_view_clear(view);
	free(view);
}

static enum mfa_cli_exit verify(struct mfa_cli *cli, struct mfa_entry *entry,
				struct mfa_code const *code)
{
	struct mfa_decision *decision = calloc(1, sizeof(*decision));
	struct question question = {.cli = cli, .code = code, .decision = decision};
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc rc = decision ? ask(&question, entry, &diag) : MFA_ERR_NOMEM;
	bool const right = rc == MFA_OK && decision->verdict == MFA_ACCEPT;

	if (rc == MFA_OK) {
		mfa_cli_event_factor(cli, cli->event, cli->operand[0], entry, "code",
				     mfa_result_name(decision->result), decision->reason.text);
		say_all(cli, entry, &question);
	} else {
		mfa_cli_warn("%s: nothing is said about the code: %s", cli->operand[0], diag.text);
	}
	free(decision);
	if (rc != MFA_OK) return mfa_cli_exit_of(rc);
	return right ? MFA_CLI_DONE : MFA_CLI_REFUSED;
}

/** The code: an operand, or asked for when it is "-" or left out */
static bool read_code(struct mfa_code *code, struct mfa_cli const *cli)
{
	char const *operand = cli->operand_count > 1 ? cli->operand[1] : "-";
	char line[MFA_CODE_MAX + 1] = "";
	bool read = true;

	if (strcmp(operand, "-") == 0) {
		read = mfa_cli_ask(line, sizeof(line), "Code: ", false) == MFA_OK;
		operand = line;
	}
	mfa_code_parse(code, mfa_bytes_of(operand));
	OPENSSL_cleanse(line, sizeof(line));
	return read;
}

static enum mfa_cli_exit run(struct mfa_cli *cli)
{
	struct mfa_entry *entry = mfa_cli_entry_alloc();
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_cli_exit status = MFA_CLI_REFUSED;
	struct mfa_code code;
	enum mfa_rc rc = entry ? MFA_OK : MFA_ERR_NOMEM;

	if (!read_code(&code, cli)) {
		mfa_diag_set(&diag, "no code");
		rc = MFA_ERR_ARG;
	}
	if (rc == MFA_OK) rc = mfa_cli_find(entry, &diag, cli, cli->operand[0]);
	if (rc == MFA_OK) {
		status = verify(cli, entry, &code);
	} else {
		mfa_cli_warn("%s: %s", cli->operand[0], diag.text);
		status = mfa_cli_exit_of(rc);
	}
	mfa_code_clear(&code);
	mfa_cli_entry_free(&entry);
	return status;
}

static struct mfa_cli_option const options[] = {MFA_CLI_OPTION_END};

struct mfa_cli_command const mfa_cli_verify = {
	.name = "verify",
	.event = MFA_EVENT_CODE,
	.operands = "USER [CODE]",
	.summary = "Tell whether a code is right, without using it up; counts wrong ones",
	.operands_min = 1,
	.operands_max = 2,
	.needs = MFA_CLI_NEED_CONFIG | MFA_CLI_NEED_RING | MFA_CLI_NEED_DIRECTORY,
	.looks_at = MFA_CLI_LOOKS_AT_ALL,
	.option = options,
	.run = run,
};
