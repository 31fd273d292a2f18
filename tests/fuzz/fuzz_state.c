/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The State attribute.  The input is opened as it is, and once more sealed, since no fuzzer
 * finds a box that opens.
 */
#include "core/challenge.h"
#include "fuzz.h"

static enum mfa_rc open_state(struct mfa_bytes state)
{
	struct mfa_challenge challenge, again;
	char text[MFA_STATE_TEXT_MAX + 1];
	enum mfa_rc const rc = mfa_challenge_open(&challenge, fuzz_ring(), state, "fuzz");

	if (rc != MFA_OK) {
		static struct mfa_challenge const zero;

		CHECK(memcmp(&challenge, &zero, sizeof(zero)) == 0);
		return rc;
	}
	CHECK(challenge.kept_len <= MFA_CHALLENGE_KEPT);
	CHECK(mfa_challenge_seal(text, &challenge, fuzz_ring(), "fuzz") == MFA_OK);
	CHECK(mfa_challenge_open(&again, fuzz_ring(), mfa_bytes_of(text), "fuzz") == MFA_OK);
	CHECK(memcmp(&again, &challenge, sizeof(again)) == 0);
	CHECK(mfa_challenge_open(&again, fuzz_ring(), mfa_bytes_of(text), "other") != MFA_OK);
	return MFA_OK;
}

static void open_sealed(struct mfa_bytes plain)
{
	uint8_t box[256 + MFA_SEAL_OVERHEAD];
	char text[512];
	static struct mfa_challenge const empty;
	size_t const head = sizeof(MFA_STATE_PREFIX) - 1 + MFA_STATE_TAG_LEN;
	size_t const fixed = 8 + MFA_NONCE_SIZE + 2 * MFA_CHALLENGE_HASH + 2;
	bool const fits = plain.len >= fixed && plain.len <= fixed + MFA_CHALLENGE_KEPT;

	if (plain.len > 256) return;
	CHECK(mfa_challenge_seal(text, &empty, fuzz_ring(), "fuzz") == MFA_OK);
	CHECK(mfa_seal(box, sizeof(box), fuzz_ring()->key[1].derived[MFA_PURPOSE_STATE],
		       mfa_bytes_of("fuzz"), plain) == MFA_OK);
	CHECK(mfa_base64url_encode(text + head, sizeof(text) - head, box,
				   plain.len + MFA_SEAL_OVERHEAD) == MFA_OK);
	CHECK((open_state(mfa_bytes_of(text)) == MFA_OK) == fits);
}

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	struct mfa_bytes const state = fuzz_copy((struct mfa_bytes){data, size});

	if (!mfa_challenge_has_form(state)) CHECK(open_state(state) == MFA_ERR_FORMAT);
	(void)open_state(state);
	open_sealed(state);
	fuzz_free(state);
	return 0;
}
