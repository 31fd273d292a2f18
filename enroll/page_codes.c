/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/code.h"
#include "enroll/cookie.h"
#include "enroll/layout.h"
#include "enroll/mail.h"
#include "enroll/pages.h"

#include <mfa_html.h>
#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

#define KIND	   "recovery codes"
#define PLAIN_SIZE (MFA_SESSION_ID_SIZE + 16u + MFA_CODES_TEXT_SIZE)

enum mfa_rc mfa_codes_hand_over(struct mfa_web *web, char const *codes)
{
	uint8_t plain[PLAIN_SIZE];
	struct mfa_packer packer = {.data = plain, .size = sizeof(plain)};
	enum mfa_rc rc;

	mfa_pack_bytes(&packer, web->session.id, sizeof(web->session.id));
	mfa_pack_number(&packer, web->now_s);
	mfa_pack_text(&packer, codes);
	rc = packer.failed ? MFA_ERR_SPACE
			   : mfa_box_seal(web->codes_box, sizeof(web->codes_box), &web->app->ring,
					  KIND, (struct mfa_bytes){plain, packer.len});
	OPENSSL_cleanse(plain, sizeof(plain));
	return rc;
}

/** Take the codes out of a box; empty when it is not of this session, or too old */
static void open_codes(char codes[static MFA_CODES_TEXT_SIZE + 1], struct mfa_web const *web,
		       char const *box)
{
	uint8_t plain[PLAIN_SIZE], id[MFA_SESSION_ID_SIZE];
	struct mfa_unpacker unpacker = {0};
	size_t len = 0;
	int64_t made_s;

	codes[0] = '\0';
	if (mfa_box_open(plain, &len, sizeof(plain), &web->app->ring, KIND, box) != MFA_OK) return;
	unpacker.rest = (struct mfa_bytes){plain, len};
	mfa_unpack_bytes(id, sizeof(id), &unpacker);
	made_s = mfa_unpack_number(&unpacker);
	mfa_unpack_text(codes, MFA_CODES_TEXT_SIZE + 1, &unpacker);
	OPENSSL_cleanse(plain, sizeof(plain));
	if (unpacker.failed || web->now_s - made_s > MFA_CODES_S ||
	    CRYPTO_memcmp(id, web->session.id, sizeof(id)) != 0) {
		OPENSSL_cleanse(codes, MFA_CODES_TEXT_SIZE + 1);
	}
}

/** The codes on this page, out of the cookie that brought them or the form that came back */
static void list_codes(struct mfa_web *web)
{
	for (char const *line = web->codes; *line; line += strcspn(line, "\n") + 1) {
		mfa_html_codes_one(web,
				   (struct mfa_bytes){(uint8_t const *)line, strcspn(line, "\n")});
	}
}

void mfa_page_codes_show(struct mfa_web *web)
{
	char codes[MFA_CODES_TEXT_SIZE + 1], box[MFA_CODES_BOX_SIZE];

	(void)mfa_cookie_take(box, sizeof(box), &web->http, MFA_COOKIE_CODES);
	open_codes(codes, web, box);
	if (codes[0] == '\0') {
		mfa_web_redirect_flash(web, "/", MFA_FLASH_CODES_GONE);
		return;
	}
	web->codes = codes;
	mfa_html_codes(web, box, list_codes);
	web->codes = "";
	web->drop_codes = true;
	OPENSSL_cleanse(codes, sizeof(codes));
	OPENSSL_cleanse(box, sizeof(box));
}

void mfa_page_codes_save(struct mfa_web *web)
{
	char codes[MFA_CODES_TEXT_SIZE + 1], date[MFA_DATE_SIZE];
	struct mfa_out *out = &web->body;

	open_codes(codes, web, mfa_form_get(&web->form, "codes"));
	if (codes[0] == '\0') {
		mfa_web_redirect_flash(web, "/", MFA_FLASH_CODES_GONE);
		return;
	}
	mfa_date_format(date, web->now_s);
	mfa_out_clear(out);
	mfa_out_raw(out, web->app->settings.page.site_name);
	mfa_out_raw(out, " – ");
	mfa_out_raw(out, _("Recovery codes"));
	mfa_out_raw(out, "\n");
	mfa_out_raw(out, web->session.user);
	mfa_out_raw(out, ", ");
	mfa_out_raw(out, date);
	mfa_out_raw(out, "\n\n");
	mfa_out_raw(out, codes);
	web->answer.type = "text/plain; charset=utf-8";
	web->answer.file_name = "recovery-codes.txt";
	OPENSSL_cleanse(codes, sizeof(codes));
}

void mfa_page_recovery_show(struct mfa_web *web)
{
	if (mfa_page_blocked(web)) return;
	if (web->login->record.state != MFA_STATE_ENROLLED) {
		mfa_layout_message(web, 409, _("MFA is not on"), _("Turn on MFA first."));
		return;
	}
	mfa_html_recovery(web);
}

static enum mfa_outcome write_codes(struct mfa_web *web, struct mfa_enrollment *enrollment,
				    void *uctx)
{
	(void)web;
	return mfa_enrollment_codes(enrollment, uctx);
}

void mfa_page_recovery(struct mfa_web *web)
{
	char codes[MFA_CODES_TEXT_SIZE + 1] = "";
	bool done = false;

	if (web->login->record.state == MFA_STATE_ENROLLED &&
	    mfa_recovery_generate_set(codes) == MFA_OK)
		done = mfa_code_spend(web, false, write_codes, codes);
	if (done) {
		if (mfa_codes_hand_over(web, codes) != MFA_OK) web->body.failed = true;
		mfa_web_log(web, "made new recovery codes");
		mfa_web_event(web, MFA_EVENT_RECOVERY_CODES, "totp", "changed",
			      "made new recovery codes");
		mfa_mail_notice(web, MFA_MAIL_CODES);
		mfa_web_redirect(web, "/codes");
	} else if (!web->complete) {
		mfa_page_recovery_show(web);
	}
	OPENSSL_cleanse(codes, sizeof(codes));
}
