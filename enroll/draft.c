/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/draft.h"
#include "enroll/cookie.h"
#include "enroll/pages.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

#define KIND	       "draft"
#define DRAFT_PATH_MAX 31u

static char const *const kept[] = {"name", "voucher", "device"};
#define KEPT (sizeof(kept) / sizeof(kept[0]))

/** Taken out of its cookie */
struct draft {
	int64_t issued_s;
	uint8_t entry[MFA_MAC_SIZE]; //!< Whose session it was; zero: not known.
	char path[DRAFT_PATH_MAX + 1];
	char value[KEPT][200];
};

void mfa_draft_keep(struct mfa_web *web)
{
	uint8_t plain[600];
	struct mfa_packer packer = {.data = plain, .size = sizeof(plain)};

	if (!web->route->show || strlen(web->route->path) > DRAFT_PATH_MAX) return;
	mfa_pack_number(&packer, web->now_s);
	mfa_pack_bytes(&packer, web->session.entry, sizeof(web->session.entry));
	mfa_pack_text(&packer, web->route->path);
	for (size_t i = 0; i < KEPT; i++) mfa_pack_text(&packer, mfa_form_get(&web->form, kept[i]));
	if (packer.failed || mfa_box_seal(web->draft_box, sizeof(web->draft_box), &web->app->ring,
					  KIND, (struct mfa_bytes){plain, packer.len}) != MFA_OK) {
		web->draft_box[0] = '\0';
	}
	OPENSSL_cleanse(plain, sizeof(plain));
}

static bool read_draft(struct draft *draft, struct mfa_web const *web)
{
	char text[MFA_DRAFT_TEXT_MAX + 1];
	uint8_t plain[600];
	struct mfa_unpacker unpacker = {0};
	size_t len = 0;

	memset(draft, 0, sizeof(*draft));
	if (!mfa_cookie_take(text, sizeof(text), &web->http, MFA_COOKIE_DRAFT) ||
	    mfa_box_open(plain, &len, sizeof(plain), &web->app->ring, KIND, text) != MFA_OK) {
		return false;
	}
	unpacker.rest = (struct mfa_bytes){plain, len};
	draft->issued_s = mfa_unpack_number(&unpacker);
	mfa_unpack_bytes(draft->entry, sizeof(draft->entry), &unpacker);
	mfa_unpack_text(draft->path, sizeof(draft->path), &unpacker);
	for (size_t i = 0; i < KEPT; i++)
		mfa_unpack_text(draft->value[i], sizeof(draft->value[i]), &unpacker);
	OPENSSL_cleanse(plain, sizeof(plain));
	return !unpacker.failed && unpacker.rest.len == 0 &&
	       web->now_s - draft->issued_s <= MFA_DRAFT_S;
}

void mfa_draft_redirect(struct mfa_web *web)
{
	static char const device[] = "?device=";
	char path[DRAFT_PATH_MAX + sizeof(device) + MFA_TOKEN_SIZE];
	struct draft draft;

	if (!read_draft(&draft, web)) {
		mfa_web_redirect(web, "/");
		return;
	}
	(void)snprintf(path, sizeof(path), "%s", draft.path);
	/* Removing a device is asked for by a link that names it. */
	if (draft.value[2][0] != '\0' && strcmp(draft.path, "/device/remove") == 0)
		(void)snprintf(path, sizeof(path), "%s%s%.*s", draft.path, device,
			       (int)MFA_TOKEN_SIZE, draft.value[2]);
	mfa_web_redirect(web, path);
	OPENSSL_cleanse(&draft, sizeof(draft));
}

void mfa_draft_fill(struct mfa_web *web)
{
	struct draft draft;
	bool typed = false;

	if (!web->route->form || !read_draft(&draft, web) ||
	    strcmp(draft.path, web->route->path) != 0) {
		return;
	}
	web->drop_draft = true;
	for (size_t i = 0; i < 2; i++) {
		if (draft.value[i][0] == '\0' ||
		    CRYPTO_memcmp(draft.entry, web->session.entry, sizeof(draft.entry)) != 0) {
			continue;
		}
		typed |= mfa_form_put(&web->form, web->route->form, kept[i],
				      mfa_bytes_of(draft.value[i]));
	}
	if (typed && web->session.flash == MFA_FLASH_NONE)
		web->session.flash = MFA_FLASH_STILL_HERE;
	OPENSSL_cleanse(&draft, sizeof(draft));
}
