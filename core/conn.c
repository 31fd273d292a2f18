/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/conn.h"

#include <openssl/crypto.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URI_MAX 256u

void mfa_conn_start(struct mfa_conn *conn)
{
	conn->deadline_ms = mfa_monotonic_ms() + (int64_t)conn->store->config->timeout_s * 1000;
}

bool mfa_conn_is_late(struct mfa_conn const *conn)
{
	return conn->deadline_ms != 0 && mfa_monotonic_ms() >= conn->deadline_ms;
}

struct timeval mfa_conn_time_left(struct mfa_conn const *conn, uint32_t limit_s)
{
	int64_t left_ms = (int64_t)limit_s * 1000;

	if (conn->deadline_ms != 0 && conn->deadline_ms - mfa_monotonic_ms() < left_ms)
		left_ms = conn->deadline_ms - mfa_monotonic_ms();
	if (left_ms < 1) left_ms = 1;
	return (struct timeval){.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
}

void mfa_conn_limit(struct mfa_conn *conn, uint32_t limit_s)
{
	struct timeval const left = mfa_conn_time_left(conn, limit_s);

	conn->io_deadline_ms = mfa_monotonic_ms() + left.tv_sec * 1000 + left.tv_usec / 1000;
}

enum mfa_rc mfa_ldap_rc(int code)
{
	switch (code) {
	case LDAP_SUCCESS: return MFA_OK;
	case LDAP_NO_SUCH_OBJECT: return MFA_ERR_NOT_FOUND;
	case LDAP_SIZELIMIT_EXCEEDED: return MFA_ERR_AMBIGUOUS;
	case LDAP_NO_SUCH_ATTRIBUTE:
	case LDAP_TYPE_OR_VALUE_EXISTS:
	case LDAP_CONSTRAINT_VIOLATION:
	case LDAP_ASSERTION_FAILED: return MFA_ERR_CONFLICT;
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
	case LDAP_TIMELIMIT_EXCEEDED:
	case LDAP_ADMINLIMIT_EXCEEDED:
	case LDAP_SERVER_DOWN:
	case LDAP_CONNECT_ERROR:
	case LDAP_TIMEOUT: return MFA_ERR_UNAVAILABLE;
	case LDAP_NO_MEMORY: return MFA_ERR_NOMEM;
	default: return MFA_ERR_DENIED;
	}
}

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

enum mfa_rc mfa_conn_wait(LDAPMessage **result, struct mfa_conn *conn, LDAP *handle, int msgid,
			  uint32_t limit_s)
{
	struct timeval limit = mfa_conn_time_left(conn, limit_s);
	bool late;
	int got;

	*result = NULL;
	got = ldap_result(handle, msgid, LDAP_MSG_ALL, &limit, result);
	late = conn->io_deadline_ms != 0 && mfa_monotonic_ms() >= conn->io_deadline_ms;
	conn->io_deadline_ms = 0;
	if (got > 0) return MFA_OK;
	if (got < 0) return late ? MFA_ERR_UNAVAILABLE : MFA_ERR_CONFLICT;
	(void)ldap_abandon_ext(handle, msgid, NULL, NULL);
	return MFA_ERR_UNAVAILABLE;
}

/** Ask for a bind; an LDAP result code */
static int send_bind(int *msgid, LDAP *handle, struct mfa_account const *account)
{
	struct berval cred = {.bv_len = strlen(account->password),
			      .bv_val = (char *)(uintptr_t)account->password};
	char empty[] = "";

	/* Empty is "as whom you know me"; none at all would make the server ask for more. */
	if (account->external) cred = (struct berval){.bv_len = 0, .bv_val = empty};
	return ldap_sasl_bind(handle, account->external ? NULL : account->identity,
			      account->external ? "EXTERNAL" : LDAP_SASL_SIMPLE, &cred, NULL, NULL,
			      msgid);
}

/** Wait for the answer to a bind; an LDAP result code */
static int finish_bind(LDAP *handle, struct mfa_conn *conn, int msgid)
{
	LDAPMessage *result;
	int code, parsed;

	if (mfa_conn_wait(&result, conn, handle, msgid, conn->store->config->connect_timeout_s) !=
	    MFA_OK) {
		return LDAP_TIMEOUT;
	}
	parsed = ldap_parse_result(handle, result, &code, NULL, NULL, NULL, NULL, 1);
	return parsed == LDAP_SUCCESS ? code : parsed;
}

/** Bind and wait; an LDAP result code */
static int bind_as(LDAP *handle, struct mfa_conn *conn, struct mfa_account const *account)
{
	int msgid, code = send_bind(&msgid, handle, account);

	return code == LDAP_SUCCESS ? finish_bind(handle, conn, msgid) : code;
}

/** Close a handle, without waiting for a server that does not read any more */
static void close_handle(LDAP **handle, struct mfa_conn *conn)
{
	if (!*handle) return;
	conn->io_deadline_ms = mfa_monotonic_ms();
	(void)ldap_unbind_ext(*handle, NULL, NULL);
	conn->io_deadline_ms = 0;
	*handle = NULL;
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
	if (code == LDAP_SUCCESS) code = bind_as(*handle, conn, account);
	if (code != LDAP_SUCCESS) close_handle(handle, conn);
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

/** Whether a server answered and said no; libldap's own errors are negative (ldap_error(3)) */
static bool was_refused(int code)
{
	return code > 0 && code != LDAP_OTHER && mfa_ldap_rc(code) != MFA_ERR_UNAVAILABLE;
}

/* A refused bind ends the search: the next server would refuse as well, or worse, count it. */
enum mfa_rc mfa_conn_connect_as(LDAP **handle, struct mfa_diag *diag, struct mfa_conn *conn,
				char const *uris, struct mfa_account const *account)
{
	struct mfa_bytes rest = mfa_bytes_of(uris);
	enum mfa_rc rc = MFA_ERR_UNAVAILABLE;
	char uri[URI_MAX];

	*handle = NULL;
	mfa_diag_set(diag, "no LDAP URI in '%s'", uris);
	while (rc == MFA_ERR_UNAVAILABLE && next_uri(uri, &rest)) {
		int const code = connect_to(handle, conn, uri, account);

		if (code == LDAP_SUCCESS) return MFA_OK;
		rc = was_refused(code) ? MFA_ERR_DENIED : MFA_ERR_UNAVAILABLE;
		mfa_diag_set(diag, "cannot connect to %s as '%s': %s", uri,
			     account->external ? "SASL EXTERNAL" : account->identity,
			     ldap_err2string(code));
		if (mfa_conn_is_late(conn)) break;
	}
	return rc;
}

static bool has_write_side(struct mfa_conn const *conn)
{
	return conn->store->config->write_uri[0] != '\0';
}

static enum mfa_side side_of(struct mfa_conn const *conn, enum mfa_side side)
{
	return has_write_side(conn) ? side : MFA_SIDE_READ;
}

enum mfa_rc mfa_conn_connect(LDAP **handle, bool *fresh, struct mfa_diag *diag,
			     struct mfa_conn *conn, enum mfa_side side)
{
	struct mfa_config const *config = conn->store->config;
	enum mfa_rc rc;

	side = side_of(conn, side);
	*handle = conn->handle[side];
	*fresh = *handle == NULL;
	if (*handle) return MFA_OK;
	rc = mfa_conn_connect_as(handle, diag, conn,
				 side == MFA_SIDE_WRITE ? config->write_uri : config->uri,
				 &conn->store->account);
	conn->handle[side] = *handle;
	return rc;
}

void mfa_conn_drop(struct mfa_conn *conn, enum mfa_side side)
{
	side = side_of(conn, side);
	close_handle(&conn->handle[side], conn);
}

enum mfa_rc mfa_conn_alloc(struct mfa_conn **conn, struct mfa_store *store)
{
	*conn = calloc(1, sizeof(**conn));
	if (!*conn) return MFA_ERR_NOMEM;
	(*conn)->store = store;
	return MFA_OK;
}

enum mfa_rc mfa_conn_open(struct mfa_conn **conn, struct mfa_diag *diag, struct mfa_store *store)
{
	enum mfa_rc rc = mfa_conn_alloc(conn, store);
	LDAP *handle;
	bool fresh;

	if (rc == MFA_OK) rc = mfa_conn_connect(&handle, &fresh, diag, *conn, MFA_SIDE_READ);
	if (rc != MFA_OK) mfa_conn_free(conn);
	return rc;
}

void mfa_conn_free(struct mfa_conn **conn)
{
	if (!*conn) return;
	mfa_conn_drop(*conn, MFA_SIDE_READ);
	mfa_conn_drop(*conn, MFA_SIDE_WRITE);
	close_handle(&(*conn)->user, *conn);
	free(*conn);
	*conn = NULL;
}

struct ldap *mfa_conn_handle(struct mfa_diag *diag, struct mfa_conn *conn, enum mfa_side side)
{
	LDAP *handle;
	bool fresh;

	return mfa_conn_connect(&handle, &fresh, diag, conn, side) == MFA_OK ? handle : NULL;
}

/** A user's bind that was asked for, on the connection that is kept for them */
struct user_bind {
	char *identity, *password;
	bool sent;
	int msgid;
};

static struct mfa_account account_of(struct user_bind const *bind)
{
	return (struct mfa_account){.identity = bind->identity, .password = bind->password};
}

static void free_user_bind(struct user_bind *bind)
{
	if (bind->password) OPENSSL_cleanse(bind->password, strlen(bind->password));
	free(bind->password);
	free(bind->identity);
}

/** What a bind needs; to be freed also on failure */
static enum mfa_rc make_user_bind(struct user_bind *bind, struct mfa_diag *diag,
				  struct mfa_bytes dn, struct mfa_bytes password)
{
	*bind = (struct user_bind){0};
	if (dn.len == 0 || password.len == 0 || memchr(password.data, '\0', password.len)) {
		mfa_diag_set(diag, "empty or unusable password");
		return MFA_ERR_DENIED;
	}
	bind->identity = strndup((char const *)dn.data, dn.len);
	bind->password = strndup((char const *)password.data, password.len);
	if (bind->identity && bind->password) return MFA_OK;
	mfa_diag_set(diag, "out of memory");
	return MFA_ERR_NOMEM;
}

/** Ask, where there is a connection */
static void send_user_bind(struct user_bind *bind, struct mfa_conn *conn)
{
	struct mfa_account const account = account_of(bind);
	int msgid = 0;

	if (!conn->user) return;
	mfa_conn_limit(conn, conn->store->config->connect_timeout_s);
	bind->sent = send_bind(&msgid, conn->user, &account) == LDAP_SUCCESS;
	bind->msgid = msgid;
	/* Never left to libldap, which would connect again by itself, and without TLS. */
	if (!bind->sent) close_handle(&conn->user, conn);
}

/** Wait for the answer
 *
 * @return MFA_OK, MFA_ERR_DENIED; or, when none can come and the connection was closed,
 *	MFA_ERR_CONFLICT while there is time to ask again, else MFA_ERR_UNAVAILABLE.
 */
static enum mfa_rc await_user_bind(struct user_bind const *bind, struct mfa_diag *diag,
				   struct mfa_conn *conn)
{
	int code = LDAP_SERVER_DOWN;

	if (bind->sent) {
		mfa_conn_limit(conn, conn->store->config->connect_timeout_s);
		code = finish_bind(conn->user, conn, bind->msgid);
	}
	if (code == LDAP_SUCCESS) return MFA_OK;
	mfa_diag_set(diag, "bind as '%s': %s", bind->identity, ldap_err2string(code));
	if (was_refused(code)) return MFA_ERR_DENIED;
	close_handle(&conn->user, conn);
	return mfa_conn_is_late(conn) ? MFA_ERR_UNAVAILABLE : MFA_ERR_CONFLICT;
}

/** Wait for the answer; ask once more on a new connection when none can come */
static enum mfa_rc end_user_bind(struct user_bind const *bind, struct mfa_diag *diag,
				 struct mfa_conn *conn)
{
	struct mfa_account const account = account_of(bind);
	enum mfa_rc const rc = await_user_bind(bind, diag, conn);

	if (rc != MFA_ERR_CONFLICT) return rc;
	return mfa_conn_connect_as(&conn->user, diag, conn, conn->store->config->uri, &account);
}

enum mfa_rc mfa_conn_bind_user(struct mfa_diag *diag, struct mfa_conn *conn, struct mfa_bytes dn,
			       struct mfa_bytes password)
{
	struct user_bind bind;
	enum mfa_rc rc = make_user_bind(&bind, diag, dn, password);

	if (rc == MFA_OK) {
		send_user_bind(&bind, conn);
		rc = end_user_bind(&bind, diag, conn);
	}
	free_user_bind(&bind);
	return rc;
}

/** Both at once: the bind is on its way while the entry is read */
static enum mfa_rc read_during_bind(struct mfa_entry *entry, struct mfa_diag *diag,
				    struct mfa_conn *conn, struct mfa_where const *where,
				    struct mfa_bytes password)
{
	struct user_bind bind;
	struct mfa_diag why;
	enum mfa_rc const usable = make_user_bind(&bind, &why, mfa_bytes_of(where->base), password);
	enum mfa_rc rc;

	if (usable == MFA_OK) send_user_bind(&bind, conn);
	rc = mfa_conn_read(entry, diag, conn, MFA_SIDE_READ, where);
	if (rc == MFA_OK && usable == MFA_OK) {
		rc = end_user_bind(&bind, diag, conn);
	} else if (rc == MFA_OK) {
		rc = usable;
		*diag = why;
	} else if (bind.sent) {
		/* No entry, no login; but the answer must not stay there for the next user. */
		(void)await_user_bind(&bind, &why, conn);
	}
	free_user_bind(&bind);
	return rc;
}

enum mfa_rc mfa_conn_read_and_bind(struct mfa_entry *entry, struct mfa_diag *diag,
				   struct mfa_conn *conn, struct mfa_where const *where,
				   struct mfa_bytes password)
{
	enum mfa_rc rc;

	if (where->bind_at_once) {
		rc = read_during_bind(entry, diag, conn, where, password);
	} else {
		rc = mfa_conn_read(entry, diag, conn, MFA_SIDE_READ, where);
		if (rc == MFA_OK) rc = mfa_conn_bind_user(diag, conn, entry->dn, password);
	}
	if (rc != MFA_OK) mfa_entry_clear(entry);
	return rc;
}

enum mfa_rc mfa_conn_check_password(struct mfa_diag *diag, struct mfa_conn *conn,
				    struct mfa_bytes dn, struct mfa_bytes password)
{
	enum mfa_rc rc;

	close_handle(&conn->user, conn);
	rc = mfa_conn_bind_user(diag, conn, dn, password);
	close_handle(&conn->user, conn);
	return rc;
}
