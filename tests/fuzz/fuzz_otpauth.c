/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An otpauth URI: what is read from one is read again from the URI that is written. */
#include "fuzz.h"

static void check_totp(struct mfa_totp const *totp)
{
	CHECK(totp->key_len >= MFA_TOTP_KEY_MIN && totp->key_len <= MFA_TOTP_KEY_MAX);
	CHECK(totp->digits >= MFA_TOTP_DIGITS_MIN && totp->digits <= MFA_TOTP_DIGITS_MAX);
	CHECK(totp->period_s >= MFA_TOTP_PERIOD_MIN && totp->period_s <= MFA_TOTP_PERIOD_MAX);
	CHECK(strnlen(totp->name, sizeof(totp->name)) <= MFA_TOTP_NAME_MAX);
	CHECK(totp->added_s >= 0);
}

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	struct mfa_bytes const uri = fuzz_copy((struct mfa_bytes){data, size});
	static struct mfa_totp const zero;
	struct mfa_totp totp, again;
	struct mfa_diag diag;
	char text[MFA_OTPAUTH_SIZE], code[MFA_TOTP_DIGITS_MAX + 1];

	if (mfa_otpauth_parse(&totp, &diag, uri) == MFA_OK) {
		check_totp(&totp);
		CHECK(mfa_otpauth_format(text, sizeof(text), &totp, NULL, NULL) == MFA_OK);
		CHECK(mfa_otpauth_parse(&again, &diag, mfa_bytes_of(text)) == MFA_OK);
		CHECK(memcmp(&again, &totp, sizeof(totp)) == 0);
		CHECK(mfa_totp_generate(code, &totp, 1) == MFA_OK && strlen(code) == totp.digits);
	} else {
		CHECK(memcmp(&totp, &zero, sizeof(totp)) == 0);
		CHECK(diag.text[0]);
	}
	fuzz_free(uri);
	return 0;
}
