/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/setup/files.h
 * @brief Files that are changed and can be put back.
 */
#ifndef MFA_ADMIN_SETUP_FILES_H
#define MFA_ADMIN_SETUP_FILES_H

#include "admin/setup/journal.h"
#include "admin/setup/setup.h"

/** Write a file, show the difference, keep what it was
 *
 * @param[in] before what it holds now; NULL: it is made.
 */
enum mfa_rc mfa_setup_change(struct mfa_setup *setup, struct mfa_diag *diag, char const *path,
			     char const *before, char const *after) MFA_MUST_CHECK;

/** Make a symbolic link, unless there is something of that name */
enum mfa_rc mfa_setup_link(struct mfa_setup *setup, struct mfa_diag *diag, char const *path,
			   char const *target) MFA_MUST_CHECK;

#endif /* MFA_ADMIN_SETUP_FILES_H */
