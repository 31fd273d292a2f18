/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/entry.h"
#include "unit.h"

static struct mfa_entry entry;

static void values_are_kept_byte_for_byte_in_their_order(void **state)
{
	(void)state;
	entry_new(&entry);
	entry_add(&entry, MFA_ATTR_SECRET, "one");
	entry_add(&entry, MFA_ATTR_ENABLED, "TRUE");
	entry_add(&entry, MFA_ATTR_SECRET, "");
	assert_int_equal(mfa_entry_add(&entry, MFA_ATTR_SECRET, raw("a\0b", 3)), MFA_OK);

	assert_int_equal(mfa_entry_count(&entry, MFA_ATTR_SECRET), 3);
	assert_int_equal(mfa_entry_count(&entry, MFA_ATTR_ENABLED), 1);
	assert_int_equal(mfa_entry_count(&entry, MFA_ATTR_VOUCHER), 0);
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_SECRET, 0), "one");
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_SECRET, 1), "");
	assert_true(mfa_bytes_equal(mfa_entry_get(&entry, MFA_ATTR_SECRET, 2), raw("a\0b", 3)));
	assert_null(mfa_entry_get(&entry, MFA_ATTR_SECRET, 3).data);
	assert_null(mfa_entry_get(&entry, MFA_ATTR_VOUCHER, 0).data);
}

static void values_are_copies(void **state)
{
	char value[] = "before";

	(void)state;
	entry_new(&entry);
	entry_add(&entry, MFA_ATTR_SECRET, value);
	memcpy(value, "after!", sizeof(value));
	assert_bytes(mfa_entry_get(&entry, MFA_ATTR_SECRET, 0), "before");
}

static void dn_and_id_end_in_a_nul(void **state)
{
	(void)state;
	entry_new(&entry);
	assert_string_equal((char const *)entry.dn.data, "uid=u,dc=example,dc=org");
	assert_bytes(entry.id, ENTRY_ID);
	assert_int_equal(
		mfa_entry_set_id(&entry, raw("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16)),
		MFA_OK);
	assert_int_equal(entry.id.len, 16);
}

static void an_id_has_a_largest_size(void **state)
{
	static char const id[MFA_ENTRY_ID_MAX + 1];

	(void)state;
	mfa_entry_init(&entry);
	assert_int_equal(mfa_entry_set_id(&entry, raw(id, MFA_ENTRY_ID_MAX)), MFA_OK);
	assert_int_equal(mfa_entry_set_id(&entry, raw(id, MFA_ENTRY_ID_MAX + 1)), MFA_ERR_SPACE);
}

static void no_more_values_than_there_is_room_for(void **state)
{
	(void)state;
	mfa_entry_init(&entry);
	for (unsigned i = 0; i < MFA_ENTRY_VALUES; i++) entry_add(&entry, MFA_ATTR_SECRET, "x");
	assert_int_equal(mfa_entry_add(&entry, MFA_ATTR_SECRET, bytes("x")), MFA_ERR_SPACE);
	assert_int_equal(mfa_entry_count(&entry, MFA_ATTR_SECRET), MFA_ENTRY_VALUES);
}

static void no_more_bytes_than_there_is_room_for(void **state)
{
	static char const value[MFA_ENTRY_SIZE];

	(void)state;
	mfa_entry_init(&entry);
	assert_int_equal(mfa_entry_add(&entry, MFA_ATTR_SECRET, raw(value, MFA_ENTRY_SIZE)),
			 MFA_ERR_SPACE);
	assert_int_equal(entry.count, 0);
	assert_int_equal(mfa_entry_add(&entry, MFA_ATTR_SECRET, raw(value, MFA_ENTRY_SIZE - 1)),
			 MFA_OK);
	assert_int_equal(mfa_entry_add(&entry, MFA_ATTR_SECRET, raw(value, 0)), MFA_ERR_SPACE);
	assert_int_equal(mfa_entry_set_dn(&entry, raw(value, SIZE_MAX / 2)), MFA_ERR_SPACE);
	assert_int_equal(entry.count, 1);
}

static void a_cleared_entry_holds_nothing(void **state)
{
	(void)state;
	entry_new(&entry);
	entry_add(&entry, MFA_ATTR_SECRET, RFC_KEY);
	entry.has_class = true;
	mfa_entry_clear(&entry);
	assert_zero(entry.memory, 256);
	assert_int_equal(entry.count, 0);
	assert_null(entry.dn.data);
	assert_null(entry.id.data);
	assert_false(entry.has_class);
}

static void a_packed_entry_is_read_back(void **state)
{
	static struct mfa_entry again;
	uint8_t packed[512];
	size_t len;

	(void)state;
	entry_new(&entry);
	entry_add(&entry, MFA_ATTR_SECRET, RFC_KEY);
	assert_int_equal(mfa_entry_add(&entry, MFA_ATTR_SECRET, raw("a\0b", 3)), MFA_OK);
	entry_add(&entry, MFA_ATTR_ENABLED, "");
	entry.left_out = MFA_ATTR_BIT(MFA_ATTR_TRUSTED_DEVICE) | MFA_ATTR_BIT(MFA_ATTR_VOUCHER);
	assert_int_equal(mfa_entry_pack(packed, &len, sizeof(packed), &entry), MFA_OK);
	assert_int_equal(mfa_entry_unpack(&again, (struct mfa_bytes){packed, len}), MFA_OK);
	assert_true(mfa_bytes_equal(again.dn, entry.dn));
	assert_true(mfa_bytes_equal(again.id, entry.id));
	assert_int_equal(again.count, 3);
	assert_int_equal(again.left_out, entry.left_out);
	assert_bytes(mfa_entry_get(&again, MFA_ATTR_SECRET, 0), RFC_KEY);
	assert_true(mfa_bytes_equal(mfa_entry_get(&again, MFA_ATTR_SECRET, 1), raw("a\0b", 3)));
	assert_int_equal(mfa_entry_count(&again, MFA_ATTR_ENABLED), 1);

	/* Cut anywhere, it is either refused or a shorter entry; nothing is read behind the cut. */
	for (size_t cut = 0; cut < len; cut++) {
		if (mfa_entry_unpack(&again, (struct mfa_bytes){packed, cut}) != MFA_OK)
			assert_int_equal(again.count, 0);
	}
	assert_int_equal(mfa_entry_pack(packed, &len, len - 1, &entry), MFA_ERR_SPACE);
	assert_int_equal(len, 0);
	assert_int_equal(mfa_entry_unpack(&again, raw("\x77\0\0", 3)), MFA_ERR_FORMAT);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(values_are_kept_byte_for_byte_in_their_order),
		cmocka_unit_test(values_are_copies),
		cmocka_unit_test(dn_and_id_end_in_a_nul),
		cmocka_unit_test(an_id_has_a_largest_size),
		cmocka_unit_test(no_more_values_than_there_is_room_for),
		cmocka_unit_test(no_more_bytes_than_there_is_room_for),
		cmocka_unit_test(a_cleared_entry_holds_nothing),
		cmocka_unit_test(a_packed_entry_is_read_back),
	};

	return RUN(tests);
}
