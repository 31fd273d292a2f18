/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/import/import.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size);
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the sanitizer's name */
char const *__lsan_default_suppressions(void);

/** libpskc 2.6.7 forgets the first of two values where there should be one */
char const *__lsan_default_suppressions(void)
{
	return "leak:libpskc.so";
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/** Whatever is good must be within its bounds, and have an end */
static bool take(struct mfa_cli_row const *row, void *uctx)
{
	unsigned *last = uctx;

	if (row->number < *last) abort();
	*last = row->number;
	if (!memchr(row->user, '\0', sizeof(row->user))) abort();
	if (!row->good) return row->diag.text[0] ? true : (abort(), false);
	if (row->totp.key_len < MFA_TOTP_KEY_MIN || row->totp.key_len > MFA_TOTP_KEY_MAX) abort();
	if (row->totp.digits < MFA_TOTP_DIGITS_MIN || row->totp.digits > MFA_TOTP_DIGITS_MAX)
		abort();
	if (row->totp.period_s < MFA_TOTP_PERIOD_MIN || row->totp.period_s > MFA_TOTP_PERIOD_MAX)
		abort();
	return true;
}

static enum mfa_rc import_pskc(struct mfa_diag *diag, struct mfa_bytes text,
			       struct mfa_cli_row_taker const *taker)
{
	/* Of RFC 6030, figures 6 and 7. */
	static uint8_t const key[] = {0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56,
				      0x78, 0x90, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12};
	struct mfa_cli_pskc_unlock const unlock = {{key, sizeof(key)}, mfa_bytes_of("qwerty")};

	return mfa_cli_import_pskc(diag, text, &unlock, taker);
}

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	static enum mfa_rc (*const parse[])(struct mfa_diag *, struct mfa_bytes,
					    struct mfa_cli_row_taker const *) = {
		mfa_cli_import_csv, mfa_cli_import_otpauth, mfa_cli_import_google, import_pskc};

	for (size_t i = 0; i < sizeof(parse) / sizeof(parse[0]); i++) {
		unsigned last = 0;
		struct mfa_cli_row_taker const taker = {take, &last};
		struct mfa_diag diag = {.text = ""};
		uint8_t *copy = malloc(size ? size : 1);

		if (!copy) return 0;
		if (size) memcpy(copy, data, size);
		if (parse[i](&diag, (struct mfa_bytes){copy, size}, &taker) != MFA_OK &&
		    !diag.text[0])
			abort();
		(void)mfa_cli_import_guess((struct mfa_bytes){copy, size});
		free(copy);
	}
	return 0;
}
