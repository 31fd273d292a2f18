/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/guess.h
 * @brief What a guess of a password, a code or a voucher is counted under.
 *
 * A password is counted by the name that was typed, by the entry that it belongs to, and by
 * the address.  A browser that signed the same user in before has a sealed cookie that says
 * so, and a counter of its own: strangers who guess do not shut that user out there.
 */
#ifndef MFA_ENROLL_GUESS_H
#define MFA_ENROLL_GUESS_H

#include "enroll/web.h"

#define MFA_GUESS_COUNTERS 4u

/** A guess under way */
struct mfa_guess {
	size_t count;
	struct mfa_throttle_guess list[MFA_GUESS_COUNTERS];
};

/** Count a password, or tell the visitor to wait
 *
 * @param[in] name  as it was typed; case, and blanks around it, make no other name.
 * @param[in] entry whether web->login->entry is the user's; without one the name is counted.
 * @return false when it must not be tried; then the problem is set.
 */
bool mfa_guess_password(struct mfa_guess *guess, struct mfa_web *web, char const *name, bool entry);

/** Count a code: by address, since by user the record counts them; otherwise as above */
bool mfa_guess_code(struct mfa_guess *guess, struct mfa_web *web);

/** Count a voucher of the visitor; otherwise as above */
bool mfa_guess_voucher(struct mfa_guess *guess, struct mfa_web *web);

/** It was right: it leaves no trace, and what is counted for this user is forgotten */
void mfa_guess_right(struct mfa_web *web, struct mfa_guess const *guess);

/** It was not looked at: it leaves no trace */
void mfa_guess_unanswered(struct mfa_web *web, struct mfa_guess const *guess);

/** End the session, for every copy of its cookie; or all sessions of its user
 *
 * @return false when it cannot be remembered.
 */
bool mfa_session_end(struct mfa_web *web, bool everywhere);

/** Whether the session was ended before; true also when that cannot be known */
bool mfa_session_is_ended(struct mfa_web const *web);

/** Begin after the moment at which all sessions of the user were ended last */
void mfa_session_follow(struct mfa_web *web);

/** Let this browser be known for the user of web->login->entry from now on */
enum mfa_rc mfa_guess_know_browser(struct mfa_web *web) MFA_MUST_CHECK;

#endif /* MFA_ENROLL_GUESS_H */
