/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/change.h"
#include "unit.h"

static struct mfa_change change;
static struct mfa_entry entry;

static void assert_op(size_t i, enum mfa_op op, enum mfa_attr attr, char const *value)
{
	assert_true(i < change.count);
	assert_int_equal(change.list[i].op, op);
	assert_int_equal(change.list[i].attr, attr);
	assert_bytes(change.list[i].value, value);
}

static void a_swap_deletes_what_was_read_and_adds_the_new_value(void **state)
{
	(void)state;
	entry_new(&entry);
	entry_add(&entry, MFA_ATTR_LAST_USE, "1 30 a");
	mfa_change_init(&change);
	mfa_change_swap(&change, &entry, MFA_ATTR_LAST_USE, "2 60 b");
	assert_int_equal(change.count, 2);
	assert_op(0, MFA_OP_DELETE, MFA_ATTR_LAST_USE, "1 30 a");
	assert_op(1, MFA_OP_ADD, MFA_ATTR_LAST_USE, "2 60 b");
}

static void the_first_swap_only_adds(void **state)
{
	(void)state;
	entry_new(&entry);
	mfa_change_init(&change);
	mfa_change_swap(&change, &entry, MFA_ATTR_LAST_USE, "2 60 b");
	assert_int_equal(change.count, 1);
	assert_op(0, MFA_OP_ADD, MFA_ATTR_LAST_USE, "2 60 b");
}

static void a_swap_for_nothing_only_deletes(void **state)
{
	(void)state;
	entry_new(&entry);
	mfa_change_init(&change);
	mfa_change_swap(&change, &entry, MFA_ATTR_FAILURES, NULL);
	assert_int_equal(change.count, 0);
	entry_add(&entry, MFA_ATTR_FAILURES, "1 30 t");
	mfa_change_swap(&change, &entry, MFA_ATTR_FAILURES, NULL);
	assert_int_equal(change.count, 1);
	assert_op(0, MFA_OP_DELETE, MFA_ATTR_FAILURES, "1 30 t");
}

static void every_operation_keeps_its_place(void **state)
{
	char value[] = "value";

	(void)state;
	mfa_change_init(&change);
	mfa_change_add_class(&change);
	mfa_change_add(&change, MFA_ATTR_SECRET, value);
	memset(value, 'x', 5);
	mfa_change_add(&change, MFA_ATTR_ENABLED, "");
	mfa_change_delete(&change, MFA_ATTR_VOUCHER, bytes("v"));
	mfa_change_clear(&change, MFA_ATTR_RECOVERY_CODE);
	assert_int_equal(change.count, 5);
	assert_op(0, MFA_OP_ADD_CLASS, MFA_ATTR_COUNT, "");
	assert_op(1, MFA_OP_ADD, MFA_ATTR_SECRET, "value");
	assert_op(2, MFA_OP_ADD, MFA_ATTR_ENABLED, "");
	assert_op(3, MFA_OP_DELETE, MFA_ATTR_VOUCHER, "v");
	assert_op(4, MFA_OP_CLEAR, MFA_ATTR_RECOVERY_CODE, "");
	assert_false(change.overflow);
	mfa_change_init(&change);
	assert_int_equal(change.count + change.assert_count + change.used, 0);
}

static void an_assertion_names_every_value_or_the_lack_of_any(void **state)
{
	(void)state;
	entry_new(&entry);
	entry_add(&entry, MFA_ATTR_SECRET, "a");
	entry_add(&entry, MFA_ATTR_SECRET, "b");
	mfa_change_init(&change);
	mfa_change_assert(&change, &entry, MFA_ATTR_SECRET);
	mfa_change_assert(&change, &entry, MFA_ATTR_FAILURES);
	assert_int_equal(change.count, 0);
	assert_int_equal(change.assert_count, 3);
	assert_bytes(change.asserts[0].value, "a");
	assert_bytes(change.asserts[1].value, "b");
	assert_null(change.asserts[2].value.data);
	assert_int_equal(change.asserts[2].attr, MFA_ATTR_FAILURES);
}

static void what_does_not_fit_is_never_cut(void **state)
{
	static char text[MFA_CHANGE_TEXT_SIZE + 2];

	(void)state;
	mfa_change_init(&change);
	for (unsigned i = 0; i < MFA_CHANGE_MAX; i++) mfa_change_clear(&change, MFA_ATTR_SECRET);
	assert_false(change.overflow);
	mfa_change_clear(&change, MFA_ATTR_SECRET);
	assert_true(change.overflow);
	assert_int_equal(change.count, MFA_CHANGE_MAX);

	mfa_change_init(&change);
	assert_false(change.overflow);
	memset(text, 'x', MFA_CHANGE_TEXT_SIZE + 1);
	mfa_change_add(&change, MFA_ATTR_SECRET, text);
	assert_true(change.overflow);
	assert_int_equal(change.count, 0);

	mfa_change_init(&change);
	text[MFA_CHANGE_TEXT_SIZE] = '\0';
	mfa_change_add(&change, MFA_ATTR_SECRET, text);
	assert_false(change.overflow);
	mfa_change_add(&change, MFA_ATTR_SECRET, "x");
	assert_true(change.overflow);
	assert_int_equal(change.count, 1);
}

static void a_value_that_is_deleted_needs_no_assertion(void **state)
{
	(void)state;
	entry_new(&entry);
	entry_add(&entry, MFA_ATTR_SECRET, "a");
	entry_add(&entry, MFA_ATTR_SECRET, "b");
	mfa_change_init(&change);
	mfa_change_delete(&change, MFA_ATTR_SECRET, mfa_bytes_of("a"));
	mfa_change_delete(&change, MFA_ATTR_FAILURES, mfa_bytes_of("b"));
	mfa_change_add(&change, MFA_ATTR_SECRET, "b");
	mfa_change_assert(&change, &entry, MFA_ATTR_SECRET);
	assert_int_equal(change.assert_count, 1);
	assert_bytes(change.asserts[0].value, "b");
	mfa_change_clear(&change, MFA_ATTR_SECRET);
	mfa_change_assert(&change, &entry, MFA_ATTR_SECRET);
	assert_int_equal(change.assert_count, 2);
}

static void too_many_assertions_do_not_fit_either(void **state)
{
	(void)state;
	entry_new(&entry);
	for (unsigned i = 0; i <= MFA_CHANGE_ASSERTS; i++) entry_add(&entry, MFA_ATTR_SECRET, "x");
	mfa_change_init(&change);
	mfa_change_assert(&change, &entry, MFA_ATTR_SECRET);
	assert_true(change.overflow);
	assert_int_equal(change.assert_count, MFA_CHANGE_ASSERTS);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(a_swap_deletes_what_was_read_and_adds_the_new_value),
		cmocka_unit_test(the_first_swap_only_adds),
		cmocka_unit_test(a_swap_for_nothing_only_deletes),
		cmocka_unit_test(every_operation_keeps_its_place),
		cmocka_unit_test(an_assertion_names_every_value_or_the_lack_of_any),
		cmocka_unit_test(what_does_not_fit_is_never_cut),
		cmocka_unit_test(a_value_that_is_deleted_needs_no_assertion),
		cmocka_unit_test(too_many_assertions_do_not_fit_either),
	};

	return RUN(tests);
}
