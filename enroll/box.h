/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/box.h
 * @brief What travels by way of the browser: sealed with the ring's session key, and tokens made by it.
 */
#ifndef MFA_ENROLL_BOX_H
#define MFA_ENROLL_BOX_H

#include "core/keyring.h"

#define MFA_BOX_MAX 1024u //!< Bytes that a box may hold.

/** Bytes of the text of a box that holds @p _n bytes, NUL included */
#define MFA_BOX_TEXT_SIZE(_n) MFA_BASE64URL_SIZE((_n) + MFA_SEAL_OVERHEAD)

#define MFA_TOKEN_SIZE MFA_BASE64URL_SIZE(MFA_MAC_SIZE) //!< A token, NUL included.

/** Seal with the ring's first key
 *
 * @param[out] text base64url, NUL-terminated; empty on failure.
 * @param[in] kind  what it is; a box opens as the same kind alone.
 * @return #MFA_OK, #MFA_ERR_SPACE, #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_box_seal(char *text, size_t text_size, struct mfa_keyring const *ring,
			 char const *kind, struct mfa_bytes plain) MFA_MUST_CHECK;

/** Open with whichever key of the ring it was sealed with
 *
 * @param[out] plain_len 0 on failure.
 * @return #MFA_OK, #MFA_ERR_FORMAT, #MFA_ERR_SPACE, #MFA_ERR_CRYPTO.
 */
enum mfa_rc mfa_box_open(uint8_t *plain, size_t *plain_len, size_t plain_size,
			 struct mfa_keyring const *ring, char const *kind, char const *text)
	MFA_MUST_CHECK;

/** Make a token: a keyed hash of two things, such as a session and a form's name
 *
 * @param[out] token NUL-terminated; empty on failure.
 */
enum mfa_rc mfa_token_make(char token[static MFA_TOKEN_SIZE], struct mfa_keyring const *ring,
			   struct mfa_bytes a, struct mfa_bytes b) MFA_MUST_CHECK;

/** Whether a token is of these two things, by any key of the ring; constant time */
bool mfa_token_check(struct mfa_keyring const *ring, struct mfa_bytes a, struct mfa_bytes b,
		     char const *token);

/** A small writer and reader of the bytes in a box; both only say at the end whether all fitted */
struct mfa_packer {
	uint8_t *data;
	size_t size, len;
	bool failed;
};

struct mfa_unpacker {
	struct mfa_bytes rest;
	bool failed;
};

void mfa_pack_bytes(struct mfa_packer *packer, void const *data, size_t len);
void mfa_pack_number(struct mfa_packer *packer, int64_t number);
void mfa_pack_text(struct mfa_packer *packer, char const *text);

void mfa_unpack_bytes(void *out, size_t len, struct mfa_unpacker *unpacker);
int64_t mfa_unpack_number(struct mfa_unpacker *unpacker);
void mfa_unpack_text(char *out, size_t out_size, struct mfa_unpacker *unpacker);

#endif /* MFA_ENROLL_BOX_H */
