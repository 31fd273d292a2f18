/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/secret.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SEALED	   "{GCM}"
#define SEALED_LEN (sizeof(SEALED) - 1)

static bool is_sealed(struct mfa_bytes value)
{
	return value.len > SEALED_LEN &&
	       memcmp(value.data, SEALED, SEALED_LEN) == 0; /* banned-ok: public prefix */
}

/** Split "{GCM}id$text"; false when it is not of that form */
static bool split_sealed(struct mfa_bytes *id, struct mfa_bytes *text, struct mfa_bytes value)
{
	uint8_t const *dollar;

	if (!is_sealed(value)) return false;
	*id = (struct mfa_bytes){value.data + SEALED_LEN, value.len - SEALED_LEN};
	dollar = memchr(id->data, '$', id->len);
	if (!dollar) return false;
	id->len = (size_t)(dollar - id->data);
	*text = (struct mfa_bytes){dollar + 1, value.len - SEALED_LEN - id->len - 1};
	return id->len > 0;
}

struct mfa_bytes mfa_secret_key_id(struct mfa_bytes value)
{
	struct mfa_bytes id, text;

	return split_sealed(&id, &text, value) ? id : (struct mfa_bytes){0};
}

static enum mfa_rc parse_open(struct mfa_totp *totp, struct mfa_diag *diag, struct mfa_bytes value)
{
	enum mfa_rc rc;

	if (value.len >= 10 && strncasecmp((char const *)value.data, "otpauth://", 10) == 0)
		return mfa_otpauth_parse(totp, diag, value);

	memset(totp, 0, sizeof(*totp));
	totp->digits = 6;
	totp->period_s = 30;
	rc = mfa_base32_decode(totp->key, &totp->key_len, sizeof(totp->key), value);
	if (rc == MFA_OK && totp->key_len >= MFA_TOTP_KEY_MIN) return MFA_OK;
	OPENSSL_cleanse(totp, sizeof(*totp));
	mfa_diag_set(diag,
		     "secret is neither base32 of %u to %u bytes, nor an otpauth URI, nor {GCM}",
		     MFA_TOTP_KEY_MIN, MFA_TOTP_KEY_MAX);
	return MFA_ERR_FORMAT;
}

enum mfa_rc mfa_secret_parse(struct mfa_totp *totp, struct mfa_diag *diag,
			     struct mfa_keyring const *ring, struct mfa_bytes entry_id,
			     struct mfa_bytes value)
{
	uint8_t box[MFA_OTPAUTH_SIZE + MFA_SEAL_OVERHEAD], plain[MFA_OTPAUTH_SIZE];
	struct mfa_bytes id, text;
	struct mfa_key const *key;
	size_t box_len, plain_len;
	enum mfa_rc rc;

	memset(totp, 0, sizeof(*totp));
	if (!is_sealed(value)) return parse_open(totp, diag, value);
	if (!split_sealed(&id, &text, value) ||
	    mfa_base64url_decode(box, &box_len, sizeof(box), text) != MFA_OK) {
		mfa_diag_set(diag, "sealed secret is not of the form {GCM}key-id$base64url");
		return MFA_ERR_FORMAT;
	}
	key = mfa_keyring_find(ring, id);
	if (!key) {
		mfa_diag_set(diag, "sealed secret needs key '%.*s', which is not on the key ring",
			     (int)(id.len > MFA_KEY_ID_MAX ? MFA_KEY_ID_MAX : id.len), id.data);
		return MFA_ERR_NOT_FOUND;
	}
	rc = mfa_unseal(plain, &plain_len, sizeof(plain), key->derived[MFA_PURPOSE_SECRET],
			entry_id, (struct mfa_bytes){box, box_len});
	if (rc == MFA_OK) {
		rc = parse_open(totp, diag, (struct mfa_bytes){plain, plain_len});
	} else {
		mfa_diag_set(diag,
			     "sealed secret does not open with key '%s': altered, or another "
			     "entry's, or another key of that name",
			     key->id);
	}
	OPENSSL_cleanse(plain, sizeof(plain));
	return rc;
}

enum mfa_rc mfa_secret_format(char out[static MFA_SECRET_SIZE], struct mfa_totp const *totp,
			      struct mfa_keyring const *ring, struct mfa_bytes entry_id)
{
	char uri[MFA_OTPAUTH_SIZE];
	uint8_t box[MFA_OTPAUTH_SIZE + MFA_SEAL_OVERHEAD];
	size_t plain_len, prefix_len;
	enum mfa_rc rc;

	out[0] = '\0';
	rc = mfa_otpauth_format(uri, sizeof(uri), totp, NULL, NULL);
	if (rc != MFA_OK) return rc;
	plain_len = strlen(uri);
	rc = mfa_seal(box, sizeof(box), ring->key[0].derived[MFA_PURPOSE_SECRET], entry_id,
		      (struct mfa_bytes){(uint8_t const *)uri, plain_len});
	OPENSSL_cleanse(uri, sizeof(uri));
	if (rc != MFA_OK) return rc;
	prefix_len = (size_t)snprintf(out, MFA_SECRET_SIZE, SEALED "%s$", ring->key[0].id);
	rc = mfa_base64url_encode(out + prefix_len, MFA_SECRET_SIZE - prefix_len, box,
				  plain_len + MFA_SEAL_OVERHEAD);
	if (rc != MFA_OK) out[0] = '\0';
	return rc;
}
