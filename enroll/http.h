/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/http.h
 * @brief A request as CGI/1.1 (RFC 3875) hands it over, and the answer's head.
 */
#ifndef MFA_ENROLL_HTTP_H
#define MFA_ENROLL_HTTP_H

#include "core/address.h"
#include "enroll/form.h"
#include "enroll/out.h"

#define MFA_HTTP_PATH_MAX 256u //!< Bytes of a path, NUL included; longer ones do not exist.

/** How the request's body and the answer travel: plain CGI or FastCGI */
struct mfa_io {
	/** Read up to size bytes; 0 at the end, -1 on failure or when it took too long */
	int (*read)(void *uctx, char *data, int size);
	/** Write all; false when the visitor is gone */
	bool (*write)(void *uctx, char const *data, size_t len);
	/** Let nothing of the answer leave before this time, on the clock of mfa_http_clock_ms() */
	void (*hold)(void *uctx, int64_t until_ms);
	/** One line for the web server's error log */
	void (*log)(void *uctx, char const *line);
	void *uctx;
	char **env; //!< "NAME=value", as environ.
};

/** A request; pointers go into the environment */
struct mfa_http {
	char const *method; //!< Never NULL.
	char const *query;  //!< Never NULL.
	char const *cookie, *type, *accept_language;
	char base[MFA_HTTP_PATH_MAX]; //!< Where the page is mounted: "" or "/mfa".
	char path[MFA_HTTP_PATH_MAX]; //!< Below base: "/" or "/sign-in"; empty: cannot exist.
	char address[MFA_ADDRESS_TEXT_SIZE]; //!< The visitor's; "unknown".
	char network[MFA_ADDRESS_TEXT_SIZE]; //!< The same, an IPv6 one cut to its /64.
	char site[MFA_ADDRESS_TEXT_SIZE];    //!< An IPv6 one cut to its /48; empty for IPv4.
	bool https, loopback;
	bool cross_site;  //!< Another site's page sent it (Sec-Fetch-Site).
	int64_t body_len; //!< -1: not a number.
};

/** A clock that nobody sets, in milliseconds */
int64_t mfa_http_clock_ms(void);

/** Understand the environment
 *
 * @param[in] base_path where the page is mounted; empty: SCRIPT_NAME says so.
 * @param[in] proxies	whose X-Forwarded-For and X-Forwarded-Proto are believed.
 */
void mfa_http_read(struct mfa_http *http, struct mfa_io const *io, char const *base_path,
		   struct mfa_prefixes const *proxies);

/** Read the body of a form
 *
 * @param[out] body at least #MFA_FORM_BODY_MAX bytes; wipe it after use.
 * @return 0, or the HTTP status to refuse with: 413, 415, 408, 400.
 */
int mfa_http_read_body(uint8_t *body, size_t *body_len, struct mfa_http const *http,
		       struct mfa_io const *io);

/** The answer's head */
struct mfa_head {
	int status;
	char const *type;     //!< Content-Type.
	char const *allow;    //!< 405: methods; NULL.
	char const *language; //!< Content-Language; NULL.
	char location[MFA_HTTP_PATH_MAX * 2];
	uint32_t retry_after_s; //!< 0: none.
	bool cacheable;		//!< Style sheet and script: the same for everybody.
	char const *file_name;	//!< To be saved under this name; NULL.
};

/** Begin the head in @p out: status, type and the headers that protect every answer */
void mfa_head_write(struct mfa_out *out, struct mfa_head const *head, bool https);

/** Our cookies */
enum mfa_cookie {
	MFA_COOKIE_SESSION,
	MFA_COOKIE_CODES, //!< Fresh recovery codes on their way.
	MFA_COOKIE_KNOWN, //!< The browser signed somebody in before.
	MFA_COOKIE_KEY,	  //!< A key that waits for its first code.
	MFA_COOKIE_DRAFT, //!< What was typed before a session ended.
	MFA_COOKIE_COUNT
};

/** The name of a cookie; a host prefix binds it to this host under HTTPS (RFC 6265bis) */
char const *mfa_http_cookie_name(enum mfa_cookie cookie, bool https);

/** Add a cookie to the head: for so long, or gone at once when the value is empty */
void mfa_head_cookie(struct mfa_out *out, enum mfa_cookie cookie, char const *value, bool https,
		     uint32_t max_age_s);

#endif /* MFA_ENROLL_HTTP_H */
