/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/change.h"

#include <string.h>

void mfa_change_init(struct mfa_change *change)
{
	change->count = change->assert_count = change->used = 0;
	change->overflow = change->must_assert = false;
}

static void append(struct mfa_change *change, enum mfa_op op, enum mfa_attr attr,
		   struct mfa_bytes value)
{
	if (change->count == MFA_CHANGE_MAX) {
		change->overflow = true;
		return;
	}
	change->list[change->count].op = op;
	change->list[change->count].attr = attr;
	change->list[change->count].value = value;
	change->count++;
}

void mfa_change_add(struct mfa_change *change, enum mfa_attr attr, char const *value)
{
	size_t const len = strlen(value);
	uint8_t *copy = change->text + change->used;

	if (len > sizeof(change->text) - change->used) {
		change->overflow = true;
		return;
	}
	memcpy(copy, value, len);
	change->used += len;
	append(change, MFA_OP_ADD, attr, (struct mfa_bytes){copy, len});
}

void mfa_change_delete(struct mfa_change *change, enum mfa_attr attr, struct mfa_bytes value)
{
	append(change, MFA_OP_DELETE, attr, value);
}

void mfa_change_clear(struct mfa_change *change, enum mfa_attr attr)
{
	append(change, MFA_OP_CLEAR, attr, (struct mfa_bytes){0});
}

void mfa_change_add_class(struct mfa_change *change)
{
	append(change, MFA_OP_ADD_CLASS, MFA_ATTR_COUNT, (struct mfa_bytes){0});
}

void mfa_change_swap(struct mfa_change *change, struct mfa_entry const *entry, enum mfa_attr attr,
		     char const *value)
{
	if (mfa_entry_count(entry, attr) > 0)
		mfa_change_delete(change, attr, mfa_entry_get(entry, attr, 0));
	if (value) mfa_change_add(change, attr, value);
}

static void append_assert(struct mfa_change *change, enum mfa_attr attr, struct mfa_bytes value)
{
	if (change->assert_count == MFA_CHANGE_ASSERTS) {
		change->overflow = true;
		return;
	}
	change->asserts[change->assert_count].attr = attr;
	change->asserts[change->assert_count].value = value;
	change->assert_count++;
}

/** Whether the change deletes a value, and so fails by itself when it is gone */
static bool takes_away(struct mfa_change const *change, enum mfa_attr attr, struct mfa_bytes value)
{
	for (size_t i = 0; i < change->count; i++) {
		if (change->list[i].op == MFA_OP_DELETE && change->list[i].attr == attr &&
		    mfa_bytes_equal(change->list[i].value, value)) {
			return true;
		}
	}
	return false;
}

void mfa_change_assert(struct mfa_change *change, struct mfa_entry const *entry, enum mfa_attr attr)
{
	size_t const count = mfa_entry_count(entry, attr);

	if (count == 0) append_assert(change, attr, (struct mfa_bytes){0});
	for (size_t i = 0; i < count; i++) {
		struct mfa_bytes const value = mfa_entry_get(entry, attr, i);

		if (!takes_away(change, attr, value)) append_assert(change, attr, value);
	}
}

void mfa_change_without(struct mfa_change *part, struct mfa_change const *change, uint32_t attrs)
{
	mfa_change_init(part);
	part->overflow = change->overflow;
	part->must_assert = change->must_assert;
	for (size_t i = 0; i < change->count; i++) {
		if (!(attrs & MFA_ATTR_BIT(change->list[i].attr)))
			part->list[part->count++] = change->list[i];
	}
	for (size_t i = 0; i < change->assert_count; i++) {
		if (!(attrs & MFA_ATTR_BIT(change->asserts[i].attr)))
			part->asserts[part->assert_count++] = change->asserts[i];
	}
}
