/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/entry.h
 * @brief A user's entry as it was read: raw values, byte for byte, as a later delete must name them.
 */
#ifndef MFA_CORE_ENTRY_H
#define MFA_CORE_ENTRY_H

#include "core/attr.h"
#include "core/text.h"

#define MFA_ENTRY_VALUES 96u	//!< Values of all attributes together.
#define MFA_ENTRY_SIZE	 16384u //!< Bytes of all values, the DN and the id together.
#define MFA_ENTRY_ID_MAX 64u	//!< Bytes of an immutable entry id.

/** An entry; too large for a stack, wipe it with mfa_entry_clear() */
struct mfa_entry {
	struct mfa_bytes dn;	 //!< As the directory gave it; NUL behind it.
	struct mfa_bytes id;	 //!< Immutable id: entryUUID, nsUniqueId, objectGUID; raw bytes.
	bool has_class;		 //!< The auxiliary class is there; only set when it was asked for.
	uint32_t left_out;	 //!< Set of attributes that were not asked for.
	bool has_ledger;	 //!< What the ledger says is in here: see core/ledger.h.
	int64_t ledger_revision; //!< Of what the ledger said; 0: it knew nothing.
	struct mfa_bytes ledger; //!< What it said.
	struct mfa_bytes in_directory[2]; //!< Last use and wrong codes there, where both are kept.
	size_t count;			  //!< Values below.
	struct {
		enum mfa_attr attr;
		struct mfa_bytes value;
	} list[MFA_ENTRY_VALUES];
	size_t used;			//!< Bytes of memory below.
	uint8_t memory[MFA_ENTRY_SIZE]; //!< Where all of the above point to.
};

/** Make it empty; the memory is not touched */
void mfa_entry_init(struct mfa_entry *entry);

/** Set DN or id, or add a value, by copy
 *
 * @return #MFA_OK, or #MFA_ERR_SPACE when the entry is larger than any record may be.
 */
enum mfa_rc mfa_entry_set_dn(struct mfa_entry *entry, struct mfa_bytes dn) MFA_MUST_CHECK;
enum mfa_rc mfa_entry_set_id(struct mfa_entry *entry, struct mfa_bytes id) MFA_MUST_CHECK;
enum mfa_rc mfa_entry_add(struct mfa_entry *entry, enum mfa_attr attr, struct mfa_bytes value)
	MFA_MUST_CHECK;

/** Take a value out; no bytes: all values of the attribute */
void mfa_entry_remove(struct mfa_entry *entry, enum mfa_attr attr, struct mfa_bytes value);

/** Keep what the ledger said, by copy; otherwise as mfa_entry_add() */
enum mfa_rc mfa_entry_set_ledger(struct mfa_entry *entry, struct mfa_bytes text, int64_t revision)
	MFA_MUST_CHECK;

/** How many values an attribute has */
size_t mfa_entry_count(struct mfa_entry const *entry, enum mfa_attr attr);

/** The n-th value of an attribute, from 0; no bytes when there are not so many */
struct mfa_bytes mfa_entry_get(struct mfa_entry const *entry, enum mfa_attr attr, size_t n);

/** Write all of it as one run of bytes, to be read back by mfa_entry_unpack()
 *
 * @param[out] len bytes written; 0 on failure.
 * @return #MFA_OK or #MFA_ERR_SPACE.
 */
enum mfa_rc mfa_entry_pack(uint8_t *out, size_t *len, size_t out_size,
			   struct mfa_entry const *entry) MFA_MUST_CHECK;

/** Read it back
 *
 * @return #MFA_OK; #MFA_ERR_FORMAT or #MFA_ERR_SPACE with an empty entry.
 */
enum mfa_rc mfa_entry_unpack(struct mfa_entry *entry, struct mfa_bytes packed) MFA_MUST_CHECK;

/** Wipe what was used */
void mfa_entry_clear(struct mfa_entry *entry);

#endif /* MFA_CORE_ENTRY_H */
