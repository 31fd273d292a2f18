/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/import/import.h"

#include "core/otpauth.h"

#include <openssl/crypto.h>

#include <string.h>
#include <strings.h>

#define FIELD_MAX   1024u
#define COLUMNS_MAX 16u

enum column {
	SKIPPED,
	USER,
	SECRET,
	DEVICE,
	ALGORITHM,
	DIGITS,
	PERIOD,
	KINDS
};

static char const *const column_name[KINDS] = {
	[USER] = "user",	   [SECRET] = "secret", [DEVICE] = "device",
	[ALGORITHM] = "algorithm", [DIGITS] = "digits", [PERIOD] = "period"};

/** What the header says */
struct header {
	enum column column[COLUMNS_MAX];
	unsigned count;
};

/** A file between two fields */
struct reader {
	struct mfa_bytes rest;
	unsigned line; //!< From 1.
	char field[FIELD_MAX + 1];
	size_t len;
	bool last; //!< Of its row.
	bool bad;  //!< Too long, a NUL in it, or quotes that do not fit.
};

static void add_char(struct reader *reader, uint8_t c)
{
	if (reader->len == FIELD_MAX || c == '\0') {
		reader->bad = true;
	} else {
		reader->field[reader->len++] = (char)c;
	}
}

/** The quoted part of a field, up to its closing quote */
static void read_quoted(struct reader *reader)
{
	struct mfa_bytes *rest = &reader->rest;

	while (rest->len > 0) {
		uint8_t const c = *rest->data;
		bool const twice = c == '"' && rest->len > 1 && rest->data[1] == '"';

		rest->data += twice ? 2 : 1;
		rest->len -= twice ? 2 : 1;
		if (c == '"' && !twice) return;
		reader->line += c == '\n';
		add_char(reader, c);
	}
	reader->bad = true;
}

/** Read a field and the comma or line break behind it */
static void read_field(struct reader *reader)
{
	struct mfa_bytes *rest = &reader->rest;
	bool quoted = rest->len > 0 && *rest->data == '"';

	reader->len = 0;
	reader->last = true;
	if (quoted) {
		rest->data++;
		rest->len--;
		read_quoted(reader);
	}
	while (rest->len > 0) {
		uint8_t const c = *rest->data;

		rest->data++;
		rest->len--;
		if (c == ',' || c == '\n') {
			reader->last = c == '\n';
			break;
		}
		if (c == '\r') continue;
		if (quoted) reader->bad = true;
		add_char(reader, c);
	}
	reader->field[reader->len] = '\0';
}

static enum mfa_rc read_header(struct header *header, struct mfa_diag *diag, struct reader *reader)
{
	bool seen[KINDS] = {false};

	memset(header, 0, sizeof(*header));
	do {
		enum column kind = SKIPPED;

		read_field(reader);
		for (unsigned i = USER; i < KINDS; i++) {
			if (strcasecmp(reader->field, column_name[i]) == 0) kind = (enum column)i;
		}
		if (header->count == COLUMNS_MAX || reader->bad || (kind && seen[kind])) {
			mfa_diag_set(diag, "line 1: too many columns, one twice, or wrong quotes");
			return MFA_ERR_FORMAT;
		}
		seen[kind] = true;
		header->column[header->count++] = kind;
	} while (!reader->last);
	if (seen[USER] && seen[SECRET]) return MFA_OK;
	mfa_diag_set(diag,
		     "line 1: the header must name the columns 'user' and 'secret'; also known "
		     "are device, algorithm, digits, period");
	return MFA_ERR_FORMAT;
}

static bool set_number(struct mfa_cli_row *row, uint32_t *number, struct mfa_bytes value,
		       char const *name, uint32_t min, uint32_t max)
{
	int64_t n;

	if (value.len == 0) return true;
	if (mfa_text_number(&n, value, max) == MFA_OK && n >= min) {
		*number = (uint32_t)n;
		return true;
	}
	mfa_diag_set(&row->diag, "'%s' must be %u to %u", name, min, max);
	return false;
}

static bool set_algorithm(struct mfa_cli_row *row, char const *value)
{
	for (unsigned hash = MFA_TOTP_SHA1; hash <= MFA_TOTP_SHA512; hash++) {
		if (strcasecmp(value, mfa_totp_hash_name((enum mfa_totp_hash)hash)) != 0) continue;
		row->totp.hash = (enum mfa_totp_hash)hash;
		return true;
	}
	if (value[0]) mfa_diag_set(&row->diag, "'algorithm' must be SHA1, SHA256 or SHA512");
	return value[0] == '\0';
}

static bool set_text(struct mfa_cli_row *row, char *out, size_t out_size, char const *value,
		     char const *name)
{
	size_t const len = strlen(value);

	if (len < out_size) {
		memcpy(out, value, len + 1);
		return true;
	}
	mfa_diag_set(&row->diag, "'%s' has more than %zu bytes", name, out_size - 1);
	return false;
}

static bool set_field(struct mfa_cli_row *row, enum column column, char const *value)
{
	struct mfa_totp *totp = &row->totp;
	struct mfa_bytes const bytes = mfa_bytes_of(value);

	switch (column) {
	case USER: return set_text(row, row->user, sizeof(row->user), value, "user");
	case DEVICE: return set_text(row, totp->name, sizeof(totp->name), value, "device");
	case ALGORITHM: return set_algorithm(row, value);
	case SECRET: return mfa_cli_row_secret(row, bytes);
	case DIGITS:
		return set_number(row, &totp->digits, bytes, "digits", MFA_TOTP_DIGITS_MIN,
				  MFA_TOTP_DIGITS_MAX);
	case PERIOD:
		return set_number(row, &totp->period_s, bytes, "period", MFA_TOTP_PERIOD_MIN,
				  MFA_TOTP_PERIOD_MAX);
	case SKIPPED:
	case KINDS: break;
	}
	return true;
}

/** Read one row to its end, also when it is bad */
static void read_row(struct mfa_cli_row *row, struct reader *reader, struct header const *header)
{
	unsigned count = 0;

	row->good = true;
	do {
		read_field(reader);
		if (row->good && !reader->bad && count < header->count)
			row->good = set_field(row, header->column[count], reader->field);
		count++;
	} while (!reader->last);
	if (row->good && (reader->bad || count != header->count)) {
		row->good = false;
		mfa_diag_set(&row->diag,
			     reader->bad ? "wrong quotes, or a field that is too long"
					 : "%u fields, the header has %u",
			     count, header->count);
	}
	if (row->good && !row->user[0]) {
		row->good = false;
		mfa_diag_set(&row->diag, "no user");
	}
}

enum mfa_rc mfa_cli_import_csv(struct mfa_diag *diag, struct mfa_bytes text,
			       struct mfa_cli_row_taker const *taker)
{
	struct reader reader = {.rest = text, .line = 1};
	struct header header;
	struct mfa_cli_row row;
	enum mfa_rc rc = read_header(&header, diag, &reader);
	bool more = rc == MFA_OK;

	while (more && reader.rest.len > 0) {
		reader.line++;
		reader.bad = false;
		if (*reader.rest.data == '\n') {
			reader.rest.data++;
			reader.rest.len--;
			continue;
		}
		mfa_cli_row_init(&row, reader.line);
		read_row(&row, &reader, &header);
		more = taker->take(&row, taker->uctx);
		OPENSSL_cleanse(&row, sizeof(row));
	}
	OPENSSL_cleanse(&reader, sizeof(reader));
	return rc;
}
