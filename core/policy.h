/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/policy.h
 * @brief The site's policy: for whom, and at which login, MFA is required, optional or skipped.
 *
 * A list of rules, the `policy NAME { }` sections of the shared file.  The first rule that
 * matches decides; without one the record decides.  Module, page and command ask this unit.
 * It is pure: what it must know about a group or a filter it asks its caller for, who asks
 * the directory (core/member.h).
 */
#ifndef MFA_CORE_POLICY_H
#define MFA_CORE_POLICY_H

#include "core/address.h"

#define MFA_RULES_MAX	    32u	       //!< Rules of a site.
#define MFA_REMEMBER_UNSET  UINT32_MAX //!< A rule leaves it to the instance.
#define MFA_RULE_REASON_MAX 200u       //!< Bytes of a reason.

/** What a rule asks for; REQUIRED is 0, so that a rule nobody has read requires */
enum mfa_demand {
	MFA_DEMAND_REQUIRED = 0, //!< MFA is compulsory, from a date on.
	MFA_DEMAND_OPTIONAL,	 //!< The record decides.
	MFA_DEMAND_SKIP,	 //!< Nobody is asked for a code.
};

/** What a rule says about users who have to enroll and have not */
enum mfa_rule_unenrolled {
	MFA_RULE_INHERIT = 0, //!< As the instance is configured.
	MFA_RULE_REJECT,
	MFA_RULE_ACCEPT,
	MFA_RULE_ENROLL,
};

/** One rule; strings are owned, empty when not given */
struct mfa_rule {
	char *name;
	/* conditions; all that are given must hold */
	char *group;	 //!< DN.
	uint32_t nested; //!< Boolean: members of its groups are members.
	char *filter;	 //!< On the user's entry.
	char *nas;	 //!< NAS-Identifiers, addresses and prefixes, separated by spaces.
	char *network;	 //!< Addresses and prefixes of users.
	/* what it says */
	uint32_t mfa;	      //!< enum mfa_demand.
	char *from;	      //!< Generalized Time; empty: from ever.
	char *reason;	      //!< For the user to read; may be empty.
	uint32_t unenrolled;  //!< enum mfa_rule_unenrolled.
	uint32_t mode;	      //!< 0: the instance's; else 1 + how the code arrives.
	uint32_t remember_s;  //!< #MFA_REMEMBER_UNSET: the instance's.
	uint32_t report_only; //!< Boolean: it is logged, and the next rules decide.
	/* made of the above by mfa_rules_complete() */
	int64_t from_s; //!< Unix time; 0: from ever.
	struct mfa_prefixes networks;
};

/** All rules, in their order; free with mfa_rules_clear() of core/config.h */
struct mfa_rules {
	size_t count;
	struct mfa_rule *list;
};

/** An answer of the directory */
enum mfa_answer {
	MFA_ANSWER_UNKNOWN = 0, //!< Not asked yet.
	MFA_ANSWER_NO,
	MFA_ANSWER_YES,
};

/** What is known about a login, or about a user when there is no login */
struct mfa_policy_facts {
	bool is_login;	      //!< A NAS asks; otherwise rules with nas or network do not count.
	struct mfa_bytes nas; //!< NAS-Identifier; no bytes: none.
	struct mfa_address nas_address[2]; //!< As it says, and where the packet came from.
	struct mfa_address address;	   //!< The user's.
	/** Whether group and filter of a rule match the user */
	enum mfa_answer directory[MFA_RULES_MAX];
};

/** What the policy says */
struct mfa_policy_verdict {
	bool decided;		       //!< Set last; while it is not, nothing below counts.
	struct mfa_rule const *rule;   //!< The rule that matched; NULL: none, the record decides.
	struct mfa_rule const *report; //!< The first with report_only that matched before it.
	bool required;		       //!< MFA is compulsory now.
	bool skip;		       //!< No code is asked for at this login.
	int64_t from_s; //!< When MFA becomes or became compulsory; 0: ever; -1: it does not.
};

/** What one rule comes to for these facts */
enum mfa_rule_match {
	MFA_RULE_NO_LOGIN = 0, //!< It is about logins, and there is none.
	MFA_RULE_NOT_NAS,      //!< Another NAS.
	MFA_RULE_NOT_NETWORK,  //!< Another network, or an address that is not known.
	MFA_RULE_ASK,	       //!< The directory has to be asked.
	MFA_RULE_NOT_USER,     //!< Group or filter do not match.
	MFA_RULE_MATCHES,
};

/** Whether a rule matches; the directory is needed only where nas and network match */
enum mfa_rule_match mfa_rule_match(struct mfa_rules const *rules, size_t i,
				   struct mfa_policy_facts const *facts);

/** Whether a rule needs the directory */
bool mfa_rule_asks(struct mfa_rule const *rule);

/** Decide
 *
 * @param[out] verdict decided is false when the directory must be asked first.
 * @param[out] ask     then: about which rule; its answer belongs into facts->directory.
 * @param[in] now_s    Unix time.
 * @return whether it is decided.
 */
bool mfa_policy_decide(struct mfa_policy_verdict *verdict, size_t *ask,
		       struct mfa_rules const *rules, struct mfa_policy_facts const *facts,
		       int64_t now_s);

/** The names "required", "optional", "skip" */
char const *mfa_demand_name(enum mfa_demand demand);

#endif /* MFA_CORE_POLICY_H */
