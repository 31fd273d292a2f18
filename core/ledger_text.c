/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ledger_text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define MARK_BYTES 16u

/** Copy a string of JSON; one that is not there is empty */
static bool take_string(char *out, size_t size, json_t const *json)
{
	size_t const len = json_string_length(json);

	out[0] = '\0';
	if (!json) return true;
	if (!json_is_string(json) || len == 0 || len >= size ||
	    strlen(json_string_value(json)) != len) {
		return false;
	}
	memcpy(out, json_string_value(json), len + 1);
	return true;
}

static bool take_marks(struct mfa_ledger *ledger, json_t const *json)
{
	size_t const count = json_array_size(json);

	if (json && (!json_is_array(json) || count > MFA_LEDGER_MARKS)) return false;
	for (size_t i = 0; i < count; i++) {
		char *mark = ledger->mark[i];

		if (!take_string(mark, MFA_LEDGER_MARK_SIZE, json_array_get(json, i)) ||
		    strlen(mark) != MFA_LEDGER_MARK_SIZE - 1) {
			return false;
		}
	}
	ledger->mark_count = count;
	return true;
}

/** Take what is known; what is not known may be what another version refuses a code by */
static bool take_all(struct mfa_ledger *ledger, json_t const *json)
{
	json_t const *last_use = json_object_get(json, "last_use");
	json_t const *failures = json_object_get(json, "failures");
	json_t const *used = json_object_get(json, "used");

	return json_is_object(json) &&
	       json_object_size(json) == (size_t) !!last_use + !!failures + !!used &&
	       take_string(ledger->last_use, sizeof(ledger->last_use), last_use) &&
	       take_string(ledger->failures, sizeof(ledger->failures), failures) &&
	       take_marks(ledger, used);
}

enum mfa_rc mfa_ledger_parse(struct mfa_ledger *ledger, struct mfa_bytes text)
{
	json_t *json;
	bool ok;

