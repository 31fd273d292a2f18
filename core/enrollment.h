/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/enrollment.h
 * @brief Changes of a record that people ask for: the same rules for the page and the command.
 *
 * Like core/verdict.h it asks nothing and writes nothing.  Each function looks at the entry
 * as it was read and adds to the change; mfa_update_run() carries it out.  The change also
 * holds the conditions that it rests on, so that a record which somebody else changed
 * meanwhile is read and decided upon once more.
 */
#ifndef MFA_CORE_ENROLLMENT_H
#define MFA_CORE_ENROLLMENT_H

#include "core/change.h"
#include "core/hashed.h"

/** What became of a change that was asked for */
enum mfa_outcome {
	MFA_OUTCOME_FAILED = 0, //!< It cannot be carried out: memory, random numbers, keys.
	MFA_OUTCOME_CHANGED,	//!< The change says what to write.
	MFA_OUTCOME_UNCHANGED,	//!< The record is so already.
	MFA_OUTCOME_REFUSED,	//!< The state of the record does not allow it.
};

/** A record that is to be changed, as far as that needs no key */
struct mfa_enrollment {
	/* given */
	struct mfa_entry const *entry;
	struct mfa_keyring const *ring; //!< NULL where no value with a key is read or made.
	struct mfa_change *change;	//!< Initialised; is added to.
	struct mfa_diag *text;		//!< What was done, or why not: one line for a person.
	int64_t now_s;			//!< Unix time.
	bool use_class;			//!< The attributes need the auxiliary class.
	bool required;			//!< MFA is compulsory for everybody.
	/* found by mfa_enrollment_look() */
	bool flag;		 //!< Enabled is TRUE.
	bool flag_bad;		 //!< Enabled is neither TRUE nor FALSE.
	size_t secrets;		 //!< Values of the secret.
	int64_t required_from_s; //!< -1: not set; 0 also when it cannot be read.
	bool required_bad;	 //!< RequiredFrom cannot be read.
};

/** Look at the entry: flag, date, number of secrets */
void mfa_enrollment_look(struct mfa_enrollment *enrollment);

/** Whether MFA is compulsory now: for everybody, or by the date in the record */
bool mfa_enrollment_is_required(struct mfa_enrollment const *enrollment);

/** Pieces of changes, for core/devices.c */

/** Add the auxiliary class, where it is missing */
void mfa_enrollment_add_class(struct mfa_enrollment *enrollment);
/** Set the flag, and add the class where it is missing */
void mfa_enrollment_set_flag(struct mfa_enrollment *enrollment, bool flag);
/** Remove a last use that cannot be read */
void mfa_enrollment_clear_bad_use(struct mfa_enrollment *enrollment);

/** Replace the recovery codes
 *
 * @param[in] codes as mfa_recovery_generate_set() makes them.
 * @return REFUSED without a device, unless the change adds one.
 */
enum mfa_outcome mfa_enrollment_codes(struct mfa_enrollment *enrollment, char const *codes);

/** Turn MFA off: the flag, and all that belongs to devices; REFUSED while it is compulsory */
enum mfa_outcome mfa_enrollment_turn_off(struct mfa_enrollment *enrollment);

/** Ask the user to enroll: set the flag of a record without a device
 *
 * @param[in] voucher   as mfa_recovery_generate() makes them; NULL for none.
 * @param[in] expires_s of the voucher, Unix time.
 */
enum mfa_outcome mfa_enrollment_invite(struct mfa_enrollment *enrollment, char const *voucher,
				       int64_t expires_s);

/** Make MFA compulsory
 *
 * @param[in] from_s  Unix time; 0: from ever, so that no wrong clock can lift it.
 * @param[in] exactly from this moment on; else it is enough that it is so already.
 */
enum mfa_outcome mfa_enrollment_require(struct mfa_enrollment *enrollment, int64_t from_s,
					bool exactly);

/** Make MFA optional again */
enum mfa_outcome mfa_enrollment_unrequire(struct mfa_enrollment *enrollment);

/** Turn codes off for a while, devices are kept; or withdraw an invitation */
enum mfa_outcome mfa_enrollment_suspend(struct mfa_enrollment *enrollment);

/** Ask for codes again */
enum mfa_outcome mfa_enrollment_resume(struct mfa_enrollment *enrollment);

/** Forget all that belongs to devices; flag and date stay, so that the user has to enroll again */
enum mfa_outcome mfa_enrollment_reset(struct mfa_enrollment *enrollment);

/** Forget wrong codes */
enum mfa_outcome mfa_enrollment_unlock(struct mfa_enrollment *enrollment);

/** Forget remembered devices
 *
 * @param[in] value of one, as it was read; no bytes: all.
 */
enum mfa_outcome mfa_enrollment_forget(struct mfa_enrollment *enrollment, struct mfa_bytes value);

#endif /* MFA_CORE_ENROLLMENT_H */
