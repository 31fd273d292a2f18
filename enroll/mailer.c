/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/mail.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE_MAX 2048u
#define SEND_S	    30u /* a mail command that takes longer is ended */

/** In the process that becomes the mail command: the message on its standard input */
static void become_command(char const *command, char const *from, char const *to, int input)
{
	char *const env[] = {(char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	char *const argv[] = {(char *)(uintptr_t)command,
			      (char *)(uintptr_t) "-i",
			      (char *)(uintptr_t) "-f",
			      (char *)(uintptr_t)from,
			      (char *)(uintptr_t) "--",
			      (char *)(uintptr_t)to,
			      NULL};

	(void)signal(SIGTERM, SIG_DFL);
	if (dup2(input, STDIN_FILENO) < 0) _exit(127);
	(void)alarm(SEND_S);
	(void)execve(command, argv, env);
	_exit(127);
}

/** Run the command for one message, and wait for its end */
static void send_one(struct mfa_page_config const *page, char const *to, char const *message)
{
	int fd[2];
	pid_t child;

	if (pipe2(fd, O_CLOEXEC) != 0) return;
	child = fork();
	if (child == 0) become_command(page->mail_command, page->mail_from, to, fd[0]);
	(void)close(fd[0]);
	/* A message is smaller than a pipe holds: this does not block. */
	if (child > 0) (void)!write(fd[1], message, strlen(message));
	(void)close(fd[1]);
	while (child > 0 && waitpid(child, NULL, 0) < 0) {
	}
}

/** The life of the mail process: until the last worker is gone */
static void run(int fd, struct mfa_page_config const *page)
{
	char message[MESSAGE_MAX + 1];
	int const null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ssize_t len;

	/* The web server waits until nobody holds its pipes, so let go of them. */
	for (int i = STDIN_FILENO; null >= 0 && i <= STDERR_FILENO; i++) (void)dup2(null, i);
	(void)setsid();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN); /* a service that stops: what is on its way is still sent */
	while ((len = recv(fd, message, MESSAGE_MAX, 0)) > 0) {
		size_t const to_len = strnlen(message, (size_t)len);

		message[len] = '\0';
		if (to_len + 1 < (size_t)len) send_one(page, message, message + to_len + 1);
	}
	_exit(0);
}

bool mfa_mail_start(int *fd, struct mfa_page_config const *page)
{
	int pair[2];
	pid_t child;

	*fd = -1;
	if (page->mail_command[0] == '\0') return true;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return false;
	child = fork();
	if (child == 0) {
		(void)close(pair[0]);
		run(pair[1], page);
	}
	(void)close(pair[1]);
	if (child < 0) {
		(void)close(pair[0]);
		return false;
	}
	*fd = pair[0];
	return true;
}
