/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/cookie.h
 * @brief One cookie out of a Cookie header (RFC 6265 section 4.2).
 */
#ifndef MFA_ENROLL_COOKIE_H
#define MFA_ENROLL_COOKIE_H

#include "enroll/http.h"

/** Find a cookie
 *
 * Ours are named once. When a name comes twice somebody on a neighbouring host
 * set one of them, and neither is believed.
 *
 * @param[out] value points into @p header; empty on failure.
 * @param[in] header "a=b; c=d", any bytes.
 * @return #MFA_OK; #MFA_ERR_NOT_FOUND when it is not there, or there twice, or has a character
 *	other than letters, digits, '-', '_' and '.'.
 */
enum mfa_rc mfa_cookie_find(struct mfa_bytes *value, struct mfa_bytes header, char const *name)
	MFA_MUST_CHECK;

/** Copy one of our cookies out of a request
 *
 * @param[out] text NUL-terminated; empty when it is not there or does not fit.
 * @return whether it is there.
 */
bool mfa_cookie_take(char *text, size_t text_size, struct mfa_http const *http,
		     enum mfa_cookie cookie);

#endif /* MFA_ENROLL_COOKIE_H */
