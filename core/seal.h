/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/seal.h
 * @brief Authenticated encryption, keyed hashes and random bytes, all by OpenSSL.
 */
#ifndef MFA_CORE_SEAL_H
#define MFA_CORE_SEAL_H

#include "core/text.h"

#define MFA_KEY_SIZE   32u //!< Bytes of every key.
#define MFA_NONCE_SIZE 12u //!< Bytes in front of a box, fresh for each.
#define MFA_TAG_SIZE   16u //!< Bytes behind a box.
#define MFA_MAC_SIZE   32u //!< Bytes of a keyed hash.

/** Bytes that a box is longer than what it holds */
#define MFA_SEAL_OVERHEAD (MFA_NONCE_SIZE + MFA_TAG_SIZE)

/** Put bytes into a box: AES-256-GCM (NIST SP 800-38D)
 *
 * @param[out] box     nonce, ciphertext, tag: @p plain.len + #MFA_SEAL_OVERHEAD bytes.
 * @param[in] box_size bytes at @p box.
 * @param[in] aad      what the box is bound to; must be given again to open it.
 * @return #MFA_OK, #MFA_ERR_SPACE or #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_seal(uint8_t *box, size_t box_size, uint8_t const key[static MFA_KEY_SIZE],
		     struct mfa_bytes aad, struct mfa_bytes plain) MFA_MUST_CHECK;

/** Open a box
 *
 * @param[out] plain     what was put in; wiped when the box does not open.
 * @param[out] plain_len bytes written, box.len - #MFA_SEAL_OVERHEAD; 0 on failure.
 * @param[in] plain_size bytes at @p plain.
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_FORMAT when the box is shorter than an empty one.
 *	- #MFA_ERR_SPACE.
 *	- #MFA_ERR_CRYPTO when key, aad or box are not those that were sealed.
 */
enum mfa_rc mfa_unseal(uint8_t *plain, size_t *plain_len, size_t plain_size,
		       uint8_t const key[static MFA_KEY_SIZE], struct mfa_bytes aad,
		       struct mfa_bytes box) MFA_MUST_CHECK;

/** A keyed hash over several parts: HMAC-SHA-256 (RFC 2104)
 *
 * Each part is preceded by its length in four bytes, so that moving a border
 * changes the hash.
 *
 * @param[in] count parts at @p part, at most 8.
 * @return #MFA_OK or #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_mac(uint8_t mac[static MFA_MAC_SIZE], uint8_t const key[static MFA_KEY_SIZE],
		    struct mfa_bytes const *part, size_t count) MFA_MUST_CHECK;

/** SHA-256 of one part */
enum mfa_rc mfa_digest(uint8_t digest[static MFA_MAC_SIZE], struct mfa_bytes part) MFA_MUST_CHECK;

/** Derive a key from a key: HKDF-SHA-256 (RFC 5869) without salt
 *
 * @param[in] info the purpose, so that keys for different purposes differ.
 * @return #MFA_OK or #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_derive(uint8_t out[static MFA_KEY_SIZE], uint8_t const key[static MFA_KEY_SIZE],
		       char const *info) MFA_MUST_CHECK;

/** Bytes that nobody can guess, at most 256, from the kernel (getentropy(3))
 *
 * @return #MFA_OK or #MFA_ERR_CRYPTO, after which @p out must not be used.
 */
enum mfa_rc mfa_random(uint8_t *out, size_t len) MFA_MUST_CHECK;

#endif /* MFA_CORE_SEAL_H */
