/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/keyring.h"
#include "core/private_file.h"

#include <openssl/crypto.h>

#include <string.h>

static char const *const purpose_info[MFA_PURPOSE_COUNT] = {
	[MFA_PURPOSE_SECRET] = "peruser-mfa secret",
	[MFA_PURPOSE_STATE] = "peruser-mfa state",
	[MFA_PURPOSE_SESSION] = "peruser-mfa session",
	[MFA_PURPOSE_RECOVERY] = "peruser-mfa recovery",
	[MFA_PURPOSE_FAILURE] = "peruser-mfa failure",
	[MFA_PURPOSE_VOUCHER] = "peruser-mfa voucher",
	[MFA_PURPOSE_DEVICE] = "peruser-mfa device",
};

static bool id_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct mfa_bytes cut_line(struct mfa_bytes *rest)
{
	uint8_t const *end = memchr(rest->data, '\n', rest->len);
	struct mfa_bytes line = *rest;

	if (end) line.len = (size_t)(end - rest->data);
	rest->data += line.len + (end ? 1 : 0);
	rest->len -= line.len + (end ? 1 : 0);
	while (line.len && blank(line.data[0])) {
		line.data++;
		line.len--;
	}
	while (line.len && blank(line.data[line.len - 1])) line.len--;
	return line;
}

static enum mfa_rc derive_all(struct mfa_key *key, uint8_t const master[static MFA_KEY_SIZE])
{
	for (size_t i = 0; i < MFA_PURPOSE_COUNT; i++) {
		if (mfa_derive(key->derived[i], master, purpose_info[i]) != MFA_OK)
			return MFA_ERR_CRYPTO;
	}
	return MFA_OK;
}

static enum mfa_rc parse_key(struct mfa_key *key, struct mfa_diag *diag, struct mfa_bytes line,
			     unsigned line_no)
{
	uint8_t master[MFA_KEY_SIZE];
	size_t id_len = 0, master_len;
	enum mfa_rc rc = MFA_ERR_FORMAT;

	while (id_len < line.len && id_char(line.data[id_len])) id_len++;
	if (id_len < 1 || id_len > MFA_KEY_ID_MAX || id_len == line.len ||
	    !blank(line.data[id_len])) {
		mfa_diag_set(diag,
			     "key ring line %u: expected a key id of 1 to %u letters, digits, '.', "
			     "'_' or '-', then a space",
			     line_no, MFA_KEY_ID_MAX);
		return MFA_ERR_FORMAT;
	}
	memcpy(key->id, line.data, id_len);
	key->id[id_len] = '\0';
	line.data += id_len;
	line.len -= id_len;
	while (line.len && blank(line.data[0])) {
		line.data++;
		line.len--;
	}
	if (mfa_base64_decode(master, &master_len, sizeof(master), line) != MFA_OK ||
	    master_len != sizeof(master)) {
		mfa_diag_set(diag,
			     "key ring line %u (key '%s'): expected the base64 of exactly %u bytes",
			     line_no, key->id, MFA_KEY_SIZE);
		goto out;
	}
	rc = derive_all(key, master);
	if (rc != MFA_OK) mfa_diag_set(diag, "key ring line %u: HKDF failed", line_no);
out:
	OPENSSL_cleanse(master, sizeof(master));
	return rc;
}

/** Add the key of one line, unless it is empty or a comment */
static enum mfa_rc add_line(struct mfa_keyring *ring, struct mfa_diag *diag, struct mfa_bytes line,
			    unsigned line_no)
{
	struct mfa_key *key;
	enum mfa_rc rc;

	if (line.len == 0 || line.data[0] == '#') return MFA_OK;
	if (ring->count == MFA_KEYRING_MAX) {
		mfa_diag_set(diag, "key ring line %u: more than %u keys", line_no, MFA_KEYRING_MAX);
		return MFA_ERR_SPACE;
	}
	key = &ring->key[ring->count];
	rc = parse_key(key, diag, line, line_no);
	if (rc != MFA_OK) return rc;
	if (mfa_keyring_find(ring, mfa_bytes_of(key->id))) {
		mfa_diag_set(diag, "key ring line %u: key id '%s' is there twice", line_no,
			     key->id);
		return MFA_ERR_FORMAT;
	}
	ring->count++;
	return MFA_OK;
}

enum mfa_rc mfa_keyring_parse(struct mfa_keyring *ring, struct mfa_diag *diag,
			      struct mfa_bytes text)
{
	enum mfa_rc rc = MFA_OK;

	memset(ring, 0, sizeof(*ring));
	for (unsigned line_no = 1; text.len > 0 && rc == MFA_OK; line_no++) {
		rc = add_line(ring, diag, cut_line(&text), line_no);
	}
	if (rc == MFA_OK && ring->count == 0) {
		mfa_diag_set(diag, "key ring: no key in it");
		rc = MFA_ERR_FORMAT;
	}
	if (rc != MFA_OK) mfa_keyring_clear(ring);
	return rc;
}

enum mfa_rc mfa_keyring_load(struct mfa_keyring *ring, struct mfa_diag *diag, char const *path)
{
	uint8_t text[MFA_KEYRING_FILE_MAX + 1];
	size_t len;
	enum mfa_rc rc = mfa_private_file_read(text, &len, sizeof(text), diag, "key ring", path);

	memset(ring, 0, sizeof(*ring));
	if (rc == MFA_OK) rc = mfa_keyring_parse(ring, diag, (struct mfa_bytes){text, len});
	OPENSSL_cleanse(text, sizeof(text));
	return rc;
}

struct mfa_key const *mfa_keyring_find(struct mfa_keyring const *ring, struct mfa_bytes id)
{
	for (size_t i = 0; i < ring->count; i++) {
		if (mfa_bytes_equal(mfa_bytes_of(ring->key[i].id), id)) return &ring->key[i];
	}
	return NULL;
}

void mfa_keyring_clear(struct mfa_keyring *ring)
{
	OPENSSL_cleanse(ring, sizeof(*ring));
}
