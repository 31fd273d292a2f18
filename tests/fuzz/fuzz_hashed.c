/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One value of each kind that is kept as a keyed hash: none of them is ever right by chance. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	static struct mfa_entry entry;
	static struct mfa_record record;
	static struct mfa_totp const totp = {.key_len = 20, .digits = 6, .period_s = 30};
	struct mfa_bytes const value = fuzz_copy((struct mfa_bytes){data, size});
	struct mfa_device device;
	struct mfa_code code;
	size_t index;

	mfa_entry_init(&entry);
	CHECK(mfa_entry_set_id(&entry, mfa_bytes_of(FUZZ_ENTRY_ID)) == MFA_OK);
	record.entry = &entry;
	record.secret[0] = totp;
	record.secret_count = 1;
	mfa_code_parse(&code, mfa_bytes_of("BCDFGHJKLMNP"));
	if (mfa_entry_add(&entry, MFA_ATTR_RECOVERY_CODE, value) == MFA_OK &&
	    mfa_entry_add(&entry, MFA_ATTR_VOUCHER, value) == MFA_OK &&
	    mfa_entry_add(&entry, MFA_ATTR_TRUSTED_DEVICE, value) == MFA_OK) {
		CHECK(mfa_recovery_find(&index, &entry, fuzz_ring(), &code) != MFA_OK);
		CHECK(mfa_voucher_check(&entry, fuzz_ring(), &code, 1) != MFA_OK);
		CHECK(!mfa_device_known(&record, fuzz_ring(), mfa_bytes_of("laptop"), 1));
	}
	if (mfa_device_parse(&device, value) == MFA_OK) {
		CHECK(device.hash.len > 0 && device.expires_s >= 0);
		CHECK(device.hash.len + device.label.len < value.len);
	}
	fuzz_free(value);
	return 0;
}
