/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/form.h"
#include "core/utf8.h"

#include <openssl/crypto.h>

#include <string.h>

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/** Decode one name or value behind what is in memory, and end it with a NUL */
static bool decode(struct mfa_bytes *out, struct mfa_form *form, struct mfa_bytes in)
{
	size_t const start = form->used;

	if (in.len >= sizeof(form->memory) - start) return false;
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.data[i];

		if (c == '+') c = ' ';
		if (c == '%') {
			int const high = i + 2 < in.len ? hex_digit(in.data[i + 1]) : -1;
			int const low = i + 2 < in.len ? hex_digit(in.data[i + 2]) : -1;

			if (high < 0 || low < 0) return false;
			c = (uint8_t)(high * 16 + low);
			i += 2;
		}
		form->memory[form->used++] = c;
	}
	*out = (struct mfa_bytes){form->memory + start, form->used - start};
	form->memory[form->used++] = '\0';
	return true;
}

static bool is_token(struct mfa_bytes value)
{
	for (size_t i = 0; i < value.len; i++) {
		uint8_t const c = value.data[i];

		if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') &&
		    c != '-' && c != '_' && c != '.') {
			return false;
		}
	}
	return true;
}

static bool is_allowed(struct mfa_field const *field, struct mfa_bytes value)
{
	if (value.len > field->max || memchr(value.data, '\0', value.len)) return false;
	switch (field->alphabet) {
	case MFA_ALPHABET_TEXT: return mfa_utf8_is_printable(value);
	case MFA_ALPHABET_TOKEN: return is_token(value);
	case MFA_ALPHABET_SECRET: return true;
	}
	return false;
}

/** The position of a field in the table, or MFA_FORM_FIELDS */
static size_t find(struct mfa_field const *fields, struct mfa_bytes name)
{
	for (size_t i = 0; fields && fields[i].name && i < MFA_FORM_FIELDS; i++) {
		if (mfa_bytes_equal(mfa_bytes_of(fields[i].name), name)) return i;
	}
	return MFA_FORM_FIELDS;
}

/** Take "name=value" */
static bool take_pair(struct mfa_form *form, struct mfa_bytes pair)
{
	uint8_t const *equals = memchr(pair.data, '=', pair.len);
	struct mfa_bytes name = pair, value;
	size_t const before = form->used;
	size_t i;

	if (!equals) return false;
	name.len = (size_t)(equals - pair.data);
	value = (struct mfa_bytes){equals + 1, pair.len - name.len - 1};
	if (!decode(&name, form, name)) return false;
	i = find(form->fields, name);
	if (i == MFA_FORM_FIELDS || form->value[i].data) return false;
	form->used = before;
	return decode(&form->value[i], form, value) && is_allowed(&form->fields[i], form->value[i]);
}

static bool is_complete(struct mfa_form const *form)
{
	for (size_t i = 0; form->fields && form->fields[i].name && i < MFA_FORM_FIELDS; i++) {
		if (form->fields[i].required && !form->value[i].data) return false;
	}
	return true;
}

enum mfa_rc mfa_form_parse(struct mfa_form *form, struct mfa_field const *fields,
			   struct mfa_bytes body)
{
	memset(form, 0, sizeof(*form));
	form->fields = fields;
	if (body.len > MFA_FORM_BODY_MAX) return MFA_ERR_SPACE;
	while (body.len > 0) {
		uint8_t const *end = memchr(body.data, '&', body.len);
		struct mfa_bytes pair = body;

		if (end) pair.len = (size_t)(end - body.data);
		if (!take_pair(form, pair)) goto refuse;
		body.data += pair.len + (end ? 1 : 0);
		body.len -= pair.len + (end ? 1 : 0);
		if (end && body.len == 0) goto refuse;
	}
	if (is_complete(form)) return MFA_OK;
refuse:
	mfa_form_clear(form);
	return MFA_ERR_FORMAT;
}

char const *mfa_form_get(struct mfa_form const *form, char const *name)
{
	size_t const i = find(form->fields, mfa_bytes_of(name));

	if (i == MFA_FORM_FIELDS || !form->value[i].data) return "";
	return (char const *)form->value[i].data;
}

bool mfa_form_put(struct mfa_form *form, struct mfa_field const *fields, char const *name,
		  struct mfa_bytes value)
{
	size_t const i = find(fields, mfa_bytes_of(name));
	uint8_t *copy = form->memory + form->used;

	if (i == MFA_FORM_FIELDS || value.len >= sizeof(form->memory) - form->used ||
	    !is_allowed(&fields[i], value)) {
		return false;
	}
	memcpy(copy, value.data, value.len);
	copy[value.len] = '\0';
	form->used += value.len + 1;
	form->fields = fields;
	form->value[i] = (struct mfa_bytes){copy, value.len};
	return true;
}

void mfa_form_clear(struct mfa_form *form)
{
	OPENSSL_cleanse(form, sizeof(*form));
}
