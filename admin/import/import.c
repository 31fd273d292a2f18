/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/import/import.h"

#include "core/otpauth.h"

#include <openssl/crypto.h>

#include <string.h>
#include <strings.h>

struct mfa_bytes mfa_cli_import_line(struct mfa_bytes *rest)
{
	uint8_t const *end = memchr(rest->data, '\n', rest->len);
	struct mfa_bytes line = {rest->data, end ? (size_t)(end - rest->data) : rest->len};
	size_t const used = line.len + (end ? 1 : 0);

	rest->data += used;
	rest->len -= used;
	while (line.len > 0 && strchr("\r\t ", line.data[line.len - 1]) &&
	       line.data[line.len - 1] != '\0') {
		line.len--;
	}
	return line;
}

void mfa_cli_row_init(struct mfa_cli_row *row, unsigned number)
{
	memset(row, 0, sizeof(*row));
	row->number = number;
	row->totp.digits = MFA_TOTP_DIGITS_MIN;
	row->totp.period_s = 30;
}

bool mfa_cli_row_secret(struct mfa_cli_row *row, struct mfa_bytes base32)
{
	struct mfa_totp *totp = &row->totp;

	if (mfa_base32_decode(totp->key, &totp->key_len, sizeof(totp->key), base32) != MFA_OK) {
		mfa_diag_set(&row->diag, "the secret is not base32 of at most %u bytes",
			     MFA_TOTP_KEY_MAX);
		return false;
	}
	if (totp->key_len < MFA_TOTP_KEY_MIN) {
		mfa_diag_set(&row->diag,
			     "the secret has %zu bits, at least 128 are needed (RFC 4226)",
			     totp->key_len * 8);
		return false;
	}
	return true;
}

static bool starts_with(struct mfa_bytes text, char const *start)
{
	return text.len >= strlen(start) &&
	       strncasecmp((char const *)text.data, start, strlen(start)) == 0;
}

enum mfa_cli_format mfa_cli_import_guess(struct mfa_bytes text)
{
	struct mfa_bytes line = {0};

	while (text.len > 0 && (line.len == 0 || line.data[0] == '#'))
		line = mfa_cli_import_line(&text);
	if (starts_with(line, "<")) return MFA_CLI_FORMAT_PSKC;
	if (starts_with(line, "otpauth:")) return MFA_CLI_FORMAT_OTPAUTH;
	if (line.len > 0 && memchr(line.data, ',', line.len)) return MFA_CLI_FORMAT_CSV;
	return starts_with(text, "\" ") ? MFA_CLI_FORMAT_GOOGLE : MFA_CLI_FORMAT_AUTO;
}

static bool hand_over(struct mfa_cli_row *row, struct mfa_cli_row_taker const *taker)
{
	bool const more = taker->take(row, taker->uctx);

	OPENSSL_cleanse(row, sizeof(*row));
	return more;
}

static void parse_uri(struct mfa_cli_row *row, struct mfa_bytes line)
{
	if (mfa_otpauth_parse(&row->totp, &row->diag, line) != MFA_OK) return;
	row->good = row->totp.name[0] != '\0';
	if (!row->good) mfa_diag_set(&row->diag, "otpauth URI: the label names no account");
	memcpy(row->user, row->totp.name, sizeof(row->totp.name));
	row->totp.name[0] = '\0';
}

enum mfa_rc mfa_cli_import_otpauth(struct mfa_diag *diag, struct mfa_bytes text,
				   struct mfa_cli_row_taker const *taker)
{
	struct mfa_cli_row row;
	bool more = true;

	(void)diag;
	for (unsigned number = 1; more && text.len > 0; number++) {
		struct mfa_bytes const line = mfa_cli_import_line(&text);

		if (line.len == 0 || line.data[0] == '#') continue;
		mfa_cli_row_init(&row, number);
		parse_uri(&row, line);
		more = hand_over(&row, taker);
	}
	return MFA_OK;
}

/** One option line: '" NAME' or '" NAME value' */
static bool google_option(struct mfa_cli_row *row, bool *totp, struct mfa_bytes line)
{
	struct mfa_bytes word;
	int64_t number;

	line.data += 2;
	line.len -= 2;
	if (starts_with(line, "TOTP_AUTH")) *totp = true;
	if (starts_with(line, "HOTP_COUNTER")) {
		mfa_diag_set(&row->diag, "counter-based codes (HOTP) cannot be imported");
		return false;
	}
	if (!starts_with(line, "STEP_SIZE ")) return true;
	(void)mfa_text_word(&word, &line);
	if (mfa_text_number(&number, line, MFA_TOTP_PERIOD_MAX) != MFA_OK ||
	    number < MFA_TOTP_PERIOD_MIN) {
		mfa_diag_set(&row->diag, "STEP_SIZE must be %u to %u", MFA_TOTP_PERIOD_MIN,
			     MFA_TOTP_PERIOD_MAX);
		return false;
	}
	row->totp.period_s = (uint32_t)number;
	return true;
}

static bool parse_google(struct mfa_cli_row *row, struct mfa_bytes text)
{
	struct mfa_bytes line = mfa_cli_import_line(&text);
	bool totp = false;

	if (!mfa_cli_row_secret(row, line)) return false;
	while (text.len > 0) {
		line = mfa_cli_import_line(&text);
		if (starts_with(line, "\" ") && !google_option(row, &totp, line)) return false;
	}
	if (!totp) mfa_diag_set(&row->diag, "no line '\" TOTP_AUTH': not time-based");
	return totp;
}

enum mfa_rc mfa_cli_import_google(struct mfa_diag *diag, struct mfa_bytes text,
				  struct mfa_cli_row_taker const *taker)
{
	struct mfa_cli_row row;

	if (text.len == 0) {
		mfa_diag_set(diag, "the file is empty");
		return MFA_ERR_FORMAT;
	}
	mfa_cli_row_init(&row, 1);
	row.good = parse_google(&row, text);
	(void)hand_over(&row, taker);
	return MFA_OK;
}
