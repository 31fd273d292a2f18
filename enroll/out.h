/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/out.h
 * @brief The page being written, and the one place where text is escaped for HTML.
 */
#ifndef MFA_ENROLL_OUT_H
#define MFA_ENROLL_OUT_H

#include "core/text.h"

#define MFA_OUT_SIZE 131072u //!< Bytes of the largest page.

/** A buffer of fixed size; what does not fit sets failed, and the page is not sent */
struct mfa_out {
	size_t len;
	bool failed;
	char data[MFA_OUT_SIZE];
};

/** Forget what was written, and wipe it: pages hold keys and recovery codes; what failed stays so */
void mfa_out_clear(struct mfa_out *out);

/** As mfa_out_clear(), for the next request */
void mfa_out_reset(struct mfa_out *out);

/** Append bytes as they are: for markup that this program wrote itself */
void mfa_out_raw(struct mfa_out *out, char const *markup);

/** Append text, escaped for HTML, in element content and in quoted attributes alike
 *
 * Control characters and ill-formed UTF-8 become U+FFFD.
 */
void mfa_out_text(struct mfa_out *out, char const *text);

/** As mfa_out_text(), for text that does not end in a NUL */
void mfa_out_bytes(struct mfa_out *out, struct mfa_bytes text);

/** Append a number in decimal */
void mfa_out_number(struct mfa_out *out, int64_t number);

#endif /* MFA_ENROLL_OUT_H */
