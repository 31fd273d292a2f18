/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/form.h
 * @brief Form fields: a table says which may come, how long they are and what they are made of.
 *
 * No handler sees a field that the table of its page does not allow.
 */
#ifndef MFA_ENROLL_FORM_H
#define MFA_ENROLL_FORM_H

#include "core/text.h"

#define MFA_FORM_BODY_MAX 8192u //!< Bytes of a body; more is refused unread.
#define MFA_FORM_FIELDS	  8u	//!< Fields of a page.

/** What a value may be made of */
enum mfa_alphabet {
	MFA_ALPHABET_TEXT,   //!< UTF-8 without control characters.
	MFA_ALPHABET_SECRET, //!< Any bytes but NUL: passwords.
	MFA_ALPHABET_TOKEN,  //!< Letters, digits, '-', '_' and '.'.
};

/** One field that may come; tables end with a NULL name */
struct mfa_field {
	char const *name;
	size_t max; //!< Bytes after decoding.
	enum mfa_alphabet alphabet;
	bool required; //!< Must be there, though it may be empty.
};

/** Fields that came; wipe with mfa_form_clear() */
struct mfa_form {
	struct mfa_field const *fields;
	struct mfa_bytes value[MFA_FORM_FIELDS]; //!< By position in the table; NULL: did not come.
	size_t used;
	uint8_t memory[MFA_FORM_BODY_MAX + MFA_FORM_FIELDS]; //!< Decoded values, each with a NUL.
};

/** Read application/x-www-form-urlencoded (WHATWG URL standard, section 5.1)
 *
 * @param[out] form  no values on failure.
 * @param[in] fields the table; NULL when no field may come.
 * @param[in] body   at most #MFA_FORM_BODY_MAX bytes.
 * @return #MFA_OK; #MFA_ERR_FORMAT on a wrong escape, an unknown field, one that came twice, one
 *	that is missing, or a value that the table does not allow; #MFA_ERR_SPACE.
 */
enum mfa_rc mfa_form_parse(struct mfa_form *form, struct mfa_field const *fields,
			   struct mfa_bytes body) MFA_MUST_CHECK;

/** The value of a field: NUL-terminated; empty when it did not come or the table has no such field */
char const *mfa_form_get(struct mfa_form const *form, char const *name);

/** Set a field, as if it had come
 *
 * @return false when the table has no such field, or does not allow the value.
 */
bool mfa_form_put(struct mfa_form *form, struct mfa_field const *fields, char const *name,
		  struct mfa_bytes value);

/** Wipe it */
void mfa_form_clear(struct mfa_form *form);

#endif /* MFA_ENROLL_FORM_H */
