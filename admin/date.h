/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/date.h
 * @brief Moments as administrators write them.
 */
#ifndef MFA_ADMIN_DATE_H
#define MFA_ADMIN_DATE_H

#include "core/text.h"

/** Read a moment
 *
 * "now"; "+14d", "+2w", "+12h", "+30m" from now; "2026-12-01" (0:00 UTC);
 * "2026-12-01T08:00", with seconds or without, with "Z" or an offset such as "+01:00"
 * behind it, UTC without one; or a Generalized Time (RFC 4517 section 3.3.13).
 *
 * @param[out] time_s seconds since the Unix epoch; 0 on failure.
 * @return #MFA_OK or #MFA_ERR_FORMAT.
 */
enum mfa_rc mfa_cli_date_parse(int64_t *time_s, struct mfa_bytes text, int64_t now_s)
	MFA_MUST_CHECK;

#endif /* MFA_ADMIN_DATE_H */
