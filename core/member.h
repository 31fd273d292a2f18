/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/member.h
 * @brief What the policy must know of the directory: groups of a user, and filters on the entry.
 *
 * Not to be a member, and not to be allowed to see the members, are two things.  The second is
 * an error, so that a policy which cannot be read refuses.  Servers say so when they are asked
 * to compare (RFC 4511 section 4.10).  Active Directory hides it; there a group without any
 * member that can be read is an error.
 */
#ifndef MFA_CORE_MEMBER_H
#define MFA_CORE_MEMBER_H

#include "core/conn_side.h"
#include "core/policy.h"

/** A user, and where to ask */
struct mfa_member {
	struct mfa_conn *conn; //!< NULL: the directory cannot be asked.
	enum mfa_side side;
	char const *dn; //!< NUL-terminated.
};

/** Whether group and filter of a rule match a user
 *
 * A group lists its members in member, uniqueMember or memberUid, or the user's entry names it
 * in memberOf.  A value of memberUid is compared with the user's uid.  Nested groups are
 * found by matching rule 1.2.840.113556.1.4.1941 on Active Directory, and elsewhere by following
 * member and uniqueMember from the user on.  Primary groups are not looked at.
 *
 * @param[out] answer NO on failure.
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_DENIED when the group, its members or an attribute of the filter cannot be read.
 *	- #MFA_ERR_FORMAT (the filter), #MFA_ERR_SPACE (more nested groups than are followed).
 *	- #MFA_ERR_UNAVAILABLE.
 */
enum mfa_rc mfa_member_ask(enum mfa_answer *answer, struct mfa_diag *diag,
			   struct mfa_member const *member, struct mfa_rule const *rule)
	MFA_MUST_CHECK;

/** Decide by the policy, and ask the directory as far as that needs it
 *
 * @param[in,out] facts directory is filled in.
 * @return as mfa_member_ask(); the verdict is decided only with #MFA_OK.
 */
enum mfa_rc mfa_member_decide(struct mfa_policy_verdict *verdict, struct mfa_diag *diag,
			      struct mfa_member const *member, struct mfa_rules const *rules,
			      struct mfa_policy_facts *facts, int64_t now_s) MFA_MUST_CHECK;

#endif /* MFA_CORE_MEMBER_H */
