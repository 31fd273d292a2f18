/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file tests/bench/radload.c
 * @brief Log users in at a RADIUS server and say how fast it was, in one line of JSON.
 *
 * Ends after a number of logins or seconds, whichever comes first.
 */
#include "tests/bench/logins.h"

#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT_MAX   10000000u
#define SECONDS_MAX 3600u
#define POLL_US	    20000

static char const *const mode_names[BENCH_MODE_COUNT] = {
	[BENCH_MODE_PASSWORD] = "password", [BENCH_MODE_CHALLENGE] = "challenge",
	[BENCH_MODE_APPEND] = "append",	    [BENCH_MODE_WRONG] = "wrong",
	[BENCH_MODE_ABANDON] = "abandon",
};

/** The command line, and what it fills */
struct program {
	struct bench_load load;
	struct bench_processes processes;
	char const *host, *port, *secret_file, *users_file, *used_file;
	bool help;
};

static bool open_socket(struct program *program)
{
	struct bench_load *load = &program->load;
	struct addrinfo const hints = {.ai_socktype = SOCK_DGRAM};
	struct timeval const wait = {.tv_usec = POLL_US};
	struct addrinfo *found = NULL;
	int const code = getaddrinfo(program->host, program->port, &hints, &found);
	bool ok = false;

	if (code != 0) {
		fprintf(stderr, "%s: %s\n", program->host, gai_strerror(code));
		return false;
	}
	load->sock = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
	ok = load->sock >= 0 && connect(load->sock, found->ai_addr, found->ai_addrlen) == 0 &&
	     setsockopt(load->sock, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0;
	freeaddrinfo(found);
	if (!ok) fprintf(stderr, "no socket to %s:%s\n", program->host, program->port);
	return ok;
}

static void print_result(struct program *program, int64_t ns)
{
	struct bench_load *load = &program->load;
	double const seconds = (double)ns / 1e9;

	printf("{\"mode\": \"%s\", \"logins\": %" PRIu64 ", \"unexpected\": %" PRIu64
	       ", \"lost\": %" PRIu64 ", \"forged\": %" PRIu64 ", \"accepted\": %" PRIu64
	       ", \"groups\": %" PRIu32 ", \"out_of_codes\": %s, \"seconds\": %.3f"
	       ", \"rate\": %.1f, ",
	       mode_names[load->mode], load->good, load->unexpected, load->lost, load->forged,
	       load->accepted, load->started, load->out_of_codes ? "true" : "false", seconds,
	       seconds > 0 ? (double)load->good / seconds : 0.0);
	bench_samples_print(&load->samples);
	printf(", ");
	bench_processes_print(&program->processes, load->good);
	printf("}\n");
}

static void usage(FILE *out)
{
	fputs("usage: radload --server HOST:PORT --secret-file FILE --users FILE [options]\n"
	      "  --mode MODE        password, challenge, append, wrong or abandon (password)\n"
	      "  --outstanding N    logins at a time, 1 to 128 (16)\n"
	      "  --count N          end after so many logins, 1 to 10000000 (1000)\n"
	      "  --seconds N        end after so many seconds, 1 to 3600 (10)\n"
	      "  --timeout N        seconds until an answer counts as lost, 1 to 60 (5)\n"
	      "  --race N           one code in N logins at once; --count is the number of codes\n"
	      "  --window N         time steps before and after now that the server takes (1)\n"
	      "  --present-code     it takes none but the present one\n"
	      "  --used FILE        remembers which codes are used up, for the next run\n"
	      "  --reuse-codes      for servers that do not mind\n"
	      "  --separator TEXT   between password and code in mode append\n"
	      "  --nas NAME         NAS-Identifier (bench)\n"
	      "  --unsigned         send no Message-Authenticator\n"
	      "  --cpu NAME:PID     measure the CPU time of a process; up to 8 times\n"
	      "Lines of the users' file: name password [base32 secret].\n"
	      "Only for servers that are yours: it logs users in, and mode wrong locks them out.\n",
	      out);
}

static bool number(uint32_t *out, char const *name, char const *text, uint32_t max)
{
	char *end;
	unsigned long const value = strtoul(text, &end, 10);

	if (*end || end == text || *text == '-' || value < 1 || value > max) {
		fprintf(stderr, "--%s: a number from 1 to %" PRIu32 "\n", name, max);
		return false;
	}
	*out = (uint32_t)value;
	return true;
}

static bool set_mode(struct program *program, char const *name)
{
	for (unsigned i = 0; i < BENCH_MODE_COUNT; i++) {
		if (strcmp(name, mode_names[i]) != 0) continue;
		program->load.mode = (enum bench_mode)i;
		return true;
	}
	fprintf(stderr, "--mode: no such mode as '%s'\n", name);
	return false;
}

static bool set_server(struct program *program, char *text)
{
	char *colon = strrchr(text, ':');

	if (!colon) {
		fprintf(stderr, "--server: HOST:PORT\n");
		return false;
	}
	*colon = '\0';
	program->host = text;
	program->port = colon + 1;
	return true;
}

static bool set_option(struct program *program, char const *name, char *value)
{
	struct {
		char const *name;
		uint32_t *number, max;
		char const **text;
	} const table[] = {
		{"outstanding", &program->load.outstanding, BENCH_OUTSTANDING_MAX, NULL},
		{"count", &program->load.count, COUNT_MAX, NULL},
		{"seconds", &program->load.seconds, SECONDS_MAX, NULL},
		{"timeout", &program->load.timeout_s, 60, NULL},
		{"race", &program->load.race, BENCH_OUTSTANDING_MAX, NULL},
		{"window", &program->load.users.window, 10, NULL},
		{"secret-file", NULL, 0, &program->secret_file},
		{"users", NULL, 0, &program->users_file},
		{"used", NULL, 0, &program->used_file},
		{"separator", NULL, 0, &program->load.separator},
		{"nas", NULL, 0, &program->load.radius.nas},
	};

	if (strcmp(name, "mode") == 0) return set_mode(program, value);
	if (strcmp(name, "server") == 0) return set_server(program, value);
	if (strcmp(name, "cpu") == 0) return bench_processes_add(&program->processes, value);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(name, table[i].name) != 0) continue;
		if (table[i].number) return number(table[i].number, name, value, table[i].max);
		*table[i].text = value;
	}
	return true;
}

