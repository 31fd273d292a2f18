/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/worker.h"
#include "enroll/sandbox.h"

#include <fcgiapp.h>
#include <openssl/crypto.h>

#include <errno.h>
#include <fcntl.h>
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

#define HELD_MAX 32u /* answers that one worker holds back at once */

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

/* A process of its own: it holds up nobody. */
static void cgi_hold(void *uctx, int64_t until_ms)
{
	int64_t const left_ms = until_ms - mfa_http_clock_ms();

	(void)uctx;
	if (left_ms > 0) (void)poll(NULL, 0, (int)left_ms);
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
				  .hold = cgi_hold,
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

/** One request, how long its body may take to arrive, and an answer that is held back */
struct call {
	FCGX_Request request;
	time_t until;
	int64_t hold_until_ms; //!< 0: the answer goes out as it is written.
	size_t held_len;
	char held[MFA_OUT_SIZE + MFA_OUT_SIZE / 8];
};

/* A byte at a time out of libfcgi's buffer: for more it would wait as long as any drip in. */
static int fcgi_read(void *uctx, char *data, int size)
{
	struct call *call = uctx;
	int got;

	if (size < 1 || time(NULL) >= call->until) return -1;
	got = FCGX_GetStr(data, 1, call->request.in);
	return got == 0 && FCGX_GetError(call->request.in) != 0 ? -1 : got;
}

static bool fcgi_write(void *uctx, char const *data, size_t len)
{
	struct call *call = uctx;

	if (call->hold_until_ms == 0)
		return FCGX_PutStr(data, (int)len, call->request.out) == (int)len;
	if (len > sizeof(call->held) - call->held_len) return false;
	memcpy(call->held + call->held_len, data, len);
	call->held_len += len;
	return true;
}

static void fcgi_hold(void *uctx, int64_t until_ms)
{
	struct call *call = uctx;

	call->hold_until_ms = until_ms;
}

static void fcgi_log(void *uctx, char const *line)
{
	struct call *call = uctx;

	(void)FCGX_PutStr(line, (int)strlen(line), call->request.err);
	(void)FCGX_PutStr("\n", 1, call->request.err);
}

/** Send what was held back, and close the connection: one that is kept would keep this worker */
static void finish(struct call *call)
{
	if (call->held_len > 0)
		(void)FCGX_PutStr(call->held, (int)call->held_len, call->request.out);
	OPENSSL_cleanse(call->held, call->held_len);
	call->hold_until_ms = 0;
	call->held_len = 0;
	call->request.keepConnection = 0;
	FCGX_Finish_r(&call->request);
}

/** Take what a page did not read out of the way: some servers lose the answer otherwise */
static void drain(struct call *call)
{
	size_t left = 2u * MFA_FORM_BODY_MAX;
	char byte;

	while (fcgi_read(call, &byte, 1) > 0 && --left > 0) {
	}
}

/** Finish the answers that were held back long enough; the one that is due next, or NULL */
static struct call *finish_due(struct call *calls, int64_t now_ms)
{
	struct call *next = NULL;

	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct call *call = &calls[i];

		if (call->hold_until_ms == 0) continue;
		if (call->hold_until_ms <= now_ms) {
			finish(call);
		} else if (!next || call->hold_until_ms < next->hold_until_ms) {
			next = call;
		}
	}
	return next;
}

static struct call *find_free(struct call *calls)
{
	for (unsigned i = 0; i < HELD_MAX; i++) {
		if (calls[i].hold_until_ms == 0) return &calls[i];
	}
	return NULL;
}

/** Wait for a request, while answers that were held back become due
 *
 * With as many held back as there is room for, the next request waits: nobody guesses
 * faster by that.
 *
 * @return where to take the request up; NULL when there may be none yet.
 */
static struct call *wait_for_request(struct call *calls)
{
	int64_t const now_ms = mfa_http_clock_ms();
	struct call const *next = finish_due(calls, now_ms);
	struct call *call = find_free(calls);
	struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
	int const limit_ms = next ? (int)(next->hold_until_ms - now_ms) : -1;

	return poll(&wait, call ? 1 : 0, limit_ms) > 0 ? call : NULL;
}

static void serve_one(struct mfa_app *app, struct mfa_web *web, struct call *call)
{
	struct timeval const limit = {.tv_sec = BODY_S};
	struct mfa_io const io = {.read = fcgi_read,
				  .write = fcgi_write,
				  .hold = fcgi_hold,
				  .log = fcgi_log,
				  .uctx = call,
				  .env = call->request.envp};

	(void)setsockopt(call->request.ipcFd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	call->until = time(NULL) + BODY_S;
	mfa_web_serve(web, app, &io, time(NULL));
	drain(call);
	if (call->hold_until_ms == 0) finish(call);
}

static void serve_all(struct mfa_app *app, struct mfa_web *web, struct call *calls)
{
	int rc = 0;

	/* Another worker may have been faster: then there is nothing to accept. */
	while (!stopping && (rc == 0 || rc == -EAGAIN || rc == -EINTR)) {
		struct call *call = wait_for_request(calls);

		rc = call ? FCGX_Accept_r(&call->request) : 0;
		if (call && rc == 0) serve_one(app, web, call);
	}
	for (unsigned i = 0; i < HELD_MAX; i++) {
		if (calls[i].hold_until_ms > 0) finish(&calls[i]);
		FCGX_Free(&calls[i].request, 1);
	}
}

static struct call *make_calls(void)
{
	struct call *calls = calloc(HELD_MAX, sizeof(*calls));

	for (unsigned i = 0; calls && i < HELD_MAX; i++) {
		if (FCGX_InitRequest(&calls[i].request, STDIN_FILENO, FCGI_FAIL_ACCEPT_ON_INTR) !=
		    0) {
			free(calls);
			return NULL;
		}
	}
	return calls;
}

int mfa_worker_fastcgi(struct mfa_app *app)
{
	int const flags = fcntl(STDIN_FILENO, F_GETFL);
	struct mfa_web *web = mfa_web_alloc();
	struct call *calls = NULL;
	int rc = 1;

	catch_signals();
	if (web && FCGX_Init() == 0 && (calls = make_calls()) != NULL &&
	    fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0 && enter_sandbox() == 0) {
		serve_all(app, web, calls);
		rc = stopping ? 0 : 1;
	}
	free(calls);
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
