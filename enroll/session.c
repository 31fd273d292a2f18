/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/session.h"

#include <openssl/crypto.h>

#include <string.h>

#define KIND		 "session"
#define SIGN_IN_FORM_S	 43200 /* a sign-in page may stay open so long */
#define CLOCK_BACKWARD_S 60    /* other servers' clocks may be ahead of ours by so much */

enum mfa_rc mfa_session_begin(struct mfa_session *session, int64_t now_s)
{
	memset(session, 0, sizeof(*session));
	if (mfa_random(session->id, sizeof(session->id)) != MFA_OK) return MFA_ERR_CRYPTO;
	session->issued_s = now_s;
	session->present = true;
	return MFA_OK;
}

enum mfa_rc mfa_session_seal(char text[static MFA_SESSION_TEXT_MAX + 1],
			     struct mfa_session const *session, struct mfa_keyring const *ring)
{
	uint8_t plain[MFA_BOX_MAX];
	struct mfa_packer packer = {.data = plain, .size = sizeof(plain)};

	mfa_pack_number(&packer, session->signed_in);
	mfa_pack_bytes(&packer, session->id, sizeof(session->id));
	mfa_pack_number(&packer, session->issued_s);
	mfa_pack_number(&packer, session->flash);
	if (session->signed_in) {
		mfa_pack_number(&packer, session->password_s);
		mfa_pack_number(&packer, session->may_add_until_s);
		mfa_pack_number(&packer, session->may_replace);
		mfa_pack_bytes(&packer, session->code_use, sizeof(session->code_use));
		mfa_pack_bytes(&packer, session->entry, sizeof(session->entry));
		mfa_pack_text(&packer, session->user);
		mfa_pack_text(&packer, session->dn);
	}
	text[0] = '\0';
	if (packer.failed) return MFA_ERR_SPACE;
	return mfa_box_seal(text, MFA_SESSION_TEXT_MAX + 1, ring, KIND,
			    (struct mfa_bytes){plain, packer.len});
}

static bool unpack(struct mfa_session *session, struct mfa_bytes plain)
{
	struct mfa_unpacker unpacker = {.rest = plain};
	int64_t flash;

	memset(session, 0, sizeof(*session));
	session->signed_in = mfa_unpack_number(&unpacker) == 1;
	mfa_unpack_bytes(session->id, sizeof(session->id), &unpacker);
	session->issued_s = mfa_unpack_number(&unpacker);
	flash = mfa_unpack_number(&unpacker);
	if (session->signed_in) {
		session->password_s = mfa_unpack_number(&unpacker);
		session->may_add_until_s = mfa_unpack_number(&unpacker);
		session->may_replace = mfa_unpack_number(&unpacker) == 1;
		mfa_unpack_bytes(session->code_use, sizeof(session->code_use), &unpacker);
		mfa_unpack_bytes(session->entry, sizeof(session->entry), &unpacker);
		mfa_unpack_text(session->user, sizeof(session->user), &unpacker);
		mfa_unpack_text(session->dn, sizeof(session->dn), &unpacker);
	}
	if (flash > MFA_FLASH_NONE && flash < MFA_FLASH_COUNT)
		session->flash = (enum mfa_flash)flash;
	session->present = !unpacker.failed && unpacker.rest.len == 0;
	return session->present;
}

void mfa_session_open(struct mfa_session *session, bool *expired, struct mfa_keyring const *ring,
		      char const *text, int64_t now_s)
{
	uint8_t plain[MFA_BOX_MAX];
	size_t len = 0;
	int64_t begun_s;

	*expired = false;
	if (mfa_box_open(plain, &len, sizeof(plain), ring, KIND, text) != MFA_OK ||
	    !unpack(session, (struct mfa_bytes){plain, len})) {
		memset(session, 0, sizeof(*session));
		return;
	}
	begun_s = session->signed_in ? session->password_s : session->issued_s;
	if (now_s - begun_s > (session->signed_in ? MFA_SESSION_S : SIGN_IN_FORM_S) ||
	    begun_s - now_s > CLOCK_BACKWARD_S) {
		uint8_t entry[MFA_MAC_SIZE];

		*expired = session->signed_in;
		memcpy(entry, session->entry, sizeof(entry));
		memset(session, 0, sizeof(*session));
		memcpy(session->entry, entry, sizeof(entry));
	}
}

bool mfa_session_needs_password(struct mfa_session const *session, int64_t now_s)
{
	return now_s - session->password_s > MFA_PASSWORD_S ||
	       session->password_s - now_s > CLOCK_BACKWARD_S;
}
