/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/login.h
 * @brief One question to the record, from reading it to having written what the answer needs.
 *
 * Read, decide and write are mfa_update_run().  What the host program sees is the answer
 * that was written, or a refusal.
 */
#ifndef MFA_CORE_LOGIN_H
#define MFA_CORE_LOGIN_H

#include "core/policy.h"
#include "core/seal.h"
#include "core/update.h"
#include "core/verdict.h"

/** What a login needs; large, so it lives on the heap */
struct mfa_login {
	struct mfa_entry entry; //!< As read last.
	bool have_entry;	//!< entry holds something: do not read it first.
	bool is_earlier;	//!< entry is from an earlier packet: see mfa_login_run().
	enum mfa_side side;	//!< Where entry was read.
	bool sent; //!< An answer was sent to the directory and lost: this one may find its traces.
	struct mfa_record record;
	struct mfa_decision decision; //!< The answer.
	struct mfa_diag record_diag;  //!< What was wrong with the record; empty when nothing was.
	struct mfa_policy_verdict policy; //!< What the site's policy says; see mfa_login_judge().
	uint8_t judged_for[MFA_MAC_SIZE]; //!< Hash of the DN that it is about.
};

/** Who is asked about, and with what */
struct mfa_login_context {
	struct mfa_conn *conn; //!< NULL: the entry is there and nothing may need writing.
	struct mfa_where const *where;
	struct mfa_keyring const *ring;
	struct mfa_policy const *policy;
	struct mfa_rules const *rules;	      //!< The site's policy; NULL: there is none.
	struct mfa_policy_facts const *facts; //!< What is known beforehand; with rules.
	bool required;			      //!< MFA is not optional for this login.
	enum mfa_confirm
		confirm; //!< What mfa_config_confirm() says; needs conn when it is not "no".
	bool lean;	 //!< Read what the decision needs; for programs that look at nothing else.
	bool recheck;	 //!< See mfa_login_run(); not with a hook that adds to the change.
};

/** Called on an answer before it is written; may add to the change
 *
 * For a program that ties a change of its own to a right code: both are written in
 * the same modify or not at all.
 *
 * @return false to refuse.
 */
typedef bool (*mfa_login_hook)(struct mfa_login *login, void *uctx);

/** Allocate; NULL when memory ran out */
struct mfa_login *mfa_login_alloc(void);

/** Wipe and free; sets *login to NULL */
void mfa_login_free(struct mfa_login **login);

/** What a lean read may leave out: a set of attributes
 *
 * The last use comes along at the password step already, for the code that often follows.
 *
 * @param[in] recovery whether the code may be a recovery code.
 */
uint32_t mfa_login_spare(struct mfa_policy const *policy, bool recovery);

/** Read the entry
 *
 * @return as mfa_conn_read().
 */
enum mfa_rc mfa_login_read(struct mfa_login *login, struct mfa_diag *diag, struct mfa_conn *conn,
			   enum mfa_side side, struct mfa_where const *where) MFA_MUST_CHECK;

/** Ask the site's policy about the entry that is there, once per entry
 *
 * The directory is asked only about groups and filters, and only where a rule needs it.
 *
 * @param[in] ctx  conn, rules and facts.
 * @param[in] side where to ask.
 * @return #MFA_OK with login->policy decided; otherwise as mfa_member_ask().
 */
enum mfa_rc mfa_login_judge(struct mfa_login *login, struct mfa_diag *diag,
			    struct mfa_login_context const *ctx, enum mfa_side side, int64_t now_s)
	MFA_MUST_CHECK;

/** Whether mfa_login_judge() has been asked about the entry that is there */
bool mfa_login_is_judged(struct mfa_login const *login);

/** Understand the entry as the policy has it
 *
 * The record of somebody whom the policy requires is as if it said so itself, and that of
 * somebody whom it skips is off.
 */
void mfa_login_parse(struct mfa_login *login, struct mfa_login_context const *ctx, int64_t now_s);

/** Put what the policy says about this login over the settings of the instance */
void mfa_login_apply(struct mfa_policy *policy, struct mfa_login const *login);

/** Name the rule that counted in the reason of the decision */
void mfa_login_tell_policy(struct mfa_login *login);

/** Ask
 *
 * Where the server cannot check the conditions of an accept as it writes, and recheck is
 * set, the entry is read again after that and decided upon once more: it must still accept,
 * as a retransmission of itself.  So a failure, a reset or a suspension that came between
 * reading and writing refuses; the code is used up.
 *
 * An earlier entry is good for one thing: to accept, by a change under the condition
 * that all that was decided upon is still so, which the directory checks as it writes
 * (RFC 4528).  Any other answer is decided once more, upon a fresh read.  So is one
 * that needs an attribute which was left out of the entry.
 *
 * An answer that ends the login, writes nothing and rests on an entry from a replica is
 * decided once more upon the provider's entry, as ctx->confirm says; an entry that was not
 * found is looked for there.  When the provider is away and the replica is believed,
 * record_diag says so.
 *
 * @param[in,out] login decision is always set; verdict MFA_REJECT on any failure, with
 *			result MFA_RESULT_UNAVAILABLE when it was the directory's absence.
 * @param[in] hook	may be NULL.
 * @return #MFA_OK when the directory did what it was asked; otherwise why not, see decision.reason.
 */
enum mfa_rc mfa_login_run(struct mfa_login *login, struct mfa_login_context const *ctx,
			  struct mfa_request const *request, mfa_login_hook hook, void *uctx);

#endif /* MFA_CORE_LOGIN_H */
