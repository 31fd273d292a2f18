/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/doctor/site.h
 * @brief The part of check that reads FreeRADIUS's own configuration, where it is on this machine.
 */
#ifndef MFA_ADMIN_DOCTOR_SITE_H
#define MFA_ADMIN_DOCTOR_SITE_H

#include "admin/doctor/doctor.h"

/** Look for values in our files that are examples only */
void mfa_cli_doctor_placeholders(struct mfa_cli_doctor *doctor);

/** Whether users may write an attribute that the ldap module copies into the control list
 *
 * Such a user could set Peruser-MFA-Mode := skip, or Auth-Type := Accept.
 *
 * @param[in] handle bound as a user; NULL: only tell which attributes these are.
 * @param[in] dn     that user's entry.
 */
void mfa_cli_doctor_mapped(struct mfa_cli_doctor *doctor, LDAP *handle, char const *dn);

/** Whether an account may write an attribute of an entry; tried so that it cannot succeed */
bool mfa_cli_doctor_may_write(LDAP *handle, char const *dn, char const *attr, char *value);

#endif /* MFA_ADMIN_DOCTOR_SITE_H */
