/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/edit.h"
#include "admin/output.h"
#include "admin/prompt.h"

#include <stdio.h>
#include <string.h>

#define USERS_FILE_MAX (16u << 20)

enum mfa_outcome mfa_cli_edit_user(struct mfa_cli *cli, struct mfa_cli_work const *work,
				   char const *user)
{
	struct mfa_entry *entry = mfa_cli_entry_alloc();
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_outcome outcome = MFA_OUTCOME_FAILED;
	enum mfa_rc rc = entry ? mfa_cli_find(entry, &diag, cli, user) : MFA_ERR_NOMEM;

	if (rc == MFA_OK) {
		outcome = mfa_cli_edit_run(cli, work, user, entry);
	} else {
		cli->unavailable |= rc == MFA_ERR_UNAVAILABLE;
		mfa_cli_edit_row(cli, user, (struct mfa_bytes){0}, MFA_OUTCOME_FAILED, diag.text,
				 NULL);
	}
	mfa_cli_entry_free(&entry);
	return outcome;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/** Cut the next line; blanks at both ends are dropped */
static struct mfa_bytes cut_line(struct mfa_bytes *rest)
{
	uint8_t const *end = memchr(rest->data, '\n', rest->len);
	struct mfa_bytes line = {rest->data, end ? (size_t)(end - rest->data) : rest->len};
	size_t const used = line.len + (end ? 1 : 0);

	rest->data += used;
	rest->len -= used;
	while (line.len > 0 && is_blank(line.data[line.len - 1])) line.len--;
	while (line.len > 0 && is_blank(line.data[0])) {
		line.data++;
		line.len--;
	}
	return line;
}

static void edit_line(struct mfa_cli *cli, struct mfa_cli_work const *work, struct mfa_bytes line,
		      unsigned line_no)
{
	char user[MFA_CLI_NAME_MAX];

	if (line.len == 0 || line.data[0] == '#') return;
	if (line.len >= sizeof(user) || memchr(line.data, '\0', line.len)) {
		cli->failed++;
		mfa_cli_warn("%s line %u: not a user name", cli->args.users, line_no);
		return;
	}
	memcpy(user, line.data, line.len);
	user[line.len] = '\0';
	(void)mfa_cli_edit_user(cli, work, user);
}

static enum mfa_cli_exit edit_file(struct mfa_cli *cli, struct mfa_cli_work const *work)
{
	struct mfa_diag diag = {.text = "no memory"};
	struct mfa_bytes rest;
	uint8_t *data;
	size_t len;

	if (mfa_cli_read_file(&data, &len, &diag, cli->args.users, USERS_FILE_MAX) != MFA_OK) {
		mfa_cli_warn("%s", diag.text);
		return MFA_CLI_USAGE;
	}
	rest = (struct mfa_bytes){data, len};
	for (unsigned line_no = 1; rest.len > 0 && !cli->unavailable; line_no++)
		edit_line(cli, work, cut_line(&rest), line_no);
	mfa_cli_free_secret(&data, len);
	return MFA_CLI_DONE;
}

static bool edit_visited(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	(void)mfa_cli_edit_run(cli, uctx, user, entry);
	return !cli->unavailable;
}

static enum mfa_cli_exit edit_filter(struct mfa_cli *cli, struct mfa_cli_work const *work)
{
	struct mfa_cli_work copy = *work;
	struct mfa_cli_visitor const visitor = {edit_visited, &copy, "entries"};
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc const rc = mfa_cli_walk(cli, &diag, cli->args.users, &visitor);

	if (rc == MFA_OK) return MFA_CLI_DONE;
	mfa_cli_warn("%s", diag.text);
	return rc == MFA_ERR_FORMAT ? MFA_CLI_USAGE : mfa_cli_exit_of(rc);
}

enum mfa_cli_exit mfa_cli_edit_targets(struct mfa_cli *cli, struct mfa_cli_work const *work)
{
	bool const is_filter = cli->args.users && cli->args.users[0] == '(';
	enum mfa_cli_exit status = MFA_CLI_DONE;

	for (int i = 0; i < cli->operand_count && !cli->unavailable; i++)
		(void)mfa_cli_edit_user(cli, work, cli->operand[i]);
	if (is_filter) {
		status = edit_filter(cli, work);
	} else if (cli->args.users && !cli->unavailable) {
		status = edit_file(cli, work);
	}
	if (cli->unavailable)
		mfa_cli_warn(
			"the directory does not answer; entries not named above are untouched");
	if (status == MFA_CLI_DONE && (cli->args.users || cli->operand_count > 1)) {
		if (cli->changed + cli->unchanged + cli->refused + cli->failed == 0)
			mfa_cli_warn("--users: nobody found");
		mfa_cli_edit_summary(cli);
	}
	return status != MFA_CLI_DONE ? status : mfa_cli_tally_exit(cli);
}

enum mfa_cli_exit mfa_cli_edit_command(struct mfa_cli *cli)
{
	struct mfa_cli_work const work = {.decide = cli->command->decide};

	return mfa_cli_edit_targets(cli, &work);
}

struct mfa_cli_option const mfa_cli_edit_options[] = {
	MFA_CLI_OPTION_USERS,
	MFA_CLI_OPTION_FROM_USERS,
	MFA_CLI_OPTION_DRY_RUN,
	MFA_CLI_OPTION_END,
};