	memset(ledger, 0, sizeof(*ledger));
	if (text.len == 0) return MFA_OK;
	json = json_loadb((char const *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	ok = take_all(ledger, json);
	json_decref(json);
	if (!ok) memset(ledger, 0, sizeof(*ledger));
	return ok ? MFA_OK : MFA_ERR_FORMAT;
}

static bool add_string(json_t *json, char const *name, char const *value)
{
	return !value[0] || json_object_set_new(json, name, json_string(value)) == 0;
}

static bool add_marks(json_t *json, struct mfa_ledger const *ledger)
{
	json_t *list;

	if (ledger->mark_count == 0) return true;
	list = json_array();
	if (json_object_set_new(json, "used", list) != 0) return false;
	for (size_t i = 0; i < ledger->mark_count; i++) {
		if (json_array_append_new(list, json_string(ledger->mark[i])) != 0) return false;
	}
	return true;
}

enum mfa_rc mfa_ledger_format(char *out, size_t *len, size_t out_size,
			      struct mfa_ledger const *ledger)
{
	json_t *json = json_object();
	enum mfa_rc rc = MFA_ERR_FORMAT;

	*len = 0;
	if (!json) return MFA_ERR_NOMEM;
	if (add_string(json, "last_use", ledger->last_use) &&
	    add_string(json, "failures", ledger->failures) && add_marks(json, ledger)) {
		*len = json_dumpb(json, out, out_size - 1, JSON_COMPACT);
		rc = *len > 0 && *len < out_size ? MFA_OK : MFA_ERR_SPACE;
	}
	out[rc == MFA_OK ? *len : 0] = '\0';
	json_decref(json);
	return rc;
}

static enum mfa_rc make_mark(char out[static MFA_LEDGER_MARK_SIZE], struct mfa_bytes value)
{
	uint8_t digest[MFA_MAC_SIZE];
	enum mfa_rc const rc = mfa_digest(digest, value);

	if (rc != MFA_OK) return rc;
	return mfa_base64url_encode(out, MFA_LEDGER_MARK_SIZE, digest, MARK_BYTES);
}

static bool has_mark(struct mfa_ledger const *ledger, char const *mark)
{
	for (size_t i = 0; i < ledger->mark_count; i++) {
		if (strcmp(ledger->mark[i], mark) == 0) return true;
	}
	return false;
}

/** Take recovery codes out that are marked as used */
static enum mfa_rc hide_used(struct mfa_entry *entry, struct mfa_ledger const *ledger)
{
	enum mfa_rc rc = MFA_OK;

	for (size_t i = mfa_entry_count(entry, MFA_ATTR_RECOVERY_CODE);
	     i-- > 0 && ledger->mark_count > 0 && rc == MFA_OK;) {
		struct mfa_bytes const value = mfa_entry_get(entry, MFA_ATTR_RECOVERY_CODE, i);
		char mark[MFA_LEDGER_MARK_SIZE];

		rc = make_mark(mark, value);
		if (rc == MFA_OK && has_mark(ledger, mark))
			mfa_entry_remove(entry, MFA_ATTR_RECOVERY_CODE, value);
	}
	return rc;
}

static enum mfa_rc show_value(struct mfa_entry *entry, enum mfa_attr attr, char const *value)
{
	mfa_entry_remove(entry, attr, (struct mfa_bytes){0});
	entry->left_out &= ~MFA_ATTR_BIT(attr);
	return value[0] ? mfa_entry_add(entry, attr, mfa_bytes_of(value)) : MFA_OK;
}

enum mfa_rc mfa_ledger_show(struct mfa_entry *entry, struct mfa_ledger const *ledger)
{
	enum mfa_rc rc = show_value(entry, MFA_ATTR_LAST_USE, ledger->last_use);

	if (rc == MFA_OK) rc = show_value(entry, MFA_ATTR_FAILURES, ledger->failures);
	return rc == MFA_OK ? hide_used(entry, ledger) : rc;
}

static enum mfa_rc add_mark(struct mfa_ledger *ledger, struct mfa_bytes value)
{
	char mark[MFA_LEDGER_MARK_SIZE];
	enum mfa_rc const rc = make_mark(mark, value);

	if (rc != MFA_OK || has_mark(ledger, mark)) return rc;
	if (ledger->mark_count == MFA_LEDGER_MARKS) {
		ledger->mark_count--;
		memmove(ledger->mark[0], ledger->mark[1],
			ledger->mark_count * sizeof(ledger->mark[0]));
	}
	memcpy(ledger->mark[ledger->mark_count++], mark, sizeof(mark));
	return MFA_OK;
}

static enum mfa_rc set_value(char *out, size_t size, enum mfa_op op, struct mfa_bytes value)
{
	if (op != MFA_OP_ADD) value.len = 0;
	if (value.len >= size) return MFA_ERR_SPACE;
	if (value.len > 0) memcpy(out, value.data, value.len);
	out[value.len] = '\0';
	return MFA_OK;
}

enum mfa_rc mfa_ledger_apply(struct mfa_ledger *ledger, struct mfa_change const *change)
{
	enum mfa_rc rc = MFA_OK;

	for (size_t i = 0; i < change->count && rc == MFA_OK; i++) {
		enum mfa_op const op = change->list[i].op;
		enum mfa_attr const attr = change->list[i].attr;
		struct mfa_bytes const value = change->list[i].value;

		if (attr == MFA_ATTR_LAST_USE)
			rc = set_value(ledger->last_use, sizeof(ledger->last_use), op, value);
		if (attr == MFA_ATTR_FAILURES)
			rc = set_value(ledger->failures, sizeof(ledger->failures), op, value);
		if (attr == MFA_ATTR_RECOVERY_CODE && op == MFA_OP_DELETE)
			rc = add_mark(ledger, value);
	}
	return rc;
}

bool mfa_ledger_spends(struct mfa_change const *change)
{
	for (size_t i = 0; i < change->count; i++) {
		if (change->list[i].op == MFA_OP_ADD && change->list[i].attr == MFA_ATTR_LAST_USE)
			return true;
	}
	return false;
}

/** "01234567-89ab-...": never all hex digits, so never the same as bytes in hex */
static bool is_uuid_text(struct mfa_bytes id)
{
	bool dash = false;

	for (size_t i = 0; i < id.len; i++) {
		uint8_t const c = id.data[i];

		if (c == '-')
			dash = true;
		else if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return dash;
}

void mfa_ledger_key(char out[static MFA_LEDGER_KEY_SIZE], struct mfa_bytes id)
{
	bool const text = is_uuid_text(id);

	out[0] = '\0';
	if (text && id.len < MFA_LEDGER_KEY_SIZE) {
		memcpy(out, id.data, id.len);
		out[id.len] = '\0';
	}
	for (size_t i = 0; !text && i < id.len && i < MFA_ENTRY_ID_MAX; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", id.data[i]);
}
