/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/targets.h"

#include "admin/group.h"
#include "admin/output.h"
#include "admin/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USERS_FILE_MAX (16u << 20)

static bool add(struct mfa_cli_targets *targets, struct mfa_bytes name)
{
	if (targets->count == targets->room) {
		size_t const room = targets->room ? 2 * targets->room : 64;
		char **more = realloc(targets->name, room * sizeof(*more));

		if (!more) return false;
		targets->name = more;
		targets->room = room;
	}
	targets->name[targets->count] = strndup((char const *)name.data, name.len);
	return targets->name[targets->count] && ++targets->count;
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

/** Take a line of the file; a bad one ends it, so that no half of a file is carried out */
static enum mfa_cli_exit take_line(struct mfa_cli_targets *targets, struct mfa_cli const *cli,
				   struct mfa_bytes line, unsigned line_no)
{
	if (line.len == 0 || line.data[0] == '#') return MFA_CLI_DONE;
	if (line.len >= MFA_CLI_NAME_MAX || memchr(line.data, '\0', line.len)) {
		mfa_cli_warn("%s line %u: not a user name", cli->args.users_file, line_no);
		return MFA_CLI_USAGE;
	}
	return add(targets, line) ? MFA_CLI_DONE : MFA_CLI_REFUSED;
}

static enum mfa_cli_exit read_users_file(struct mfa_cli_targets *targets, struct mfa_cli const *cli)
{
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_cli_exit status = MFA_CLI_DONE;
	size_t const before = targets->count;
	struct mfa_bytes rest;
	uint8_t *data;
	size_t len;

	if (mfa_cli_read_file(&data, &len, &diag, cli->args.users_file, USERS_FILE_MAX) != MFA_OK) {
		mfa_cli_warn("%s", diag.text);
		return MFA_CLI_USAGE;
	}
	rest = (struct mfa_bytes){data, len};
	for (unsigned line_no = 1; rest.len > 0 && status == MFA_CLI_DONE; line_no++)
		status = take_line(targets, cli, cut_line(&rest), line_no);
	mfa_cli_free_secret(&data, len);
	if (status == MFA_CLI_DONE && targets->count == before) {
		mfa_cli_warn("%s: names no user", cli->args.users_file);
		status = MFA_CLI_REFUSED;
	}
	return status;
}

static bool add_member(struct mfa_bytes member, void *uctx)
{
	return add(uctx, member);
}

static enum mfa_cli_exit read_group(struct mfa_cli_targets *targets, struct mfa_cli *cli)
{
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc const rc =
		mfa_cli_group_members(cli, &diag, cli->args.group, add_member, targets);

	if (rc != MFA_OK) mfa_cli_warn("%s: %s", cli->args.group, diag.text);
	return mfa_cli_exit_of(rc);
}

enum mfa_cli_exit mfa_cli_targets_read(struct mfa_cli_targets *targets, struct mfa_cli *cli)
{
	struct mfa_cli_args const *args = &cli->args;
	enum mfa_cli_exit status = MFA_CLI_DONE;

	*targets = (struct mfa_cli_targets){.filter = args->users};
	if (args->users && args->users[0] != '(') {
		mfa_cli_warn("--users takes a filter in parentheses; a list is --users-file FILE");
		return MFA_CLI_USAGE;
	}
	if (cli->command->takes_users) {
		for (int i = 0; i < cli->operand_count && status == MFA_CLI_DONE; i++)
			if (!add(targets, mfa_bytes_of(cli->operand[i]))) status = MFA_CLI_REFUSED;
	}
	if (status == MFA_CLI_DONE && args->users_file) status = read_users_file(targets, cli);
	if (status == MFA_CLI_DONE && args->group) status = read_group(targets, cli);
	targets->everybody = targets->count == 0 && !targets->filter;
	return status;
}

static bool count_one(struct mfa_cli *cli, char const *user, struct mfa_entry *entry, void *uctx)
{
	uint64_t *count = uctx;

	(void)cli;
	(void)user;
	(void)entry;
	(*count)++;
	return true;
}

/** How many entries a filter finds; its syntax is looked at on the way */
static enum mfa_cli_exit count_filter(uint64_t *total, struct mfa_cli *cli, char const *filter)
{
	uint64_t count = 0;
	struct mfa_cli_visitor const visitor = {.visit = count_one, .uctx = &count};
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc const rc = mfa_cli_walk(cli, &diag, filter, &visitor);

	*total = count;
	if (rc == MFA_OK && cli->failed > 0) {
		mfa_cli_warn("nothing was changed, since not all of these entries can be seen");
		return MFA_CLI_REFUSED;
	}
	if (rc == MFA_OK) return MFA_CLI_DONE;
	mfa_cli_warn("%s", diag.text);
	return rc == MFA_ERR_FORMAT ? MFA_CLI_USAGE : mfa_cli_exit_of(rc);
}

static bool is_yes(struct mfa_cli const *cli, uint64_t count)
{
	char question[128], answer[16];

	(void)snprintf(question, sizeof(question),
		       "%s %llu users? Type 'yes' to go on: ", cli->command->name,
		       (unsigned long long)count);
	if (mfa_cli_ask(answer, sizeof(answer), question, false) == MFA_OK &&
	    (strcmp(answer, "yes") == 0 || strcmp(answer, "y") == 0)) {
		return true;
	}
	mfa_cli_warn("nothing was changed; --yes answers this question");
	return false;
}

enum mfa_cli_exit mfa_cli_targets_confirm(struct mfa_cli_targets const *targets,
					  struct mfa_cli *cli)
{
	bool const many = cli->args.users || cli->args.group;
	uint64_t count = 0;
	enum mfa_cli_exit status = MFA_CLI_DONE;

	if (targets->filter) status = count_filter(&count, cli, targets->filter);
	if (status != MFA_CLI_DONE || !cli->command->asks || !many || cli->args.yes ||
	    cli->args.dry_run) {
		return status;
	}
	return is_yes(cli, count + targets->count) ? MFA_CLI_DONE : MFA_CLI_REFUSED;
}

static void visit_name(struct mfa_cli *cli, char const *user, struct mfa_cli_visitor const *visitor)
{
	struct mfa_entry *entry = mfa_cli_entry_alloc();
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc const rc = entry ? mfa_cli_find(entry, &diag, cli, user) : MFA_ERR_NOMEM;

	cli->unavailable |= rc == MFA_ERR_UNAVAILABLE;
	if (rc == MFA_OK) {
		(void)visitor->visit(cli, user, entry, visitor->uctx);
	} else if (visitor->missing) {
		visitor->missing(cli, user, &diag);
	} else {
		cli->failed++;
		mfa_cli_warn("%s: %s", user, diag.text);
	}
	mfa_cli_entry_free(&entry);
}

enum mfa_cli_exit mfa_cli_targets_visit(struct mfa_cli_targets const *targets, struct mfa_cli *cli,
					struct mfa_cli_visitor const *visitor)
{
	struct mfa_diag diag = {.text = "no memory"};
	enum mfa_rc rc = MFA_OK;

	for (size_t i = 0; i < targets->count && !mfa_cli_must_stop(cli); i++)
		visit_name(cli, targets->name[i], visitor);
	if ((targets->filter || targets->everybody) && !mfa_cli_must_stop(cli))
		rc = mfa_cli_walk(cli, &diag, targets->filter, visitor);
	if (rc != MFA_OK) mfa_cli_warn("%s", diag.text);
	return rc == MFA_ERR_FORMAT ? MFA_CLI_USAGE : mfa_cli_exit_of(rc);
}

void mfa_cli_targets_free(struct mfa_cli_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) free(targets->name[i]);
	free(targets->name);
	*targets = (struct mfa_cli_targets){0};
}