static bool set_flag(struct program *program, char const *name)
{
	if (strcmp(name, "unsigned") == 0) {
		program->load.radius.sign = false;
	} else if (strcmp(name, "present-code") == 0) {
		program->load.users.window = 0;
	} else if (strcmp(name, "reuse-codes") == 0) {
		program->load.users.forget = true;
	} else {
		program->help = true;
	}
	return true;
}

static bool parse(struct program *program, int argc, char **argv)
{
	static struct option const options[] = {{"server", required_argument, NULL, 0},
						{"secret-file", required_argument, NULL, 0},
						{"users", required_argument, NULL, 0},
						{"mode", required_argument, NULL, 0},
						{"outstanding", required_argument, NULL, 0},
						{"count", required_argument, NULL, 0},
						{"seconds", required_argument, NULL, 0},
						{"timeout", required_argument, NULL, 0},
						{"race", required_argument, NULL, 0},
						{"window", required_argument, NULL, 0},
						{"used", required_argument, NULL, 0},
						{"separator", required_argument, NULL, 0},
						{"nas", required_argument, NULL, 0},
						{"cpu", required_argument, NULL, 0},
						{"present-code", no_argument, NULL, 0},
						{"reuse-codes", no_argument, NULL, 0},
						{"unsigned", no_argument, NULL, 0},
						{"help", no_argument, NULL, 0},
						{NULL, 0, NULL, 0}};
	int index = 0, got;

	while ((got = getopt_long(argc, argv, "", options, &index)) == 0) {
		char const *name = options[index].name;

		if (!(optarg ? set_option(program, name, optarg) : set_flag(program, name)))
			return false;
	}
	if (got == -1 && optind == argc &&
	    (program->help || (program->host && program->secret_file && program->users_file))) {
		return true;
	}
	usage(stderr);
	return false;
}

/** Open everything, run, print */
static bool run(struct program *program)
{
	struct bench_load *load = &program->load;
	int64_t start_ns;

	if (!bench_radius_init(&load->radius, program->secret_file) ||
	    !bench_users_load(&load->users, program->users_file, program->used_file) ||
	    !open_socket(program)) {
		return false;
	}
	bench_processes_start(&program->processes);
	start_ns = bench_now_ns();
	if (!(load->race ? bench_load_race(load) : bench_load_run(load))) return false;
	print_result(program, bench_now_ns() - start_ns);
	return true;
}

int main(int argc, char **argv)
{
	struct program *program = calloc(1, sizeof(*program));
	bool ok;

	if (!program) return EXIT_FAILURE;
	program->load.sock = -1;
	program->load.outstanding = 16;
	program->load.count = 1000;
	program->load.seconds = 10;
	program->load.timeout_s = 5;
	program->load.users.window = 1;
	program->load.separator = "";
	program->load.radius.nas = "bench";
	program->load.radius.sign = true;
	ok = parse(program, argc, argv);
	if (ok && program->help) {
		usage(stdout);
	} else if (ok) {
		ok = run(program);
	}
	if (program->load.sock >= 0) (void)close(program->load.sock);
	bench_radius_clear(&program->load.radius);
	bench_users_free(&program->load.users);
	bench_samples_free(&program->load.samples);
	free(program);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
