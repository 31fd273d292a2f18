/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/etcd_http.h
 * @brief One POST of JSON to one member of etcd, by libcurl.
 */
#ifndef MFA_CORE_ETCD_HTTP_H
#define MFA_CORE_ETCD_HTTP_H

#include "core/config.h"

#include <stdint.h>

/** Connections that are kept; opaque */
struct mfa_etcd;

/** What came of one POST */
struct mfa_http_answer {
	long status;	   //!< Of HTTP; 0: none came.
	bool sent;	   //!< The question may have arrived.
	char const *text;  //!< Body, NUL-terminated; valid until the next POST.
	char const *error; //!< Why no status came.
};

/** Make it; NULL when memory ran out */
struct mfa_etcd *mfa_etcd_alloc(struct mfa_config const *config);

/** Close and forget; sets *etcd to NULL */
void mfa_etcd_free(struct mfa_etcd **etcd);

/** Ask
 *
 * Only HTTP and HTTPS, no proxy, no redirection; the certificate is checked.
 *
 * @param[in] token header for authorization; empty: none.
 * @param[in] limit_ms for all of it, 1 or more.
 */
void mfa_http_post(struct mfa_http_answer *answer, struct mfa_etcd *etcd, char const *url,
		   char const *token, char const *body, long limit_ms);

#endif /* MFA_CORE_ETCD_HTTP_H */
