/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A key ring file: every key that is read is found by its id, and none is there twice. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	struct mfa_bytes const text = fuzz_copy((struct mfa_bytes){data, size});
	static struct mfa_keyring ring;
	struct mfa_diag diag;

	if (mfa_keyring_parse(&ring, &diag, text) == MFA_OK) {
		CHECK(ring.count >= 1 && ring.count <= MFA_KEYRING_MAX);
		for (size_t i = 0; i < ring.count; i++) {
			size_t const len = strnlen(ring.key[i].id, sizeof(ring.key[i].id));

			CHECK(len >= 1 && len <= MFA_KEY_ID_MAX);
			CHECK(mfa_keyring_find(&ring, mfa_bytes_of(ring.key[i].id)) ==
			      &ring.key[i]);
		}
	} else {
		CHECK(ring.count == 0 && diag.text[0]);
	}
	mfa_keyring_clear(&ring);
	fuzz_free(text);
	return 0;
}
