/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/etcd_call.h"
#include "core/clock.h"
#include "core/etcd_http.h"
#include "core/operation.h"
#include "core/private_file.h"
#include "core/servers.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define URL_MAX	     320u
#define PASSWORD_MAX 256u
#define SHARE_MIN_MS 300   /* of the time that is left, for one question */
#define PAUSE_US     20000 /* before all members are asked once more */

/** One question on its way */
struct call {
	struct mfa_conn *conn;
	struct mfa_diag *diag;
	char const *path;
	char const *body;
	enum mfa_etcd_repeat repeat;
	json_t *answer;
	int64_t until_ms; //!< Monotonic.
	uint32_t wanted;  //!< Set of members to be asked.
};

/** A member's share of the time that is left
 *
 * One that hangs leaves some for the others.  And while the members elect a leader, a question
 * may get lost: a later one is answered.
 */
static long share_ms(struct call const *call)
{
	int64_t const left = call->until_ms - mfa_monotonic_ms();
	int64_t const share = left / 4 > SHARE_MIN_MS ? left / 4 : SHARE_MIN_MS;

	if (left < 1) return 1;
	return (long)(share < left ? share : left);
}

static bool is_late(struct call const *call)
{
	return mfa_monotonic_ms() >= call->until_ms;
}

/** The password in the file, its line break cut off */
static enum mfa_rc read_password(char out[static PASSWORD_MAX], struct mfa_diag *diag,
				 char const *path)
{
	size_t len;
	enum mfa_rc const rc = mfa_private_file_read((uint8_t *)out, &len, PASSWORD_MAX, diag,
						     "password file", path);

	if (rc != MFA_OK) return rc;
	out[len] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	if (out[0]) return MFA_OK;
	mfa_diag_set(diag, "password file '%s': no password in it", path);
	return MFA_ERR_FORMAT;
}

static char *make_login(struct mfa_diag *diag, struct mfa_config const *config)
{
	char password[PASSWORD_MAX], *body = NULL;

	if (read_password(password, diag, config->ledger_password_file) == MFA_OK) {
		json_t *login =
			json_pack("{s:s, s:s}", "name", config->ledger_user, "password", password);

		if (login)
			body = json_dumps(login, JSON_COMPACT);
		else
			mfa_diag_say(diag, "etcd: the password is no UTF-8");
		json_decref(login);
	}
	OPENSSL_cleanse(password, sizeof(password));
	return body;
}

static void make_url(char out[static URL_MAX], char const *endpoint, char const *path)
{
	size_t len = strlen(endpoint);

	while (len > 0 && endpoint[len - 1] == '/') len--;
	(void)snprintf(out, URL_MAX, "%.*s%s", (int)len, endpoint, path);
}

/** Take the token out of an answer */
static enum mfa_rc take_token(struct mfa_etcd_token *token, struct mfa_diag *diag,
			      struct mfa_http_answer const *answer, char const *endpoint)
{
	json_t *json = json_loads(answer->text, 0, NULL);
	char const *text = json_string_value(json_object_get(json, "token"));
	enum mfa_rc rc = MFA_ERR_UNAVAILABLE;

	if (text && strlen(text) < sizeof(token->text)) {
		memcpy(token->text, text, strlen(text) + 1);
		rc = MFA_OK;
	} else if (answer->status == 400 || answer->status == 401 || answer->status == 403) {
		mfa_diag_say(diag, "etcd: user or password is not accepted");
		rc = MFA_ERR_DENIED;
	} else {
		mfa_diag_set(diag, "etcd at %s: no token: %s", endpoint,
			     answer->status ? "the member cannot give one" : answer->error);
	}
	json_decref(json);
	return rc;
}

/** Authenticate; called with the lock */
static enum mfa_rc renew_token(struct call *call, char const *endpoint)
{
	struct mfa_store *store = call->conn->store;
	struct mfa_http_answer answer;
	char url[URL_MAX], *body;
	enum mfa_rc rc;

