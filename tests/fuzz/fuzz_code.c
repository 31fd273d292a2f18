/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody typed, and the same bytes as a CHAP response and challenge. */
#include "fuzz.h"

static void typed(struct mfa_bytes bytes)
{
	struct mfa_code code, again;

	mfa_code_parse(&code, bytes);
	CHECK(code.len <= MFA_CODE_MAX && strnlen(code.text, sizeof(code.text)) == code.len);
	CHECK(code.kind != MFA_CODE_CHAP);
	CHECK(mfa_code_equals(&code, code.text) == (code.kind == MFA_CODE_DIGITS));
	if (code.kind == MFA_CODE_DIGITS) CHECK(strspn(code.text, "0123456789") == code.len);
	if (code.kind == MFA_CODE_RECOVERY) CHECK(code.len == MFA_CODE_RECOVERY_LEN);
	mfa_code_parse(&again, mfa_bytes_of(code.text));
	CHECK(code.kind == again.kind && strcmp(code.text, again.text) == 0);
}

static void chap(struct mfa_bytes bytes)
{
	size_t const split = bytes.len < 17 ? bytes.len : 17;
	struct mfa_code code;

	mfa_code_parse_chap(&code, (struct mfa_bytes){bytes.data, split},
			    (struct mfa_bytes){bytes.data + split, bytes.len - split});
	CHECK((code.kind == MFA_CODE_CHAP) == (bytes.len > 17 && bytes.len <= 17 + MFA_CODE_MAX));
	(void)mfa_code_equals(&code, "123456");
	mfa_code_clear(&code);
	CHECK(code.kind == MFA_CODE_NONE);
}

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	struct mfa_bytes const bytes = fuzz_copy((struct mfa_bytes){data, size});

	typed(bytes);
	chap(bytes);
	fuzz_free(bytes);
	return 0;
}
