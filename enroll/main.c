/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/main.c
 * @brief peruser-mfa-enroll: options, and which way requests arrive.
 */
#include "enroll/mail.h"
#include "enroll/worker.h"

#include <mfa_build.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GO_ON (-1) /* no exit status yet */

struct options {
	char const *config;
	unsigned workers;
	bool check;
};

static char const *variable(char const *name)
{
	return getenv(name); /* NOLINT(concurrency-mt-unsafe) one thread */
}

static int usage(FILE *out, int rc)
{
	(void)fputs("usage: peruser-mfa-enroll [-c FILE] [-n WORKERS] [-t]\n"
		    "       peruser-mfa-enroll -V\n"
		    "  -c FILE     configuration instead of " MFA_SETTINGS_FILE "\n"
		    "  -n WORKERS  processes that serve FastCGI, 1 to 64 (1)\n"
		    "  -t          check the configuration and end\n"
		    "  -V          show the version; also --version\n"
		    "  -h          show this; also --help\n"
		    "Serves one request as a CGI program, or FastCGI on the socket that is its\n"
		    "standard input or that systemd hands over.\n",
		    out);
	return rc;
}

static int version(void)
{
	return printf("peruser-mfa-enroll " MFA_VERSION "\nfilter of system calls: %s\n",
		      MFA_SECCOMP ? "yes" : "no") < 0;
}

static bool take_workers(unsigned *workers, char const *text)
{
	int64_t number;

	if (mfa_text_number(&number, mfa_bytes_of(text), MFA_WORKERS_MAX) != MFA_OK || number < 1)
		return false;
	*workers = (unsigned)number;
	return true;
}

/** Read the options; GO_ON, or an exit status */
static int take_options(struct options *options, int argc, char *argv[])
{
	int c;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) return version();
	if (argc == 2 && strcmp(argv[1], "--help") == 0) return usage(stdout, 0);
	while ((c = getopt(argc, argv, "c:n:tVh")) != -1) { /* NOLINT(concurrency-mt-unsafe) */
		switch (c) {
		case 'c': options->config = optarg; break;
		case 'n':
			if (!take_workers(&options->workers, optarg)) return usage(stderr, 2);
			break;
		case 't': options->check = true; break;
		case 'V': return version();
		case 'h': return usage(stdout, 0);
		default: return usage(stderr, 2);
		}
	}
	return optind == argc ? GO_ON : usage(stderr, 2);
}

/** systemd hands sockets over from descriptor 3 on (sd_listen_fds(3)) */
static void take_socket(void)
{
	char const *fds = variable("LISTEN_FDS"), *pid = variable("LISTEN_PID");
	int64_t wanted = 0;

	if (!fds || !pid || strcmp(fds, "1") != 0) return;
	if (mfa_text_number(&wanted, mfa_bytes_of(pid), INT32_MAX) != MFA_OK || wanted != getpid())
		return;
	if (dup2(3, STDIN_FILENO) == STDIN_FILENO) (void)close(3);
}

/** What a web server shows when a CGI program cannot start; the reason is for the log */
static int fail(struct mfa_diag const *diag, bool cgi)
{
	(void)fprintf(stderr, "peruser-mfa-enroll: %s\n", diag->text);
	if (cgi)
		(void)fputs("Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\n"
			    "Cache-Control: no-store\r\n\r\nNot configured\n",
			    stdout);
	return 1;
}

static int run(struct mfa_app *app, struct options const *options, bool cgi)
{
	struct mfa_diag diag = {.text = "the mail process cannot be started"};

	mfa_lang_init(app->settings.page.locale_dir);
	if (!mfa_mail_start(&app->mail_fd, &app->settings.page)) return fail(&diag, cgi);
	if (cgi) return mfa_worker_cgi(app);
	return options->workers > 1 ? mfa_worker_keep(app, options->workers)
				    : mfa_worker_fastcgi(app);
}

/** Read configuration and key ring, and serve */
static int begin(struct options const *options)
{
	static struct mfa_app app;
	struct mfa_diag diag = {.text = ""};
	bool cgi;
	int rc;

	take_socket();
	cgi = !mfa_worker_has_socket();
	if (mfa_app_open(&app, &diag, options->config) != MFA_OK) {
		rc = fail(&diag, cgi && !options->check);
	} else if (options->check) {
		rc = puts("configuration is in order") < 0;
	} else if (cgi && !variable("REQUEST_METHOD")) {
		rc = usage(stderr, 2);
	} else {
		rc = run(&app, options, cgi);
	}
	mfa_app_close(&app);
	return rc;
}

int main(int argc, char *argv[])
{
	char const *config = variable("PERUSER_MFA_ENROLL_CONF");
	struct options options = {.config = config ? config : MFA_SETTINGS_FILE, .workers = 1};
	/* A web server may pass a query as arguments (RFC 3875 section 4.4): not for us. */
	int const rc = variable("REQUEST_METHOD") ? GO_ON : take_options(&options, argc, argv);

	return rc == GO_ON ? begin(&options) : rc;
}
