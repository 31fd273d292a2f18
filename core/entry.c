/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/entry.h"

#include <openssl/crypto.h>

#include <string.h>

void mfa_entry_init(struct mfa_entry *entry)
{
	entry->dn = entry->id = (struct mfa_bytes){0};
	entry->has_class = false;
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
