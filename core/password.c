/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/password.h"
#include "core/bind.h"
#include "core/conn_open.h"
#include "core/operation.h"
#include "core/read.h"
#include "core/servers.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>

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

	if (mfa_server_has_failed(conn->store, MFA_SIDE_READ, conn->server[2]))
		mfa_conn_close(&conn->user, conn);
	if (!conn->user) return;
	mfa_conn_limit(conn, conn->store->config->connect_timeout_s);
	bind->sent = mfa_bind_send(&msgid, conn->user, &account) == LDAP_SUCCESS;
	bind->msgid = msgid;
	/* Never left to libldap, which would connect again by itself, and without TLS. */
	if (!bind->sent) mfa_conn_close(&conn->user, conn);
}

/** Wait for the answer
 *
 * @return MFA_OK, MFA_ERR_DENIED; or, when none can come and the connection was closed,
 *	MFA_ERR_BROKEN while there is time to ask again, else MFA_ERR_UNAVAILABLE.
 */
static enum mfa_rc await_user_bind(struct user_bind const *bind, struct mfa_diag *diag,
				   struct mfa_conn *conn)
{
	int code = LDAP_SERVER_DOWN;

	if (bind->sent) {
		mfa_conn_limit(conn, conn->store->config->connect_timeout_s);
		code = mfa_bind_finish(conn->user, conn, bind->msgid);
	}
	if (code == LDAP_SUCCESS) return MFA_OK;
	mfa_diag_set(diag, "bind as '%s': %s", bind->identity, ldap_err2string(code));
	if (mfa_conn_was_refused(code)) return MFA_ERR_DENIED;
	if (code == LDAP_TIMEOUT)
		mfa_server_note_failure(conn->store, MFA_SIDE_READ, conn->server[2]);
	mfa_conn_close(&conn->user, conn);
	return mfa_conn_is_late(conn) ? MFA_ERR_UNAVAILABLE : MFA_ERR_BROKEN;
}

/** Wait for the answer; ask once more on a new connection when none can come */
static enum mfa_rc end_user_bind(struct user_bind const *bind, struct mfa_diag *diag,
				 struct mfa_conn *conn)
{
	struct mfa_account const account = account_of(bind);
	enum mfa_rc const rc = await_user_bind(bind, diag, conn);

	if (rc != MFA_ERR_BROKEN) return rc;
	return mfa_conn_connect_as(&conn->user, &conn->server[2], diag, conn, MFA_SIDE_READ,
				   &account);
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

	mfa_conn_close(&conn->user, conn);
	rc = mfa_conn_bind_user(diag, conn, dn, password);
	mfa_conn_close(&conn->user, conn);
	return rc;
}
