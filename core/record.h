/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/record.h
 * @brief The record: what a user's attributes mean, and how their values are written.
 */
#ifndef MFA_CORE_RECORD_H
#define MFA_CORE_RECORD_H

#include "core/entry.h"
#include "core/secret.h"

#define MFA_NONCE_TEXT_SIZE (MFA_BASE64URL_SIZE(MFA_NONCE_SIZE)) //!< A login nonce, NUL included.
#define MFA_TAG_TEXT_SIZE   (MFA_BASE64URL_SIZE(MFA_TAG_SIZE))	 //!< A failure tag, NUL included.
#define MFA_LAST_USE_SIZE   64u	 //!< Bytes of a LastUse value, NUL included.
#define MFA_FAILURES_SIZE   64u	 //!< Bytes of a Failures value, NUL included.
#define MFA_FAILURES_CAP    100u //!< Wrong codes in a row, then only an administrator helps.

/** What the record says about the user */
enum mfa_state {
	MFA_STATE_BROKEN = 0, //!< Cannot be understood: nobody gets in by it.
	MFA_STATE_OFF,	      //!< No MFA.
	MFA_STATE_SUSPENDED,  //!< No MFA now, though a secret is there.
	MFA_STATE_ENROLLED,   //!< A code is asked for.
	MFA_STATE_INVITED,    //!< Flag set, no secret yet.
	MFA_STATE_OVERDUE,    //!< Required, no secret yet.
	MFA_STATE_COUNT
};

/** The last code used: "step time nonce" */
struct mfa_last_use {
	bool present;
	int64_t step;			 //!< Time step of the code, in the period of its device.
	int64_t time_s;			 //!< When it was accepted, Unix time.
	char nonce[MFA_NONCE_TEXT_SIZE]; //!< Of the login that used it.
};

/** Wrong codes in a row: "count time tag" */
struct mfa_failures {
	bool present;
	uint32_t count;		     //!< 1 or more.
	int64_t time_s;		     //!< Of the last one, Unix time.
	char tag[MFA_TAG_TEXT_SIZE]; //!< Keyed hash of the last wrong code.
};

/** A record that was read; holds secrets, wipe it with mfa_record_clear() */
struct mfa_record {
	struct mfa_entry const *entry;		 //!< Where it was read from; must live as long.
	enum mfa_state state;			 //!< BROKEN until all was understood.
	bool enabled;				 //!< The flag.
	int64_t required_from_s;		 //!< Unix time; -1 when not set.
	struct mfa_last_use last_use;		 //!< Only read when a secret counts.
	struct mfa_failures failures;		 //!< Only read when a secret counts.
	size_t secret_count;			 //!< Readable secrets.
	struct mfa_totp secret[MFA_SECRETS_MAX]; //!< The readable ones.
	size_t secret_index[MFA_SECRETS_MAX];	 //!< Which value of the attribute each one is.
	size_t unreadable_count;		 //!< Secrets that could not be read.
};

/** Understand an entry
 *
 * @param[out] record always set; state MFA_STATE_BROKEN when something cannot be understood.
 * @param[out] diag   why it is broken, or why a secret was left out; empty when nothing is wrong.
 * @param[in] entry   must live as long as the record.
 * @param[in] ring    opens sealed secrets.
 * @param[in] required MFA is not optional for this login, whatever RequiredFrom says.
 * @param[in] now_s   Unix time.
 */
void mfa_record_parse(struct mfa_record *record, struct mfa_diag *diag,
		      struct mfa_entry const *entry, struct mfa_keyring const *ring, bool required,
		      int64_t now_s);

/** Wipe it */
void mfa_record_clear(struct mfa_record *record);

/** Read and write "step time nonce" */
enum mfa_rc mfa_last_use_parse(struct mfa_last_use *last_use, struct mfa_bytes text) MFA_MUST_CHECK;
void mfa_last_use_format(char out[static MFA_LAST_USE_SIZE], struct mfa_last_use const *last_use);

/** Make a login's nonce: each use of a code has its own, so that none passes for another one's retransmission */
enum mfa_rc mfa_nonce_make(char nonce[static MFA_NONCE_TEXT_SIZE]) MFA_MUST_CHECK;

/** The length of the step that was used last
 *
 * Devices of one user may have different periods; the two numbers of the value
 * give it away, since step * period is the time but for the token's drift.
 *
 * @return seconds, or 0 when there was no use or the numbers do not belong together.
 */
uint32_t mfa_last_use_period_s(struct mfa_last_use const *last_use);

/** Read and write "count time tag" */
enum mfa_rc mfa_failures_parse(struct mfa_failures *failures, struct mfa_bytes text) MFA_MUST_CHECK;
void mfa_failures_format(char out[static MFA_FAILURES_SIZE], struct mfa_failures const *failures);

/** The names "broken", "off", "suspended", "enrolled", "invited", "overdue" */
char const *mfa_state_name(enum mfa_state state);

#endif /* MFA_CORE_RECORD_H */
