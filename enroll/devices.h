/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/devices.h
 * @brief Values of the visitor's entry, named in forms by a keyed hash of each.
 */
#ifndef MFA_ENROLL_DEVICES_H
#define MFA_ENROLL_DEVICES_H

#include "enroll/web.h"

/** The name of a value in forms: says nothing about it, and is of no use for another user */
enum mfa_rc mfa_device_token(char token[static MFA_TOKEN_SIZE], struct mfa_web const *web,
			     struct mfa_bytes value) MFA_MUST_CHECK;

/** Find the value that a token names
 *
 * @param[out] index 0 on failure.
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND.
 */
enum mfa_rc mfa_device_find(size_t *index, struct mfa_web const *web, enum mfa_attr attr,
			    char const *token) MFA_MUST_CHECK;

/** The n-th secret as it was understood, or NULL when it could not be read */
struct mfa_totp const *mfa_device_totp(struct mfa_web const *web, size_t index);

/** What a device is called: its name, or a word for one without */
char const *mfa_device_name(struct mfa_totp const *totp);

#endif /* MFA_ENROLL_DEVICES_H */
