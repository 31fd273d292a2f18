/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/output.h"

#include "core/utf8.h"

#include <openssl/crypto.h>

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_EVERY 500u

static uint32_t utf8_decode(uint8_t const *at, size_t len)
{
	static uint8_t const mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = at[0] & mask[len];

	for (size_t i = 1; i < len; i++) c = c << 6 | (at[i] & 0x3fu);
	return c;
}

/** Control characters, and what is invisible or turns the direction (UAX 9, UTS 39) */
static bool is_deceptive(uint8_t const *at, size_t len)
{
	static struct {
		uint32_t from, to;
	} const range[] = {
		{0, 0x1f},	  {0x7f, 0x9f},	    {0xad, 0xad},     {0x34f, 0x34f},
		{0x61c, 0x61c},	  {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180e},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
		{0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
	};
	uint32_t const c = utf8_decode(at, len);

	for (size_t i = 0; i < sizeof(range) / sizeof(range[0]); i++) {
		if (c >= range[i].from && c <= range[i].to) return true;
	}
	return false;
}

/** @param[in] keep a character that is kept although it is a control character */
static void clean(char *out, size_t out_size, struct mfa_bytes text, char keep)
{
	size_t n = 0;

	while (text.len > 0) {
		size_t const len = mfa_utf8_length(text);
		size_t const used = len ? len : 1;

		if (n + used >= out_size) break;
		if (len == 0 ||
		    (is_deceptive(text.data, len) && (!keep || *text.data != (uint8_t)keep))) {
			out[n++] = '?';
		} else {
			memcpy(out + n, text.data, len);
			n += len;
		}
		text.data += used;
		text.len -= used;
	}
	out[n] = '\0';
}

void mfa_cli_clean(char *out, size_t out_size, struct mfa_bytes text)
{
	clean(out, out_size, text, '\0');
}

void mfa_cli_say(struct mfa_cli const *cli, char const *fmt, ...)
{
	char raw[1792], text[1792];
	va_list args;

	if (cli->args.json) return;
	va_start(args, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	clean(text, sizeof(text), mfa_bytes_of(raw), '\n');
	(void)fputs(text, stdout);
	OPENSSL_cleanse(raw, sizeof(raw));
	OPENSSL_cleanse(text, sizeof(text));
}

void mfa_cli_warn(char const *fmt, ...)
{
	char raw[1024], clean[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	mfa_cli_clean(clean, sizeof(clean), mfa_bytes_of(raw));
	(void)fflush(stdout);
	(void)fprintf(stderr, MFA_CLI_NAME ": %s\n", clean);
}

void mfa_cli_json(struct mfa_cli const *cli, json_t *object)
{
	if (cli->args.json && object) {
		(void)json_dumpf(object, stdout, JSON_COMPACT);
		(void)putchar('\n');
	}
	json_decref(object);
}

json_t *mfa_cli_json_text(struct mfa_bytes text)
{
	char *clean = malloc(text.len + 1);
	json_t *string;

	if (!clean) return NULL;
	mfa_cli_clean(clean, text.len + 1, text);
	string = json_string(clean);
	free(clean);
	return string;
}

json_t *mfa_cli_json_time(int64_t time_s)
{
	char text[MFA_CLI_TIME_SIZE];

	return time_s < 0 ? json_null() : json_string(mfa_cli_time_format(text, time_s));
}

char const *mfa_cli_time_format(char out[static MFA_CLI_TIME_SIZE], int64_t time_s)
{
	time_t const time = (time_t)time_s;
	struct tm tm;

	if (time_s < 0 || !gmtime_r(&time, &tm) ||
	    strftime(out, MFA_CLI_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		memcpy(out, "-", 2);
	}
	return out;
}

char const *mfa_cli_span_format(char out[static MFA_CLI_TIME_SIZE], int64_t span_s)
{
	static struct {
		int64_t from_s, unit_s;
		char const *name;
	} const unit[] = {
		{172800, 86400, "days"}, {7200, 3600, "h"}, {120, 60, "min"}, {0, 1, "s"}};
	size_t i = 0;

	if (span_s < 0) span_s = 0;
	while (span_s < unit[i].from_s) i++;
	(void)snprintf(out, MFA_CLI_TIME_SIZE, "%lld %s", (long long)(span_s / unit[i].unit_s),
		       unit[i].name);
	return out;
}

void mfa_cli_progress(struct mfa_cli const *cli, char const *what, uint64_t count)
{
	if (cli->args.quiet || (!cli->args.progress && isatty(STDERR_FILENO) != 1)) return;
	if (!what) {
		(void)fputs(isatty(STDERR_FILENO) == 1 ? "\r\033[K" : "", stderr);
	} else if (count % PROGRESS_EVERY == 0) {
		(void)fprintf(stderr, isatty(STDERR_FILENO) == 1 ? "\r%llu %s" : "%llu %s\n",
			      (unsigned long long)count, what);
	}
	(void)fflush(stderr);
}

void mfa_cli_warn_if_readable(int fd, char const *what)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return;
	if (st.st_mode & (S_IRGRP | S_IROTH)) {
		mfa_cli_warn("warning: %s go to a file of mode %04o that others can read", what,
			     (unsigned)st.st_mode & 07777u);
	}
}

bool mfa_cli_can_show(struct mfa_cli *cli, char const *title)
{
	if (cli->args.json) {
		(void)putchar(' ');
	} else {
		mfa_cli_say(cli, "%s\n", title);
	}
	cli->mute = !mfa_cli_flush();
	return !cli->mute;
}

bool mfa_cli_is_read(struct mfa_cli *cli)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = 0};

	if (!cli->mute && poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLNVAL))) {
		cli->mute = true;
		mfa_cli_warn("nobody reads the output any more: nothing more is changed");
	}
	return !cli->mute;
}

bool mfa_cli_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout)) return true;
	mfa_cli_warn("the output could not be written");
	return false;
}