	body = make_login(call->diag, store->config);
	if (!body) return MFA_ERR_DENIED;
	make_url(url, endpoint, "/v3/auth/authenticate");
	mfa_http_post(&answer, call->conn->etcd, url, "", body, share_ms(call));
	OPENSSL_cleanse(body, strlen(body));
	free(body);
	rc = take_token(&store->token, call->diag, &answer, endpoint);
	return rc;
}

/** Copy the token that all share; when it is the one in @p out still, a new one
 *
 * One connection authenticates, which is slow on purpose (bcrypt); the others wait for its token.
 */
static enum mfa_rc get_token(char out[static MFA_ETCD_TOKEN_SIZE], struct call *call,
			     char const *endpoint)
{
	struct mfa_etcd_token *token = &call->conn->store->token;
	int64_t const until_ms = mfa_monotonic_ms() + share_ms(call);
	struct timespec const until = {.tv_sec = until_ms / 1000,
				       .tv_nsec = until_ms % 1000 * 1000000};
	enum mfa_rc rc = MFA_OK;

	if (!call->conn->store->config->ledger_user[0]) return MFA_OK;
	if (pthread_mutex_clocklock(&token->lock, CLOCK_MONOTONIC, &until) != 0) {
		mfa_diag_say(call->diag, "etcd: another request still waits for a token");
		return MFA_ERR_UNAVAILABLE;
	}
	if (strcmp(token->text, out) == 0) rc = renew_token(call, endpoint);
	if (rc == MFA_OK) memcpy(out, token->text, sizeof(token->text));
	(void)pthread_mutex_unlock(&token->lock);
	return rc;
}

/** What etcd answered when it was no success; its text holds no secret */
static enum mfa_rc explain(struct call *call, struct mfa_http_answer const *answer,
			   char const *endpoint)
{
	json_t *json = json_loads(answer->text, 0, NULL);
	char const *why = json_string_value(json_object_get(json, "error"));
	enum mfa_rc rc = MFA_ERR_UNAVAILABLE;

	if (answer->status == 0) {
		mfa_diag_set(call->diag, "etcd at %s: %s", endpoint, answer->error);
	} else {
		mfa_diag_set(call->diag, "etcd at %s: %s (HTTP status %ld)", endpoint,
			     why ? why : "no reason given", answer->status);
	}
	if (answer->status == 403 || answer->status == 401) rc = MFA_ERR_DENIED;
	/* A question that writes may have been carried out whatever the member says afterwards. */
	else if (answer->sent && call->repeat == MFA_ETCD_ONCE)
		rc = MFA_ERR_BROKEN;
	json_decref(json);
	return rc;
}

/** Whether the member does not know the token, since it was restarted or users were changed */
static bool token_is_stale(struct mfa_http_answer const *answer)
{
	return answer->status == 401 ||
	       (answer->status == 400 && strstr(answer->text, "revision of auth store is old"));
}

static enum mfa_rc take_answer(struct call *call, struct mfa_http_answer const *answer,
			       char const *endpoint)
{
	if (answer->status != 200) return explain(call, answer, endpoint);
	call->answer = json_loads(answer->text, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(call->answer)) return MFA_OK;
	mfa_diag_set(call->diag, "etcd at %s: the answer cannot be read", endpoint);
	return call->repeat == MFA_ETCD_ONCE ? MFA_ERR_BROKEN : MFA_ERR_UNAVAILABLE;
}

/** Ask one member, a second time with a new token when it does not know the first */
static enum mfa_rc ask_member(struct call *call, char const *endpoint)
{
	struct mfa_http_answer answer;
	char token[MFA_ETCD_TOKEN_SIZE] = "", url[URL_MAX];
	enum mfa_rc rc = get_token(token, call, endpoint);

