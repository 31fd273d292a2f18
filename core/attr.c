/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/attr.h"

#include "core/hashed.h"

struct mfa_attr_info const mfa_attrs[MFA_ATTR_COUNT] = {
#define INFO(_id, _item, _name, _radius, _values, _secret, ...)                                    \
	[MFA_ATTR_##_id] = {_name, _radius, _values, _secret},
	MFA_ATTRS(INFO)
#undef INFO
};

/* The readers have arrays of these sizes. */
enum {
#define VALUES(_id, _item, _name, _radius, _values, ...) VALUES_##_id = (_values),
	MFA_ATTRS(VALUES)
#undef VALUES
};
_Static_assert(VALUES_SECRET == MFA_SECRETS_MAX, "secrets of a record");
_Static_assert(VALUES_RECOVERY_CODE == MFA_RECOVERY_COUNT, "recovery codes of a record");
_Static_assert(VALUES_TRUSTED_DEVICE == MFA_DEVICES_MAX, "remembered devices of a record");

bool mfa_attr_is_single(enum mfa_attr attr)
{
	return (unsigned)attr < MFA_ATTR_COUNT && mfa_attrs[attr].values == 1;
}
