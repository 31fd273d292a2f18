/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/challenge.h"

#include <openssl/crypto.h>

#include <string.h>

#define PREFIX_LEN (sizeof(MFA_STATE_PREFIX) - 1)
#define FIXED_LEN  (8u + MFA_NONCE_SIZE + 2u * MFA_CHALLENGE_HASH + 2u)
#define PLAIN_MAX  (FIXED_LEN + MFA_CHALLENGE_KEPT)
#define BOX_MAX	   (PLAIN_MAX + MFA_SEAL_OVERHEAD)

#define ENROLLING 0x80u /* added to the attempt */

#define HEAD_LEN (PREFIX_LEN + MFA_STATE_TAG_LEN)

_Static_assert(HEAD_LEN + MFA_BASE64URL_SIZE(BOX_MAX) <= MFA_STATE_TEXT_MAX + 1,
	       "a State must fit into one RADIUS attribute");

bool mfa_challenge_has_form(struct mfa_bytes state)
{
	return state.len > PREFIX_LEN &&
	       CRYPTO_memcmp(state.data, MFA_STATE_PREFIX, PREFIX_LEN) == 0;
}

/** The tag of a key and a context */
static enum mfa_rc make_tag(char tag[static MFA_STATE_TAG_LEN + 1], struct mfa_key const *key,
			    char const *context)
{
	struct mfa_bytes const part[] = {mfa_bytes_of("tag"), mfa_bytes_of(context)};
	uint8_t mac[MFA_MAC_SIZE];
	enum mfa_rc const rc = mfa_mac(mac, key->derived[MFA_PURPOSE_STATE], part, 2);

	if (rc != MFA_OK) return rc;
	return mfa_base64url_encode(tag, MFA_STATE_TAG_LEN + 1, mac, MFA_STATE_TAG_LEN * 3 / 4);
}

bool mfa_challenge_is_ours(struct mfa_bytes state, struct mfa_keyring const *ring,
			   char const *context)
{
	char tag[MFA_STATE_TAG_LEN + 1];

	if (!mfa_challenge_has_form(state) || state.len <= HEAD_LEN) return false;
	for (size_t i = 0; i < ring->count; i++) {
		if (make_tag(tag, &ring->key[i], context) == MFA_OK &&
		    CRYPTO_memcmp(state.data + PREFIX_LEN, tag, MFA_STATE_TAG_LEN) == 0) {
			return true;
		}
	}
	return false;
}

enum mfa_rc mfa_challenge_hash(uint8_t hash[static MFA_CHALLENGE_HASH], struct mfa_bytes what)
{
	uint8_t digest[MFA_MAC_SIZE];
	enum mfa_rc rc = mfa_digest(digest, what);

	if (rc == MFA_OK) memcpy(hash, digest, MFA_CHALLENGE_HASH);
	return rc;
}

static void put(uint8_t **out, void const *bytes, size_t len)
{
	memcpy(*out, bytes, len);
	*out += len;
}

static void get(void *bytes, uint8_t const **in, size_t len)
{
	memcpy(bytes, *in, len);
	*in += len;
}

static size_t pack(uint8_t plain[static PLAIN_MAX], struct mfa_challenge const *challenge)
{
	uint8_t const attempt = challenge->attempt | (challenge->enrolling ? ENROLLING : 0);
	uint8_t *p = plain;
	uint64_t issued = (uint64_t)challenge->issued_s;

	for (int i = 7; i >= 0; i--, issued >>= 8) p[i] = (uint8_t)issued;
	p += 8;
	put(&p, challenge->nonce, sizeof(challenge->nonce));
	put(&p, challenge->user, sizeof(challenge->user));
	put(&p, challenge->bind, sizeof(challenge->bind));
	put(&p, &attempt, 1);
	put(&p, &challenge->failures, 1);
	put(&p, challenge->kept, challenge->kept_len);
	return (size_t)(p - plain);
}

static void unpack(struct mfa_challenge *challenge, uint8_t const *plain, size_t len)
{
	uint8_t const *p = plain;
	uint64_t issued = 0;

	for (int i = 0; i < 8; i++) issued = issued << 8 | *p++;
	challenge->issued_s = (int64_t)issued;
	get(challenge->nonce, &p, sizeof(challenge->nonce));
	get(challenge->user, &p, sizeof(challenge->user));
	get(challenge->bind, &p, sizeof(challenge->bind));
	get(&challenge->attempt, &p, 1);
	challenge->enrolling = (challenge->attempt & ENROLLING) != 0;
	challenge->attempt &= ENROLLING - 1;
	get(&challenge->failures, &p, 1);
	challenge->kept_len = (uint8_t)(len - FIXED_LEN);
	get(challenge->kept, &p, challenge->kept_len);
}

enum mfa_rc mfa_challenge_seal(char state[static MFA_STATE_TEXT_MAX + 1],
			       struct mfa_challenge const *challenge,
			       struct mfa_keyring const *ring, char const *context)
{
	uint8_t plain[PLAIN_MAX], box[BOX_MAX];
	size_t len;
	enum mfa_rc rc;

	memset(state, 0, MFA_STATE_TEXT_MAX + 1);
	if (challenge->kept_len > MFA_CHALLENGE_KEPT || challenge->attempt >= ENROLLING)
		return MFA_ERR_ARG;
	len = pack(plain, challenge);
	rc = mfa_seal(box, sizeof(box), ring->key[0].derived[MFA_PURPOSE_STATE],
		      mfa_bytes_of(context), (struct mfa_bytes){plain, len});
	OPENSSL_cleanse(plain, sizeof(plain));
	if (rc != MFA_OK) return rc;
	memcpy(state, MFA_STATE_PREFIX, PREFIX_LEN);
	rc = make_tag(state + PREFIX_LEN, &ring->key[0], context);
	if (rc == MFA_OK)
		rc = mfa_base64url_encode(state + HEAD_LEN, MFA_STATE_TEXT_MAX + 1 - HEAD_LEN, box,
					  len + MFA_SEAL_OVERHEAD);
	if (rc != MFA_OK) state[0] = '\0';
	return rc;
}

enum mfa_rc mfa_challenge_open(struct mfa_challenge *challenge, struct mfa_keyring const *ring,
			       struct mfa_bytes state, char const *context)
{
	uint8_t plain[PLAIN_MAX], box[BOX_MAX];
	size_t box_len, len = 0;
	enum mfa_rc rc = MFA_ERR_CRYPTO;

	memset(challenge, 0, sizeof(*challenge));
	if (!mfa_challenge_has_form(state) || state.len <= HEAD_LEN) return MFA_ERR_FORMAT;
	if (!mfa_challenge_is_ours(state, ring, context)) return MFA_ERR_CRYPTO;
	state.data += HEAD_LEN;
	state.len -= HEAD_LEN;
	if (mfa_base64url_decode(box, &box_len, sizeof(box), state) != MFA_OK)
		return MFA_ERR_FORMAT;
	for (size_t i = 0; i < ring->count && rc == MFA_ERR_CRYPTO; i++) {
		rc = mfa_unseal(plain, &len, sizeof(plain), ring->key[i].derived[MFA_PURPOSE_STATE],
				mfa_bytes_of(context), (struct mfa_bytes){box, box_len});
	}
	if (rc != MFA_OK) return rc;
	if (len < FIXED_LEN) return MFA_ERR_FORMAT;
	unpack(challenge, plain, len);
	OPENSSL_cleanse(plain, sizeof(plain));
	return MFA_OK;
}
