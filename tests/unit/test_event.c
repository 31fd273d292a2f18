/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "core/event.h"

#include <jansson.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char line[65536];

static void keep(void *uctx, char const *text)
{
	(void)uctx;
	(void)snprintf(line, sizeof(line), "%s", text);
}

static json_t *written(struct mfa_event const *event)
{
	struct mfa_event_sink sink = {.program = "test", .log = keep};
	struct mfa_diag diag;
	json_t *object;

	assert_int_equal(mfa_event_open(&sink, &diag, "log"), MFA_OK);
	assert_int_equal(mfa_event_write(&sink, event), MFA_OK);
	mfa_event_close(&sink);
	object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	return object;
}

static char const *text_at(json_t *object, char const *name)
{
	return json_string_value(json_object_get(object, name));
}

static void every_member_is_there(void **state)
{
	static char const *const members[] = {"time",	  "event",  "user",    "dn",
					      "entry_id", "actor",  "program", "source",
					      "factor",	  "result", "reason",  "login_id"};
	json_t *empty = written(&(struct mfa_event){.kind = MFA_EVENT_RESET, .time_s = 0});

	(void)state;
	assert_int_equal(json_object_size(empty), COUNT_OF(members));
	for (size_t i = 0; i < COUNT_OF(members); i++)
		assert_non_null(json_object_get(empty, members[i]));
	assert_string_equal(text_at(empty, "time"), "1970-01-01T00:00:00Z");
	assert_string_equal(text_at(empty, "event"), "reset");
	assert_string_equal(text_at(empty, "program"), "test");
	assert_true(json_is_null(json_object_get(empty, "dn")));
	json_decref(empty);
}

static void any_bytes_make_json(void **state)
{
	static uint8_t all[256 + 3];
	struct mfa_event event = {.user = raw(all, sizeof(all)),
				  .reason = "a \"b\" \\ \n\t\x7f \xc2\x85"};
	json_t *object;

	(void)state;
	for (unsigned i = 0; i < 256; i++) all[i] = (uint8_t)i;
	memcpy(all + 256, "\xe2\x82\xac", 3);
	object = written(&event);
	assert_null(strpbrk(line, "\n\r\x7f"));
	assert_null(strstr(line, "\xc2\x85"));
	assert_string_equal(text_at(object, "reason"), "a \"b\" \\ \n\t\x7f \xc2\x85");
	assert_non_null(strstr(text_at(object, "user"), "\xe2\x82\xac"));
	json_decref(object);
}

static void long_values_are_cut_between_characters(void **state)
{
	static char text[4096];
	json_t *object;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(text); i += 2) memcpy(text + i, "\xc3\xbc", 3);
	object = written(&(struct mfa_event){.dn = bytes(text), .entry_id = bytes("\x01\xff")});
	assert_int_equal(strlen(text_at(object, "dn")), 512);
	assert_string_equal(text_at(object, "entry_id"), "01ff");
	json_decref(object);
}

static void names_are_distinct(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MFA_EVENT_KIND_COUNT; i++) {
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(mfa_event_name(i), mfa_event_name(j));
	}
	assert_string_equal(mfa_event_name(MFA_EVENT_KIND_COUNT), "unknown");
}

static void a_file_is_appended_to_and_no_link_is_followed(void **state)
{
	char folder[] = "/tmp/mfa-event-XXXXXX", path[64], link[64];
	struct mfa_event_sink sink = {.program = "test"};
	struct mfa_event const event = {.kind = MFA_EVENT_LOGIN};
	struct mfa_diag diag;
	struct stat st;
	off_t once = 0;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/events", folder);
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(mfa_event_open(&sink, &diag, link), MFA_ERR_DENIED);
	assert_int_equal(mfa_event_open(&sink, &diag, folder), MFA_ERR_DENIED);
	assert_int_equal(mfa_event_open(&sink, &diag, "events"), MFA_ERR_FORMAT);
	assert_int_equal(mfa_event_open(&sink, &diag, "log"), MFA_ERR_FORMAT);
	assert_int_equal(stat(path, &st), -1);
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(mfa_event_open(&sink, &diag, path), MFA_OK);
		assert_int_equal(mfa_event_write(&sink, &event), MFA_OK);
		mfa_event_close(&sink);
		assert_int_equal(stat(path, &st), 0);
		if (i == 1) once = st.st_size;
	}
	assert_int_equal(st.st_size, 2 * once);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)unlink(path);
	(void)unlink(link);
	(void)rmdir(folder);
}

static void a_file_that_is_full_is_an_error(void **state)
{
	struct mfa_event_sink sink = {.target = MFA_EVENT_TO_FILE, .program = "test"};

	(void)state;
	sink.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(mfa_event_write(&sink, &(struct mfa_event){.time_s = 1}),
			 MFA_ERR_UNAVAILABLE);
	mfa_event_close(&sink);
}

static void a_login_id_tells_logins_apart(void **state)
{
	char one[MFA_LOGIN_ID_SIZE], again[MFA_LOGIN_ID_SIZE], other[MFA_LOGIN_ID_SIZE];

	(void)state;
	mfa_login_id(one, bytes("nonce one"));
	mfa_login_id(again, bytes("nonce one"));
	mfa_login_id(other, bytes("nonce two"));
	assert_int_equal(strlen(one), 16);
	assert_string_equal(one, again);
	assert_string_not_equal(one, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_is_there),
		cmocka_unit_test(any_bytes_make_json),
		cmocka_unit_test(long_values_are_cut_between_characters),
		cmocka_unit_test(names_are_distinct),
		cmocka_unit_test(a_file_is_appended_to_and_no_link_is_followed),
		cmocka_unit_test(a_file_that_is_full_is_an_error),
		cmocka_unit_test(a_login_id_tells_logins_apart),
	};

	return RUN(tests);
}
