/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/conn_open.h"
#include "core/bind.h"
#include "core/guard.h"
#include "core/operation.h"
#include "core/servers.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

#define URI_MAX 256u

static int require_cert(uint32_t wanted)
{
	switch ((enum mfa_require_cert)wanted) {
	case MFA_CERT_NEVER: return LDAP_OPT_X_TLS_NEVER;
	case MFA_CERT_ALLOW: return LDAP_OPT_X_TLS_ALLOW;
	case MFA_CERT_DEMAND: break;
	}
	return LDAP_OPT_X_TLS_DEMAND;
}

/** TLS settings of this handle alone; a new context makes libldap use them */
static int set_tls(LDAP *handle, struct mfa_config const *config)
{
	int const demand = require_cert(config->require_cert);
	int const client = 0;
	int code = ldap_set_option(handle, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);

	if (code == LDAP_SUCCESS && config->ca_file[0])
		code = ldap_set_option(handle, LDAP_OPT_X_TLS_CACERTFILE, config->ca_file);
	if (code == LDAP_SUCCESS) code = ldap_set_option(handle, LDAP_OPT_X_TLS_NEWCTX, &client);
	return code;
}

static int set_options(LDAP *handle, struct mfa_conn const *conn)
{
	struct timeval const limit =
		mfa_conn_time_left(conn, conn->store->config->connect_timeout_s);
	int const version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER;

	/* No aliases, whatever ldap.conf(5) says: who is found must be who binds. */
	if (ldap_set_option(handle, LDAP_OPT_PROTOCOL_VERSION, &version) != LDAP_SUCCESS ||
	    ldap_set_option(handle, LDAP_OPT_DEREF, &deref) != LDAP_SUCCESS ||
	    ldap_set_option(handle, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != LDAP_SUCCESS ||
	    ldap_set_option(handle, LDAP_OPT_RESTART, LDAP_OPT_ON) != LDAP_SUCCESS ||
	    ldap_set_option(handle, LDAP_OPT_NETWORK_TIMEOUT, &limit) != LDAP_SUCCESS ||
	    ldap_set_option(handle, LDAP_OPT_TIMEOUT, &limit) != LDAP_SUCCESS) {
		return LDAP_OTHER;
	}
	return LDAP_SUCCESS;
}

/* libldap sets itself up when it is first used, which two threads must not do at once. */
static void set_up_libldap(void)
{
	int version;

	(void)ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &version);
}

/** Connect to one server; an LDAP result code */
static int connect_to(LDAP **handle, struct mfa_conn *conn, char const *uri,
		      struct mfa_account const *account)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct mfa_config const *config = conn->store->config;
	int code;

	if (pthread_once(&once, set_up_libldap) != 0) return LDAP_OTHER;
	code = ldap_initialize(handle, uri);
	if (code != LDAP_SUCCESS) {
		*handle = NULL;
		return code;
	}
	mfa_conn_limit(conn, config->connect_timeout_s);
	code = set_options(*handle, conn);
	if (code == LDAP_SUCCESS) code = mfa_conn_guard(*handle, conn);
	if (code == LDAP_SUCCESS && strncasecmp(uri, "ldapi:", 6) != 0)
		code = set_tls(*handle, config);
	if (code == LDAP_SUCCESS && config->start_tls && strncasecmp(uri, "ldap:", 5) == 0)
		code = ldap_start_tls_s(*handle, NULL, NULL);
	if (code == LDAP_SUCCESS) code = mfa_bind(*handle, conn, account);
	if (code != LDAP_SUCCESS) mfa_conn_close(handle, conn);
	return code;
}

/** The next URI of a list, as a C string */
static bool next_uri(char uri[static URI_MAX], struct mfa_bytes *rest)
{
	struct mfa_bytes word;

	while (rest->len > 0) {
		if (!mfa_text_word(&word, rest)) continue;
		if (word.len >= URI_MAX) continue;
		memcpy(uri, word.data, word.len);
		uri[word.len] = '\0';
		return true;
	}
	return false;
}

/** One attempt to connect to a server of a list */
struct attempt {
	struct mfa_conn *conn;
	enum mfa_side side;
	struct mfa_account const *account;
	LDAP *handle;
	unsigned n; //!< Position of the server in the list.
};

/* A refused bind is no failure of the server: the next one would refuse as well, or count it. */
static enum mfa_rc try_server(struct attempt *attempt, struct mfa_diag *diag, char const *uri)
{
	struct mfa_store *store = attempt->conn->store;
	struct mfa_account const *account = attempt->account;
	int const code = connect_to(&attempt->handle, attempt->conn, uri, account);
	bool const refused = mfa_conn_was_refused(code);

	if (code == LDAP_SUCCESS) {
		mfa_server_note_success(store, attempt->side, attempt->n, uri);
		return MFA_OK;
	}
	mfa_diag_set(diag, "cannot connect to %s as '%s': %s", uri,
		     account->external ? "SASL EXTERNAL" : account->identity,
		     ldap_err2string(code));
	if (refused) return MFA_ERR_DENIED;
	mfa_server_note_failure(store, attempt->side, attempt->n);
	return MFA_ERR_UNAVAILABLE;
}

/** Try those servers of the list that are in a set; what was not tried is left in the set */
static enum mfa_rc try_servers(struct attempt *attempt, struct mfa_diag *diag, char const *uris,
			       uint32_t *wanted, bool good)
{
	struct mfa_store *store = attempt->conn->store;
	struct mfa_bytes rest = mfa_bytes_of(uris);
	enum mfa_rc rc = MFA_ERR_UNAVAILABLE;
	char uri[URI_MAX];

	for (attempt->n = 0; attempt->n < 32 && next_uri(uri, &rest); attempt->n++) {
		uint32_t const bit = 1u << attempt->n;

		if (!(*wanted & bit)) continue;
		if (good && !mfa_server_is_good(store, attempt->side, attempt->n)) continue;
		*wanted &= ~bit;
		rc = try_server(attempt, diag, uri);
		if (rc != MFA_ERR_UNAVAILABLE || mfa_conn_is_late(attempt->conn)) break;
	}
	return rc;
}

enum mfa_rc mfa_conn_connect_as(LDAP **handle, unsigned *server, struct mfa_diag *diag,
				struct mfa_conn *conn, enum mfa_side side,
				struct mfa_account const *account)
{
	struct mfa_config const *config = conn->store->config;
	char const *uris = side == MFA_SIDE_WRITE ? config->write_uri : config->uri;
	struct attempt attempt = {.conn = conn, .side = side, .account = account};
	uint32_t wanted = UINT32_MAX;
	enum mfa_rc rc;

	mfa_diag_set(diag, "no LDAP URI in '%s'", uris);
	rc = try_servers(&attempt, diag, uris, &wanted, true);
	if (rc == MFA_ERR_UNAVAILABLE && !mfa_conn_is_late(conn))
		rc = try_servers(&attempt, diag, uris, &wanted, false);
	*handle = attempt.handle;
	if (server) *server = attempt.n;
	return rc;
}
