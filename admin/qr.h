/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/qr.h
 * @brief A QR code on a terminal.
 */
#ifndef MFA_ADMIN_QR_H
#define MFA_ADMIN_QR_H

#include "core/err.h"

#include <stdbool.h>
#include <stdio.h>

/** Draw a QR code with UTF-8 half blocks, two modules a character
 *
 * @param[in] text  what the code says, NUL-terminated.
 * @param[in] color set black on white by escape sequences, whatever the terminal's colours
 *		    are; without it light modules are drawn, for a dark background.
 * @return #MFA_OK, #MFA_ERR_SPACE (too long), #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_cli_qr_draw(FILE *out, char const *text, bool color) MFA_MUST_CHECK;

#endif /* MFA_ADMIN_QR_H */
