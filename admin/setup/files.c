/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are changed: shown as a difference, kept as they were, put back by undo. */
#include "admin/setup/files.h"

#include "admin/output.h"
#include "admin/setup/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_MAX 800

/** Where the copies of a file are kept: its path with '=' for '/' */
static void copy_path(char out[static COPY_MAX], char const *path, char const *suffix)
{
	(void)snprintf(out, COPY_MAX, MFA_SETUP_FOLDER "/%s.%s", path + 1, suffix);
	for (char *c = out + strlen(MFA_SETUP_FOLDER) + 1; *c; c++) {
		if (*c == '/') *c = '=';
	}
}

/** Write a file whole, or not: beside it, then renamed, with the old one's owner and mode */
static enum mfa_rc write_file(struct mfa_diag *diag, char const *path, char const *text,
			      struct stat const *like)
{
	size_t const len = strlen(text);
	char fresh[COPY_MAX + 8];
	bool done;
	int fd;

	(void)snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path);
	fd = mkstemp(fresh);
	done = fd >= 0 && write(fd, text, len) == (ssize_t)len &&
	       fchmod(fd, like->st_mode & 07777u) == 0 &&
	       fchown(fd, like->st_uid, like->st_gid) == 0 && fsync(fd) == 0;
	if (fd >= 0) done = close(fd) == 0 && done;
	if (done && rename(fresh, path) == 0) return MFA_OK;
	mfa_diag_set(diag, "%s: cannot be written", path);
	if (fd >= 0) (void)unlink(fresh);
	return MFA_ERR_DENIED;
}

/** Show what changes, without the values of passwords */
static void show_difference(struct mfa_setup *setup, char const *path, char const *text)
{
	char const *const argv[] = {
		"/usr/bin/diff", "-ut", "--label", path, "--label", path, path, "-", NULL};
	char *said = malloc(MFA_SETUP_TEXT), *line, *rest;

	if (!said) return;
	(void)mfa_tool_run(&(struct mfa_tool){argv, text, NULL, said});
	for (line = strtok_r(said, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char const *const secret = strstr(line, "password = \"");

		if (secret && *line == '+')
			mfa_cli_say(setup->cli, "%.*s\"...\"\n", (int)(secret + 11 - line), line);
		else
			mfa_cli_say(setup->cli, "%s\n", line);
	}
	free(said);
}

/** Keep a text as the copy of a file, once */
static enum mfa_rc keep(struct mfa_diag *diag, char const *path, char const *suffix,
			char const *text)
{
	struct stat const private = {.st_mode = 0600};
	char copy[COPY_MAX];

	copy_path(copy, path, suffix);
	if (strcmp(suffix, "before") == 0 && access(copy, F_OK) == 0) return MFA_OK;
	return write_file(diag, copy, text, &private);
}

/** The file behind a link; a file that is not there is meant as it is named */
static bool resolve(char *out, size_t out_size, char const *path, bool exists)
{
	char *const real = exists ? realpath(path, NULL) : NULL;
	int const n = exists && !real ? -1 : snprintf(out, out_size, "%s", real ? real : path);

	free(real);
	return n >= 0 && (size_t)n < out_size;
}

enum mfa_rc mfa_setup_change(struct mfa_setup *setup, struct mfa_diag *diag, char const *path,
			     char const *before, char const *after)
{
	struct stat st = {.st_mode = 0644};
	char real[600];
	enum mfa_rc rc = MFA_OK;

	if (before && strcmp(before, after) == 0) return MFA_OK;
	if (!resolve(real, sizeof(real), path, before != NULL) ||
	    (before && stat(real, &st) != 0)) {
		mfa_diag_set(diag, "%s: cannot be read", path);
		return MFA_ERR_NOT_FOUND;
	}
	mfa_setup_say(setup, "%s %s", before ? "change" : "make", real);
	if (before) show_difference(setup, real, after);
	if (setup->dry_run) return MFA_OK;
	if (!mfa_journal_has("files", real)) rc = mfa_journal_note(diag, "files", real);
	if (rc == MFA_OK && before) rc = keep(diag, real, "before", before);
	if (rc == MFA_OK) rc = keep(diag, real, "after", after);
	return rc == MFA_OK ? write_file(diag, real, after, &st) : rc;
}

enum mfa_rc mfa_setup_link(struct mfa_setup *setup, struct mfa_diag *diag, char const *path,
			   char const *target)
{
	enum mfa_rc rc = MFA_OK;

	if (access(path, F_OK) == 0) return MFA_OK;
	mfa_setup_say(setup, "link %s to %s", path, target);
	if (setup->dry_run) return MFA_OK;
	if (!mfa_journal_has("files", path)) rc = mfa_journal_note(diag, "files", path);
	if (rc != MFA_OK || symlink(target, path) == 0 || errno == EEXIST) return rc;
	mfa_diag_set(diag, "%s: cannot be made", path);
	return MFA_ERR_DENIED;
}

static bool read_copy(struct mfa_text *text, char const *path, char const *suffix)
{
	struct mfa_diag ignored;
	char copy[COPY_MAX];

	copy_path(copy, path, suffix);
	return access(copy, F_OK) == 0 && mfa_text_read(text, &ignored, copy) == MFA_OK;
}

static void forget_copies(char const *path)
{
	char copy[COPY_MAX];

	copy_path(copy, path, "before");
	(void)unlink(copy);
	copy_path(copy, path, "after");
	(void)unlink(copy);
}

/** Put one file back, unless somebody changed it since */
static enum mfa_rc put_back(struct mfa_setup *setup, struct mfa_diag *diag, char const *path)
{
	struct mfa_text now = {0}, before = {0}, after = {0};
	struct mfa_diag ignored;
	struct stat st;
	enum mfa_rc rc = MFA_OK;
	bool const there = lstat(path, &st) == 0;
	bool const had = read_copy(&before, path, "before");

	if (!there) {
		mfa_cli_say(setup->cli, "%s is gone\n", path);
	} else if (!S_ISLNK(st.st_mode) && (!read_copy(&after, path, "after") ||
					    mfa_text_read(&now, &ignored, path) != MFA_OK ||
					    strcmp(now.data, after.data) != 0)) {
		mfa_diag_set(diag,
			     "%s: was changed since: take our lines out by hand; as it "
			     "was: " MFA_SETUP_FOLDER,
			     path);
		rc = MFA_ERR_CONFLICT;
	} else {
		mfa_setup_say(setup, "%s %s", had ? "put back" : "remove", path);
		if (!setup->dry_run && had) rc = write_file(diag, path, before.data, &st);
		if (!setup->dry_run && !had && unlink(path) != 0) rc = MFA_ERR_DENIED;
	}
	mfa_text_free(&now);
	mfa_text_free(&before);
	mfa_text_free(&after);
	return rc;
}

enum mfa_rc mfa_setup_undo_files(struct mfa_setup *setup, struct mfa_diag *diag)
{
	char path[600];
	enum mfa_rc rc = MFA_OK;

	while (rc == MFA_OK && mfa_journal_last(path, sizeof(path), "files")) {
		rc = put_back(setup, diag, path);
		if (rc != MFA_OK || setup->dry_run) break;
		forget_copies(path);
		mfa_journal_drop_last("files");
	}
	if (rc == MFA_OK && !setup->dry_run) (void)unlink(MFA_SETUP_FOLDER "/settings");
	return rc;
}
