/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static char const *get(struct mfa_io const *io, char const *name)
{
	size_t const len = strlen(name);

	for (char **item = io->env; item && *item; item++) {
		if (strncmp(*item, name, len) == 0 && (*item)[len] == '=') return *item + len + 1;
	}
	return NULL;
}

static char const *get_or(struct mfa_io const *io, char const *name, char const *other)
{
	char const *value = get(io, name);

	return value ? value : other;
}

static bool is_on(char const *value)
{
	return value && (strcasecmp(value, "on") == 0 || strcmp(value, "1") == 0);
}

int64_t mfa_http_clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/** The visitor's address, and whether TLS was used, by the web server or by a trusted proxy's word */
static void take_address(struct mfa_http *http, struct mfa_io const *io,
			 struct mfa_prefixes const *proxies)
{
	struct mfa_address address;

	mfa_address_parse(&address, mfa_bytes_of(get_or(io, "REMOTE_ADDR", "")));
	http->https = is_on(get(io, "HTTPS"));
	if (mfa_prefixes_hold(proxies, &address)) {
		if (strcasecmp(get_or(io, "HTTP_X_FORWARDED_PROTO", ""), "https") == 0)
			http->https = true;
		mfa_address_behind(&address, proxies, get_or(io, "HTTP_X_FORWARDED_FOR", ""));
	}
	http->loopback = mfa_address_is_loopback(&address);
	mfa_address_format(http->address, &address, 128);
	/* One household or one host has a /64 to choose from, one organisation a /48. */
	mfa_address_format(http->network, &address, 64);
	if (address.known && !mfa_address_is_four(&address))
		mfa_address_format(http->site, &address, 48);
}

/** Copy a path; what does not fit, or holds more than plain characters, cannot exist here */
static void copy_path(char out[static MFA_HTTP_PATH_MAX], char const *path, size_t len)
{
	static char const allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789/._~-";

	out[0] = '\0';
	if (len >= MFA_HTTP_PATH_MAX || strspn(path, allowed) < len) return;
	memcpy(out, path, len);
	out[len] = '\0';
}

/** Where the page is mounted, and what of it is asked for */
static void take_path(struct mfa_http *http, struct mfa_io const *io, char const *base_path)
{
	if (base_path[0] != '\0') {
		char const *uri = get_or(io, "REQUEST_URI", "");
		size_t const base_len = strcmp(base_path, "/") == 0 ? 0 : strlen(base_path);
		size_t const len = strcspn(uri, "?");

		copy_path(http->base, base_path, base_len);
		if (len < base_len || strncmp(uri, base_path, base_len) != 0) return;
		if (len == base_len) {
			copy_path(http->path, "/", 1);
		} else if (uri[base_len] == '/') {
			copy_path(http->path, uri + base_len, len - base_len);
		}
	} else {
		char const *script = get_or(io, "SCRIPT_NAME", "");
		char const *path = get_or(io, "PATH_INFO", "");
		size_t len = strlen(script);

		while (len > 0 && script[len - 1] == '/') len--;
		copy_path(http->base, script, len);
		if (path[0] == '\0') path = "/";
		copy_path(http->path, path, strlen(path));
	}
}

void mfa_http_read(struct mfa_http *http, struct mfa_io const *io, char const *base_path,
		   struct mfa_prefixes const *proxies)
{
	char const *len = get(io, "CONTENT_LENGTH");

	memset(http, 0, sizeof(*http));
	http->method = get_or(io, "REQUEST_METHOD", "");
	http->query = get_or(io, "QUERY_STRING", "");
	http->cookie = get_or(io, "HTTP_COOKIE", "");
	http->type = get_or(io, "CONTENT_TYPE", "");
	http->accept_language = get(io, "HTTP_ACCEPT_LANGUAGE");
	http->cross_site = strcmp(get_or(io, "HTTP_SEC_FETCH_SITE", ""), "cross-site") == 0;
	take_address(http, io, proxies);
	take_path(http, io, base_path);
	if (len && *len &&
	    mfa_text_number(&http->body_len, mfa_bytes_of(len), INT64_MAX) != MFA_OK) {
		http->body_len = -1;
	}
}

/** "application/x-www-form-urlencoded", with or without parameters */
static bool is_form(char const *type)
{
	static char const form[] = "application/x-www-form-urlencoded";
	size_t const len = sizeof(form) - 1;

	return strncasecmp(type, form, len) == 0 && strchr("; \t", type[len]) != NULL;
}

