/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/otpauth.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SCHEME "otpauth://totp/"

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	if (c >= 'A' && c <= 'F') return c - 'A' + 10;
	return -1;
}

/** Undo %XX (RFC 3986 section 2.1); control characters are refused */
static enum mfa_rc percent_decode(char *out, size_t out_size, struct mfa_bytes in)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		int c = in.data[i];

		if (c == '%') {
			int const high = i + 2 < in.len ? hex_digit(in.data[i + 1]) : -1;
			int const low = high >= 0 ? hex_digit(in.data[i + 2]) : -1;

			if (low < 0) return MFA_ERR_FORMAT;
			c = high * 16 + low;
			i += 2;
		}
		if (c < ' ' || c == 0x7f || n + 1 >= out_size) return MFA_ERR_FORMAT;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return MFA_OK;
}

static bool unreserved(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~@", c));
}

/** Append @p text, all but unreserved characters as %XX */
static void percent_append(FILE *out, char const *text)
{
	for (uint8_t const *p = (uint8_t const *)text; *p; p++) {
		if (unreserved(*p)) {
			(void)fputc(*p, out);
		} else {
			(void)fprintf(out, "%%%02X", *p);
		}
	}
}

static bool is_text(struct mfa_bytes bytes, char const *text)
{
	return bytes.len == strlen(text) &&
	       strncasecmp((char const *)bytes.data, text, bytes.len) == 0;
}

static struct mfa_bytes cut_at(struct mfa_bytes *rest, char mark)
{
	uint8_t const *at = rest->len ? memchr(rest->data, mark, rest->len) : NULL;
	struct mfa_bytes head = *rest;

	if (at) head.len = (size_t)(at - rest->data);
	rest->data += head.len + (at ? 1 : 0);
	rest->len -= head.len + (at ? 1 : 0);
	return head;
}

static enum mfa_rc set_secret(struct mfa_totp *totp, struct mfa_bytes value)
{
	char base32[256];
	enum mfa_rc rc;

	rc = percent_decode(base32, sizeof(base32), value);
	if (rc == MFA_OK) {
		rc = mfa_base32_decode(totp->key, &totp->key_len, sizeof(totp->key),
				       mfa_bytes_of(base32));
	}
	OPENSSL_cleanse(base32, sizeof(base32));
	if (rc == MFA_OK && totp->key_len < MFA_TOTP_KEY_MIN) rc = MFA_ERR_FORMAT;
	return rc;
}

static enum mfa_rc set_hash(struct mfa_totp *totp, struct mfa_bytes value)
{
	static enum mfa_totp_hash const all[] = {MFA_TOTP_SHA1, MFA_TOTP_SHA256, MFA_TOTP_SHA512};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (is_text(value, mfa_totp_hash_name(all[i]))) {
			totp->hash = all[i];
			return MFA_OK;
		}
	}
	return MFA_ERR_FORMAT;
}

static enum mfa_rc set_number(uint32_t *field, struct mfa_bytes value, uint32_t min, uint32_t max)
{
	int64_t number;

	if (mfa_text_number(&number, value, max) != MFA_OK || number < min) return MFA_ERR_FORMAT;
	*field = (uint32_t)number;
	return MFA_OK;
}

static enum mfa_rc set_digits(struct mfa_totp *totp, struct mfa_bytes value)
{
	return set_number(&totp->digits, value, MFA_TOTP_DIGITS_MIN, MFA_TOTP_DIGITS_MAX);
}

static enum mfa_rc set_period(struct mfa_totp *totp, struct mfa_bytes value)
{
	return set_number(&totp->period_s, value, MFA_TOTP_PERIOD_MIN, MFA_TOTP_PERIOD_MAX);
}

static enum mfa_rc set_added(struct mfa_totp *totp, struct mfa_bytes value)
{
	return mfa_text_number(&totp->added_s, value, INT64_C(253402300799));
}

static struct {
	char const *name;
	enum mfa_rc (*set)(struct mfa_totp *totp, struct mfa_bytes value);
	char const *allowed;
} const params[] = {
	{"secret", set_secret, "base32 of 16 to 128 bytes"},
	{"algorithm", set_hash, "SHA1, SHA256 or SHA512"},
	{"digits", set_digits, "6 to 8"},
	{"period", set_period, "15 to 120"},
	{"added", set_added, "seconds since 1970"},
};

#define PARAM_COUNT (sizeof(params) / sizeof(params[0]))

static enum mfa_rc set_param(struct mfa_totp *totp, unsigned *seen, struct mfa_diag *diag,
			     struct mfa_bytes param)
{
	struct mfa_bytes const name = cut_at(&param, '=');

