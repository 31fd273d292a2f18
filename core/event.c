/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/event.h"

#include "core/challenge.h"
#include "core/utf8.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VALUE_MAX 512u /* bytes of a value that are written */

static char const *const names[MFA_EVENT_KIND_COUNT] = {
	[MFA_EVENT_LOGIN] = "login",
	[MFA_EVENT_SIGN_IN] = "sign_in",
	[MFA_EVENT_SIGN_OUT] = "sign_out",
	[MFA_EVENT_CODE] = "code",
	[MFA_EVENT_VOUCHER] = "voucher",
	[MFA_EVENT_DEVICE_ADDED] = "device_added",
	[MFA_EVENT_DEVICE_CHANGED] = "device_changed",
	[MFA_EVENT_DEVICE_REMOVED] = "device_removed",
	[MFA_EVENT_DEVICES_REPLACED] = "devices_replaced",
	[MFA_EVENT_RECOVERY_CODES] = "recovery_codes",
	[MFA_EVENT_TRUSTED_FORGOTTEN] = "trusted_forgotten",
	[MFA_EVENT_TURNED_OFF] = "turned_off",
	[MFA_EVENT_INVITED] = "invited",
	[MFA_EVENT_REQUIRED] = "required",
	[MFA_EVENT_SUSPENDED] = "suspended",
	[MFA_EVENT_RESUMED] = "resumed",
	[MFA_EVENT_RESET] = "reset",
	[MFA_EVENT_UNLOCKED] = "unlocked",
	[MFA_EVENT_IMPORTED] = "imported",
	[MFA_EVENT_EXPORTED] = "exported",
	[MFA_EVENT_REENCRYPTED] = "reencrypted",
	[MFA_EVENT_KEY_RING] = "key_ring",
};

char const *mfa_event_name(enum mfa_event_kind kind)
{
	return (unsigned)kind < MFA_EVENT_KIND_COUNT ? names[kind] : "unknown";
}

/** Write a character of a JSON string; NUL and broken UTF-8 become U+FFFD, byte by byte
 *
 * @return how many bytes were taken.
 */
static size_t put_character(FILE *out, struct mfa_bytes text)
{
	size_t const len = mfa_utf8_length(text);
	uint8_t const c = text.data[0];
	bool const is_c1 = len == 2 && c == 0xc2 && text.data[1] < 0xa0;

	if (len == 0 || c == '\0') {
		(void)fputs("\\ufffd", out);
		return 1;
	}
	if (c < ' ' || c == 0x7f || is_c1) {
		(void)fprintf(out, "\\u%04x", is_c1 ? text.data[1] : c);
	} else if (c == '"' || c == '\\') {
		(void)fprintf(out, "\\%c", c);
	} else {
		(void)fwrite(text.data, 1, len, out);
	}
	return len;
}

static void put_name(FILE *out, char const *name)
{
	(void)fprintf(out, "\"%s\":", name);
}

/** A member of an object: its name and a string, or null */
static void put_bytes(FILE *out, char const *name, struct mfa_bytes text)
{
	struct mfa_bytes rest = text;

	put_name(out, name);
	if (text.len == 0) {
		(void)fputs("null", out);
		return;
	}
	(void)fputc('"', out);
	while (rest.len > 0 && text.len - rest.len < VALUE_MAX) {
		size_t const used = put_character(out, rest);

		rest.data += used;
		rest.len -= used;
	}
	(void)fputc('"', out);
}

static void put_text(FILE *out, char const *name, char const *text)
{
	put_bytes(out, name, text ? mfa_bytes_of(text) : (struct mfa_bytes){0});
}

/** An id is text on most servers, and binary on Active Directory */
static void put_id(FILE *out, struct mfa_bytes id)
{
	if (mfa_utf8_is_printable(id)) {
		put_bytes(out, "entry_id", id);
		return;
	}
	put_name(out, "entry_id");
	(void)fputc('"', out);
	for (size_t i = 0; i < id.len && i < VALUE_MAX; i++) (void)fprintf(out, "%02x", id.data[i]);
	(void)fputc('"', out);
}

static void put_time(FILE *out, int64_t time_s)
{
	char stamp[MFA_TIME_SIZE], text[32];

	if (mfa_time_format(stamp, time_s) != MFA_OK) {
		put_text(out, "time", NULL);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", stamp, stamp + 4,
		       stamp + 6, stamp + 8, stamp + 10, stamp + 12);
	put_text(out, "time", text);
}

static void put_actor(FILE *out, struct mfa_event const *event)
{
	static char const *const kind[] = {[MFA_ACTOR_USER] = "user",
					   [MFA_ACTOR_ADMINISTRATOR] = "administrator",
					   [MFA_ACTOR_SERVER] = "server"};

	put_name(out, "actor");
	(void)fputc('{', out);
	put_text(out, "kind", kind[event->actor]);
	(void)fputc(',', out);
	put_text(out, "name", event->actor_name);
	(void)fputc(',', out);
	put_text(out, "login", event->actor_login);
	(void)fputc('}', out);
}

