/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/worker.h"
#include "enroll/sandbox.h"

#include <fcgiapp.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BODY_S 10 /* a body that takes longer to arrive is given up */

extern char **environ;

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
	(void)number;
	stopping = 1;
}

/* Without SA_RESTART: a worker that waits for a request is to notice. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

bool mfa_worker_has_socket(void)
{
	return FCGX_IsCGI() == 0;
}

static int enter_sandbox(void)
{
	struct mfa_diag diag = {.text = ""};

	if (mfa_sandbox_enter(&diag) == MFA_OK) return 0;
	(void)fprintf(stderr, "peruser-mfa-enroll: %s\n", diag.text);
	return 1;
}

/* ---- CGI: standard input and output */

static int cgi_read(void *uctx, char *data, int size)
{
	time_t const *until = uctx;
	struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
	time_t const now = time(NULL);
	ssize_t got;

	if (now >= *until || poll(&wait, 1, (int)(*until - now) * 1000) <= 0) return -1;
	got = read(STDIN_FILENO, data, (size_t)size);
	return (int)got;
}

static bool cgi_write(void *uctx, char const *data, size_t len)
{
	(void)uctx;
	while (len > 0) {
		ssize_t const done = write(STDOUT_FILENO, data, len);

		if (done < 0 && errno != EINTR) return false;
		if (done < 0) continue;
		data += done;
		len -= (size_t)done;
	}
	return true;
}

static void cgi_log(void *uctx, char const *line)
{
	(void)uctx;
	(void)fprintf(stderr, "%s\n", line);
}

int mfa_worker_cgi(struct mfa_app *app)
{
	time_t until = time(NULL) + BODY_S;
	struct mfa_io const io = {.read = cgi_read,
				  .write = cgi_write,
				  .log = cgi_log,
				  .uctx = &until,
				  .env = environ};
	struct mfa_web *web = mfa_web_alloc();

	(void)signal(SIGPIPE, SIG_IGN);
	if (!web || enter_sandbox() != 0) {
		mfa_web_free(&web);
		return 1;
	}
	mfa_web_serve(web, app, &io, time(NULL));
	mfa_web_free(&web);
	return 0;
}

/* ---- FastCGI: streams of libfcgi */

static int fcgi_read(void *uctx, char *data, int size)
{
	FCGX_Request *request = uctx;
	int const got = FCGX_GetStr(data, size, request->in);

	return got == 0 && FCGX_GetError(request->in) != 0 ? -1 : got;
}

static bool fcgi_write(void *uctx, char const *data, size_t len)
{
	FCGX_Request *request = uctx;

	return FCGX_PutStr(data, (int)len, request->out) == (int)len;
}

static void fcgi_log(void *uctx, char const *line)
{
	FCGX_Request *request = uctx;

	(void)FCGX_PutStr(line, (int)strlen(line), request->err);
	(void)FCGX_PutStr("\n", 1, request->err);
}

static void serve_all(struct mfa_app *app, struct mfa_web *web, FCGX_Request *request)
{
	struct timeval const limit = {.tv_sec = BODY_S};
	struct mfa_io io = {
		.read = fcgi_read, .write = fcgi_write, .log = fcgi_log, .uctx = request};

	while (!stopping && FCGX_Accept_r(request) == 0) {
		(void)setsockopt(request->ipcFd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		io.env = request->envp;
		mfa_web_serve(web, app, &io, time(NULL));
		FCGX_Finish_r(request);
	}
}

int mfa_worker_fastcgi(struct mfa_app *app)
{
	struct mfa_web *web = mfa_web_alloc();
	FCGX_Request request;
	int rc = 1;

	catch_signals();
	if (web && FCGX_Init() == 0 &&
	    FCGX_InitRequest(&request, STDIN_FILENO, FCGI_FAIL_ACCEPT_ON_INTR) == 0 &&
	    enter_sandbox() == 0) {
		serve_all(app, web, &request);
		FCGX_Free(&request, 1);
		rc = stopping ? 0 : 1;
	}
	mfa_web_free(&web);
	return rc;
}

/* ---- several workers on one socket */

static pid_t begin_worker(struct mfa_app *app)
{
	pid_t const pid = fork();

	if (pid != 0) return pid;
	exit(mfa_worker_fastcgi(app)); /* NOLINT(concurrency-mt-unsafe) one thread */
}

int mfa_worker_keep(struct mfa_app *app, unsigned count)
{
	pid_t worker[MFA_WORKERS_MAX] = {0};
	unsigned running = 0;

	catch_signals();
	for (unsigned i = 0; i < count; i++) running += (worker[i] = begin_worker(app)) > 0;
	while (!stopping && running > 0) {
		pid_t const gone = waitpid(-1, NULL, 0);

		if (gone < 0) continue;
		for (unsigned i = 0; i < count; i++) {
			if (worker[i] != gone) continue;
			/* One that cannot start does not eat the processor. */
			(void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
			worker[i] = stopping ? 0 : begin_worker(app);
		}
	}
	for (unsigned i = 0; i < count; i++) {
		if (worker[i] > 0) (void)kill(worker[i], SIGTERM);
	}
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
	}
	return 0;
}
