/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/rights.h"
#include "core/clock.h"
#include "core/operation.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 60000			/* between two trials of the rights at base_dn */
#define BLIND	 (1u << MFA_ATTR_COUNT) /* base_dn itself cannot be read */

static char const *account_name(struct mfa_conn const *conn)
{
	struct mfa_account const *account = &conn->store->account;

	return account->external ? "SASL EXTERNAL" : account->identity;
}

/** A value of the right syntax for an attribute of the record */
static char const *sample(enum mfa_attr attr)
{
	if (attr == MFA_ATTR_ENABLED) return "TRUE";
	return attr == MFA_ATTR_REQUIRED_FROM ? "19700102000000Z" : "x";
}

/** Whether an answer at base_dn means that it is not to be seen */
static bool hides_entry(int code)
{
	return code == LDAP_NO_SUCH_OBJECT || code == LDAP_INSUFFICIENT_ACCESS ||
	       code == LDAP_INVALID_DN_SYNTAX;
}

static void tell(struct mfa_conn const *conn, uint32_t unreadable)
{
	struct mfa_config const *config = conn->store->config;
	char const *name = account_name(conn);
	struct mfa_diag line;

	if (!conn->store->log) return;
	if (unreadable & BLIND) {
		mfa_diag_set(&line, "'%s' cannot read base_dn '%s', or it does not exist", name,
			     config->base_dn);
		conn->store->log(line.text);
	}
	for (size_t i = 0; i < MFA_ATTR_COUNT; i++) {
		if (!(unreadable & MFA_ATTR_BIT(i)) || i == MFA_ATTR_VOUCHER) continue;
		mfa_diag_set(&line,
			     "'%s' may not read '%s': logins that rest on it are refused; see the "
			     "access rules",
			     name, config->attr[i]);
		conn->store->log(line.text);
	}
}

/** Compare each attribute at base_dn, and objectClass last, which is always there */
static enum mfa_rc try_base(uint32_t *unreadable, struct mfa_conn *conn, LDAP *handle)
{
	struct mfa_config const *config = conn->store->config;
	int msgid[MFA_ATTR_COUNT + 1], code;
	enum mfa_rc rc = MFA_OK;

	*unreadable = 0;
	for (unsigned i = 0; i <= MFA_ATTR_COUNT; i++) {
		bool const record = i < MFA_ATTR_COUNT;

		msgid[i] = mfa_conn_send_compare(conn, handle, config->base_dn,
						 record ? config->attr[i] : "objectClass",
						 record ? sample((enum mfa_attr)i) : "top");
	}
	for (unsigned i = 0; i <= MFA_ATTR_COUNT && rc == MFA_OK; i++) {
		rc = mfa_conn_await_compare(&code, conn, handle, msgid[i]);
		if (rc != MFA_OK) break;
		if (i < MFA_ATTR_COUNT ? code == LDAP_INSUFFICIENT_ACCESS : hides_entry(code))
			*unreadable |= 1u << i;
	}
	return rc;
}

/** Whether base_dn is a place, and not made from the packet */
static bool has_place(struct mfa_config const *config)
{
	return !strchr(config->base_dn, '%');
}

void mfa_rights_try(struct mfa_conn *conn, LDAP *handle)
{
	struct mfa_store *store = conn->store;
	int64_t next = __atomic_load_n(&store->rights_again_ms, __ATOMIC_RELAXED);
	int64_t const now = mfa_monotonic_ms();
	uint32_t unreadable;

	if (now < next || !has_place(store->config)) return;
	if (!__atomic_compare_exchange_n(&store->rights_again_ms, &next, now + AGAIN_MS, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		return;
	}
	if (try_base(&unreadable, conn, handle) != MFA_OK) {
		__atomic_store_n(&store->rights_again_ms, 0, __ATOMIC_RELAXED);
		return;
	}
	__atomic_store_n(&store->unreadable, unreadable, __ATOMIC_RELAXED);
	tell(conn, unreadable);
}

/** Whether one attribute of an entry is hidden from us */
static enum mfa_rc check_one(struct mfa_diag *diag, struct mfa_conn *conn, LDAP *handle,
			     char const *dn, enum mfa_attr attr)
{
	char const *name = conn->store->config->attr[attr];
	int code = LDAP_OTHER;
	enum mfa_rc rc = mfa_conn_await_compare(
		&code, conn, handle, mfa_conn_send_compare(conn, handle, dn, name, sample(attr)));

	if (rc != MFA_OK) return rc;
	/* It has a value, which did not come along; or we may not even ask. */
	if (code != LDAP_COMPARE_TRUE && code != LDAP_COMPARE_FALSE &&
	    code != LDAP_INSUFFICIENT_ACCESS) {
		return MFA_OK;
	}
	mfa_diag_set(diag, "'%s' may not read '%s' of this entry: see the access rules",
		     account_name(conn), name);
	return MFA_ERR_DENIED;
}

enum mfa_rc mfa_rights_check(struct mfa_diag *diag, struct mfa_conn *conn, LDAP *handle,
			     struct mfa_entry const *entry)
{
	uint32_t doubtful = __atomic_load_n(&conn->store->unreadable, __ATOMIC_RELAXED);
	enum mfa_rc rc = MFA_OK;

	if (entry->has_class) doubtful |= MFA_ATTR_BIT(MFA_ATTR_ENABLED);
	doubtful &= ~entry->left_out;
	for (unsigned i = 0; doubtful && i < MFA_ATTR_COUNT && rc == MFA_OK; i++) {
		if (!(doubtful & MFA_ATTR_BIT(i)) || mfa_entry_count(entry, (enum mfa_attr)i) > 0)
			continue;
		rc = check_one(diag, conn, handle, (char const *)entry->dn.data, (enum mfa_attr)i);
	}
	return rc;
}

enum mfa_rc mfa_rights_not_found(struct mfa_diag *diag, struct mfa_conn *conn, LDAP *handle)
{
	struct mfa_config const *config = conn->store->config;
	int code = LDAP_OTHER;

	if (!(__atomic_load_n(&conn->store->unreadable, __ATOMIC_RELAXED) & BLIND))
		return MFA_ERR_NOT_FOUND;
	if (mfa_conn_await_compare(&code, conn, handle,
				   mfa_conn_send_compare(conn, handle, config->base_dn,
							 "objectClass", "top")) == MFA_OK &&
	    !hides_entry(code)) {
		__atomic_store_n(&conn->store->unreadable, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&conn->store->rights_again_ms, 0, __ATOMIC_RELAXED);
		return MFA_ERR_NOT_FOUND;
	}
	mfa_diag_set(diag, "'%s' cannot read base_dn '%s', or it does not exist",
		     account_name(conn), config->base_dn);
	return MFA_ERR_DENIED;
}
