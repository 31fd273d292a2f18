/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/users.h"

#include "core/totp.h"

#include <openssl/crypto.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX    (256u << 20) /* bytes of a list of users */
#define PERIOD_S    30
#define MARGIN_S    3 /* a code on its way must not leave the window */
#define WRONG_TRIES 32

_Static_assert(BENCH_CODE_SIZE == MFA_TOTP_DIGITS_MAX + 1, "a code fits");

static char *read_file(size_t *len, char const *path)
{
	int const fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	ssize_t n = 0;

	*len = 0;
	if (fd < 0) return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= (off_t)FILE_MAX)
		text = malloc((size_t)st.st_size + 1);
	while (text && *len < (size_t)st.st_size &&
	       (n = read(fd, text + *len, (size_t)st.st_size - *len)) > 0) {
		*len += (size_t)n;
	}
	(void)close(fd);
	if (text) text[*len] = '\0';
	return text;
}

static size_t count_lines(char const *text)
{
	size_t n = 1;

	for (; *text; text++) n += *text == '\n' ? 1 : 0;
	return n;
}

/** Cut the file into words, in place */
static bool split(struct bench_users *users)
{
	char *next_line = users->text, *line;

	users->list = calloc(count_lines(users->text), sizeof(*users->list));
	if (!users->list) return false;
	while ((line = strsep(&next_line, "\n"))) {
		struct bench_user *user = &users->list[users->count];
		char *at = line;

		if (!*line || *line == '#') continue;
		user->name = strsep(&at, " ");
		user->password = strsep(&at, " ");
		user->secret = strsep(&at, " ");
		if (!user->password || at) {
			fprintf(stderr, "user %zu: expected 'name password [secret]'\n",
				users->count + 1);
			return false;
		}
		users->count++;
	}
	return users->count > 0;
}

/** Map the used steps: a file, or memory of this run alone */
static bool map_used(struct bench_users *users, char const *path)
{
	int fd = -1;

	users->used_len = (users->count + 1) * sizeof(*users->used);
	if (path) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || ftruncate(fd, (off_t)users->used_len) != 0) {
			if (fd >= 0) (void)close(fd);
			return false;
		}
	}
	users->used = mmap(NULL, users->used_len, PROT_READ | PROT_WRITE,
			   path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
	if (fd >= 0) (void)close(fd);
	if (users->used == MAP_FAILED) users->used = NULL;
	return users->used != NULL;
}

bool bench_users_load(struct bench_users *users, char const *path, char const *used_path)
{
	size_t len;

	users->text = read_file(&len, path);
	if (!users->text || !split(users)) {
		fprintf(stderr, "no users in '%s'\n", path);
	} else if (!map_used(users, used_path)) {
		fprintf(stderr, "cannot use '%s'\n", used_path ? used_path : "memory");
	} else {
		return true;
	}
	bench_users_free(users);
	return false;
}

void bench_users_free(struct bench_users *users)
{
	if (users->used) (void)munmap(users->used, users->used_len);
	free(users->text);
	free(users->list);
	memset(users, 0, sizeof(*users));
}

size_t bench_users_next(struct bench_users *users)
{
	size_t const index = (size_t)users->used[0] % users->count;

	users->used[0] = (int64_t)(index + 1);
	return index;
}

static bool generate(char code[static BENCH_CODE_SIZE], char const *secret, int64_t step)
{
	struct mfa_totp totp = {.digits = 6, .period_s = PERIOD_S};
	bool ok;

	ok = secret &&
	     mfa_base32_decode(totp.key, &totp.key_len, sizeof(totp.key), mfa_bytes_of(secret)) ==
		     MFA_OK &&
	     mfa_totp_generate(code, &totp, step) == MFA_OK;
	OPENSSL_cleanse(&totp, sizeof(totp));
	return ok;
}

/** The step to use now; negative when the user has none left */
static int64_t free_step(struct bench_users const *users, size_t index, int64_t now_s)
{
	int64_t const oldest =
		users->window ? (now_s + MARGIN_S) / PERIOD_S - users->window : now_s / PERIOD_S;
	int64_t const step = users->used[1 + index] + 1;

	if (users->forget) return now_s / PERIOD_S;
	if (step < oldest) return oldest;
	return step <= now_s / PERIOD_S + users->window ? step : -1;
}

bool bench_users_code(char code[static BENCH_CODE_SIZE], struct bench_users *users, size_t index,
		      int64_t now_s)
{
	int64_t const step = free_step(users, index, now_s);

	if (step < 0 || !generate(code, users->list[index].secret, step)) return false;
	users->used[1 + index] = step;
	return true;
}

bool bench_users_next_code(size_t *index, char code[static BENCH_CODE_SIZE],
			   struct bench_users *users, int64_t now_s)
{
	for (size_t tries = 0; tries < users->count; tries++) {
		*index = bench_users_next(users);
		if (bench_users_code(code, users, *index, now_s)) return true;
	}
	return false;
}

/** Whether a code belongs to a step near now */
static bool is_near(char const *code, char const *secret, int64_t step)
{
	char right[BENCH_CODE_SIZE];

	for (int64_t i = -3; i <= 3; i++) {
		if (!generate(right, secret, step + i) || strcmp(right, code) == 0) return true;
	}
	return false;
}

bool bench_users_wrong_code(char code[static BENCH_CODE_SIZE], struct bench_users const *users,
			    size_t index, int64_t now_s)
{
	for (unsigned i = 0; i < WRONG_TRIES; i++) {
		int64_t const far = now_s / PERIOD_S + 1000 + i;

		if (!generate(code, users->list[index].secret, far)) return false;
		if (!is_near(code, users->list[index].secret, now_s / PERIOD_S)) return true;
	}
	return false;
}
