/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/prompt.h"

#include "admin/output.h"
#include "admin/process.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/** One line from stdin, byte by byte: what follows it is for the next question */
static enum mfa_rc read_line(char *out, size_t out_size)
{
	size_t n = 0;
	ssize_t got;
	char c;

	while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		if (n + 1 < out_size)
			out[n++] = c;
		else
			return MFA_ERR_SPACE;
	}
	if (n > 0 && out[n - 1] == '\r') n--;
	out[n] = '\0';
	return got == 1 || n > 0 ? MFA_OK : MFA_ERR_NOT_FOUND;
}

enum mfa_rc mfa_cli_ask(char *out, size_t out_size, char const *question, bool secret)
{
	struct termios before, silent;
	bool const hide = secret && tcgetattr(STDIN_FILENO, &before) == 0;
	enum mfa_rc rc;

	(void)fflush(stdout);
	if (hide) {
		/* A stopped prompt would leave the shell without echo. */
		(void)signal(SIGTSTP, SIG_IGN);
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	/* Only now: what is typed at the question is neither shown nor flushed. */
	(void)fputs(question, stderr);
	(void)fflush(stderr);
	/* A signal ends the reading, and the terminal gets back what it had. */
	rc = mfa_cli_interrupted() ? MFA_ERR_NOT_FOUND : read_line(out, out_size);
	if (hide) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		(void)signal(SIGTSTP, SIG_DFL);
		(void)fputc('\n', stderr);
	}
	if (rc != MFA_OK) OPENSSL_cleanse(out, out_size);
	return rc;
}

static enum mfa_rc open_file(int *fd, struct mfa_diag *diag, char const *path)
{
	*fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (*fd >= 0) return MFA_OK;
	mfa_diag_set(diag, "%s: cannot be opened%s", path,
		     errno == EACCES ? ": permission denied" : "");
	return MFA_ERR_NOT_FOUND;
}

/** Editors of Windows put it in front; it is no part of the first name or password */
static void drop_byte_order_mark(uint8_t *data, size_t *len)
{
	if (*len < 3 || data[0] != 0xef || data[1] != 0xbb || data[2] != 0xbf) return;
	*len -= 3;
	memmove(data, data + 3, *len);
}

enum mfa_rc mfa_cli_read_file(uint8_t **data, size_t *len, struct mfa_diag *diag, char const *path,
			      size_t max)
{
	enum mfa_rc rc;
	ssize_t got;
	int fd;

	*data = NULL;
	*len = 0;
	rc = open_file(&fd, diag, path);
	if (rc != MFA_OK) return rc;
	*data = malloc(max + 1);
	if (!*data) {
		(void)close(fd);
		return MFA_ERR_NOMEM;
	}
	do {
		got = read(fd, *data + *len, max + 1 - *len);
		if (got > 0) *len += (size_t)got;
	} while (got > 0 && *len <= max);
	(void)close(fd);
	if (got == 0 && *len <= max) {
		drop_byte_order_mark(*data, len);
		return MFA_OK;
	}
	mfa_diag_set(diag, "%s: %s", path, got < 0 ? "cannot be read" : "too large");
	rc = got < 0 ? MFA_ERR_NOT_FOUND : MFA_ERR_SPACE;
	mfa_cli_free_secret(data, *len);
	*len = 0;
	return rc;
}

void mfa_cli_free_secret(uint8_t **data, size_t len)
{
	if (*data) OPENSSL_cleanse(*data, len);
	free(*data);
	*data = NULL;
}

static void warn_if_open(char const *path)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return;
	if (st.st_mode & S_IRWXO)
		mfa_cli_warn("warning: others can read '%s' (mode %04o)", path,
			     (unsigned)st.st_mode & 07777u);
}

enum mfa_rc mfa_cli_read_secret(char *out, size_t out_size, struct mfa_diag *diag, char const *path)
{
	uint8_t *data;
	size_t len, used;
	enum mfa_rc rc = mfa_cli_read_file(&data, &len, diag, path, out_size - 1);

	out[0] = '\0';
	if (rc != MFA_OK) return rc;
	warn_if_open(path);
	used = len;
	if (used > 0 && data[used - 1] == '\n') used--;
	if (used > 0 && data[used - 1] == '\r') used--;
	if (used == 0 || memchr(data, '\0', used)) {
		mfa_diag_set(diag, "%s: holds no usable password", path);
		rc = MFA_ERR_FORMAT;
	} else {
		memcpy(out, data, used);
		out[used] = '\0';
	}
	mfa_cli_free_secret(&data, len);
	return rc;
}