	make_url(url, endpoint, call->path);
	if (rc != MFA_OK) return rc;
	mfa_http_post(&answer, call->conn->etcd, url, token, call->body, share_ms(call));
	if (token[0] && token_is_stale(&answer)) {
		rc = get_token(token, call, endpoint);
		if (rc == MFA_OK)
			mfa_http_post(&answer, call->conn->etcd, url, token, call->body,
				      share_ms(call));
	}
	OPENSSL_cleanse(token, sizeof(token));
	return rc == MFA_OK ? take_answer(call, &answer, endpoint) : rc;
}

/** Ask and remember how it ended */
static enum mfa_rc try_member(struct call *call, unsigned n, char const *endpoint)
{
	struct mfa_store *store = call->conn->store;
	struct mfa_diag const before = *call->diag;
	bool const hurried = call->until_ms - mfa_monotonic_ms() < SHARE_MIN_MS;
	enum mfa_rc const rc = ask_member(call, endpoint);

	/* That the rest of the time was too short says less than what went wrong before. */
	if (rc == MFA_ERR_UNAVAILABLE && hurried) *call->diag = before;
	if (rc == MFA_OK) mfa_server_note_success(store, MFA_SIDE_LEDGER, n, endpoint);
	if (rc == MFA_ERR_UNAVAILABLE || rc == MFA_ERR_BROKEN)
		mfa_server_note_failure(store, MFA_SIDE_LEDGER, n);
	return rc;
}

/** Cut the next endpoint off a list, as a C string */
static bool next_endpoint(char out[static URL_MAX], struct mfa_bytes *rest)
{
	struct mfa_bytes word;

	while (rest->len > 0) {
		if (!mfa_text_word(&word, rest) || word.len >= URL_MAX) continue;
		memcpy(out, word.data, word.len);
		out[word.len] = '\0';
		return true;
	}
	return false;
}

/** Ask the members that are wanted, or those of them that did not fail lately */
static enum mfa_rc ask_members(struct call *call, bool good)
{
	struct mfa_store *store = call->conn->store;
	struct mfa_bytes rest = mfa_bytes_of(store->config->ledger_endpoints);
	enum mfa_rc rc = MFA_ERR_UNAVAILABLE;
	char endpoint[URL_MAX];

	for (unsigned n = 0; rc == MFA_ERR_UNAVAILABLE && next_endpoint(endpoint, &rest); n++) {
		if (!(call->wanted & 1u << n) || is_late(call)) continue;
		if (good && !mfa_server_is_good(store, MFA_SIDE_LEDGER, n)) continue;
		rc = try_member(call, n, endpoint);
		call->wanted &= ~(1u << n);
	}
	return rc;
}

/** Ask until there is an answer, or the time is over */
static enum mfa_rc ask_all(struct call *call)
{
	enum mfa_rc rc;

	call->wanted = UINT32_MAX;
	rc = ask_members(call, true);
	while (rc == MFA_ERR_UNAVAILABLE && !is_late(call)) {
		rc = ask_members(call, false);
		call->wanted = UINT32_MAX;
		if (rc == MFA_ERR_UNAVAILABLE) (void)usleep(PAUSE_US);
	}
	return rc;
}

enum mfa_rc mfa_etcd_call(json_t **answer, struct mfa_diag *diag, struct mfa_conn *conn,
			  char const *path, json_t const *question, enum mfa_etcd_repeat repeat)
{
	struct timeval const left = mfa_conn_time_left(conn, conn->store->config->timeout_s);
	char *body = json_dumps(question, JSON_COMPACT);
	struct call call = {.conn = conn,
			    .diag = diag,
			    .path = path,
			    .body = body,
			    .repeat = repeat,
			    .until_ms =
				    mfa_monotonic_ms() + left.tv_sec * 1000 + left.tv_usec / 1000};
	enum mfa_rc rc = MFA_ERR_NOMEM;

	if (!conn->etcd) conn->etcd = mfa_etcd_alloc(conn->store->config);
	if (!conn->etcd || !body) goto out;
	mfa_diag_say(diag, "etcd: no answer in time");
	rc = ask_all(&call);
out:
	free(body);
	*answer = call.answer;
	return rc;
}
