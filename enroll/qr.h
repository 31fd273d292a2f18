/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/qr.h
 * @brief A QR code as inline SVG (ISO/IEC 18004, by libqrencode).
 */
#ifndef MFA_ENROLL_QR_H
#define MFA_ENROLL_QR_H

#include "enroll/out.h"

/** Draw
 *
 * Black on white in dark mode too, with the four modules of margin that readers need.
 *
 * @param[in] text  what it says; at most 768 bytes.
 * @param[in] label for those who do not see it.
 * @return #MFA_OK, #MFA_ERR_INTERNAL.
 */
enum mfa_rc mfa_qr_draw(struct mfa_out *out, char const *text, char const *label) MFA_MUST_CHECK;

#endif /* MFA_ENROLL_QR_H */
