/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/setup/journal.h"

#include "admin/prompt.h"
#include "admin/setup/setup.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- texts

enum mfa_rc mfa_text_insert(struct mfa_text *text, size_t at, char const *more)
{
	size_t const add = strlen(more);
	char *const data = malloc(text->len + add + 1);

	if (!data) return MFA_ERR_NOMEM;
	if (at > 0) memcpy(data, text->data, at);
	memcpy(data + at, more, add);
	if (text->len > at) memcpy(data + at + add, text->data + at, text->len - at);
	data[text->len + add] = '\0';
	if (text->data) OPENSSL_cleanse(text->data, text->len);
	free(text->data);
	text->data = data;
	text->len += add;
	return MFA_OK;
}

enum mfa_rc mfa_text_add(struct mfa_text *text, char const *more)
{
	return mfa_text_insert(text, text->len, more);
}

static void cut(struct mfa_text *text, size_t at, size_t len)
{
	memmove(text->data + at, text->data + at + len, text->len - at - len + 1);
	text->len -= len;
}

enum mfa_rc mfa_text_replace(struct mfa_text *text, char const *from, char const *to)
{
	size_t at = 0;
	enum mfa_rc rc = MFA_OK;

	while (rc == MFA_OK && text->data) {
		char const *const found = strstr(text->data + at, from);

		if (!found) break;
		at = (size_t)(found - text->data);
		cut(text, at, strlen(from));
		rc = mfa_text_insert(text, at, to);
		at += strlen(to);
	}
	return rc;
}

enum mfa_rc mfa_text_drop_comments(struct mfa_text *text)
{
	size_t at = 0;

	while (at < text->len) {
		size_t len = strcspn(text->data + at, "\n");

		if (text->data[at + len] == '\n') len++;
		if (text->data[at] == '#')
			cut(text, at, len);
		else
			at += len;
	}
	return MFA_OK;
}

/** Where a line names an item: bytes of blanks and '#' in front of it; -1: it does not */
static int item_indent(char const *line, char const *name)
{
	size_t const indent = strspn(line, "# \t"), len = strlen(name);
	char const *behind = line + indent + len;

	if (strncmp(line + indent, name, len) != 0) return -1;
	behind += strspn(behind, " \t");
	return *behind == '=' ? (int)indent : -1;
}

void mfa_text_quote(char *out, size_t out_size, char const *value)
{
	size_t n = 0;

	out[n++] = '"';
	for (; *value && n + 3 < out_size; value++) {
		if (*value == '"' || *value == '\\') out[n++] = '\\';
		out[n++] = *value;
	}
	out[n++] = '"';
	out[n] = '\0';
}

enum mfa_rc mfa_text_set_item(struct mfa_text *text, char const *name, char const *value)
{
	char line[1200], quoted[1100];
	size_t len, at = 0;

	while (at < text->len) {
		len = strcspn(text->data + at, "\n");
		if (item_indent(text->data + at, name) >= 0) {
			bool const top = text->data[at] != '\t' && text->data[at + 1] != '\t' &&
					 text->data[at] != ' ';

			mfa_text_quote(quoted, sizeof(quoted), value);
			(void)snprintf(line, sizeof(line), "%s%s = %s", top ? "" : "\t", name,
				       quoted);
			cut(text, at, len);
			return mfa_text_insert(text, at, line);
		}
		at += len + 1;
	}
	return MFA_ERR_NOT_FOUND;
}

enum mfa_rc mfa_text_read(struct mfa_text *text, struct mfa_diag *diag, char const *path)
{
	uint8_t *data;
	enum mfa_rc rc =
		mfa_cli_read_file(&data, &text->len, diag, path, (size_t)MFA_SETUP_TEXT - 1);

	if (rc != MFA_OK) return rc;
	data[text->len] = '\0';
	text->data = (char *)data;
	return MFA_OK;
}

void mfa_text_free(struct mfa_text *text)
{
	if (text->data) OPENSSL_cleanse(text->data, text->len);
	free(text->data);
	*text = (struct mfa_text){0};
}

// ---- lists

static int list_open(char const *list, int flags)
{
	char path[256];

	(void)snprintf(path, sizeof(path), MFA_SETUP_FOLDER "/%s", list);
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static enum mfa_rc list_read(struct mfa_text *text, char const *list)
{
	struct mfa_diag ignored;
	char path[256];

	(void)snprintf(path, sizeof(path), MFA_SETUP_FOLDER "/%s", list);
	return mfa_text_read(text, &ignored, path);
}

enum mfa_rc mfa_journal_note(struct mfa_diag *diag, char const *list, char const *line)
{
	char text[700];
	bool done;
	int fd;

	(void)mkdir(MFA_PAGE_CONFDIR, 0755);
	(void)mkdir(MFA_SETUP_FOLDER, 0700);
	fd = list_open(list, O_WRONLY | O_APPEND | O_CREAT);
	(void)snprintf(text, sizeof(text), "%s\n", line);
	done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fsync(fd) == 0;
	if (fd >= 0) (void)close(fd);
	if (done) return MFA_OK;
	mfa_diag_set(diag, MFA_SETUP_FOLDER "/%s: cannot be written", list);
	return MFA_ERR_DENIED;
}

bool mfa_journal_has(char const *list, char const *line)
{
	struct mfa_text text = {0};
	char wanted[700];
	char const *found = NULL;

	(void)snprintf(wanted, sizeof(wanted), "%s\n", line);
	if (list_read(&text, list) == MFA_OK) found = strstr(text.data, wanted);
	if (found && found != text.data && found[-1] != '\n') found = NULL;
	mfa_text_free(&text);
	return found != NULL;
}

/** Where the last line begins */
static size_t last_line(struct mfa_text const *text)
{
	size_t at = text->len > 0 ? text->len - 1 : 0;

	while (at > 0 && text->data[at - 1] != '\n') at--;
	return at;
}

bool mfa_journal_last(char *out, size_t out_size, char const *list)
{
	struct mfa_text text = {0};

	out[0] = '\0';
	if (list_read(&text, list) == MFA_OK && text.len > 1)
		(void)snprintf(out, out_size, "%.*s", (int)(text.len - 1 - last_line(&text)),
			       text.data + last_line(&text));
	mfa_text_free(&text);
	return out[0] != '\0';
}

void mfa_journal_drop_last(char const *list)
{
	struct mfa_text text = {0};
	int fd;

	if (list_read(&text, list) == MFA_OK && text.len > 0) {
		fd = list_open(list, O_WRONLY);
		if (fd >= 0) {
			(void)!ftruncate(fd, (off_t)last_line(&text));
			(void)close(fd);
		}
	}
	mfa_text_free(&text);
}
