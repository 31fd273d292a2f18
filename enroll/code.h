/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/code.h
 * @brief Changes of the record: with a code that core accepted, in the same modify, or not at all.
 */
#ifndef MFA_ENROLL_CODE_H
#define MFA_ENROLL_CODE_H

#include "core/devices.h"
#include "enroll/web.h"

#define MFA_PENDING_S	      1800 //!< A key that waits for its first code does so as long.
#define MFA_PENDING_TEXT_SIZE 512u

/** What a new device is for */
enum mfa_setup {
	MFA_SETUP_ON,	   //!< MFA is turned on by it.
	MFA_SETUP_ADD,	   //!< A further device; a code of another one was given.
	MFA_SETUP_REPLACE, //!< In place of all others; a recovery code was given.
};

/** A key that was made and is in no directory yet: it travels by way of the browser, sealed
 *
 * It belongs to one entry, and to the record as it was when the key was made: once the
 * record's last use is another one, the key is of no use. A cookie has it as well, so that
 * a reload, another tab and another sign-in show the same key.
 */
struct mfa_pending {
	enum mfa_setup setup;
	int64_t issued_s;
	uint8_t key[20]; //!< RFC 4226 section 4, R6: 160 bits.
};

/** Make one for the visitor's record as it was read */
enum mfa_rc mfa_pending_make(struct mfa_pending *pending, int64_t now_s, enum mfa_setup setup)
	MFA_MUST_CHECK;

/** Seal it */
enum mfa_rc mfa_pending_seal(char text[static MFA_PENDING_TEXT_SIZE],
			     struct mfa_pending const *pending, struct mfa_web *web) MFA_MUST_CHECK;

/** Open the field of a form
 *
 * @return #MFA_OK, or #MFA_ERR_NOT_FOUND when it is not of this entry, this purpose and this
 *	state of the record, or is too old.
 */
enum mfa_rc mfa_pending_open(struct mfa_pending *pending, struct mfa_web *web, char const *text,
			     enum mfa_setup setup) MFA_MUST_CHECK;

/** The TOTP parameters of a new device */
void mfa_pending_totp(struct mfa_totp *totp, struct mfa_pending const *pending, char const *name,
		      int64_t now_s);

/** How an activation ended */
enum mfa_activation {
	MFA_ACTIVATION_FAILED = 0, //!< The directory refused or was away; page complete.
	MFA_ACTIVATION_DONE,
	MFA_ACTIVATION_WRONG,	//!< Code or voucher not right; the problem is set.
	MFA_ACTIVATION_CHANGED, //!< Somebody else was faster; web->login has the record as it is.
};

/** Check a new device's first code, and write device, flag and recovery codes in one modify
 *
 * The code counts as used. Nothing is written unless it is right.
 *
 * @param[in] name    of the device.
 * @param[in] voucher as typed; only looked at when the configuration asks for one.
 * @param[in] codes   fresh recovery codes, a line each; not looked at for a further device.
 */
enum mfa_activation mfa_activate(struct mfa_web *web, struct mfa_pending const *pending,
				 char const *name, char const *voucher, char const *codes);

/** The visitor's record, as read last, for a change; the change is that of the decision */
void mfa_web_enrollment(struct mfa_enrollment *enrollment, struct mfa_web *web);

/** Adds to the change that an accepted code is written with; all but CHANGED refuses */
typedef enum mfa_outcome (*mfa_code_hook)(struct mfa_web *web, struct mfa_enrollment *enrollment,
					  void *uctx);

/** Check the code of the form, and write what the hook adds together with its use
 *
 * @param[in] recovery a recovery code will do as well.
 * @return whether all was written; otherwise the problem is set, or the page is complete.
 */
bool mfa_code_spend(struct mfa_web *web, bool recovery, mfa_code_hook hook, void *uctx);

/** Remember in the session that a code was just given, what for, and by which use of the record */
void mfa_code_remember(struct mfa_web *web, enum mfa_setup setup);

/** Whether a code was given for this, not long ago, and the record was not used since */
bool mfa_code_was_given(struct mfa_web const *web, enum mfa_setup setup);

/** Send fresh codes, sealed, to the page that shows them once: they are stored nowhere */
enum mfa_rc mfa_codes_hand_over(struct mfa_web *web, char const *codes) MFA_MUST_CHECK;

#endif /* MFA_ENROLL_CODE_H */
