/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/request.h"

/** Names and types; internal attributes, which never leave in a packet */
static struct {
	char const *name;
	PW_TYPE type;
	bool secret;
} const defined[PERUSER_ATTR_COUNT] = {
	[PERUSER_RESULT] = {"Peruser-MFA-Result", PW_TYPE_INTEGER, false},
	[PERUSER_MODE] = {"Peruser-MFA-Mode", PW_TYPE_INTEGER, false},
	[PERUSER_REQUIRED] = {"Peruser-MFA-Required", PW_TYPE_INTEGER, false},
	[PERUSER_SHOW] = {"Peruser-MFA-Show", PW_TYPE_INTEGER, false},
	[PERUSER_DIGITS] = {"Peruser-MFA-Digits", PW_TYPE_STRING, false},
	[PERUSER_WAIT] = {"Peruser-MFA-Wait", PW_TYPE_STRING, false},
	[PERUSER_RECOVERY_LEFT] = {"Peruser-MFA-Recovery-Left", PW_TYPE_INTEGER, false},
	[PERUSER_REQUIRED_DATE] = {"Peruser-MFA-Required-Date", PW_TYPE_STRING, false},
	[PERUSER_ENTRY_ID] = {"Peruser-MFA-Entry-Id", PW_TYPE_OCTETS, false},
	[PERUSER_OBJECT_CLASS] = {"Peruser-MFA-Object-Class", PW_TYPE_STRING, false},
	[PERUSER_INNER] = {"Peruser-MFA-Inner", PW_TYPE_INTEGER, false},
#define MAPPED(_id, _item, _name, _radius, _values, _secret, ...)                                  \
	[PERUSER_MAPPED + MFA_ATTR_##_id] = {_radius, PW_TYPE_STRING, _secret},
	MFA_ATTRS(MAPPED)
#undef MAPPED
};

/* Looked up once, when the server starts and is single-threaded; the dictionary outlives us. */
static DICT_ATTR const *found[PERUSER_ATTR_COUNT];

DICT_ATTR const *peruser_attr(enum peruser_attr attr)
{
	return found[attr];
}

static int define_values(void)
{
	static char const *const mode[MFA_MODE_COUNT] = {
		[MFA_MODE_CHALLENGE] = "challenge",
		[MFA_MODE_APPEND] = "append",
		[MFA_MODE_AUTO] = "auto",
		[MFA_MODE_SKIP] = "skip",
	};

	for (int i = 0; i < MFA_MODE_COUNT; i++) {
		if (dict_addvalue(mode[i], defined[PERUSER_MODE].name, i) < 0) return -1;
	}
	for (int i = 0; i < MFA_RESULT_COUNT; i++) {
		char const *name = mfa_result_name((enum mfa_result)i);

		if (dict_addvalue(name, defined[PERUSER_RESULT].name, i) < 0 ||
		    dict_addvalue(name, defined[PERUSER_INNER].name, i) < 0) {
			return -1;
		}
	}
	if (dict_addvalue("reject", defined[PERUSER_SHOW].name, 0) < 0 ||
	    dict_addvalue("challenge", defined[PERUSER_SHOW].name, 1) < 0) {
		return -1;
	}
	if (dict_addvalue("no", defined[PERUSER_REQUIRED].name, 0) < 0) return -1;
	return dict_addvalue("yes", defined[PERUSER_REQUIRED].name, 1);
}

int peruser_dictionary_define(void)
{
	for (size_t i = 0; i < PERUSER_ATTR_COUNT; i++) {
		ATTR_FLAGS flags = {0};

		peruser_flag_secret(&flags, defined[i].secret);
		if (dict_addattr(defined[i].name, -1, 0, defined[i].type, flags) < 0) goto error;
		found[i] = dict_attrbyname(defined[i].name);
		if (!found[i]) goto error;
	}
	if (define_values() == 0) return 0;
error:
	ERROR("rlm_peruser_mfa: cannot define the module's attributes: %s", fr_strerror());
	return -1;
}

static VALUE_PAIR *make_pair(TALLOC_CTX *ctx, VALUE_PAIR **list, enum peruser_attr attr)
{
	VALUE_PAIR *vp;

	fr_pair_delete_by_da(list, found[attr]);
	vp = fr_pair_afrom_da(ctx, found[attr]);
	if (vp) fr_pair_add(list, vp);
	return vp;
}

int peruser_set_integer(TALLOC_CTX *ctx, VALUE_PAIR **list, enum peruser_attr attr, uint32_t value)
{
	VALUE_PAIR *vp = make_pair(ctx, list, attr);

	if (!vp) return -1;
	vp->vp_integer = value;
	vp->vp_length = sizeof(vp->vp_integer);
	return 0;
}

int peruser_set_string(TALLOC_CTX *ctx, VALUE_PAIR **list, enum peruser_attr attr,
		       char const *value)
{
	VALUE_PAIR *vp = make_pair(ctx, list, attr);

	if (!vp) return -1;
	fr_pair_value_strcpy(vp, value);
	return 0;
}
