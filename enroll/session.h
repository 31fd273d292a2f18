/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/session.h
 * @brief The session: all that the page remembers of a visitor, sealed in the visitor's cookie.
 *
 * The server keeps no sessions, so any worker on any host that has the key ring can
 * answer. A cookie that was changed, or sealed by another key, is no cookie. What a server
 * does keep, beside the counters of guesses, is which sessions were ended.
 */
#ifndef MFA_ENROLL_SESSION_H
#define MFA_ENROLL_SESSION_H

#include "enroll/box.h"

#define MFA_SESSION_S	     1800  //!< A session ends so long after the password was given.
#define MFA_PASSWORD_S	     300   //!< A change needs a password that is not older.
#define MFA_SESSION_ID_SIZE  16u   //!< Random bytes.
#define MFA_SESSION_USER_MAX 128u  //!< Bytes of a user name.
#define MFA_SESSION_DN_MAX   512u  //!< Bytes of a DN.
#define MFA_SESSION_TEXT_MAX 1400u //!< Characters of a sealed session.

/** What the next page tells the visitor, once */
enum mfa_flash {
	MFA_FLASH_NONE = 0,
	MFA_FLASH_SIGNED_OUT,
	MFA_FLASH_EXPIRED,
	MFA_FLASH_TURNED_OFF,
	MFA_FLASH_DEVICE_ADDED,
	MFA_FLASH_DEVICE_REMOVED,
	MFA_FLASH_FORGOTTEN,
	MFA_FLASH_CODES_GONE,
	MFA_FLASH_START_AGAIN,
	MFA_FLASH_STILL_HERE,
	MFA_FLASH_SIGNED_OUT_EVERYWHERE,
	MFA_FLASH_COUNT
};

/** A session; before sign-in only the id is set */
struct mfa_session {
	bool present;	//!< There is one.
	bool signed_in; //!< user, dn and entry are set.
	uint8_t id[MFA_SESSION_ID_SIZE];
	int64_t issued_s;	 //!< When it began, Unix time; later than the last sign-out.
	int64_t password_s;	 //!< When the password was given last.
	int64_t may_add_until_s; //!< A device may be added until then: a code was given.
	bool may_replace; //!< It was a recovery code: the device takes the place of all others.
	uint8_t code_use[MFA_MAC_SIZE]; //!< Hash of the record's last use by that code.
	enum mfa_flash flash;
	uint8_t entry[MFA_MAC_SIZE]; //!< Hash of the entry's immutable id.
	char user[MFA_SESSION_USER_MAX + 1];
	char dn[MFA_SESSION_DN_MAX + 1];
};

/** Begin: a fresh id, nobody signed in */
enum mfa_rc mfa_session_begin(struct mfa_session *session, int64_t now_s) MFA_MUST_CHECK;

/** Seal it for the cookie */
enum mfa_rc mfa_session_seal(char text[static MFA_SESSION_TEXT_MAX + 1],
			     struct mfa_session const *session, struct mfa_keyring const *ring)
	MFA_MUST_CHECK;

/** Read a cookie
 *
 * @param[out] session all zero when it is not one of ours; when it has expired, all but the hash of
 *		       the entry that it was of.
 * @param[out] expired it was one of ours, of somebody who was signed in, and is too old.
 */
void mfa_session_open(struct mfa_session *session, bool *expired, struct mfa_keyring const *ring,
		      char const *text, int64_t now_s);

/** Whether a change needs the password once more */
bool mfa_session_needs_password(struct mfa_session const *session, int64_t now_s);

#endif /* MFA_ENROLL_SESSION_H */
