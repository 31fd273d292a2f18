/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/device.h
 * @brief One of several devices of a user.
 */
#ifndef MFA_ADMIN_DEVICE_H
#define MFA_ADMIN_DEVICE_H

#include "admin/edit.h"

/** Find a device by its name, or by its number from 1 as "device list" shows it
 *
 * The number finds one that cannot be read, too.
 *
 * @return false, with edit->text, when there is none, or several have the name.
 */
bool mfa_cli_device_find(size_t *at, struct mfa_cli_edit *edit, char const *name);

/** Remove one device, and remembered devices with it: the lost one may be among them */
enum mfa_outcome mfa_cli_device_remove(struct mfa_cli_edit *edit, size_t at);

#endif /* MFA_ADMIN_DEVICE_H */
