/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/attr.h"

struct mfa_attr_info const mfa_attrs[MFA_ATTR_COUNT] = {
#define INFO(_id, _item, _name, _radius, _values, _secret, ...)                                    \
	[MFA_ATTR_##_id] = {_name, _radius, _values, _secret},
	MFA_ATTRS(INFO)
#undef INFO
};

bool mfa_attr_is_single(enum mfa_attr attr)
{
	return (unsigned)attr < MFA_ATTR_COUNT && mfa_attrs[attr].values == 1;
}