int mfa_http_read_body(uint8_t *body, size_t *body_len, struct mfa_http const *http,
		       struct mfa_io const *io)
{
	*body_len = 0;
	if (http->body_len < 0) return 400;
	if (http->body_len > MFA_FORM_BODY_MAX) return 413;
	if (!is_form(http->type)) return 415;
	while (*body_len < (size_t)http->body_len) {
		int const got = io->read(io->uctx, (char *)body + *body_len,
					 (int)((size_t)http->body_len - *body_len));

		if (got < 0) return 408;
		if (got == 0) return 400;
		*body_len += (size_t)got;
	}
	return 0;
}

static char const *reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 303: return "See Other";
	case 400: return "Bad Request";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 413: return "Content Too Large";
	case 415: return "Unsupported Media Type";
	case 429: return "Too Many Requests";
	case 503: return "Service Unavailable";
	default: return "Internal Server Error";
	}
}

/* Markup from us alone: no script or style but our files, no frame, no other host. */
static char const protection[] =
	"Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; "
	"img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"X-Frame-Options: DENY\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n";

void mfa_head_write(struct mfa_out *out, struct mfa_head const *head, bool https)
{
	char line[sizeof(head->location) + 64];

	(void)snprintf(line, sizeof(line), "Status: %d %s\r\nContent-Type: %s\r\n", head->status,
		       reason(head->status), head->type);
	mfa_out_raw(out, line);
	mfa_out_raw(out, protection);
	if (https) mfa_out_raw(out, "Strict-Transport-Security: max-age=31536000\r\n");
	mfa_out_raw(out, head->cacheable ? "Cache-Control: public, max-age=86400\r\n"
					 : "Cache-Control: no-store\r\n");
	(void)snprintf(line, sizeof(line), "Content-Language: %s\r\nVary: Accept-Language\r\n",
		       head->language ? head->language : "");
	if (head->language) mfa_out_raw(out, line);
	(void)snprintf(line, sizeof(line), "Location: %s\r\n", head->location);
	if (head->location[0] != '\0') mfa_out_raw(out, line);
	(void)snprintf(line, sizeof(line), "Allow: %s\r\n", head->allow ? head->allow : "");
	if (head->allow) mfa_out_raw(out, line);
	(void)snprintf(line, sizeof(line), "Retry-After: %u\r\n", head->retry_after_s);
	if (head->retry_after_s > 0) mfa_out_raw(out, line);
	(void)snprintf(line, sizeof(line), "Content-Disposition: attachment; filename=\"%s\"\r\n",
		       head->file_name ? head->file_name : "");
	if (head->file_name) mfa_out_raw(out, line);
}

char const *mfa_http_cookie_name(enum mfa_cookie cookie, bool https)
{
	static char const *const names[MFA_COOKIE_COUNT][2] = {
		[MFA_COOKIE_SESSION] = {"mfa", "__Host-mfa"},
		[MFA_COOKIE_CODES] = {"mfa-codes", "__Host-mfa-codes"},
		[MFA_COOKIE_KNOWN] = {"mfa-known", "__Host-mfa-known"},
		[MFA_COOKIE_KEY] = {"mfa-key", "__Host-mfa-key"},
		[MFA_COOKIE_DRAFT] = {"mfa-draft", "__Host-mfa-draft"},
	};

	return names[cookie][https ? 1 : 0];
}

void mfa_head_cookie(struct mfa_out *out, enum mfa_cookie cookie, char const *value, bool https,
		     uint32_t max_age_s)
{
	char age[32];

	(void)snprintf(age, sizeof(age), "; Max-Age=%u", value[0] ? max_age_s : 0);
	mfa_out_raw(out, "Set-Cookie: ");
	mfa_out_raw(out, mfa_http_cookie_name(cookie, https));
	mfa_out_raw(out, "=");
	mfa_out_raw(out, value);
	/* Lax: a link from elsewhere shows the page as it is; forms need their token anyway. */
	mfa_out_raw(out, "; Path=/; HttpOnly; SameSite=Lax");
	if (https) mfa_out_raw(out, "; Secure");
	mfa_out_raw(out, age);
	mfa_out_raw(out, "\r\n");
}
