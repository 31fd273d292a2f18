/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ldap_entry.h"

#include <string.h>
#include <strings.h>

/** What a search asked for */
struct asked {
	struct mfa_config const *config;
	char const *also; //!< One more attribute, or NULL.
};

static struct mfa_bytes bytes_of(struct berval const *bv)
{
	return (struct mfa_bytes){(uint8_t const *)bv->bv_val, bv->bv_len};
}

static bool name_is(struct mfa_bytes name, char const *wanted)
{
	return name.len == strlen(wanted) &&
	       strncasecmp((char const *)name.data, wanted, name.len) == 0;
}

/** Cut the options off an attribute description: "name;option;option" (RFC 4512 section 2.5) */
static void cut_options(struct mfa_bytes *name, struct mfa_bytes *options)
{
	uint8_t const *at = memchr(name->data, ';', name->len);
	size_t const len = at ? (size_t)(at - name->data) : name->len;

	*options = (struct mfa_bytes){name->data + len, name->len - len};
	name->len = len;
}

/** Whether an attribute's options stand for a part of its values (MS-ADTS section 3.1.1.3.1.3.3) */
static bool is_range(struct mfa_bytes options)
{
	static char const range[] = ";range=";

	return memmem(options.data, options.len, range, sizeof(range) - 1) != NULL;
}

/** Refuse an attribute that has options (RFC 4512 section 2.5)
 *
 * Its values are no values of ours, and not to see them would make the user look as if
 * MFA were off.  The same holds for the rest of a range, which Active Directory answers
 * with when there are very many values.
 */
static enum mfa_rc refuse_options(struct mfa_diag *diag, struct mfa_bytes name,
				  struct mfa_bytes options)
{
	if (is_range(options)) {
		mfa_diag_set(diag, "the directory gave a range of the values of '%.*s'",
			     (int)name.len, name.data);
		return MFA_ERR_SPACE;
	}
	mfa_diag_set(diag,
		     "the entry has '%.*s%.*s': an attribute of the record must have no option, "
		     "delete it",
		     (int)name.len, name.data, (int)options.len, options.data);
	return MFA_ERR_FORMAT;
}

/** Refuse an attribute by a name that was not asked for
 *
 * The directory answers with the first name of an attribute, also when it was asked for
 * another one or for its OID, and with the subtypes of what it was asked for.
 */
static enum mfa_rc refuse_name(struct mfa_diag *diag, struct mfa_bytes name)
{
	mfa_diag_set(diag,
		     "the directory answered with the attribute '%.*s', which was not asked for by "
		     "this name: in section attribute, write the name that the directory uses",
		     (int)name.len, name.data);
	return MFA_ERR_FORMAT;
}

static enum mfa_rc add_values(struct mfa_entry *entry, enum mfa_attr attr,
			      struct berval const *values)
{
	enum mfa_rc rc = MFA_OK;

	for (size_t i = 0; values[i].bv_val && rc == MFA_OK; i++)
		rc = mfa_entry_add(entry, attr, bytes_of(&values[i]));
	return rc;
}

static void look_for_class(struct mfa_entry *entry, struct mfa_config const *config,
			   struct berval const *values)
{
	for (size_t i = 0; values[i].bv_val; i++)
		entry->has_class |= name_is(bytes_of(&values[i]), config->object_class);
}

/** Keep the values of one attribute; what is none of ours is refused, never ignored */
static enum mfa_rc keep_values(struct mfa_entry *entry, struct mfa_diag *diag,
			       struct asked const *asked, struct berval const *described,
			       struct berval const *values)
{
	struct mfa_config const *config = asked->config;
	struct mfa_bytes options, name = bytes_of(described);

	cut_options(&name, &options);
	if (!values || (asked->also && name_is(name, asked->also))) return MFA_OK;
	if (name_is(name, "objectClass")) {
		look_for_class(entry, config, values);
		return MFA_OK;
	}
	if (options.len > 0) return refuse_options(diag, name, options);
	if (name_is(name, config->attr_id)) return mfa_entry_set_id(entry, bytes_of(&values[0]));
	for (unsigned attr = 0; attr < MFA_ATTR_COUNT; attr++) {
		if (name_is(name, config->attr[attr]))
			return add_values(entry, (enum mfa_attr)attr, values);
	}
	return refuse_name(diag, name);
}

/* Straight from libldap's buffer: nothing is copied twice. */
static enum mfa_rc parse_entry(struct mfa_entry *entry, struct mfa_diag *diag,
			       struct asked const *asked, LDAP *handle, LDAPMessage *message)
{
	struct berval dn, name, *values = NULL;
	BerElement *ber = NULL;
	enum mfa_rc rc = MFA_ERR_FORMAT;

	if (ldap_get_dn_ber(handle, message, &ber, &dn) != LDAP_SUCCESS) goto out;
	rc = mfa_entry_set_dn(entry, bytes_of(&dn));
	while (rc == MFA_OK &&
	       ldap_get_attribute_ber(handle, message, ber, &name, &values) == LDAP_SUCCESS &&
	       name.bv_val) {
		rc = keep_values(entry, diag, asked, &name, values);
		ldap_memfree(values);
		values = NULL;
	}
out:
	if (ber) ber_free(ber, 0);
	return rc;
}

enum mfa_rc mfa_conn_entry(struct mfa_entry *entry, struct mfa_diag *diag,
			   struct mfa_config const *config, char const *also, LDAP *handle,
			   LDAPMessage *message)
{
	struct asked const asked = {.config = config, .also = also};
	struct mfa_diag why = {.text = ""};
	enum mfa_rc rc = parse_entry(entry, &why, &asked, handle, message);

	if (rc == MFA_OK && entry->id.len == 0) {
		mfa_diag_set(diag, "the entry has no readable '%s'", config->attr_id);
		return MFA_ERR_FORMAT;
	}
	if (rc == MFA_OK) return MFA_OK;
	if (why.text[0]) {
		*diag = why;
	} else {
		mfa_diag_say(diag, rc == MFA_ERR_SPACE ? "the entry's record is too large"
						       : "the directory's answer cannot be read");
	}
	return rc;
}

size_t mfa_conn_attrs(char *attrs[static MFA_READ_ATTRS], struct mfa_store const *store,
		      uint32_t leave_out)
{
	static char object_class[] = "objectClass";
	uint32_t const apart = mfa_config_ledger_attrs(store->config);
	size_t n = 0;

	for (size_t i = 0; i < MFA_ATTR_COUNT; i++) {
		if (!((leave_out | apart) & MFA_ATTR_BIT(i))) attrs[n++] = store->config->attr[i];
	}
	attrs[n++] = store->config->attr_id;
	if (store->read_class) attrs[n++] = object_class;
	attrs[n] = NULL;
	return n;
}
