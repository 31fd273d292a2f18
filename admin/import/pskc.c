/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/import/import.h"
#include "admin/import/pskc_decrypt.h"

#include <openssl/crypto.h>
#include <pskc/pskc.h>

#include <string.h>
#include <strings.h>

#define TOTP_ALGORITHM "urn:ietf:params:xml:ns:keyprov:pskc:totp"

static bool set_hash(struct mfa_cli_row *row, char const *suite)
{
	if (!suite) return true;
	for (unsigned hash = MFA_TOTP_SHA1; hash <= MFA_TOTP_SHA512; hash++) {
		char const *name = mfa_totp_hash_name((enum mfa_totp_hash)hash);

		/* "HMAC-SHA256" and "SHA256" are both seen. */
		if (strcasecmp(suite, name) != 0 &&
		    (strncasecmp(suite, "HMAC-", 5) != 0 || strcasecmp(suite + 5, name) != 0))
			continue;
		row->totp.hash = (enum mfa_totp_hash)hash;
		return true;
	}
	mfa_diag_set(&row->diag, "suite must be HMAC-SHA1, HMAC-SHA256 or HMAC-SHA512");
	return false;
}

static bool set_numbers(struct mfa_cli_row *row, pskc_key_t *key)
{
	int present = 0;
	uint32_t number = pskc_get_key_algparm_resp_length(key, &present);

	if (present) row->totp.digits = number;
	number = pskc_get_key_data_timeinterval(key, &present);
	if (present) row->totp.period_s = number;
	if (row->totp.digits < MFA_TOTP_DIGITS_MIN || row->totp.digits > MFA_TOTP_DIGITS_MAX) {
		mfa_diag_set(&row->diag, "codes of %u digits; 6 to 8 are known", row->totp.digits);
		return false;
	}
	if (row->totp.period_s < MFA_TOTP_PERIOD_MIN || row->totp.period_s > MFA_TOTP_PERIOD_MAX) {
		mfa_diag_set(&row->diag, "time steps of %u s; 15 to 120 are known",
			     row->totp.period_s);
		return false;
	}
	return true;
}

/** The secret in clear, or decrypted */
static bool set_key(struct mfa_cli_row *row, pskc_key_t *key, struct mfa_cli_pskc const *document)
{
	size_t len = 0;
	char const *secret = pskc_get_key_data_secret(key, &len);

	if (!secret && mfa_cli_pskc_secret(row->totp.key, &len, sizeof(row->totp.key), &row->diag,
					   document, row->number - 1) != MFA_OK) {
		return false;
	}
	if (len < MFA_TOTP_KEY_MIN || len > MFA_TOTP_KEY_MAX) {
		mfa_diag_set(&row->diag, "the secret has %zu bytes, %u to %u are needed", len,
			     MFA_TOTP_KEY_MIN, MFA_TOTP_KEY_MAX);
		return false;
	}
	if (secret) memcpy(row->totp.key, secret, len);
	row->totp.key_len = len;
	return true;
}

static void copy_text(char *out, size_t out_size, char const *text)
{
	size_t const len = text ? strlen(text) : 0;

	if (len > 0 && len < out_size) memcpy(out, text, len + 1);
}

/** The user's name out of "CN=name,..." or as it is */
static void set_user(struct mfa_cli_row *row, pskc_key_t *key)
{
	char const *user = pskc_get_key_userid(key);
	char *comma;

	if (!user) user = pskc_get_device_userid(key);
	if (user && (strncasecmp(user, "CN=", 3) == 0))
		user += 3;
	else if (user && strncasecmp(user, "UID=", 4) == 0)
		user += 4;
	copy_text(row->user, sizeof(row->user), user);
	comma = strchr(row->user, ',');
	if (comma) *comma = '\0';
}

static void read_key(struct mfa_cli_row *row, pskc_key_t *key, struct mfa_cli_pskc const *document)
{
	char const *algorithm = pskc_get_key_algorithm(key);
	char const *name = pskc_get_key_friendlyname(key);

	set_user(row, key);
	copy_text(row->totp.name, sizeof(row->totp.name),
		  name ? name : pskc_get_device_serialno(key));
	if (!algorithm || strcasecmp(algorithm, TOTP_ALGORITHM) != 0) {
		mfa_diag_set(&row->diag, "not a TOTP key: %s", algorithm ? algorithm : "unknown");
		return;
	}
	row->good = set_key(row, key, document) && set_hash(row, pskc_get_key_algparm_suite(key)) &&
		    set_numbers(row, key);
}

/** Let libpskc read what is in clear */
static enum mfa_rc parse(pskc_t *pskc, struct mfa_diag *diag, struct mfa_cli_pskc const *document)
{
	struct mfa_bytes rest;
	enum mfa_rc rc = mfa_cli_pskc_rest(&rest, document);

	if (rc != MFA_OK) return rc;
	if (pskc_parse_from_memory(pskc, rest.len, (char const *)rest.data) != PSKC_OK ||
	    !pskc_get_keypackage(pskc, 0)) {
		mfa_diag_set(diag, "no PSKC key packages (RFC 6030), or elements that are unknown");
		rc = MFA_ERR_FORMAT;
	}
	mfa_cli_pskc_free_rest(&rest);
	return rc;
}

enum mfa_rc mfa_cli_import_pskc(struct mfa_diag *diag, struct mfa_bytes text,
				struct mfa_cli_pskc_unlock const *unlock,
				struct mfa_cli_row_taker const *taker)
{
	struct mfa_cli_pskc *document;
	struct mfa_cli_row row;
	pskc_t *pskc = NULL;
	bool more = true;
	enum mfa_rc rc = mfa_cli_pskc_open(&document, diag, text, unlock);

	if (rc != MFA_OK) return rc;
	if (pskc_global_init() != PSKC_OK || pskc_init(&pskc) != PSKC_OK) rc = MFA_ERR_NOMEM;
	if (rc == MFA_OK) rc = parse(pskc, diag, document);
	for (unsigned i = 0; rc == MFA_OK && more; i++) {
		pskc_key_t *key = pskc_get_keypackage(pskc, i);

		if (!key) break;
		mfa_cli_row_init(&row, i + 1);
		read_key(&row, key, document);
		more = taker->take(&row, taker->uctx);
		OPENSSL_cleanse(&row, sizeof(row));
	}
	pskc_done(pskc);
	mfa_cli_pskc_free(&document);
	return rc;
}
