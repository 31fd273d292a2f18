/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static int const ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

#define ENDING (sizeof(ending) / sizeof(ending[0]))

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

bool mfa_cli_interrupted(void)
{
	return interrupted != 0;
}

/* Read-only also for the output: who closed it must hear that it could not be written. */
static void open_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", O_RDONLY);
	}
}

static void set_handler(void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, old;

	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ENDING; i++) {
		if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN) continue;
		(void)sigaction(ending[i], &action, NULL);
	}
}

void mfa_cli_process_prepare(void)
{
	struct rlimit const none = {0, 0};

	open_standard_files();
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	set_handler(on_signal, (int)SA_RESETHAND);
}

void mfa_cli_process_finish(void)
{
	set_handler(on_signal, 0);
}
