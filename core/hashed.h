/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/hashed.h
 * @brief Things kept as keyed hashes: recovery codes, vouchers, remembered devices.
 *
 * A value begins with "key-id$base64url(HMAC)", so that it stays valid while its
 * key is on the ring.  The hash covers the entry's id: a value that is copied into
 * another entry is of no use there.
 */
#ifndef MFA_CORE_HASHED_H
#define MFA_CORE_HASHED_H

#include "core/record.h"

#define MFA_RECOVERY_TEXT_SIZE 15u //!< "BCDF-GHJK-LMNP" and NUL: 12 letters, 51 bits.
#define MFA_RECOVERY_SET_SIZE  (MFA_RECOVERY_COUNT * MFA_RECOVERY_TEXT_SIZE + 1u)
#define MFA_DEVICE_LABEL_MAX   64u //!< Bytes of a label.

/** Bytes of "key-id$hash", NUL included */
#define MFA_HASH_SIZE (MFA_KEY_ID_MAX + 1u + MFA_BASE64URL_SIZE(MFA_MAC_SIZE))
/** Bytes of a voucher's value: hash, expiry */
#define MFA_VOUCHER_SIZE (MFA_HASH_SIZE + 21u)
/** Bytes of a remembered device's value: hash, expiry, label */
#define MFA_DEVICE_SIZE (MFA_VOUCHER_SIZE + MFA_DEVICE_LABEL_MAX + 1u)

/** Make a recovery code or a voucher: 12 consonants in groups of four, so that no word appears */
enum mfa_rc mfa_recovery_generate(char text[static MFA_RECOVERY_TEXT_SIZE]) MFA_MUST_CHECK;

/** Make a set of recovery codes
 *
 * @param[out] codes #MFA_RECOVERY_COUNT of them, a line each, and a NUL; wipe it after use.
 */
enum mfa_rc mfa_recovery_generate_set(char codes[static MFA_RECOVERY_SET_SIZE]) MFA_MUST_CHECK;

/** Hash a recovery code with the ring's first key
 *
 * @param[in] code of kind MFA_CODE_RECOVERY.
 * @return #MFA_OK, #MFA_ERR_ARG, #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_recovery_format(char out[static MFA_HASH_SIZE], struct mfa_keyring const *ring,
				struct mfa_bytes entry_id, struct mfa_code const *code)
	MFA_MUST_CHECK;

/** Find the value that a recovery code stands for
 *
 * @param[out] index which value of MFA_ATTR_RECOVERY_CODE; 0 on failure.
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND.
 */
enum mfa_rc mfa_recovery_find(size_t *index, struct mfa_entry const *entry,
			      struct mfa_keyring const *ring, struct mfa_code const *code)
	MFA_MUST_CHECK;

/** Make the nonce of a login by a recovery code
 *
 * Step and time of the last use stay those of the last TOTP code, so the nonce tells the
 * time of this login: 5 bytes, big-endian, then 7 bytes of a keyed hash over that time, the
 * entry's id, its secrets, the login's nonce and the code.  Only the same login with the
 * same code can compute it again, and only until a secret is added or taken away.
 *
 * @param[in] code	  of kind MFA_CODE_RECOVERY.
 * @param[in] login_nonce of the login.
 * @param[in] time_s	  Unix time, below 2^40.
 * @return #MFA_OK or #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_recovery_nonce(char out[static MFA_NONCE_TEXT_SIZE],
			       struct mfa_record const *record, struct mfa_keyring const *ring,
			       struct mfa_code const *code, char const *login_nonce, int64_t time_s)
	MFA_MUST_CHECK;

/** The time that the nonce of a login by a recovery code tells; any other nonce tells a wrong one
 *
 * @return #MFA_OK or #MFA_ERR_FORMAT.
 */
enum mfa_rc mfa_recovery_nonce_time(int64_t *time_s, char const *nonce) MFA_MUST_CHECK;

/** Write a voucher's value: "hash expiry" */
enum mfa_rc mfa_voucher_format(char out[static MFA_VOUCHER_SIZE], struct mfa_keyring const *ring,
			       struct mfa_bytes entry_id, struct mfa_code const *code,
			       int64_t expires_s) MFA_MUST_CHECK;

/** Check a voucher against the entry's value
 *
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND when there is none, it is another one, or it has expired.
 */
enum mfa_rc mfa_voucher_check(struct mfa_entry const *entry, struct mfa_keyring const *ring,
			      struct mfa_code const *code, int64_t now_s) MFA_MUST_CHECK;

/** A remembered device as it stands in the entry */
struct mfa_device {
	struct mfa_bytes hash;	//!< "key-id$base64url".
	int64_t expires_s;	//!< Unix time.
	struct mfa_bytes label; //!< For people; may be empty.
};

/** Split a value; does not say whether the hash is right */
enum mfa_rc mfa_device_parse(struct mfa_device *device, struct mfa_bytes value) MFA_MUST_CHECK;

/** Write a remembered device's value: "hash expiry label"
 *
 * @param[in] device what tells the device, such as its Calling-Station-Id; also the label.
 * @param[in] totp   the secret that the login used: once it is gone, the device is forgotten.
 */
enum mfa_rc mfa_device_format(char out[static MFA_DEVICE_SIZE], struct mfa_keyring const *ring,
			      struct mfa_bytes entry_id, struct mfa_bytes device,
			      struct mfa_totp const *totp, int64_t expires_s) MFA_MUST_CHECK;

/** Whether the record remembers this device, for any of its present secrets */
bool mfa_device_known(struct mfa_record const *record, struct mfa_keyring const *ring,
		      struct mfa_bytes device, int64_t now_s);

/** Whether a value is of this device, expired or not */
bool mfa_device_same(struct mfa_record const *record, struct mfa_keyring const *ring,
		     struct mfa_bytes device, struct mfa_bytes value);

#endif /* MFA_CORE_HASHED_H */
