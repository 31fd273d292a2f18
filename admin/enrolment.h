/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/enrolment.h
 * @brief Adding a device to a record, for enroll and import alike.
 */
#ifndef MFA_ADMIN_ENROLMENT_H
#define MFA_ADMIN_ENROLMENT_H

#include "admin/edit.h"
#include "core/record.h"

/** A device that is to be added; holds a secret */
struct mfa_cli_enrolment {
	struct mfa_totp totp; //!< An empty name: "device 1" and so on, the first that is free.
	int64_t used_step;    //!< Of the code that proved it, which is used up then; -1: none.
	bool suspended;	      //!< Do not set the flag.
};

/** Decide whether the device may be added, and make the change
 *
 * A device that is there already is no change, so that an import can run again.
 * In one modify: secret, flag, last use, and the voucher is taken back.
 */
enum mfa_cli_outcome mfa_cli_enrolment_decide(struct mfa_cli_edit *edit,
					      struct mfa_cli_enrolment *enrolment);

#endif /* MFA_ADMIN_ENROLMENT_H */
