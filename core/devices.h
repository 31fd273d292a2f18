/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/devices.h
 * @brief Devices of a record: prove a new one, add it, replace, remove; as core/enrollment.h.
 */
#ifndef MFA_CORE_DEVICES_H
#define MFA_CORE_DEVICES_H

#include "core/enrollment.h"
#include "core/verdict.h"

/** How the first code of a new device was judged */
struct mfa_proof {
	enum mfa_result result; //!< ACCEPTED, or REJECTED, REPLAYED, LOCKED.
	int64_t step;		//!< ACCEPTED: the time step of the code.
	uint32_t wait_s;	//!< LOCKED: see mfa_lock_wait_s().
	struct mfa_diag reason; //!< One line for the log.
};

/** Judge the first code of a device that is not in the record yet
 *
 * A wrong one tells nothing about any other device, so it is not counted.  A code of a moment
 * at or before the last use counts as used, so that the last use never goes back.  While the
 * devices that are there are locked, no other one is added.
 */
void mfa_devices_prove(struct mfa_proof *proof, struct mfa_enrollment const *enrollment,
		       struct mfa_policy const *policy, struct mfa_totp const *totp,
		       struct mfa_code const *code);

/** A device that is to be added */
struct mfa_new_device {
	struct mfa_totp totp; //!< Without a name it gets one; without a date of its own, now.
	int64_t used_step;    //!< Of the code that proved it, which is used up by that; -1: none.
	char const *nonce;    //!< Of that use, as mfa_nonce_make() makes them.
	bool suspended;	      //!< Leave the flag as it is.
	bool number_name;     //!< Add a number to a name that is taken; else it is refused.
};

/** Add a device, and set the flag
 *
 * What is left of devices that the record does not have any more goes with the first one:
 * recovery codes, remembered devices, wrong codes.  A voucher is used up by it.
 *
 * @return UNCHANGED when this very device is there; REFUSED when there are as many as may be,
 *	the name is taken, or the record is suspended or broken.
 */
enum mfa_outcome mfa_devices_add(struct mfa_enrollment *enrollment,
				 struct mfa_new_device const *device);

/** Put a device in place of all that are there; remembered devices are forgotten */
enum mfa_outcome mfa_devices_replace(struct mfa_enrollment *enrollment,
				     struct mfa_new_device const *device);

/** Remove a device
 *
 * @param[in] value of the secret, as it was read.
 * @return UNCHANGED when it is not there; REFUSED when no other one could be used.
 */
enum mfa_outcome mfa_devices_remove(struct mfa_enrollment *enrollment, struct mfa_bytes value);

#endif /* MFA_CORE_DEVICES_H */
