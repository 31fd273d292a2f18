/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/setup/tool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

/** A file without a name that holds a text, at its beginning; -1 on failure */
static int text_file(char const *text)
{
	size_t const len = strlen(text);
	char path[] = "/dev/shm/peruser-mfa.XXXXXX";
	int const fd = mkstemp(path);

	if (fd < 0) return -1;
	(void)unlink(path);
	if (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/** A pipe's reading end, in which a short secret waits; -1 on failure */
static int secret_pipe(char const *secret)
{
	size_t const len = strlen(secret);
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0) return -1;
	if (write(ends[1], secret, len) != (ssize_t)len) {
		(void)close(ends[0]);
		ends[0] = -1;
	}
	(void)close(ends[1]);
	return ends[0];
}

/** In the child: descriptors in their places, then the program */
static void become(struct mfa_tool const *tool, int in, int out, int secret)
{
	/* exec takes what it leaves as it is */
	char *const *argv = (char *const *)(uintptr_t)tool->argv;

	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0) {
		_exit(127);
	}
	if (secret >= 0 && dup2(secret, 3) < 0) _exit(127);
	(void)execv(argv[0], argv);
	_exit(127);
}

static void collect(char *output, int fd)
{
	char rest[1024], *to = output;
	size_t room = output ? MFA_SETUP_TEXT - 1 : 0;
	ssize_t got;

	while ((got = read(fd, room > 0 ? to : rest, room > 0 ? room : sizeof(rest))) > 0) {
		if (room == 0) continue;
		to += got;
		room -= (size_t)got;
	}
	if (output) *to = '\0';
}

int mfa_tool_run(struct mfa_tool const *tool)
{
	int const in = text_file(tool->input ? tool->input : "");
	int const secret = tool->secret ? secret_pipe(tool->secret) : -1;
	int pipes[2] = {-1, -1}, status = 127 << 8;
	pid_t child = -1;

	if (tool->output) tool->output[0] = '\0';
	if (in >= 0 && (secret >= 0 || !tool->secret) && pipe2(pipes, O_CLOEXEC) == 0) {
		(void)fflush(NULL);
		child = fork();
		if (child == 0) become(tool, in, pipes[1], secret);
		(void)close(pipes[1]);
		if (child > 0) collect(tool->output, pipes[0]);
		(void)close(pipes[0]);
		if (child > 0 && waitpid(child, &status, 0) != child) status = 127 << 8;
	}
	if (in >= 0) (void)close(in);
	if (secret >= 0) (void)close(secret);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

bool mfa_tool_has_systemd(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

bool mfa_tool_ldif_value(char *out, size_t out_size, char const *ldif, char const *name)
{
	size_t const len = strlen(name);

	out[0] = '\0';
	for (char const *line = ldif; line; line = strchr(line, '\n')) {
		if (*line == '\n') line++;
		if (strncasecmp(line, name, len) != 0 || strncmp(line + len, ": ", 2) != 0)
			continue;
		if (strcspn(line + len + 2, "\n") >= out_size) return false;
		(void)snprintf(out, out_size, "%.*s", (int)strcspn(line + len + 2, "\n"),
			       line + len + 2);
		return true;
	}
	return false;
}
