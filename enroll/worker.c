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

#define BODY_S 5 /* a body that takes longer to arrive is given up */

extern char **environ;

static volatile sig_atomic_t stopping;

/* Without its socket a worker that was just about to wait for a request does not. */
static void on_signal(int number)
{
	int const saved = errno;

	(void)number;
	stopping = 1;
	(void)close(STDIN_FILENO);
	errno = saved;
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

/** The request's body: how much of it was read, and how long it may take to arrive */
struct input {
	time_t until;
	int64_t len;
};

static int cgi_read(void *uctx, char *data, int size)
{
	struct input *input = uctx;
	struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
	time_t const now = time(NULL);
	ssize_t got;

	if (now >= input->until || poll(&wait, 1, (int)(input->until - now) * 1000) <= 0) return -1;
	got = read(STDIN_FILENO, data, (size_t)size);
	if (got > 0) input->len += got;
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
	struct input input = {.until = time(NULL) + BODY_S};
	char rest[1024];
	struct mfa_io const io = {.read = cgi_read,
				  .write = cgi_write,
				  .log = cgi_log,
				  .uctx = &input,
				  .env = environ};
	struct mfa_web *web = mfa_web_alloc();

	(void)signal(SIGPIPE, SIG_IGN);
	if (!web || enter_sandbox() != 0) {
		mfa_web_free(&web);
		return 1;
	}
	mfa_web_serve(web, app, &io, time(NULL));
	/* Apache loses the end of the answer when a part of the body was not read. */
	while (input.len < web->http.body_len && cgi_read(&input, rest, sizeof(rest)) > 0) {
	}
	mfa_web_free(&web);
	return 0;
}

/* ---- FastCGI: streams of libfcgi */

/** One request, and how long its body may take to arrive */
struct call {
	FCGX_Request *request;
	time_t until;
};

/* A byte at a time out of libfcgi's buffer: for more it would wait as long as any drip in. */
static int fcgi_read(void *uctx, char *data, int size)
{
	struct call *call = uctx;
	int got;

	if (size < 1 || time(NULL) >= call->until) return -1;
	got = FCGX_GetStr(data, 1, call->request->in);
	return got == 0 && FCGX_GetError(call->request->in) != 0 ? -1 : got;
}

static bool fcgi_write(void *uctx, char const *data, size_t len)
{
	struct call *call = uctx;

	return FCGX_PutStr(data, (int)len, call->request->out) == (int)len;
}

static void fcgi_log(void *uctx, char const *line)
{
	struct call *call = uctx;

	(void)FCGX_PutStr(line, (int)strlen(line), call->request->err);
	(void)FCGX_PutStr("\n", 1, call->request->err);
}

/** Take what a page did not read out of the way of the next request, or close the connection */
static void finish(struct call *call)
{
	size_t left = 2u * MFA_FORM_BODY_MAX;
	char byte;
	int got;

	do {
		got = fcgi_read(call, &byte, 1);
	} while (got > 0 && --left > 0);
	if (got != 0) call->request->keepConnection = 0;
	FCGX_Finish_r(call->request);
}

static void serve_all(struct mfa_app *app, struct mfa_web *web, FCGX_Request *request)
{
	struct timeval const limit = {.tv_sec = BODY_S};
	struct call call = {.request = request};
	struct mfa_io io = {.read = fcgi_read, .write = fcgi_write, .log = fcgi_log, .uctx = &call};

	while (!stopping && FCGX_Accept_r(request) == 0) {
		(void)setsockopt(request->ipcFd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		call.until = time(NULL) + BODY_S;
		io.env = request->envp;
		mfa_web_serve(web, app, &io, time(NULL));
		finish(&call);
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

static pid_t begin_worker(struct mfa_app *app, sigset_t const *mask)
{
	pid_t const pid = fork();

	if (pid != 0) return pid;
	(void)pthread_sigmask(SIG_SETMASK, mask, NULL);
	exit(mfa_worker_fastcgi(app)); /* NOLINT(concurrency-mt-unsafe) one thread */
}

/** Start again what ended */
static void replace_gone(struct mfa_app *app, pid_t *worker, unsigned count, sigset_t const *mask)
{
	pid_t gone;

	while ((gone = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (unsigned i = 0; i < count; i++) {
			if (worker[i] != gone) continue;
			/* One that cannot start does not eat the processor. */
			(void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
			worker[i] = begin_worker(app, mask);
		}
	}
}

int mfa_worker_keep(struct mfa_app *app, unsigned count)
{
	pid_t worker[MFA_WORKERS_MAX] = {0};
	sigset_t awaited, mask;
	int got = 0;

	(void)sigemptyset(&awaited);
	(void)sigaddset(&awaited, SIGTERM);
	(void)sigaddset(&awaited, SIGINT);
	(void)sigaddset(&awaited, SIGCHLD);
	(void)pthread_sigmask(SIG_BLOCK, &awaited, &mask);
	for (unsigned i = 0; i < count; i++) worker[i] = begin_worker(app, &mask);
	while (got != SIGTERM && got != SIGINT) {
		got = sigwaitinfo(&awaited, NULL);
		if (got == SIGCHLD) replace_gone(app, worker, count, &mask);
	}
	for (unsigned i = 0; i < count; i++) {
		if (worker[i] > 0) (void)kill(worker[i], SIGTERM);
	}
	/* The process that sends mail is left to finish: it ends when we are gone. */
	for (unsigned i = 0; i < count; i++) {
		if (worker[i] > 0) (void)waitpid(worker[i], NULL, 0);
	}
	return 0;
}
