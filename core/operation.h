/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/operation.h
 * @brief One operation on a handle: its time limit, its answer, its end.
 */
#ifndef MFA_CORE_OPERATION_H
#define MFA_CORE_OPERATION_H

#include "core/store.h"

#include <ldap.h>
#include <sys/time.h>

/** A connection: one handle per side, each connected when it is first needed */
struct mfa_conn {
	struct mfa_store *store;
	LDAP *handle[2];     //!< By enum mfa_side; the second stays NULL when both are one server.
	unsigned server[3];  //!< Position in the list of where they are connected; user is last.
	LDAP *user;	     //!< Users bind here, one after the other; NULL until the first.
	int64_t deadline_ms; //!< Monotonic; 0: none was set.
	int64_t io_deadline_ms;	  //!< Monotonic, for the bytes of one operation; 0: none.
	struct mfa_etcd *etcd;	  //!< Connection to the ledger; NULL until it is needed.
	struct ldap_conncb guard; //!< See mfa_conn_guard().
};

/** Begin an operation: until it ends, bytes are waited for at most @p limit_s */
void mfa_conn_limit(struct mfa_conn *conn, uint32_t limit_s);

/** Time left until the deadline, at most @p limit_s; never below a millisecond */
struct timeval mfa_conn_time_left(struct mfa_conn const *conn, uint32_t limit_s);

/** Whether the deadline has passed */
bool mfa_conn_is_late(struct mfa_conn const *conn);

/** Wait for the one result of an operation, until the deadline; ends what mfa_conn_limit() began
 *
 * @param[out] result to be freed by ldap_msgfree(3); NULL on failure.
 * @return #MFA_OK, #MFA_ERR_UNAVAILABLE (too late: abandoned) or #MFA_ERR_BROKEN.
 */
enum mfa_rc mfa_conn_wait(LDAPMessage **result, struct mfa_conn *conn, LDAP *handle, int msgid,
			  uint32_t limit_s) MFA_MUST_CHECK;

/** Close a handle, without waiting for a server that does not read any more; sets it to NULL */
void mfa_conn_close(LDAP **handle, struct mfa_conn *conn);

/** Whether a server answered and said no; libldap's own errors are negative (ldap_error(3)) */
bool mfa_conn_was_refused(int code);

/** What an LDAP result code means for us (RFC 4511 appendix A) */
enum mfa_rc mfa_ldap_rc(int code);

/** Ask whether an attribute has a value (RFC 4511 section 4.10)
 *
 * @return a message id, or -1.
 */
int mfa_conn_send_compare(struct mfa_conn *conn, LDAP *handle, char const *dn, char const *name,
			  char const *value) MFA_MUST_CHECK;

/** Wait for that answer
 *
 * @param[out] code an LDAP result code, such as LDAP_COMPARE_TRUE.
 * @return as mfa_conn_wait().
 */
enum mfa_rc mfa_conn_await_compare(int *code, struct mfa_conn *conn, LDAP *handle, int msgid)
	MFA_MUST_CHECK;

#endif /* MFA_CORE_OPERATION_H */
