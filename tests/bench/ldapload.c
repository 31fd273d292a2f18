/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file tests/bench/ldapload.c
 * @brief What the directory can do by itself: the operations of a login, by bare libldap.
 *
 * A thread a connection; each walks through users of its own.  S searches for the user
 * by name or reads the entry of that name, B binds as the user on another connection, M
 * changes one value by compare-and-swap.  Modify rewrites the last word of the attribute
 * and nothing else.
 */
#include "tests/bench/samples.h"
#include "tests/bench/users.h"

#include <openssl/crypto.h>

#include <getopt.h>
#include <inttypes.h>
#include <ldap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 128u
#define SECONDS_MAX	3600u
#define VALUE_MAX	200u

struct program {
	char const *uri, *base, *bind_dn, *password_file, *users_file, *ops, *attribute;
	uint32_t connections, seconds, count;
	bool by_dn;
	char password[129];
	struct bench_users users;
	struct bench_processes processes;
	int64_t end_ns;
};

struct worker {
	struct program const *program;
	pthread_t thread;
	size_t number;
	LDAP *service, *user; //!< Bound as the service account; for binds of users.
	struct bench_samples samples;
	uint64_t failed;
	bool started;
};

static int bind_as(LDAP *handle, char const *dn, char const *password)
{
	struct berval cred = {.bv_len = strlen(password), .bv_val = (char *)(uintptr_t)password};

	return ldap_sasl_bind_s(handle, dn, LDAP_SASL_SIMPLE, &cred, NULL, NULL, NULL);
}

static LDAP *connect_to(char const *uri)
{
	int const version = LDAP_VERSION3;
	LDAP *handle = NULL;

	if (ldap_initialize(&handle, uri) != LDAP_SUCCESS) return NULL;
	(void)ldap_set_option(handle, LDAP_OPT_PROTOCOL_VERSION, &version);
	return handle;
}

/** Find the user; its DN, and the value that M will replace */
static char *search(struct worker *worker, char value[static VALUE_MAX], char const *name,
		    char const *made_dn)
{
	struct program const *program = worker->program;
	char const *base = program->by_dn ? made_dn : program->base;
	int const scope = program->by_dn ? LDAP_SCOPE_BASE : LDAP_SCOPE_SUBTREE;
	char filter[300], *attrs[] = {(char *)(uintptr_t)program->attribute, NULL}, *dn = NULL;
	LDAPMessage *result = NULL, *entry;
	struct berval **values;

	value[0] = '\0';
	(void)snprintf(filter, sizeof(filter), "(uid=%s)", name);
	if (ldap_search_ext_s(worker->service, base, scope, filter, attrs, 0, NULL, NULL, NULL, 2,
			      &result) == LDAP_SUCCESS &&
	    (entry = ldap_first_entry(worker->service, result))) {
		dn = ldap_get_dn(worker->service, entry);
		values = ldap_get_values_len(worker->service, entry, program->attribute);
		if (values && values[0] && values[0]->bv_len < VALUE_MAX)
			memcpy(value, values[0]->bv_val, values[0]->bv_len + 1);
		ldap_value_free_len(values);
	}
	(void)ldap_msgfree(result);
	return dn;
}

/** Swap the value for one that differs in its last word */
static bool swap(struct worker *worker, char const *dn, char *value)
{
	char *attribute = (char *)(uintptr_t)worker->program->attribute;
	char next[VALUE_MAX + 32], *old_values[] = {value, NULL}, *new_values[] = {next, NULL};
	LDAPMod delete = {LDAP_MOD_DELETE, attribute, {old_values}};
	LDAPMod add = {LDAP_MOD_ADD, attribute, {new_values}};
	LDAPMod *mods[] = {&delete, &add, NULL};
	char const *last = strrchr(value, ' ');

	if (!last) return false;
	(void)snprintf(next, sizeof(next), "%.*s %016" PRIx64, (int)(last - value), value,
		       (uint64_t)bench_now_ns());
	return ldap_modify_ext_s(worker->service, dn, mods, NULL, NULL) == LDAP_SUCCESS;
}

static bool do_login(struct worker *worker, struct bench_user const *user)
{
	char const *ops = worker->program->ops;
	char value[VALUE_MAX], made[300], *found = NULL;
	char const *dn = made;
	bool ok = true;

	(void)snprintf(made, sizeof(made), "uid=%s,%s", user->name, worker->program->base);
	for (size_t i = 0; ops[i] && ok; i++) {
		if (ops[i] == 'S') {
			ldap_memfree(found);
			dn = found = search(worker, value, user->name, made);
			ok = found != NULL;
		} else if (ops[i] == 'B') {
			ok = bind_as(worker->user, dn, user->password) == LDAP_SUCCESS;
		} else {
			ok = swap(worker, dn, value);
		}
	}
	ldap_memfree(found);
	return ok;
}

static void *work(void *data)
{
	struct worker *worker = data;
	struct program const *program = worker->program;
	size_t index = worker->number;

	while (bench_now_ns() < program->end_ns && worker->samples.count < program->count) {
		int64_t const start_ns = bench_now_ns();

		if (!do_login(worker, &program->users.list[index % program->users.count])) {
			worker->failed++;
		} else if (!bench_samples_add(&worker->samples, bench_now_ns() - start_ns)) {
			break;
		}
		index += program->connections;
	}
	return NULL;
}

