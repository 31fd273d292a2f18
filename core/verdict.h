/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/verdict.h
 * @brief The decision: (record, request, policy, now) -> verdict and the next record.
 *
 * The only place that can say "accept".  Pure: it reads no clock, no directory and
 * no random numbers, and writes nothing but its result.
 */
#ifndef MFA_CORE_VERDICT_H
#define MFA_CORE_VERDICT_H

#include "core/change.h"
#include "core/hashed.h"
#include "core/result.h"

/** The answer; REJECT is 0, so that memory nobody has written refuses */
enum mfa_verdict {
	MFA_REJECT = 0,
	MFA_ACCEPT,
	MFA_CHALLENGE,
};

/** What happens to a user who has to enroll and has not */
enum mfa_unenrolled {
	MFA_UNENROLLED_REJECT = 0, //!< Refuse.
	MFA_UNENROLLED_ACCEPT,	   //!< Let in; a policy limits what they reach.
	MFA_UNENROLLED_CHALLENGE,  //!< Refuse, and show the text as a challenge first.
	MFA_UNENROLLED_ENROLL,	   //!< Ask for a code, and wait until the user has enrolled.
};

/** What the administrator configured */
struct mfa_policy {
	uint32_t window;	   //!< Steps on either side, 0 .. MFA_TOTP_WINDOW_MAX.
	uint32_t drift_max;	   //!< Steps of drift that are followed, 0 .. MFA_TOTP_DRIFT_MAX.
	uint32_t lock_threshold;   //!< Wrong codes in a row before the first wait, 1 ..
	uint32_t lock_base_s;	   //!< First wait; doubles with each further wrong code.
	uint32_t lock_max_s;	   //!< Longest wait.
	uint32_t attempts;	   //!< Wrong codes that end a login, 1 ..
	uint32_t lifetime_s;	   //!< Of a challenge; also of a retransmitted answer to one.
	uint32_t retransmission_s; //!< Of a retransmission where there was no prompt.
	uint32_t remember_s;	   //!< How long a device is remembered; 0: never.
	enum mfa_unenrolled unenrolled;
	bool reads_devices; //!< A rule of the site's policy may remember devices.
};

/** One login's question */
struct mfa_request {
	int64_t now_s;		     //!< Unix time.
	struct mfa_code const *code; //!< NULL at the password step.
	char const
		*nonce; //!< Of this login, MFA_NONCE_TEXT_SIZE - 1 characters; NULL without code.
	uint32_t
		prompt; //!< Which prompt of this login it answers, from 1; 0: none, it is asked once.
	uint32_t guesses;	  //!< What a wrong code counts as; 0: one.
	uint32_t failures_before; //!< Wrong codes in a row when the first prompt was made;
				  //!< #MFA_FAILURES_UNKNOWN: the number of the prompt decides.
	struct mfa_bytes device;  //!< What tells the device; no bytes: do not remember.
};

#define MFA_WAIT_FOREVER     UINT32_MAX //!< Only an administrator can unlock.
#define MFA_FAILURES_UNKNOWN UINT32_MAX //!< See mfa_request.failures_before.

/** The answer, and what must be written before it may be given */
struct mfa_decision {
	enum mfa_verdict verdict; //!< Valid once the change was carried out.
	enum mfa_result result;
	uint32_t wait_s;	  //!< LOCKED: seconds until another try, or MFA_WAIT_FOREVER.
	uint32_t recovery_left;	  //!< RECOVERY: codes that are left.
	bool fault;		  //!< Directory or configuration are to blame, not the user.
	bool wrong;		  //!< The code was wrong; CHALLENGE asks again.
	int64_t required_from_s;  //!< In the future, or -1.
	size_t secret;		  //!< ACCEPTED: index into record->secret.
	struct mfa_change change; //!< May be empty.
	struct mfa_diag reason;	  //!< One line for the log.
};

/** Decide
 *
 * @param[out] decision always set; verdict MFA_REJECT on any failure.
 * @param[in] record    as mfa_record_parse() understood it.
 * @param[in] ring      for hashes of recovery codes, devices and wrong codes.
 */
void mfa_decide(struct mfa_decision *decision, struct mfa_record const *record,
		struct mfa_keyring const *ring, struct mfa_policy const *policy,
		struct mfa_request const *request);

/** How long this record is locked
 *
 * lock_base * 2^(count - threshold) up to lock_max from the last failure; after
 * #MFA_FAILURES_CAP wrong codes in a row for ever (NIST SP 800-63B section 5.2.2).
 *
 * @return seconds, 0 when it is not locked, or #MFA_WAIT_FOREVER.
 */
uint32_t mfa_lock_wait_s(struct mfa_failures const *failures, struct mfa_policy const *policy,
			 int64_t now_s);

#endif /* MFA_CORE_VERDICT_H */