	for (size_t i = 0; i < PARAM_COUNT; i++) {
		if (!is_text(name, params[i].name)) continue;
		if (*seen & 1u << i) {
			mfa_diag_set(diag, "otpauth URI: '%s' is given twice", params[i].name);
			return MFA_ERR_FORMAT;
		}
		*seen |= 1u << i;
		if (params[i].set(totp, param) == MFA_OK) return MFA_OK;
		mfa_diag_set(diag, "otpauth URI: '%s' must be %s", params[i].name,
			     params[i].allowed);
		return MFA_ERR_FORMAT;
	}
	return MFA_OK;
}

/** The label, without "Issuer:" in front (the colon may be written %3A) */
static enum mfa_rc set_label(struct mfa_totp *totp, struct mfa_diag *diag, struct mfa_bytes label)
{
	char text[3 * MFA_TOTP_NAME_MAX];
	char const *name = text, *colon;

	if (percent_decode(text, sizeof(text), label) != MFA_OK) goto bad;
	colon = strchr(text, ':');
	if (colon) name = colon + 1 + strspn(colon + 1, " ");
	if (strlen(name) > MFA_TOTP_NAME_MAX) goto bad;
	memcpy(totp->name, name, strlen(name) + 1);
	return MFA_OK;
bad:
	mfa_diag_set(diag, "otpauth URI: the label must be at most %u printable bytes",
		     MFA_TOTP_NAME_MAX);
	return MFA_ERR_FORMAT;
}

enum mfa_rc mfa_otpauth_parse(struct mfa_totp *totp, struct mfa_diag *diag, struct mfa_bytes uri)
{
	size_t const scheme_len = sizeof(SCHEME) - 1;
	unsigned seen = 0;
	enum mfa_rc rc;

	memset(totp, 0, sizeof(*totp));
	totp->digits = 6;
	totp->period_s = 30;
	if (uri.len < scheme_len || uri.len >= MFA_OTPAUTH_SIZE ||
	    strncasecmp((char const *)uri.data, SCHEME, scheme_len) != 0) {
		mfa_diag_set(diag, "not an otpauth://totp/ URI of less than %u bytes",
			     MFA_OTPAUTH_SIZE);
		rc = MFA_ERR_FORMAT;
		goto out;
	}
	uri.data += scheme_len;
	uri.len -= scheme_len;
	rc = set_label(totp, diag, cut_at(&uri, '?'));
	while (rc == MFA_OK && uri.len > 0) rc = set_param(totp, &seen, diag, cut_at(&uri, '&'));
	if (rc == MFA_OK && totp->key_len == 0) {
		mfa_diag_set(diag, "otpauth URI: no secret in it");
		rc = MFA_ERR_FORMAT;
	}
out:
	if (rc != MFA_OK) OPENSSL_cleanse(totp, sizeof(*totp));
	return rc;
}

enum mfa_rc mfa_otpauth_format(char *out, size_t out_size, struct mfa_totp const *totp,
			       char const *issuer, char const *label)
{
	char base32[MFA_TOTP_KEY_MAX * 8 / 5 + 2];
	enum mfa_rc rc = MFA_ERR_SPACE;
	FILE *uri = NULL;
	bool failed;

	if (mfa_base32_encode(base32, sizeof(base32), totp->key, totp->key_len) != MFA_OK) goto out;
	uri = fmemopen(out, out_size, "w");
	if (!uri) goto out;
	(void)setvbuf(uri, NULL, _IONBF, 0);
	(void)fputs(SCHEME, uri);
	if (issuer) percent_append(uri, issuer);
	/* A name with a colon needs one in front, or its first half would be read as an issuer. */
	if (issuer || strchr(totp->name, ':')) (void)fputc(':', uri);
	percent_append(uri, issuer ? label : totp->name);
	(void)fprintf(uri, "?secret=%s", base32);
	if (issuer) {
		(void)fputs("&issuer=", uri);
		percent_append(uri, issuer);
	}
	(void)fprintf(uri, "&algorithm=%s&digits=%u&period=%u", mfa_totp_hash_name(totp->hash),
		      totp->digits, totp->period_s);
	if (!issuer && totp->added_s > 0)
		(void)fprintf(uri, "&added=%lld", (long long)totp->added_s);
	failed = ferror(uri) || ftell(uri) >= (long)out_size;
	if (fclose(uri) == 0 && !failed) rc = MFA_OK;
out:
	OPENSSL_cleanse(base32, sizeof(base32));
	if (rc != MFA_OK && out_size > 0) OPENSSL_cleanse(out, out_size);
	return rc;
}
