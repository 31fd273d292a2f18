/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static struct mfa_keyring ring;
static struct mfa_diag diag;

static void keys_keep_the_order_of_the_file(void **state)
{
	uint8_t master[MFA_KEY_SIZE], expected[MFA_KEY_SIZE];

	(void)state;
	ring_parse(&ring, TWO_KEYS);
	assert_int_equal(ring.count, 2);
	assert_string_equal(ring.key[0].id, "new");
	assert_string_equal(ring.key[1].id, "old");
	for (size_t i = 0; i < sizeof(master); i++) master[i] = (uint8_t)i;
	assert_int_equal(mfa_derive(expected, master, "peruser-mfa secret"), MFA_OK);
	assert_memory_equal(ring.key[0].derived[MFA_PURPOSE_SECRET], expected, sizeof(expected));
	assert_int_equal(mfa_derive(expected, master, "peruser-mfa device"), MFA_OK);
	assert_memory_equal(ring.key[0].derived[MFA_PURPOSE_DEVICE], expected, sizeof(expected));
}

static void each_purpose_has_a_key_of_its_own(void **state)
{
	(void)state;
	ring_parse(&ring, TWO_KEYS);
	for (size_t i = 0; i < 2 * MFA_PURPOSE_COUNT; i++) {
		for (size_t j = 0; j < i; j++) {
			assert_memory_not_equal(
				ring.key[i / MFA_PURPOSE_COUNT].derived[i % MFA_PURPOSE_COUNT],
				ring.key[j / MFA_PURPOSE_COUNT].derived[j % MFA_PURPOSE_COUNT],
				MFA_KEY_SIZE);
		}
	}
}

static void a_key_is_found_by_its_whole_id(void **state)
{
	(void)state;
	ring_parse(&ring, TWO_KEYS);
	assert_ptr_equal(mfa_keyring_find(&ring, bytes("old")), &ring.key[1]);
	assert_null(mfa_keyring_find(&ring, bytes("ol")));
	assert_null(mfa_keyring_find(&ring, bytes("old ")));
	assert_null(mfa_keyring_find(&ring, bytes("OLD")));
	assert_null(mfa_keyring_find(&ring, raw(NULL, 0)));
	assert_null(mfa_keyring_find(&ring, raw("old\0", 4)));
}

static void comments_and_blanks_do_no_harm(void **state)
{
	static char const *const good[] = {
		"k " KEY,
		"k " KEY "\n",
		"k\t" KEY "\r\n",
		"\n\n  # comment\n \t \n  k   " KEY " \t\n#k2 x\n",
		"abcdefghijklmnopqrstuvwxyz.-_012 " KEY,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ345678 " KEY,
		"9 " KEY,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		ring_parse(&ring, good[i]);
		assert_int_equal(ring.count, 1);
	}
}

static void a_bad_line_is_named(void **state)
{
	static struct {
		char const *text, *diag;
	} const bad[] = {
		{"", "no key in it"},
		{"\n# only this\n", "no key in it"},
		{"k\n", "line 1"},
		{"k " KEY "\nk " KEY "\n", "'k' is there twice"},
		{"\n\nk2=" KEY, "line 3"},
		{"k\xc3\xa9 " KEY, "line 1"},
		{"abcdefghijklmnopqrstuvwxyz0123456 " KEY, "line 1"},
		{KEY, "line 1"},
		{"k AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", "exactly 32 bytes"},
		{"k AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ==", "exactly 32 bytes"},
		{"k AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "exactly 32 bytes"},
		{"k AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "exactly 32 bytes"},
		{"k AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh_=", "exactly 32 bytes"},
		{"k " KEY " more", "exactly 32 bytes"},
		{"k ", "line 1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(mfa_keyring_parse(&ring, &diag, bytes(bad[i].text)),
				 MFA_ERR_FORMAT);
		if (!strstr(diag.text, bad[i].diag)) fail_msg("'%s': %s", bad[i].text, diag.text);
		assert_null(strstr(diag.text, "AAEC"));
		assert_zero(&ring, sizeof(ring));
	}
	assert_int_equal(mfa_keyring_parse(&ring, NULL, bytes("k")), MFA_ERR_FORMAT);
	assert_int_equal(mfa_keyring_parse(&ring, &diag, raw("k \0", 3)), MFA_ERR_FORMAT);
	assert_int_equal(mfa_keyring_parse(&ring, &diag, raw(NULL, 0)), MFA_ERR_FORMAT);
}

static void at_most_sixteen_keys(void **state)
{
	char text[2048];
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < MFA_KEYRING_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "k%u " KEY "\n", i);
	ring_parse(&ring, text);
	assert_int_equal(ring.count, MFA_KEYRING_MAX);
	(void)snprintf(text + n, sizeof(text) - n, "last " KEY "\n");
	assert_int_equal(mfa_keyring_parse(&ring, &diag, bytes(text)), MFA_ERR_SPACE);
	assert_zero(&ring, sizeof(ring));
}

/* ---- files, in a folder of our own */

static char folder[256], path[300], other[300];

static int make_folder(void **state)
{
	char const *tmp = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): one thread */

	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s/mfa-keyring-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder)) return -1;
	(void)snprintf(path, sizeof(path), "%s/ring", folder);
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(other);
	return rmdir(folder);
}

