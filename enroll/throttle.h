/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/throttle.h
 * @brief Slows down guessing, by user and by address, across processes and restarts.
 *
 * One small file of fixed size, a table of counters under one lock. It holds keyed
 * hashes, so that it tells nobody who tried what. A guess is counted before it is
 * looked at, so that many at the same moment are not all the first one. What turned out
 * to be right leaves no trace: nobody else waits for it. Counts decay.
 */
#ifndef MFA_ENROLL_THROTTLE_H
#define MFA_ENROLL_THROTTLE_H

#include "core/seal.h"

#define MFA_THROTTLE_SLOTS   8192u //!< Counters; the file has 32 bytes for each.
#define MFA_THROTTLE_WHO_MAX 95u   //!< Characters of a name of a counter.

/** What is counted */
enum mfa_throttle_kind {
	MFA_THROTTLE_NAME,    //!< Passwords, by the name that was typed, known or not.
	MFA_THROTTLE_ENTRY,   //!< Passwords, by the entry, however its name was spelled.
	MFA_THROTTLE_BROWSER, //!< Passwords of one user from a browser that signed in before.
	MFA_THROTTLE_ADDRESS, //!< Passwords and codes, by the visitor's address or IPv6 /64.
	MFA_THROTTLE_SITE,    //!< The same, by IPv6 /48.
	MFA_THROTTLE_VOUCHER, //!< Vouchers, by user.
	MFA_THROTTLE_ENDED,   //!< No guess: a session that was ended, by its id.
	MFA_THROTTLE_LEFT,    //!< No guess: a user who ended all sessions, by entry.
	MFA_THROTTLE_KINDS
};

/** How much is allowed */
struct mfa_throttle_limit {
	uint32_t free;	     //!< Wrong guesses before the first wait.
	uint32_t wait_s;     //!< First wait; doubles with each further wrong guess.
	uint32_t wait_max_s; //!< Longest wait.
	uint32_t forget_s;   //!< One wrong guess is forgotten after each so many seconds.
};

/** A guess that was counted */
struct mfa_throttle_guess {
	enum mfa_throttle_kind kind;
	char who[MFA_THROTTLE_WHO_MAX + 1];
	int64_t time_s;	    //!< When it was counted.
	int64_t previous_s; //!< The guess before it.
};

/** An open table */
struct mfa_throttle {
	int fd; //!< -1 when it is closed.
	uint8_t key[MFA_KEY_SIZE];
	struct mfa_throttle_limit limit[MFA_THROTTLE_KINDS];
};

/** Open the file, and make it when it is not there
 *
 * @param[in] key  hashes names and addresses.
 * @return #MFA_OK; #MFA_ERR_NOT_FOUND when it cannot be opened or made, #MFA_ERR_DENIED when it
 *	is not a regular file.
 */
enum mfa_rc mfa_throttle_open(struct mfa_throttle *throttle, struct mfa_diag *diag,
			      char const *path, uint8_t const key[static MFA_KEY_SIZE])
	MFA_MUST_CHECK;

void mfa_throttle_close(struct mfa_throttle *throttle);

/** Count a guess as wrong in advance, or say how long to wait
 *
 * @param[in,out] guess  kind and who are set; the rest is for mfa_throttle_give_back().
 * @param[out] wait_s	 0 when the guess may be made; then mfa_throttle_clear() or
 *			 mfa_throttle_give_back() follows unless it was wrong.
 * @return #MFA_OK, #MFA_ERR_INTERNAL when the file cannot be used: then refuse.
 */
enum mfa_rc mfa_throttle_take(uint32_t *wait_s, struct mfa_throttle const *throttle,
			      struct mfa_throttle_guess *guess, int64_t now_s) MFA_MUST_CHECK;

/** Forget all guesses of this counter */
void mfa_throttle_clear(struct mfa_throttle const *throttle,
			struct mfa_throttle_guess const *guess);

/** Take one guess back: it was right, or it was never looked at */
void mfa_throttle_give_back(struct mfa_throttle const *throttle,
			    struct mfa_throttle_guess const *guess);

/** When something was counted last, Unix time; 0: never, or it is forgotten
 *
 * @return #MFA_OK, #MFA_ERR_INTERNAL when the file cannot be used: then refuse.
 */
enum mfa_rc mfa_throttle_latest(int64_t *time_s, struct mfa_throttle const *throttle,
				struct mfa_throttle_guess const *guess, int64_t now_s)
	MFA_MUST_CHECK;

/** Remember how long the directory took to look at a password
 *
 * The slowest of the last hours counts; its weight halves each hour.
 */
void mfa_throttle_note_pace(struct mfa_throttle const *throttle, uint32_t took_ms, int64_t now_s);

/** Milliseconds that a refusal takes at least, so that the time does not tell names apart
 *
 * Longer than the directory took for any password lately, known names or not.
 */
uint32_t mfa_throttle_pace_ms(struct mfa_throttle const *throttle, int64_t now_s);

#endif /* MFA_ENROLL_THROTTLE_H */