static void put_source(FILE *out, struct mfa_event const *event)
{
	put_name(out, "source");
	(void)fputc('{', out);
	put_bytes(out, "nas", event->nas);
	(void)fputc(',', out);
	put_text(out, "address", event->address);
	(void)fputc(',', out);
	put_bytes(out, "device", event->device);
	(void)fputc(',', out);
	put_text(out, "client", event->client);
	(void)fputc('}', out);
}

static void put_event(FILE *out, struct mfa_event const *event, char const *program)
{
	(void)fputc('{', out);
	put_time(out, event->time_s);
	(void)fputc(',', out);
	put_text(out, "event", mfa_event_name(event->kind));
	(void)fputc(',', out);
	put_bytes(out, "user", event->user);
	(void)fputc(',', out);
	put_bytes(out, "dn", event->dn);
	(void)fputc(',', out);
	put_id(out, event->entry_id);
	(void)fputc(',', out);
	put_actor(out, event);
	(void)fputc(',', out);
	put_text(out, "program", program);
	(void)fputc(',', out);
	put_source(out, event);
	(void)fputc(',', out);
	put_text(out, "factor", event->factor);
	(void)fputc(',', out);
	put_text(out, "result", event->result);
	(void)fputc(',', out);
	put_text(out, "reason", event->reason);
	(void)fputc(',', out);
	put_text(out, "login_id", event->login_id);
	(void)fputs("}\n", out);
}

static enum mfa_rc open_file(struct mfa_event_sink *sink, struct mfa_diag *diag, char const *path)
{
	struct stat st;

	sink->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			S_IRUSR | S_IWUSR);
	if (sink->fd >= 0 && fstat(sink->fd, &st) == 0 && S_ISREG(st.st_mode)) {
		sink->target = MFA_EVENT_TO_FILE;
		return MFA_OK;
	}
	mfa_event_close(sink);
	mfa_diag_set(diag, "events: '%s' cannot be opened for appending, or is no regular file",
		     path);
	return MFA_ERR_DENIED;
}

enum mfa_rc mfa_event_open(struct mfa_event_sink *sink, struct mfa_diag *diag, char const *where)
{
	sink->fd = -1;
	sink->target = MFA_EVENT_TO_NOTHING;
	if (strcmp(where, "none") == 0) return MFA_OK;
	if (strcmp(where, "syslog") == 0) {
		sink->target = MFA_EVENT_TO_SYSLOG;
		return MFA_OK;
	}
	if (strcmp(where, "log") == 0 && sink->log) {
		sink->target = MFA_EVENT_TO_LOG;
		return MFA_OK;
	}
	if (where[0] == '/') return open_file(sink, diag, where);
	mfa_diag_set(diag, "'events' must be none, syslog, %sor the absolute path of a file",
		     sink->log ? "log " : "");
	return MFA_ERR_FORMAT;
}

void mfa_event_close(struct mfa_event_sink *sink)
{
	if (sink->fd >= 0) (void)close(sink->fd);
	sink->fd = -1;
	sink->target = MFA_EVENT_TO_NOTHING;
}

/** One write, so that lines of several processes do not mix */
static enum mfa_rc send_line(struct mfa_event_sink const *sink, char *line, size_t len)
{
	if (sink->target == MFA_EVENT_TO_FILE)
		return write(sink->fd, line, len) == (ssize_t)len ? MFA_OK : MFA_ERR_UNAVAILABLE;
	line[len - 1] = '\0';
	if (sink->target == MFA_EVENT_TO_SYSLOG) {
		sink->system_log(line);
	} else {
		sink->log(sink->uctx, line);
	}
	return MFA_OK;
}

enum mfa_rc mfa_event_write(struct mfa_event_sink const *sink, struct mfa_event const *event)
{
	char *line = NULL;
	size_t len = 0;
	FILE *out;
	enum mfa_rc rc = MFA_ERR_NOMEM;

	if (sink->target == MFA_EVENT_TO_NOTHING) return MFA_OK;
	out = open_memstream(&line, &len);
	if (!out) return rc;
	put_event(out, event, sink->program);
	if (fclose(out) == 0) rc = send_line(sink, line, len);
	free(line);
	return rc;
}

void mfa_login_id(char id[static MFA_LOGIN_ID_SIZE], struct mfa_bytes nonce)
{
	uint8_t hash[MFA_CHALLENGE_HASH];

	id[0] = '\0';
	if (mfa_challenge_hash(hash, nonce) != MFA_OK) return;
	for (size_t i = 0; i < (MFA_LOGIN_ID_SIZE - 1) / 2; i++)
		(void)snprintf(id + 2 * i, 3, "%02x", hash[i]);
}
