/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/change.h
 * @brief What one LDAP modify shall do, and what must still be true when it does.
 */
#ifndef MFA_CORE_CHANGE_H
#define MFA_CORE_CHANGE_H

#include "core/entry.h"

#define MFA_CHANGE_MAX	     64u   //!< Operations in one modify.
#define MFA_CHANGE_ASSERTS   24u   //!< Conditions.
#define MFA_CHANGE_TEXT_SIZE 8192u //!< Bytes of all new values together.

/** One operation of a modify (RFC 4511 section 4.6) */
enum mfa_op {
	MFA_OP_ADD,    //!< Add this value; fails when it, or the one of a single value, is there.
	MFA_OP_DELETE, //!< Delete exactly this value; fails when it is gone.
	MFA_OP_CLEAR,  //!< Remove all values, if any (a replace by nothing).
	MFA_OP_ADD_CLASS, //!< Add the auxiliary class; no value.
};

/** A change: built by the decision, carried out by the store; initialise with mfa_change_init() */
struct mfa_change {
	size_t count; //!< Operations; 0 means that nothing is to be written.
	struct {
		enum mfa_op op;
		enum mfa_attr attr;
		struct mfa_bytes value;
	} list[MFA_CHANGE_MAX];
	size_t assert_count;
	struct {
		enum mfa_attr attr;
		struct mfa_bytes value; //!< Must be there; no bytes: the attribute must be absent.
	} asserts[MFA_CHANGE_ASSERTS];
	bool must_assert; //!< Not to be carried out by a server that cannot check the conditions.
	bool overflow;	  //!< Something did not fit: the change must not be carried out.
	size_t used;
	uint8_t text[MFA_CHANGE_TEXT_SIZE]; //!< New values.
};

/** Make it empty; the text is not touched */
void mfa_change_init(struct mfa_change *change);

/** Copy the part of a change that concerns other attributes than those of a set
 *
 * Its values keep pointing into @p change and the entry.
 */
void mfa_change_without(struct mfa_change *part, struct mfa_change const *change, uint32_t attrs);

/** Add an operation
 *
 * ADD copies its value; DELETE keeps pointing into the entry that was read.
 * What does not fit sets overflow, which the store refuses to carry out.
 */
void mfa_change_add(struct mfa_change *change, enum mfa_attr attr, char const *value);
void mfa_change_delete(struct mfa_change *change, enum mfa_attr attr, struct mfa_bytes value);
void mfa_change_clear(struct mfa_change *change, enum mfa_attr attr);
void mfa_change_add_class(struct mfa_change *change);

/** Delete the value that was read, if there was one, and add another: compare and swap
 *
 * @param[in] value the new one; NULL for none.
 */
void mfa_change_swap(struct mfa_change *change, struct mfa_entry const *entry, enum mfa_attr attr,
		     char const *value);

/** Demand that an attribute is as it was read
 *
 * Where the server offers the assertion control (RFC 4528) it checks this in the
 * same operation; where it does not, only what the modify itself deletes and adds
 * is compared.  So call it last: a value that the change deletes by then is checked
 * by that, and needs no condition of its own.
 */
void mfa_change_assert(struct mfa_change *change, struct mfa_entry const *entry,
		       enum mfa_attr attr);

#endif /* MFA_CORE_CHANGE_H */
