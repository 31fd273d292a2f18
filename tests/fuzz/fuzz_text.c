/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base64, base64url, base32, Generalized Time, numbers: what is read is written as it was. */
#include "fuzz.h"

static void base64url(struct mfa_bytes in)
{
	uint8_t out[512];
	char text[1024];
	size_t len;

	if (mfa_base64url_decode(out, &len, sizeof(out), in) != MFA_OK) {
		CHECK(len == 0);
		return;
	}
	CHECK(mfa_base64url_encode(text, sizeof(text), out, len) == MFA_OK);
	CHECK(mfa_bytes_equal(mfa_bytes_of(text), in));
}

static void base64(struct mfa_bytes in)
{
	uint8_t out[512];
	char text[1024];
	size_t len;

	if (mfa_base64_decode(out, &len, sizeof(out), in) != MFA_OK) return;
	CHECK(mfa_base64url_encode(text, sizeof(text), out, len) == MFA_OK);
	/* Padding apart, the two differ in two letters. */
	for (size_t i = 0; text[i]; i++)
		text[i] = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
	CHECK(in.len % 4 == 0 && strlen(text) <= in.len && in.len - strlen(text) < 3);
	CHECK(mfa_bytes_equal(mfa_bytes_of(text), (struct mfa_bytes){in.data, strlen(text)}));
}

static void base32(struct mfa_bytes in)
{
	uint8_t out[512], again[512];
	char text[1024];
	size_t len, again_len;

	if (mfa_base32_decode(out, &len, sizeof(out), in) != MFA_OK) return;
	CHECK(mfa_base32_encode(text, sizeof(text), out, len) == MFA_OK);
	CHECK(mfa_base32_decode(again, &again_len, sizeof(again), mfa_bytes_of(text)) == MFA_OK);
	CHECK(mfa_bytes_equal((struct mfa_bytes){out, len}, (struct mfa_bytes){again, again_len}));
}

static void generalized_time(struct mfa_bytes in)
{
	char text[MFA_TIME_SIZE];
	int64_t time_s, again_s;

	if (mfa_time_parse(&time_s, in) != MFA_OK) {
		CHECK(time_s == 0);
		return;
	}
	if (time_s < 0 || time_s > INT64_C(253402300799)) return;
	CHECK(mfa_time_format(text, time_s) == MFA_OK);
	CHECK(mfa_time_parse(&again_s, mfa_bytes_of(text)) == MFA_OK && again_s == time_s);
}

static void numbers(struct mfa_bytes in)
{
	struct mfa_bytes word;
	size_t words = 0;
	int64_t value;

	while (in.data && words < 1000) {
		if (mfa_text_word(&word, &in) &&
		    mfa_text_number(&value, word, INT64_MAX) == MFA_OK) {
			CHECK(value >= 0 && word.len <= 18);
		}
		words++;
	}
}

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	struct mfa_bytes const in = fuzz_copy((struct mfa_bytes){data, size});

	base64url(in);
	base64(in);
	base32(in);
	generalized_time(in);
	numbers(in);
	fuzz_free(in);
	return 0;
}