static bool start(struct worker *worker, struct program *program, size_t number)
{
	worker->program = program;
	worker->number = number;
	worker->service = connect_to(program->uri);
	worker->user = connect_to(program->uri);
	if (!worker->service || !worker->user ||
	    bind_as(worker->service, program->bind_dn, program->password) != LDAP_SUCCESS) {
		fprintf(stderr, "cannot bind as '%s' at '%s'\n", program->bind_dn, program->uri);
		return false;
	}
	return true;
}

static void finish(struct worker *worker)
{
	if (worker->service) (void)ldap_unbind_ext(worker->service, NULL, NULL);
	if (worker->user) (void)ldap_unbind_ext(worker->user, NULL, NULL);
	bench_samples_free(&worker->samples);
}

static void print_result(struct program *program, struct bench_samples *samples, uint64_t failed,
			 int64_t ns)
{
	printf("{\"mode\": \"%s\", \"logins\": %zu, \"unexpected\": %" PRIu64
	       ", \"seconds\": %.3f, \"rate\": %.1f, ",
	       program->ops, samples->count, failed, (double)ns / 1e9,
	       (double)samples->count / ((double)ns / 1e9));
	bench_samples_print(samples);
	printf(", ");
	bench_processes_print(&program->processes, samples->count);
	printf("}\n");
}

static bool run_all(struct worker *workers, struct program *program)
{
	struct bench_samples all = {0};
	uint64_t failed = 0;
	int64_t start_ns;
	bool ok = true;

	for (size_t i = 0; i < program->connections && ok; i++) ok = start(&workers[i], program, i);
	start_ns = bench_now_ns();
	program->end_ns = start_ns + program->seconds * INT64_C(1000000000);
	bench_processes_start(&program->processes);
	for (size_t i = 0; i < program->connections && ok; i++)
		workers[i].started = ok =
			pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0;
	for (size_t i = 0; i < program->connections; i++) {
		if (workers[i].started) (void)pthread_join(workers[i].thread, NULL);
		ok = ok && bench_samples_join(&all, &workers[i].samples);
		failed += workers[i].failed;
	}
	if (ok) print_result(program, &all, failed, bench_now_ns() - start_ns);
	bench_samples_free(&all);
	return ok;
}

static bool read_password(struct program *program)
{
	FILE *file = fopen(program->password_file, "re");
	bool const ok = file && fgets(program->password, sizeof(program->password), file);

	if (file) (void)fclose(file);
	program->password[strcspn(program->password, "\r\n")] = '\0';
	if (!ok) fprintf(stderr, "no password in '%s'\n", program->password_file);
	return ok;
}

static bool parse_number(uint32_t *out, char const *text, uint32_t max)
{
	char *end;
	unsigned long const value = strtoul(text, &end, 10);

	if (*end || end == text || *text == '-' || value < 1 || value > max) return false;
	*out = (uint32_t)value;
	return true;
}

static bool parse(struct program *program, int argc, char **argv)
{
	int option;
	bool ok = true;

	while (ok && (option = getopt(argc, argv, "H:b:D:y:u:o:a:c:s:n:p:d")) != -1) {
		switch (option) {
		case 'H': program->uri = optarg; break;
		case 'b': program->base = optarg; break;
		case 'D': program->bind_dn = optarg; break;
		case 'y': program->password_file = optarg; break;
		case 'u': program->users_file = optarg; break;
		case 'o': program->ops = optarg; break;
		case 'a': program->attribute = optarg; break;
		case 'c': ok = parse_number(&program->connections, optarg, CONNECTIONS_MAX); break;
		case 's': ok = parse_number(&program->seconds, optarg, SECONDS_MAX); break;
		case 'n': ok = parse_number(&program->count, optarg, UINT32_MAX); break;
		case 'd': program->by_dn = true; break;
		case 'p': ok = bench_processes_add(&program->processes, optarg); break;
		default: ok = false;
		}
	}
	ok = ok && program->uri && program->base && program->bind_dn && program->password_file &&
	     program->users_file && strspn(program->ops, "SBM") == strlen(program->ops) &&
	     (!strchr(program->ops, 'M') || program->ops[0] == 'S');
	if (!ok)
		fputs("usage: ldapload -H URI -b BASE -D DN -y PASSWORD-FILE -u USERS-FILE "
		      "[options]\n"
		      "  -o OPS    of a login: any of S, B and M; M needs an S first (SBM)\n"
		      "  -d        S reads uid=NAME,BASE; else it searches below BASE\n"
		      "  -a NAME   the attribute that M changes (peruserMfaLastUse)\n"
		      "  -c N      connections, 1 to 128 (16)     -s N  seconds, 1 to 3600 (10)\n"
		      "  -n N      logins a connection at most    -p NAME:PID  measure its CPU "
		      "time\n",
		      stderr);
	return ok;
}

int main(int argc, char **argv)
{
	struct program *program = calloc(1, sizeof(*program));
	struct worker *workers = NULL;
	bool ok = false;

	if (!program) return EXIT_FAILURE;
	program->ops = "SBM";
	program->attribute = "peruserMfaLastUse";
	program->connections = 16;
	program->seconds = 10;
	program->count = UINT32_MAX;
	if (parse(program, argc, argv) && read_password(program) &&
	    bench_users_load(&program->users, program->users_file, NULL)) {
		workers = calloc(program->connections, sizeof(*workers));
		ok = workers && run_all(workers, program);
	}
	for (size_t i = 0; workers && i < program->connections; i++) finish(&workers[i]);
	free(workers);
	bench_users_free(&program->users);
	OPENSSL_cleanse(program->password, sizeof(program->password));
	free(program);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
