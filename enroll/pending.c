/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/code.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

#define KIND "pending key"

static char const *const setup_name[] = {
	[MFA_SETUP_ON] = "on", [MFA_SETUP_ADD] = "add", [MFA_SETUP_REPLACE] = "replace"};

/** What the key is bound to: entry, purpose, and the record's last use */
static enum mfa_rc binding(uint8_t hash[static MFA_MAC_SIZE], struct mfa_web const *web,
			   enum mfa_setup setup)
{
	struct mfa_entry const *entry = &web->login->entry;
	struct mfa_bytes const use = mfa_entry_get(entry, MFA_ATTR_LAST_USE, 0);
	uint8_t const zero[MFA_KEY_SIZE] = {0};
	struct mfa_bytes const part[] = {entry->id, mfa_bytes_of(setup_name[setup]), use};

	/* No secret is needed: the box around it is authentic. */
	return mfa_mac(hash, zero, part, 3);
}

enum mfa_rc mfa_pending_make(struct mfa_pending *pending, int64_t now_s, enum mfa_setup setup)
{
	memset(pending, 0, sizeof(*pending));
	pending->setup = setup;
	pending->issued_s = now_s;
	return mfa_random(pending->key, sizeof(pending->key));
}

enum mfa_rc mfa_pending_seal(char text[static MFA_PENDING_TEXT_SIZE],
			     struct mfa_pending const *pending, struct mfa_web *web)
{
	uint8_t plain[256], bound[MFA_MAC_SIZE];
	struct mfa_packer packer = {.data = plain, .size = sizeof(plain)};
	enum mfa_rc rc = binding(bound, web, pending->setup);

	text[0] = '\0';
	if (rc != MFA_OK) return rc;
	mfa_pack_bytes(&packer, bound, sizeof(bound));
	mfa_pack_number(&packer, pending->issued_s);
	mfa_pack_bytes(&packer, pending->key, sizeof(pending->key));
	rc = packer.failed ? MFA_ERR_SPACE
			   : mfa_box_seal(text, MFA_PENDING_TEXT_SIZE, &web->app->ring, KIND,
					  (struct mfa_bytes){plain, packer.len});
	OPENSSL_cleanse(plain, sizeof(plain));
	return rc;
}

enum mfa_rc mfa_pending_open(struct mfa_pending *pending, struct mfa_web *web, char const *text,
			     enum mfa_setup setup)
{
	uint8_t plain[256], bound[MFA_MAC_SIZE], expected[MFA_MAC_SIZE];
	struct mfa_unpacker unpacker = {0};
	size_t len = 0;
	enum mfa_rc rc = MFA_ERR_NOT_FOUND;

	memset(pending, 0, sizeof(*pending));
	pending->setup = setup;
	if (mfa_box_open(plain, &len, sizeof(plain), &web->app->ring, KIND, text) != MFA_OK ||
	    binding(expected, web, setup) != MFA_OK) {
		return rc;
	}
	unpacker.rest = (struct mfa_bytes){plain, len};
	mfa_unpack_bytes(bound, sizeof(bound), &unpacker);
	pending->issued_s = mfa_unpack_number(&unpacker);
	mfa_unpack_bytes(pending->key, sizeof(pending->key), &unpacker);
	if (!unpacker.failed && unpacker.rest.len == 0 &&
	    CRYPTO_memcmp(bound, expected, sizeof(bound)) == 0 &&
	    web->now_s - pending->issued_s <= MFA_PENDING_S &&
	    pending->issued_s <= web->now_s + 60) {
		rc = MFA_OK;
	}
	OPENSSL_cleanse(plain, sizeof(plain));
	if (rc != MFA_OK) OPENSSL_cleanse(pending, sizeof(*pending));
	return rc;
}

void mfa_pending_totp(struct mfa_totp *totp, struct mfa_pending const *pending, char const *name,
		      int64_t now_s)
{
	memset(totp, 0, sizeof(*totp));
	memcpy(totp->key, pending->key, sizeof(pending->key));
	totp->key_len = sizeof(pending->key);
	totp->hash = MFA_TOTP_SHA1;
	totp->digits = 6;
	totp->period_s = 30;
	totp->added_s = now_s;
	(void)snprintf(totp->name, sizeof(totp->name), "%s", name);
}
