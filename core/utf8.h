/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/utf8.h
 * @brief Well-formed UTF-8 (RFC 3629), one character at a time.
 */
#ifndef MFA_CORE_UTF8_H
#define MFA_CORE_UTF8_H

#include "core/text.h"

/** The length of the character that the text begins with
 *
 * @return 1..4 bytes, or 0 when the text is empty or does not begin with a well-formed character.
 */
size_t mfa_utf8_length(struct mfa_bytes text);

/** Whether all of it is well-formed and holds no control character (C0, DEL, C1) */
bool mfa_utf8_is_printable(struct mfa_bytes text);

#endif /* MFA_CORE_UTF8_H */
