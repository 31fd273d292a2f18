/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/throttle.h
 * @brief Slows down guessing, by user and by address, across processes and restarts.
 *
 * One small file of fixed size, a table of counters under one lock. It holds keyed
 * hashes, so that it tells nobody who tried what. A guess is counted before it is
 * looked at, so that many at the same moment are not all the first one.
 */
#ifndef MFA_ENROLL_THROTTLE_H
#define MFA_ENROLL_THROTTLE_H

#include "core/seal.h"

#define MFA_THROTTLE_SLOTS 8192u //!< Counters; the file has 32 bytes for each.

/** What is counted */
enum mfa_throttle_kind {
	MFA_THROTTLE_USER,    //!< Passwords, by user name.
	MFA_THROTTLE_ADDRESS, //!< Passwords and codes, by the visitor's address.
	MFA_THROTTLE_VOUCHER, //!< Vouchers, by user name.
	MFA_THROTTLE_KINDS
};

/** How much is allowed */
struct mfa_throttle_limit {
	uint32_t free;	     //!< Wrong guesses before the first wait.
	uint32_t wait_s;     //!< First wait; doubles with each further wrong guess.
	uint32_t wait_max_s; //!< Longest wait.
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
 * @param[out] wait_s 0 when the guess may be made; then mfa_throttle_clear() or
 *		      mfa_throttle_give_back() follows when it was right.
 * @return #MFA_OK, #MFA_ERR_INTERNAL when the file cannot be used: then refuse.
 */
enum mfa_rc mfa_throttle_take(uint32_t *wait_s, struct mfa_throttle const *throttle,
			      enum mfa_throttle_kind kind, char const *who, int64_t now_s)
	MFA_MUST_CHECK;

/** Forget what was counted: the guess was right */
void mfa_throttle_clear(struct mfa_throttle const *throttle, enum mfa_throttle_kind kind,
			char const *who);

/** Take one guess back: it was right, or it was never looked at */
void mfa_throttle_give_back(struct mfa_throttle const *throttle, enum mfa_throttle_kind kind,
			    char const *who);

#endif /* MFA_ENROLL_THROTTLE_H */
