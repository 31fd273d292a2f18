/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/filter.h
 * @brief Names of users in search filters and DNs.
 */
#ifndef MFA_CORE_FILTER_H
#define MFA_CORE_FILTER_H

#include "core/err.h"
#include "core/text.h"

/** Escape a value for a search filter (RFC 4515 section 3)
 *
 * @param[out] out NUL-terminated.
 * @return characters written, or -1 when it does not fit.
 */
int mfa_filter_escape(char *out, size_t out_size, struct mfa_bytes value);

/** Escape a value for a place in a DN (RFC 4514 section 2.4); otherwise as mfa_filter_escape() */
int mfa_dn_escape(char *out, size_t out_size, struct mfa_bytes value);

/** Put a user's name into the configured filter
 *
 * Replaces %{User-Name}, %{Stripped-User-Name} and
 * %{%{Stripped-User-Name}:-%{User-Name}}; any other expansion is for the RADIUS
 * server alone and refused.
 *
 * @return #MFA_OK, #MFA_ERR_FORMAT, #MFA_ERR_SPACE.
 */
enum mfa_rc mfa_filter_expand(char *out, size_t out_size, struct mfa_diag *diag, char const *filter,
			      struct mfa_bytes user) MFA_MUST_CHECK;

#endif /* MFA_CORE_FILTER_H */
