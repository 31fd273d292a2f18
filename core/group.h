/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/group.h
 * @brief Whether a user is in a group of the directory.
 */
#ifndef MFA_CORE_GROUP_H
#define MFA_CORE_GROUP_H

#include "core/ask.h"
#include "core/conn_side.h"
#include "core/filter.h"
#include "core/policy.h"

#define MFA_NESTED_DEPTH  8u  //!< Levels of groups that are followed.
#define MFA_NESTED_GROUPS 64u //!< Groups of one user that are followed.

/** One question about a group */
struct mfa_group_question {
	struct mfa_conn *conn;
	LDAP *handle;
	char const *group; //!< DN
	char const *user;  //!< DN
	struct mfa_diag *diag;
};

/** Whether the user is in the group itself
 *
 * By member, uniqueMember or memberUid of the group, or by memberOf of the user.
 *
 * @param[out] answer NO on failure.
 * @return as mfa_member_ask(); #MFA_ERR_BROKEN when the connection broke.
 */
enum mfa_rc mfa_group_has(enum mfa_answer *answer, struct mfa_group_question const *question)
	MFA_MUST_CHECK;

/** Whether the user is in a group that is in the group, by following member and uniqueMember
 *
 * The groups of the user are searched for, then the groups of these, and so on.
 */
enum mfa_rc mfa_group_nests(enum mfa_answer *answer, struct mfa_group_question const *question)
	MFA_MUST_CHECK;

/** The same two on Active Directory, which hides what may not be read */
enum mfa_rc mfa_group_ad(enum mfa_answer *answer, struct mfa_group_question const *question,
			 bool nested) MFA_MUST_CHECK;

/** Whether a base search with this filter finds the entry
 *
 * @param[out] code an LDAP result code; LDAP_SUCCESS also when the filter does not match.
 */
enum mfa_rc mfa_group_finds(bool *found, int *code, struct mfa_group_question const *question,
			    char const *base, char const *filter) MFA_MUST_CHECK;

/** Say that the group cannot be read; returns #MFA_ERR_DENIED */
enum mfa_rc mfa_group_denied(struct mfa_group_question const *question, char const *why);

#endif /* MFA_CORE_GROUP_H */
