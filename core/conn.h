/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/conn.h
 * @brief What the parts of the store share: connecting, binding, and operations.
 */
#ifndef MFA_CORE_CONN_H
#define MFA_CORE_CONN_H

#include "core/store.h"

#include <ldap.h>
#include <sys/time.h>

/** A connection: a handle a side, each connected when it is first needed */
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

/** Make every byte of a new handle arrive by conn->io_deadline_ms, or fail
 *
 * @return an LDAP result code.
 */
int mfa_conn_guard(LDAP *handle, struct mfa_conn *conn) MFA_MUST_CHECK;

/** Begin an operation: until it ends, bytes are waited for at most @p limit_s */
void mfa_conn_limit(struct mfa_conn *conn, uint32_t limit_s);

/** Time left until the deadline, at most @p limit_s; never below a millisecond */
struct timeval mfa_conn_time_left(struct mfa_conn const *conn, uint32_t limit_s);

/** Whether the deadline has passed */
bool mfa_conn_is_late(struct mfa_conn const *conn);

/** The connected handle of a side
 *
 * @param[out] handle NULL on failure.
 * @param[out] fresh  whether it was connected just now, so that trying again is of no use.
 */
enum mfa_rc mfa_conn_connect(LDAP **handle, bool *fresh, struct mfa_diag *diag,
			     struct mfa_conn *conn, enum mfa_side side) MFA_MUST_CHECK;

/** Connect to a server of a side's list and bind as somebody
 *
 * Servers that failed a short while ago are tried last.
 *
 * @param[out] server its position in the list; may be NULL.
 */
enum mfa_rc mfa_conn_connect_as(LDAP **handle, unsigned *server, struct mfa_diag *diag,
				struct mfa_conn *conn, enum mfa_side side,
				struct mfa_account const *account) MFA_MUST_CHECK;

/** Bind and wait; an LDAP result code */
int mfa_conn_bind(LDAP *handle, struct mfa_conn *conn, struct mfa_account const *account)
	MFA_MUST_CHECK;

/** Whether a server answered and said no; libldap's own errors are negative (ldap_error(3)) */
bool mfa_conn_was_refused(int code);

/** Close a handle, without waiting for a server that does not read any more; sets it to NULL */
void mfa_conn_close(LDAP **handle, struct mfa_conn *conn);

/** Close the handle of a side, whose server did not answer in time: others are tried first */
void mfa_conn_give_up(struct mfa_conn *conn, enum mfa_side side);

/** Close the handle of a side */
void mfa_conn_drop(struct mfa_conn *conn, enum mfa_side side);

/** Wait for the one result of an operation, until the deadline; ends what mfa_conn_limit() began
 *
 * @param[out] result to be freed by ldap_msgfree(3); NULL on failure.
 * @return #MFA_OK, #MFA_ERR_UNAVAILABLE (too late: abandoned) or #MFA_ERR_BROKEN.
 */
enum mfa_rc mfa_conn_wait(LDAPMessage **result, struct mfa_conn *conn, LDAP *handle, int msgid,
			  uint32_t limit_s) MFA_MUST_CHECK;

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

/** What an LDAP result code means for us (RFC 4511 appendix A) */
enum mfa_rc mfa_ldap_rc(int code);

#endif /* MFA_CORE_CONN_H */
