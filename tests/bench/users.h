/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file tests/bench/users.h
 * @brief Whom to log in, and which of their codes are used up.
 */
#ifndef BENCH_USERS_H
#define BENCH_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_CODE_SIZE 9u //!< Bytes of a code, NUL included.

/** One user; strings end with NUL and belong to the list */
struct bench_user {
	char const *name;
	char const *password;
	char const *secret; //!< Base32; SHA-1, 6 digits, 30 s. NULL when there is none.
};

/** All users, in the order of the file */
struct bench_users {
	struct bench_user *list;
	size_t count;
	char *text;	 //!< The file.
	int64_t *used;	 //!< [0]: where to go on; [1 + i]: the last step used by user i.
	size_t used_len; //!< Bytes mapped at used.
	uint32_t window; //!< Steps before and after now that the server takes.
	bool forget;	 //!< Codes may be used more than once: for servers that do not mind.
};

/** Read "name password [base32 secret]" lines
 *
 * @param[in,out] users window and forget are the caller's, the rest zero.
 * @param[in] used_path file that remembers used steps between runs; NULL: only this run.
 * @return false after having said why on standard error.
 */
bool bench_users_load(struct bench_users *users, char const *path, char const *used_path);

/** Free; also writes the used steps */
void bench_users_free(struct bench_users *users);

/** The next user, in a circle, whatever the codes */
size_t bench_users_next(struct bench_users *users);

/** The next user who has a code left, and that code, which counts as used from now on
 *
 * The oldest step of the window is taken first, unless it would run out on the way.
 *
 * @param[out] index the user.
 * @return false when every user's codes are used up, or a secret is no base32.
 */
bool bench_users_next_code(size_t *index, char code[static BENCH_CODE_SIZE],
			   struct bench_users *users, int64_t now_s);

/** A code of a user that this run did not use yet; false when there is none */
bool bench_users_code(char code[static BENCH_CODE_SIZE], struct bench_users *users, size_t index,
		      int64_t now_s);

/** A well-formed code that is wrong; false when the secret is no base32 */
bool bench_users_wrong_code(char code[static BENCH_CODE_SIZE], struct bench_users const *users,
			    size_t index, int64_t now_s);

#endif /* BENCH_USERS_H */
