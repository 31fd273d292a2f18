/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/entry.h"

#include <openssl/crypto.h>

#include <string.h>

void mfa_entry_init(struct mfa_entry *entry)
{
	entry->dn = entry->id = (struct mfa_bytes){0};
	entry->has_class = false;
	entry->left_out = 0;
	entry->has_ledger = false;
	entry->ledger_revision = 0;
	entry->ledger = entry->in_directory[0] = entry->in_directory[1] = (struct mfa_bytes){0};
	entry->count = entry->used = 0;
}

/** Copy bytes into the entry's memory, a NUL behind them */
static enum mfa_rc keep(struct mfa_bytes *kept, struct mfa_entry *entry, struct mfa_bytes bytes)
{
	if (bytes.len >= MFA_ENTRY_SIZE - entry->used) return MFA_ERR_SPACE;
	*kept = (struct mfa_bytes){entry->memory + entry->used, bytes.len};
	if (bytes.len > 0) memcpy(entry->memory + entry->used, bytes.data, bytes.len);
	entry->memory[entry->used + bytes.len] = '\0';
	entry->used += bytes.len + 1;
	return MFA_OK;
}

enum mfa_rc mfa_entry_set_dn(struct mfa_entry *entry, struct mfa_bytes dn)
{
	return keep(&entry->dn, entry, dn);
}

enum mfa_rc mfa_entry_set_id(struct mfa_entry *entry, struct mfa_bytes id)
{
	return id.len <= MFA_ENTRY_ID_MAX ? keep(&entry->id, entry, id) : MFA_ERR_SPACE;
}

enum mfa_rc mfa_entry_add(struct mfa_entry *entry, enum mfa_attr attr, struct mfa_bytes value)
{
	enum mfa_rc rc;

	if (entry->count == MFA_ENTRY_VALUES) return MFA_ERR_SPACE;
	rc = keep(&entry->list[entry->count].value, entry, value);
	if (rc == MFA_OK) entry->list[entry->count++].attr = attr;
	return rc;
}

void mfa_entry_remove(struct mfa_entry *entry, enum mfa_attr attr, struct mfa_bytes value)
{
	size_t kept = 0;

	for (size_t i = 0; i < entry->count; i++) {
		bool const goes = entry->list[i].attr == attr &&
				  (!value.data || mfa_bytes_equal(entry->list[i].value, value));

		if (!goes) entry->list[kept++] = entry->list[i];
	}
	entry->count = kept;
}

enum mfa_rc mfa_entry_set_ledger(struct mfa_entry *entry, struct mfa_bytes text, int64_t revision)
{
	entry->has_ledger = true;
	entry->ledger_revision = revision;
	return keep(&entry->ledger, entry, text);
}

size_t mfa_entry_count(struct mfa_entry const *entry, enum mfa_attr attr)
{
	size_t n = 0;

	for (size_t i = 0; i < entry->count; i++) n += entry->list[i].attr == attr ? 1 : 0;
	return n;
}

struct mfa_bytes mfa_entry_get(struct mfa_entry const *entry, enum mfa_attr attr, size_t n)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (entry->list[i].attr == attr && n-- == 0) return entry->list[i].value;
	}
	return (struct mfa_bytes){0};
}

void mfa_entry_clear(struct mfa_entry *entry)
{
	OPENSSL_cleanse(entry->memory, entry->used);
	mfa_entry_init(entry);
}

/* A run is: what it is (an attribute, or one of these), the length in two bytes, the bytes. */
#define PACKED_DN    0xf0u
#define PACKED_ID    0xf1u
#define PACKED_LEFT  0xf2u
#define PACKED_HEAD  3u
#define PACKED_VALUE 0xffffu

_Static_assert(MFA_ATTR_COUNT <= 16, "a set of attributes must fit into two bytes");

static bool pack_run(uint8_t *out, size_t *len, size_t out_size, uint8_t what,
		     struct mfa_bytes bytes)
{
	uint8_t *at = out + *len;

	if (bytes.len > PACKED_VALUE || out_size - *len < PACKED_HEAD + bytes.len) return false;
	at[0] = what;
	at[1] = (uint8_t)(bytes.len >> 8);
	at[2] = (uint8_t)bytes.len;
	if (bytes.len > 0) memcpy(at + PACKED_HEAD, bytes.data, bytes.len);
	*len += PACKED_HEAD + bytes.len;
	return true;
}

enum mfa_rc mfa_entry_pack(uint8_t *out, size_t *len, size_t out_size,
			   struct mfa_entry const *entry)
{
	uint8_t const left_out[] = {(uint8_t)(entry->left_out >> 8), (uint8_t)entry->left_out};
	bool fits;

	*len = 0;
	fits = pack_run(out, len, out_size, PACKED_DN, entry->dn) &&
	       pack_run(out, len, out_size, PACKED_ID, entry->id) &&
	       pack_run(out, len, out_size, PACKED_LEFT,
			(struct mfa_bytes){left_out, sizeof(left_out)});
	for (size_t i = 0; i < entry->count && fits; i++)
		fits = pack_run(out, len, out_size, (uint8_t)entry->list[i].attr,
				entry->list[i].value);
	if (fits) return MFA_OK;
	OPENSSL_cleanse(out, *len);
	*len = 0;
	return MFA_ERR_SPACE;
}

static enum mfa_rc unpack_run(struct mfa_entry *entry, uint8_t what, struct mfa_bytes bytes)
{
	if (what == PACKED_DN) return mfa_entry_set_dn(entry, bytes);
	if (what == PACKED_ID) return mfa_entry_set_id(entry, bytes);
	if (what == PACKED_LEFT && bytes.len == 2) {
		entry->left_out = (uint32_t)bytes.data[0] << 8 | bytes.data[1];
		return MFA_OK;
	}
	if (what >= MFA_ATTR_COUNT) return MFA_ERR_FORMAT;
	return mfa_entry_add(entry, (enum mfa_attr)what, bytes);
}

enum mfa_rc mfa_entry_unpack(struct mfa_entry *entry, struct mfa_bytes packed)
{
	enum mfa_rc rc = MFA_OK;

	mfa_entry_init(entry);
	while (packed.len > 0 && rc == MFA_OK) {
		size_t const len = packed.len < PACKED_HEAD
					   ? SIZE_MAX
					   : (size_t)packed.data[1] << 8 | packed.data[2];

		if (len == SIZE_MAX || len > packed.len - PACKED_HEAD) {
			rc = MFA_ERR_FORMAT;
			break;
		}
		rc = unpack_run(entry, packed.data[0],
				(struct mfa_bytes){packed.data + PACKED_HEAD, len});
		packed.data += PACKED_HEAD + len;
		packed.len -= PACKED_HEAD + len;
	}
	if (rc != MFA_OK) mfa_entry_clear(entry);
	return rc;
}
