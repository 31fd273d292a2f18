/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/store.h
 * @brief The directory: read an entry with one search, change it with one modify.
 *
 * One connection serves one thread at a time.  It connects when it is first used,
 * notices when the server went away, and connects again by itself.
 */
#ifndef MFA_CORE_STORE_H
#define MFA_CORE_STORE_H

#include "core/change.h"
#include "core/config.h"

#include <pthread.h>

/** Who connects; the strings must live as long as the connections */
struct mfa_account {
	char const *identity; //!< Bind DN; empty with mechanism "EXTERNAL", or for anonymous.
	char const *password; //!< Empty: anonymous.
	bool external;	      //!< SASL EXTERNAL, over ldapi:// or with a client certificate.
};

#define MFA_ETCD_TOKEN_SIZE 512u //!< Bytes of a token, NUL included.

/** What etcd gives for a password; all connections use the same one; zero is a good start */
struct mfa_etcd_token {
	pthread_mutex_t lock;
	char text[MFA_ETCD_TOKEN_SIZE];
};

#define MFA_SERVERS_MAX 8u //!< Servers of a list whose failures are remembered.

/** What all connections of one host program share */
struct mfa_store {
	struct mfa_config const *config;
	struct mfa_account account;
	bool read_class; //!< Also ask for objectClass: for programs that enrol.
	bool no_assert;	 //!< Set by the first server that refuses the assertion control.
	void (*log)(char const *line); //!< Told of faults that concern no single user; or NULL.
	int64_t failed_until_ms[3][MFA_SERVERS_MAX]; //!< See core/servers.h; by enum mfa_side.
	unsigned in_use[3];	 //!< Position of the server that was connected last, by side.
	uint32_t unreadable;	 //!< See core/rights.h: attributes that may be hidden from us.
	int64_t rights_again_ms; //!< Monotonic: when the rights are tried next.
	int64_t away_until_ms; //!< Monotonic: see mfa_conn_may_confirm(); 0: the provider is there.
	struct mfa_etcd_token token; //!< See core/etcd.h.
};

/** A connection; opaque */
struct mfa_conn;

/** Which server to ask */
enum mfa_side {
	MFA_SIDE_READ,	 //!< uri: a replica will do.
	MFA_SIDE_WRITE,	 //!< write_uri: the provider.
	MFA_SIDE_LEDGER, //!< Not for the directory: endpoints of the ledger, in core/servers.h.
};

/** Where an entry is */
struct mfa_where {
	char const *base; //!< DN.
	enum mfa_scope scope;
	char const *filter; //!< Escaped already; NULL: any entry.
	uint32_t leave_out; //!< Set of attributes that need not be read.
	bool bind_at_once; //!< Base is the user: a password may be tried before the entry is there.
};

/** Make a connection and connect its reading side
 *
 * @param[out] conn NULL on failure.
 * @param[in] store must outlive the connection; no_assert is written by it.
 * @return #MFA_OK, #MFA_ERR_NOMEM, #MFA_ERR_UNAVAILABLE, #MFA_ERR_DENIED (bind refused).
 */
enum mfa_rc mfa_conn_open(struct mfa_conn **conn, struct mfa_diag *diag, struct mfa_store *store)
	MFA_MUST_CHECK;

/** As mfa_conn_open(), but connect only when it is needed */
enum mfa_rc mfa_conn_alloc(struct mfa_conn **conn, struct mfa_store *store) MFA_MUST_CHECK;

/** Close and forget; sets *conn to NULL */
void mfa_conn_free(struct mfa_conn **conn);

/** Start the clock: everything until the next call together takes at most config->timeout_s */
void mfa_conn_start(struct mfa_conn *conn);

/** As mfa_conn_start(), with a clock that started earlier, by mfa_monotonic_ms() */
void mfa_conn_start_at(struct mfa_conn *conn, int64_t start_ms);

/** A clock that nobody sets, in milliseconds */
int64_t mfa_monotonic_ms(void);

/** Read one entry
 *
 * @param[out] entry initialised by this call; cleared on failure.
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_NOT_FOUND, #MFA_ERR_AMBIGUOUS (more than one entry).
 *	- #MFA_ERR_UNAVAILABLE, #MFA_ERR_DENIED (also when a value, or base_dn, is hidden from us).
 *	- #MFA_ERR_FORMAT when the entry has no readable id, or when an attribute came with an
 *	  option or by a name that was not asked for; #MFA_ERR_SPACE when it is too large.
 */
