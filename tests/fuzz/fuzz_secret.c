/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A secret as it stands in the directory.  The input is read as it is, and once more sealed,
 * since no fuzzer finds a box that opens.
 */
#include "core/secret.h"
#include "fuzz.h"

static void parse(struct mfa_bytes value)
{
	struct mfa_bytes const entry_id = mfa_bytes_of(FUZZ_ENTRY_ID);
	struct mfa_totp totp, again;
	struct mfa_diag diag;
	char text[MFA_SECRET_SIZE];

	if (mfa_secret_parse(&totp, &diag, fuzz_ring(), entry_id, value) != MFA_OK) {
		CHECK(diag.text[0] && totp.key_len == 0);
		return;
	}
	CHECK(mfa_secret_format(text, &totp, fuzz_ring(), entry_id) == MFA_OK);
	CHECK(mfa_secret_parse(&again, &diag, fuzz_ring(), entry_id, mfa_bytes_of(text)) == MFA_OK);
	CHECK(memcmp(&again, &totp, sizeof(totp)) == 0);
	CHECK(mfa_secret_parse(&again, &diag, fuzz_ring(), mfa_bytes_of("another"),
			       mfa_bytes_of(text)) != MFA_OK);
}

static void parse_sealed(struct mfa_bytes plain)
{
	static char const prefix[] = "{GCM}new$";
	uint8_t box[1024 + MFA_SEAL_OVERHEAD];
	char text[2048];

	if (plain.len > 1024) return;
	CHECK(mfa_seal(box, sizeof(box), fuzz_ring()->key[0].derived[MFA_PURPOSE_SECRET],
		       mfa_bytes_of(FUZZ_ENTRY_ID), plain) == MFA_OK);
	memcpy(text, prefix, sizeof(prefix));
	CHECK(mfa_base64url_encode(text + sizeof(prefix) - 1, sizeof(text) - sizeof(prefix), box,
				   plain.len + MFA_SEAL_OVERHEAD) == MFA_OK);
	parse(mfa_bytes_of(text));
}

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	struct mfa_bytes const value = fuzz_copy((struct mfa_bytes){data, size});
	struct mfa_bytes const id = mfa_secret_key_id(value);

	CHECK(id.len == 0 || (id.data > value.data && id.data + id.len < value.data + value.len));
	parse(value);
	parse_sealed(value);
	fuzz_free(value);
	return 0;
}
