/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/err.h
 * @brief Whether the work could be done, and why not in one line.
 */
#ifndef MFA_CORE_ERR_H
#define MFA_CORE_ERR_H

#include <stdbool.h>

#define MFA_MUST_CHECK	     __attribute__((warn_unused_result))
#define MFA_PRINTF(_f, _arg) __attribute__((format(printf, _f, _arg)))

/** Whether a core function could do its work
 *
 * 0 is success, negative is failure, positive is never returned.  A code that
 * was refused is not a failure of the function: see #mfa_verdict.
 */
enum mfa_rc {
	MFA_OK = 0,		  //!< The work was done and all outputs are set.
	MFA_ERR_INTERNAL = -1,	  //!< A bug, or a library failed that should not.
	MFA_ERR_NOMEM = -2,	  //!< Memory ran out.
	MFA_ERR_ARG = -3,	  //!< An argument is outside its documented range.
	MFA_ERR_FORMAT = -4,	  //!< Stored or received text does not parse.
	MFA_ERR_SPACE = -5,	  //!< A fixed buffer is too small for what arrived.
	MFA_ERR_CRYPTO = -6,	  //!< OpenSSL or liboath failed, or a box does not open.
	MFA_ERR_NOT_FOUND = -7,	  //!< No such entry, value, key or match.
	MFA_ERR_CONFLICT = -8,	  //!< Someone else changed the record first; nothing was written.
	MFA_ERR_UNAVAILABLE = -9, //!< The directory did not answer in time, or not at all.
	MFA_ERR_DENIED = -10,	  //!< The directory answered and refused.
	MFA_ERR_AMBIGUOUS = -11,  //!< More than one entry matches.
	MFA_ERR_BROKEN = -12, //!< The connection broke; a change that was sent may be made or not.
};

#define MFA_DIAG_SIZE 320u //!< Bytes of a diagnosis, NUL included.

/** One line that tells a person what was wrong; never holds a secret, a code or a key */
struct mfa_diag {
	char text[MFA_DIAG_SIZE]; //!< NUL-terminated, cut when too long, no line breaks.
};

/** Whether to read the entry again and decide again: somebody was faster, or nobody knows */
static inline bool mfa_rc_again(enum mfa_rc rc)
{
	return rc == MFA_ERR_CONFLICT || rc == MFA_ERR_BROKEN;
}

/** The name of an error code, for logs and tests
 *
 * @param[in] rc any value, also one outside the enumeration.
 * @return a static string such as "MFA_ERR_FORMAT"; never NULL.
 */
char const *mfa_rc_name(enum mfa_rc rc);

/** Write a diagnosis that needs no argument; @p text is a constant of the program */
void mfa_diag_say(struct mfa_diag *diag, char const *text);

/** Write a diagnosis
 *
 * Control characters that arrive by an argument become '?', so that nobody can
 * forge a log line.
 *
 * @param[out] diag where to; NULL is allowed and does nothing.
 * @param[in] fmt   as printf(3).
 */
void mfa_diag_set(struct mfa_diag *diag, char const *fmt, ...) MFA_PRINTF(2, 3);

#endif /* MFA_CORE_ERR_H */
