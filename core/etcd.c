/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/etcd.h"
#include "core/etcd_call.h"
#include "core/operation.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

/** A key or value as base64 in JSON; NULL when memory ran out */
static json_t *base64(struct mfa_bytes part1, struct mfa_bytes part2)
{
	size_t const len = part1.len + part2.len;
	unsigned char *plain = malloc(len + 1), *coded = malloc(len / 3 * 4 + 5);
	json_t *json = NULL;

	if (plain && coded) {
		if (part1.len > 0) memcpy(plain, part1.data, part1.len);
		if (part2.len > 0) memcpy(plain + part1.len, part2.data, part2.len);
		(void)EVP_EncodeBlock(coded, plain, (int)len);
		json = json_string((char const *)coded);
	}
	free(plain);
	free(coded);
	return json;
}

static json_t *key_of(struct mfa_conn const *conn, char const *key)
{
	return base64(mfa_bytes_of(conn->store->config->ledger_prefix), mfa_bytes_of(key));
}

/** The one pair of an answer to a range; 64-bit numbers are strings in this JSON */
static enum mfa_rc take_value(struct mfa_etcd_value *value, json_t const *pair)
{
	char const *revision = json_string_value(json_object_get(pair, "mod_revision"));
	char const *text = json_string_value(json_object_get(pair, "value"));
	enum mfa_rc rc;

	if (!revision) return MFA_ERR_FORMAT;
	rc = mfa_text_number(&value->revision, mfa_bytes_of(revision), INT64_MAX);
	if (rc != MFA_OK || value->revision == 0) return MFA_ERR_FORMAT;
	if (!text) return MFA_OK; /* empty */
	rc = mfa_base64_decode((uint8_t *)value->text, &value->len, sizeof(value->text) - 1,
			       mfa_bytes_of(text));
	if (rc == MFA_OK) value->text[value->len] = '\0';
	return rc;
}

/** Read an answer to a range of one key */
static enum mfa_rc take_range(struct mfa_etcd_value *value, struct mfa_diag *diag,
			      json_t const *answer)
{
	json_t const *pairs = json_object_get(answer, "kvs");
	enum mfa_rc rc;

	/* Every answer has a header: one without it is not from etcd. */
	if (!json_object_get(answer, "header") || json_array_size(pairs) > 1) {
		mfa_diag_say(diag, "etcd: the answer cannot be read");
		return MFA_ERR_FORMAT;
	}
	if (json_array_size(pairs) == 0) return MFA_OK;
	rc = take_value(value, json_array_get(pairs, 0));
	if (rc != MFA_OK) mfa_diag_say(diag, "etcd: the value of the key cannot be read");
	return rc;
}

enum mfa_rc mfa_etcd_get(struct mfa_etcd_value *value, struct mfa_diag *diag, struct mfa_conn *conn,
			 char const *key)
{
	json_t *question = json_pack("{s:o}", "key", key_of(conn, key)), *answer = NULL;
	enum mfa_rc rc = MFA_ERR_NOMEM;

	*value = (struct mfa_etcd_value){.revision = 0};
	if (question)
		rc = mfa_etcd_call(&answer, diag, conn, "/v3/kv/range", question,
				   MFA_ETCD_HARMLESS);
	if (rc == MFA_OK) rc = take_range(value, diag, answer);
	json_decref(question);
	json_decref(answer);
	return rc;
}

/** "When the key has this revision, put this value" */
static json_t *swap_question(struct mfa_conn const *conn, char const *key,
			     struct mfa_etcd_value const *value)
{
	struct mfa_bytes const text = {(uint8_t const *)value->text, value->len};

	return json_pack("{s:[{s:s, s:s, s:o, s:o}], s:[{s:{s:o, s:o}}]}", "compare", "target",
			 "MOD", "result", "EQUAL", "key", key_of(conn, key), "mod_revision",
			 json_sprintf("%lld", (long long)value->revision), "success", "request_put",
			 "key", key_of(conn, key), "value", base64(text, (struct mfa_bytes){0}));
}

enum mfa_rc mfa_etcd_swap(struct mfa_diag *diag, struct mfa_conn *conn, char const *key,
			  struct mfa_etcd_value const *value)
{
	json_t *question = swap_question(conn, key, value), *answer = NULL;
	enum mfa_rc rc = MFA_ERR_NOMEM;

	if (question)
		rc = mfa_etcd_call(&answer, diag, conn, "/v3/kv/txn", question, MFA_ETCD_ONCE);
	if (rc == MFA_OK && !json_object_get(answer, "header")) {
		mfa_diag_say(diag, "etcd: the answer cannot be read");
		rc = MFA_ERR_BROKEN;
	} else if (rc == MFA_OK && !json_is_true(json_object_get(answer, "succeeded"))) {
		mfa_diag_say(diag, "etcd: somebody else wrote the key");
		rc = MFA_ERR_CONFLICT;
	}
	json_decref(question);
	json_decref(answer);
	return rc;
}
