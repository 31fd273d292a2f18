/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/code.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <string.h>

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/** The capital of an ASCII letter, or 0 */
static char letter(uint8_t c)
{
	if (c >= 'a' && c <= 'z') return (char)(c - 'a' + 'A');
	return c >= 'A' && c <= 'Z' ? (char)c : '\0';
}

void mfa_code_parse(struct mfa_code *code, struct mfa_bytes typed)
{
	size_t digits = 0, letters = 0;

	memset(code, 0, sizeof(*code));
	for (size_t i = 0; i < typed.len; i++) {
		uint8_t const c = typed.data[i];

		if (c == ' ' || c == '-') continue;
		if (code->len == MFA_CODE_MAX || (!is_digit(c) && !letter(c))) {
			mfa_code_clear(code);
			return;
		}
		digits += is_digit(c) ? 1 : 0;
		letters += letter(c) ? 1 : 0;
		code->text[code->len++] = is_digit(c) ? (char)c : letter(c);
	}
	if (code->len > 0 && digits == code->len) code->kind = MFA_CODE_DIGITS;
	if (letters == code->len && letters == MFA_CODE_RECOVERY_LEN)
		code->kind = MFA_CODE_RECOVERY;
}

void mfa_code_parse_chap(struct mfa_code *code, struct mfa_bytes response,
			 struct mfa_bytes challenge)
{
	memset(code, 0, sizeof(*code));
	if (response.len != MFA_CHAP_SIZE + 1) return;
	if (challenge.len < 1 || challenge.len > sizeof(code->challenge)) return;
	code->kind = MFA_CODE_CHAP;
	code->chap_id = response.data[0];
	memcpy(code->chap, response.data + 1, MFA_CHAP_SIZE);
	memcpy(code->challenge, challenge.data, challenge.len);
	code->challenge_len = challenge.len;
}

/** MD5(identifier, code, challenge), RFC 1994 section 4.1 */
static bool chap_equals(struct mfa_code const *code, char const *expected)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned md_len = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool equal = false;

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_md5(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, &code->chap_id, 1) != 1 ||
	    EVP_DigestUpdate(ctx, expected, strlen(expected)) != 1 ||
	    EVP_DigestUpdate(ctx, code->challenge, code->challenge_len) != 1 ||
	    EVP_DigestFinal_ex(ctx, md, &md_len) != 1 || md_len != MFA_CHAP_SIZE) {
		goto out;
	}
	equal = CRYPTO_memcmp(md, code->chap, MFA_CHAP_SIZE) == 0;
out:
	EVP_MD_CTX_free(ctx);
	OPENSSL_cleanse(md, sizeof(md));
	return equal;
}

bool mfa_code_equals(struct mfa_code const *code, char const *expected)
{
	size_t const len = strlen(expected);

	switch (code->kind) {
	case MFA_CODE_CHAP: return chap_equals(code, expected);
	case MFA_CODE_DIGITS:
		return code->len == len && CRYPTO_memcmp(code->text, expected, len) == 0;
	case MFA_CODE_NONE:
	case MFA_CODE_RECOVERY: break;
	}
	return false;
}

void mfa_code_clear(struct mfa_code *code)
{
	OPENSSL_cleanse(code, sizeof(*code));
}
