/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/store.h
 * @brief The directory as all connections of a program share it, and where an entry is.
 */
#ifndef MFA_CORE_STORE_H
#define MFA_CORE_STORE_H

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

/** What a directory server is, as far as we must know */
enum mfa_server_kind {
	MFA_SERVER_UNKNOWN = 0, //!< Not asked yet.
	MFA_SERVER_AD,		//!< Active Directory: hides what may not be read.
	MFA_SERVER_OTHER,
};

/** What all connections of one host program share */
struct mfa_store {
	struct mfa_config const *config;
	struct mfa_account account;
	bool read_class; //!< Also ask for objectClass: for programs that enrol.
	bool no_assert;	 //!< Set by the first server that refuses the assertion control.
	void (*log)(char const *line); //!< Told of faults that concern no single user; or NULL.
	int64_t failed_until_ms[3][MFA_SERVERS_MAX]; //!< See core/servers.h; by enum mfa_side.
	unsigned in_use[3];	   //!< Position of the server that was connected last, by side.
	uint32_t unreadable;	   //!< See core/rights.h: attributes that may be hidden from us.
	int64_t rights_again_ms;   //!< Monotonic: when the rights are tried next.
	enum mfa_server_kind kind; //!< Set when the policy asks about a group.
	int64_t away_until_ms; //!< Monotonic: see mfa_conn_may_confirm(); 0: the provider is there.
	struct mfa_etcd_token token; //!< See core/etcd.h.
};

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

#endif /* MFA_CORE_STORE_H */