enum mfa_rc mfa_conn_read(struct mfa_entry *entry, struct mfa_diag *diag, struct mfa_conn *conn,
			  enum mfa_side side, struct mfa_where const *where) MFA_MUST_CHECK;

/** Whether the provider should be asked to confirm what a replica said
 *
 * For a while after it did not answer, one caller may ask, and the others need not wait for
 * it.  The caller that may says afterwards how it ended, by mfa_conn_note_provider().
 */
bool mfa_conn_may_confirm(struct mfa_conn *conn);
void mfa_conn_note_provider(struct mfa_conn *conn, bool answered);

/** Whether the conditions of a change are checked by the server as it writes (RFC 4528)
 *
 * False once a server refused the assertion control.
 */
bool mfa_conn_asserts(struct mfa_conn const *conn);

/** Carry out a change on the writing side, in one modify
 *
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_CONFLICT when the entry is not as it was read: read again.
 *	- #MFA_ERR_BROKEN when the connection broke, or the answer did not come in time: it
 *	  is not known whether the change was made; read again.
 *	- #MFA_ERR_UNAVAILABLE, #MFA_ERR_DENIED (diag names attribute and account).
 *	- #MFA_ERR_SPACE when the change overflowed.
 */
enum mfa_rc mfa_conn_modify(struct mfa_diag *diag, struct mfa_conn *conn, struct mfa_bytes dn,
			    struct mfa_change const *change) MFA_MUST_CHECK;

/** Check a user's password by a bind on a connection that is kept for that
 *
 * As mfa_conn_check_password(), for programs that check one password after the other.
 */
enum mfa_rc mfa_conn_bind_user(struct mfa_diag *diag, struct mfa_conn *conn, struct mfa_bytes dn,
			       struct mfa_bytes password) MFA_MUST_CHECK;

/** Read an entry and check its user's password
 *
 * With where->bind_at_once the bind is sent before the entry is waited for.  Else as
 * mfa_conn_read() and then mfa_conn_bind_user().
 *
 * @param[out] entry    cleared on failure, also when the password is wrong.
 * @param[in] password  refused without asking when it is empty or has a NUL in it.
 * @return as those two; a failure to read comes first.
 */
enum mfa_rc mfa_conn_read_and_bind(struct mfa_entry *entry, struct mfa_diag *diag,
				   struct mfa_conn *conn, struct mfa_where const *where,
				   struct mfa_bytes password) MFA_MUST_CHECK;

/** Check a user's password by a bind on a connection of its own
 *
 * An empty password is refused without asking (RFC 4513 section 5.1.2).
 *
 * @return #MFA_OK, #MFA_ERR_DENIED (wrong), #MFA_ERR_UNAVAILABLE.
 */
enum mfa_rc mfa_conn_check_password(struct mfa_diag *diag, struct mfa_conn *conn,
				    struct mfa_bytes dn, struct mfa_bytes password) MFA_MUST_CHECK;

/** Escape a value for a search filter (RFC 4515 section 3)
 *
 * @param[out] out NUL-terminated.
 * @return characters written, or -1 when it does not fit.
 */
int mfa_filter_escape(char *out, size_t out_size, struct mfa_bytes value);

/** Escape a value for a place in a DN (RFC 4514 section 2.4); otherwise as mfa_filter_escape() */
int mfa_dn_escape(char *out, size_t out_size, struct mfa_bytes value);

/** Put a user's name into the configured filter
 *
 * Replaces %{User-Name}, %{Stripped-User-Name} and
 * %{%{Stripped-User-Name}:-%{User-Name}}; any other expansion is for the RADIUS
 * server alone and refused.
 *
 * @return #MFA_OK, #MFA_ERR_FORMAT, #MFA_ERR_SPACE.
 */
enum mfa_rc mfa_filter_expand(char *out, size_t out_size, struct mfa_diag *diag, char const *filter,
			      struct mfa_bytes user) MFA_MUST_CHECK;

/** The LDAP handle of one side, connected, for what this interface does not offer
 *
 * For programs that list the directory.  NULL when it cannot be connected.
 */
struct ldap *mfa_conn_handle(struct mfa_diag *diag, struct mfa_conn *conn, enum mfa_side side);

#endif /* MFA_CORE_STORE_H */