static void write_file(char const *text, size_t len, mode_t mode)
{
	int const fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void only_a_file_that_others_cannot_touch_is_read(void **state)
{
	static mode_t const good[] = {0400, 0600, 0440, 0640};
	static mode_t const bad[] = {0644, 0660, 0604, 0602, 0601, 0620, 0650, 0777};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		write_file(TWO_KEYS, strlen(TWO_KEYS), good[i]);
		assert_int_equal(mfa_keyring_load(&ring, &diag, path), MFA_OK);
		assert_int_equal(ring.count, 2);
		(void)unlink(path);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		write_file(TWO_KEYS, strlen(TWO_KEYS), bad[i]);
		assert_int_equal(mfa_keyring_load(&ring, &diag, path), MFA_ERR_DENIED);
		assert_non_null(strstr(diag.text, "allowed is 0640 or stricter"));
		assert_zero(&ring, sizeof(ring));
		(void)unlink(path);
	}
}

static void what_is_no_plain_file_is_not_read(void **state)
{
	(void)state;
	assert_int_equal(mfa_keyring_load(&ring, &diag, path), MFA_ERR_NOT_FOUND);
	assert_non_null(strstr(diag.text, "no such file"));
	assert_int_equal(mfa_keyring_load(&ring, &diag, folder), MFA_ERR_DENIED);

	write_file(TWO_KEYS, strlen(TWO_KEYS), 0600);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(mfa_keyring_load(&ring, &diag, path), MFA_ERR_NOT_FOUND);
	assert_non_null(strstr(diag.text, "symbolic link"));
	assert_int_equal(unlink(path), 0);

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(mfa_keyring_load(&ring, &diag, path), MFA_ERR_DENIED);
	assert_int_equal(unlink(path), 0);
}

static void a_file_has_a_largest_size(void **state)
{
	static char text[MFA_KEYRING_FILE_MAX + 1];

	(void)state;
	memset(text, '\n', sizeof(text));
	memcpy(text, TWO_KEYS, strlen(TWO_KEYS));
	write_file(text, MFA_KEYRING_FILE_MAX, 0600);
	assert_int_equal(mfa_keyring_load(&ring, &diag, path), MFA_OK);
	write_file(text, MFA_KEYRING_FILE_MAX + 1, 0600);
	assert_int_equal(mfa_keyring_load(&ring, &diag, path), MFA_ERR_SPACE);
	assert_zero(&ring, sizeof(ring));
}

/** A regular file of mode 0600 whose first byte cannot be read */
static void a_read_that_fails_is_not_the_end(void **state)
{
	(void)state;
	assert_int_equal(mfa_keyring_load(&ring, &diag, "/proc/self/mem"), MFA_ERR_NOT_FOUND);
	assert_non_null(strstr(diag.text, "cannot be read"));
	assert_zero(&ring, sizeof(ring));
}

static void a_cleared_ring_holds_nothing(void **state)
{
	(void)state;
	ring_parse(&ring, TWO_KEYS);
	mfa_keyring_clear(&ring);
	assert_zero(&ring, sizeof(ring));
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(keys_keep_the_order_of_the_file),
		cmocka_unit_test(each_purpose_has_a_key_of_its_own),
		cmocka_unit_test(a_key_is_found_by_its_whole_id),
		cmocka_unit_test(comments_and_blanks_do_no_harm),
		cmocka_unit_test(a_bad_line_is_named),
		cmocka_unit_test(at_most_sixteen_keys),
		cmocka_unit_test(only_a_file_that_others_cannot_touch_is_read),
		cmocka_unit_test(what_is_no_plain_file_is_not_read),
		cmocka_unit_test(a_file_has_a_largest_size),
		cmocka_unit_test(a_read_that_fails_is_not_the_end),
		cmocka_unit_test(a_cleared_ring_holds_nothing),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
