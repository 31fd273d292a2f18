/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/http.h
 * @brief A request as CGI/1.1 (RFC 3875) hands it over, and the answer's head.
 */
#ifndef MFA_ENROLL_HTTP_H
#define MFA_ENROLL_HTTP_H

#include "enroll/form.h"
#include "enroll/out.h"

#define MFA_HTTP_PATH_MAX 256u //!< Bytes of a path, NUL included; longer ones do not exist.

/** How the request's body and the answer travel: plain CGI or FastCGI */
struct mfa_io {
	/** Read up to size bytes; 0 at the end, -1 on failure or when it took too long */
	int (*read)(void *uctx, char *data, int size);
	/** Write all; false when the visitor is gone */
	bool (*write)(void *uctx, char const *data, size_t len);
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
	char address[64];	      //!< The visitor's; an IPv6 one is cut to its /64.
	bool https, loopback;
	int64_t body_len; //!< -1: not a number.
};

/** Understand the environment
 *
 * @param[in] base_path where the page is mounted; empty: SCRIPT_NAME says so.
 */
void mfa_http_read(struct mfa_http *http, struct mfa_io const *io, char const *base_path);

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

/** Add a cookie to the head: of this session, or gone at once when the value is empty */
void mfa_head_cookie(struct mfa_out *out, char const *name, char const *value, bool https,
		     uint32_t max_age_s);

/** The names of our cookies; a host prefix binds them to this host under HTTPS (RFC 6265bis) */
char const *mfa_http_session_cookie(bool https);
char const *mfa_http_codes_cookie(bool https);

#endif /* MFA_ENROLL_HTTP_H */
