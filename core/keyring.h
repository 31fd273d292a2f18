/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/keyring.h
 * @brief The key ring: one file of master keys, and one key a purpose derived from each.
 *
 * A line holds a key id, white space, and the base64 of 32 random bytes.  Empty
 * lines and lines that begin with '#' are skipped.  The first key seals, every
 * key opens.  Master keys are forgotten once the others are derived.
 */
#ifndef MFA_CORE_KEYRING_H
#define MFA_CORE_KEYRING_H

#include "core/seal.h"

#define MFA_KEY_ID_MAX	     32u   //!< Characters of a key id: letters, digits, '.', '_', '-'.
#define MFA_KEYRING_MAX	     16u   //!< Keys on a ring.
#define MFA_KEYRING_FILE_MAX 3500u //!< Bytes of a key ring file.

/** What a derived key is for; a key for one purpose is of no use for another */
enum mfa_purpose {
	MFA_PURPOSE_SECRET,   //!< TOTP secrets at rest.
	MFA_PURPOSE_STATE,    //!< The RADIUS State attribute.
	MFA_PURPOSE_SESSION,  //!< Cookies and forms of the enrolment page.
	MFA_PURPOSE_RECOVERY, //!< Hashes of recovery codes.
	MFA_PURPOSE_FAILURE,  //!< Tags of wrong codes.
	MFA_PURPOSE_VOUCHER,  //!< Hashes of vouchers.
	MFA_PURPOSE_DEVICE,   //!< Hashes of remembered devices.
	MFA_PURPOSE_COUNT
};

/** One key of the ring */
struct mfa_key {
	char id[MFA_KEY_ID_MAX + 1];			  //!< NUL-terminated.
	uint8_t derived[MFA_PURPOSE_COUNT][MFA_KEY_SIZE]; //!< By HKDF, see mfa_derive().
};

/** All keys; the first seals */
struct mfa_keyring {
	size_t count;			     //!< 1 .. MFA_KEYRING_MAX once read.
	struct mfa_key key[MFA_KEYRING_MAX]; //!< In the order of the file.
};

/** Read a key ring from memory
 *
 * @param[out] ring all zero on failure.
 * @param[out] diag which line and what is allowed there; never the key. May be NULL.
 * @param[in] text  the file's content.
 * @return #MFA_OK, #MFA_ERR_FORMAT, #MFA_ERR_SPACE (too many keys) or #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_keyring_parse(struct mfa_keyring *ring, struct mfa_diag *diag,
			      struct mfa_bytes text) MFA_MUST_CHECK;

/** Read a key ring file
 *
 * Refuses what is not a regular file, what others can read or write, what the
 * group can write, and a last path component that is a symbolic link.
 *
 * @return as mfa_keyring_parse(), and
 *	- #MFA_ERR_NOT_FOUND when it cannot be opened or read.
 *	- #MFA_ERR_DENIED when its mode or kind is not acceptable.
 */
enum mfa_rc mfa_keyring_load(struct mfa_keyring *ring, struct mfa_diag *diag, char const *path)
	MFA_MUST_CHECK;

/** Find a key by its id
 *
 * @return a key of the ring, or NULL.
 */
struct mfa_key const *mfa_keyring_find(struct mfa_keyring const *ring, struct mfa_bytes id);

/** Wipe every key */
void mfa_keyring_clear(struct mfa_keyring *ring);

#endif /* MFA_CORE_KEYRING_H */
