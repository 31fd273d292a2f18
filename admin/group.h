/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/group.h
 * @brief The members of a group: member, uniqueMember (DNs) and memberUid (login names).
 */
#ifndef MFA_ADMIN_GROUP_H
#define MFA_ADMIN_GROUP_H

#include "admin/cli.h"

/** Give every member to a function, until it returns false
 *
 * Groups within the group are not followed: their DN is given like any other.
 *
 * @return #MFA_OK; #MFA_ERR_NOT_FOUND (no such group, or nobody in it); #MFA_ERR_SPACE when
 *	the directory gives a range of the members only; #MFA_ERR_UNAVAILABLE, #MFA_ERR_NOMEM
 *	(the function returned false).
 */
enum mfa_rc mfa_cli_group_members(struct mfa_cli *cli, struct mfa_diag *diag, char const *dn,
				  bool (*take)(struct mfa_bytes member, void *uctx), void *uctx)
	MFA_MUST_CHECK;

#endif /* MFA_ADMIN_GROUP_H */
