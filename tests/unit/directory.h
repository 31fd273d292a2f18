/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file tests/unit/directory.h
 * @brief A real slapd for tests in C, by way of tests/lib/directory.py.
 */
#ifndef MFA_TESTS_DIRECTORY_H
#define MFA_TESTS_DIRECTORY_H

#include "core/login.h"
#include "unit.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PEOPLE	  "ou=people,dc=example,dc=org"
#define RADIUS_DN "cn=radius,ou=services,dc=example,dc=org"

extern char **environ;

/** One slapd; each runs as long as its process has an open stdin */
struct directory {
	pid_t pid;
	FILE *to, *from;
	char line[4096]; //!< The last answer; the words below point into the first one.
	char settings[4096];
	char *uri, *ldaps_uri, *ldapi_uri, *ca_file, *password, *proxy_uri;
};

static inline char *cut_word(char **rest)
{
	char *word = *rest, *tab = strchr(word, '\t');

	if (tab) *tab++ = '\0';
	*rest = tab ? tab : word + strlen(word);
	return word;
}

/** Read one answer; the words behind "ok" */
static inline char *directory_answer(struct directory *directory)
{
	if (!fgets(directory->line, sizeof(directory->line), directory->from))
		fail_msg("tests/lib/directory.py ended; run this from the top of the tree");
	directory->line[strcspn(directory->line, "\n")] = '\0';
	if (strncmp(directory->line, "ok", 2) != 0) fail_msg("directory: %s", directory->line);
	return directory->line[2] ? directory->line + 3 : directory->line + 2;
}

/** Ask for something and wait until it is done; the answer's words */
static inline char *directory_do(struct directory *directory, char const *command)
{
	(void)fprintf(directory->to, "%s\n", command);
	(void)fflush(directory->to);
	return directory_answer(directory);
}

static inline void directory_start(struct directory *directory)
{
	static char python[] = "/usr/bin/python3", script[] = "tests/lib/directory.py";
	char *const argv[] = {python, script, NULL};
	posix_spawn_file_actions_t actions;
	int in[2], out[2];
	char *rest = directory->settings;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	(void)posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	assert_int_equal(posix_spawn(&directory->pid, python, &actions, NULL, argv, environ), 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(in[0]);
	(void)close(out[1]);
	directory->to = fdopen(in[1], "we");
	directory->from = fdopen(out[0], "re");
	(void)snprintf(directory->settings, sizeof(directory->settings), "%s",
		       directory_answer(directory));
	directory->uri = cut_word(&rest);
	directory->ldaps_uri = cut_word(&rest);
	directory->ldapi_uri = cut_word(&rest);
	directory->ca_file = cut_word(&rest);
	directory->password = cut_word(&rest);
	directory->proxy_uri = cut_word(&rest);
}

static inline void directory_restart(struct directory *directory)
{
	(void)directory_do(directory, "stop");
	(void)directory_do(directory, "start");
}

static inline void directory_stop(struct directory *directory)
{
	if (directory->pid <= 0) return;
	(void)fclose(directory->to);
	(void)waitpid(directory->pid, NULL, 0);
	(void)fclose(directory->from);
	directory->pid = 0;
}

/** Make a user of this name with values as directory.py reads them, separated by tabs */
static inline void directory_add(struct directory *directory, char const *uid, char const *values)
{
	char command[8192];

	(void)snprintf(command, sizeof(command), "add\t%s%s%s", uid, *values ? "\t" : "", values);
	(void)directory_do(directory, command);
}

static inline char *directory_get(struct directory *directory, char const *uid, char const *name)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "get\t%s\t%s", uid, name);
	return directory_do(directory, command);
}

static inline void directory_set(struct directory *directory, char const *uid, char const *name,
				 char const *value)
{
	char command[1024];

	(void)snprintf(command, sizeof(command), "set\t%s\t%s=%s", uid, name, value);
	(void)directory_do(directory, command);
}

/** Change one item of a configuration */
static inline void config_set(struct mfa_config *config, char const *section, char const *name,
			      char const *value)
{
	struct mfa_diag diag = {.text = ""};

	if (mfa_config_set(config, &diag, mfa_config_items, section, name, value) != MFA_OK)
		fail_msg("%s", diag.text);
}

/** A configuration for this directory, and the account of RADIUS */
static inline void store_init(struct mfa_store *store, struct mfa_config *config,
			      struct directory const *directory)
{
	memset(config, 0, sizeof(*config));
	memset(store, 0, sizeof(*store));
	assert_int_equal(mfa_config_defaults(config, mfa_config_items), MFA_OK);
	config_set(config, "ldap", "uri", directory->uri);
	config_set(config, "ldap", "ca_file", directory->ca_file);
	config_set(config, "user", "base_dn", PEOPLE);
	store->config = config;
	store->account =
		(struct mfa_account){.identity = RADIUS_DN, .password = directory->password};
}

/* What the limits of hasty_conn() allow ends long before; what has no limit takes for ever. */
#define IN_TIME_MS 10000

/** A store and a connection that wait 1 s to connect and 2 s in all; for a test's set-up */
static inline int hasty_conn(struct mfa_conn **conn, struct mfa_store *store,
			     struct mfa_config *config, struct directory const *directory)
{
	store_init(store, config, directory);
	config_set(config, "ldap", "timeout", "2");
	config_set(config, "ldap", "connect_timeout", "1");
	return mfa_conn_alloc(conn, store) == MFA_OK ? 0 : -1;
}

/** For the end of that test, which may have stopped the directory's process */
static inline int end_hasty_conn(struct mfa_conn **conn, struct mfa_config *config,
				 struct directory *directory)
{
	(void)directory_do(directory, "sigcont");
	mfa_conn_free(conn);
	mfa_config_clear(config, mfa_config_items);
	return 0;
}

static inline int64_t monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif /* MFA_TESTS_DIRECTORY_H */
