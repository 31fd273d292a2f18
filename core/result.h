/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/result.h
 * @brief How a login ended, in one word.
 */
#ifndef MFA_CORE_RESULT_H
#define MFA_CORE_RESULT_H

/** What happened, for policies and logs */
enum mfa_result {
	MFA_RESULT_REJECTED = 0, //!< The code was wrong, or the login is not valid.
	MFA_RESULT_OFF,		 //!< No MFA for this user.
	MFA_RESULT_ACCEPTED,	 //!< A TOTP code was right.
	MFA_RESULT_RECOVERY,	 //!< A recovery code was right.
	MFA_RESULT_TRUSTED,	 //!< A remembered device.
	MFA_RESULT_CHALLENGED,	 //!< A code is asked for.
	MFA_RESULT_REPLAYED,	 //!< The code was right, but used before.
	MFA_RESULT_LOCKED,	 //!< Too many wrong codes.
	MFA_RESULT_UNENROLLED,	 //!< Invited or overdue.
	MFA_RESULT_BROKEN,	 //!< The record cannot be understood.
	MFA_RESULT_UNAVAILABLE,	 //!< The directory cannot be asked.
	MFA_RESULT_EXPIRED,	 //!< The challenge was answered too late.
	MFA_RESULT_SKIPPED,	 //!< A policy asked for no MFA.
	MFA_RESULT_COUNT
};

/** The names "rejected", "off", "accepted" and so on */
char const *mfa_result_name(enum mfa_result result);

#endif /* MFA_CORE_RESULT_H */
