/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/ldap_entry.h
 * @brief A search's answer as an entry of ours.
 */
#ifndef MFA_CORE_LDAP_ENTRY_H
#define MFA_CORE_LDAP_ENTRY_H

#include "core/entry.h"
#include "core/store.h"

#include <ldap.h>

/** Attributes that a read asks for: the record, the id, the class, the end */
#define MFA_READ_ATTRS (MFA_ATTR_COUNT + 3u)

/** Fill in the attributes to ask for, but for a set of them, NULL behind them; how many there are */
size_t mfa_conn_attrs(char *attrs[static MFA_READ_ATTRS], struct mfa_store const *store,
		      uint32_t leave_out);

/** Copy one entry out of a search's answer
 *
 * @param[in,out] entry initialised.
 * @param[in] also the name of one more attribute that was asked for, to be passed over; or NULL.
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_FORMAT when it has no readable id, when an attribute of the record has an
 *	  option, or when an attribute comes by a name that was not asked for: an alias, an OID
 *	  or a supertype in the configuration.
 *	- #MFA_ERR_SPACE when it is too large, or a range of the values was given.
 */
enum mfa_rc mfa_conn_entry(struct mfa_entry *entry, struct mfa_diag *diag,
			   struct mfa_config const *config, char const *also, LDAP *handle,
			   LDAPMessage *message) MFA_MUST_CHECK;

#endif /* MFA_CORE_LDAP_ENTRY_H */
