/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/text.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

#define DAY_S	     INT64_C(86400)
#define DAYS_TO_1970 719468		   /* from 1 March of the year 0 */
#define TIME_MAX     INT64_C(253402300799) /* the end of the year 9999 */

static char const base64_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static char const base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static char const base32_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

struct mfa_bytes mfa_bytes_of(char const *text)
{
	return (struct mfa_bytes){.data = (uint8_t const *)text, .len = strlen(text)};
}

bool mfa_bytes_equal(struct mfa_bytes a, struct mfa_bytes b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

bool mfa_text_word(struct mfa_bytes *word, struct mfa_bytes *rest)
{
	uint8_t const *space = rest->len ? memchr(rest->data, ' ', rest->len) : NULL;

	*word = *rest;
	if (!space) {
		*rest = (struct mfa_bytes){0};
		return word->len > 0;
	}
	word->len = (size_t)(space - rest->data);
	rest->data += word->len + 1;
	rest->len -= word->len + 1;
	return word->len > 0;
}

enum mfa_rc mfa_text_number(int64_t *value, struct mfa_bytes text, int64_t max)
{
	int64_t sum = 0;

	*value = 0;
	if (text.len < 1 || text.len > 18) return MFA_ERR_FORMAT;
	if (text.len > 1 && text.data[0] == '0') return MFA_ERR_FORMAT;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') return MFA_ERR_FORMAT;
		sum = sum * 10 + (text.data[i] - '0');
	}
	if (sum > max) return MFA_ERR_FORMAT;
	*value = sum;
	return MFA_OK;
}

/** Write @p len bytes as groups of @p bits from @p alphabet; RFC 4648 bit order, no padding */
static enum mfa_rc bits_encode(char *out, size_t out_size, uint8_t const *in, size_t len,
			       unsigned bits, char const *alphabet)
{
	uint32_t held = 0;
	unsigned have = 0;
	size_t n = 0;

	if (out_size < (len * 8 + bits - 1) / bits + 1) return MFA_ERR_SPACE;
	for (size_t i = 0; i < len; i++) {
		held = (held << 8 | in[i]) & 0xffffu;
		for (have += 8; have >= bits; have -= bits) {
			out[n++] = alphabet[held >> (have - bits) & ((1u << bits) - 1)];
		}
	}
	if (have) out[n++] = alphabet[held << (bits - have) & ((1u << bits) - 1)];
	out[n] = '\0';
	return MFA_OK;
}

/** The number that a character stands for, or -1: letters come first in every alphabet, then digits */
static int value_of(uint8_t c, unsigned bits, char const *alphabet)
{
	if (c >= 'A' && c <= 'Z') return c - 'A';
	if (bits == 5) return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
	if (c >= 'a' && c <= 'z') return c - 'a' + 26;
	if (c >= '0' && c <= '9') return c - '0' + 52;
	if (c == (uint8_t)alphabet[62]) return 62;
	return c == (uint8_t)alphabet[63] ? 63 : -1;
}

/** Read what bits_encode() wrote; the bits left over must be zero and fewer than a group */
static enum mfa_rc bits_decode(uint8_t *out, size_t *out_len, size_t out_size, struct mfa_bytes in,
			       unsigned bits, char const *alphabet)
{
	uint32_t held = 0;
	unsigned have = 0;

	*out_len = 0;
	for (size_t i = 0; i < in.len; i++) {
		int const value = value_of(in.data[i], bits, alphabet);

		if (value < 0) goto bad;
		held = (held << bits | (uint32_t)value) & 0xffffu;
		have += bits;
		if (have < 8) continue;
		have -= 8;
		if (*out_len == out_size) {
			*out_len = 0;
			return MFA_ERR_SPACE;
		}
		out[(*out_len)++] = (uint8_t)(held >> have);
	}
	if (have < bits && (held & ((1u << have) - 1)) == 0) return MFA_OK;
bad:
	*out_len = 0;
	return MFA_ERR_FORMAT;
}

enum mfa_rc mfa_base64url_encode(char *out, size_t out_size, uint8_t const *in, size_t len)
{
	return bits_encode(out, out_size, in, len, 6, base64_url);
}

enum mfa_rc mfa_base64url_decode(uint8_t *out, size_t *out_len, size_t out_size,
				 struct mfa_bytes in)
{
	return bits_decode(out, out_len, out_size, in, 6, base64_url);
}

enum mfa_rc mfa_base64_decode(uint8_t *out, size_t *out_len, size_t out_size, struct mfa_bytes in)
{
	size_t pad = 0;

	*out_len = 0;
	if (in.len % 4 != 0) return MFA_ERR_FORMAT;
	while (pad < 2 && in.len > 0 && in.data[in.len - 1] == '=') {
		pad++;
		in.len--;
	}
	return bits_decode(out, out_len, out_size, in, 6, base64_std);
}

enum mfa_rc mfa_base32_encode(char *out, size_t out_size, uint8_t const *in, size_t len)
{
	return bits_encode(out, out_size, in, len, 5, base32_std);
}

enum mfa_rc mfa_base32_decode(uint8_t *out, size_t *out_len, size_t out_size, struct mfa_bytes in)
{
	uint8_t plain[256];
	size_t n = 0;
	enum mfa_rc rc = MFA_ERR_FORMAT;

	*out_len = 0;
	while (in.len > 0 && in.data[in.len - 1] == '=') in.len--;
	if (in.len > sizeof(plain)) return MFA_ERR_SPACE;
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.data[i];

		if (c == ' ' || c == '-') continue;
		if (c >= 'a' && c <= 'z') c = (uint8_t)(c - 'a' + 'A');
		plain[n++] = c;
	}
	rc = bits_decode(out, out_len, out_size, (struct mfa_bytes){plain, n}, 5, base32_std);
	OPENSSL_cleanse(plain, sizeof(plain));
	return rc;
}

/** Read exactly two digits within a range and step over them */
static bool two_digits(int *value, struct mfa_bytes *rest, int min, int max)
{
	if (rest->len < 2) return false;
	for (int i = 0; i < 2; i++) {
		if (rest->data[i] < '0' || rest->data[i] > '9') return false;
	}
	*value = (rest->data[0] - '0') * 10 + (rest->data[1] - '0');
	rest->data += 2;
	rest->len -= 2;
	return *value >= min && *value <= max;
}

/** Read "Z" or "+hhmm" or "-hh" to the end; seconds east of Greenwich */
static bool zone(int *east_s, struct mfa_bytes rest)
{
	int hours, minutes = 0, sign;

	*east_s = 0;
	if (rest.len < 1) return false;
	if (rest.data[0] == 'Z') return rest.len == 1;
	if (rest.data[0] != '+' && rest.data[0] != '-') return false;
	sign = rest.data[0] == '+' ? 1 : -1;
	rest.data++;
	rest.len--;
	if (!two_digits(&hours, &rest, 0, 23)) return false;
	if (rest.len > 0 && !two_digits(&minutes, &rest, 0, 59)) return false;
	*east_s = sign * (hours * 3600 + minutes * 60);
	return rest.len == 0;
}

/** Step over ".5" or ",25"; a mark without digits is not a fraction */
static bool fraction(struct mfa_bytes *rest)
{
	size_t n = 1;

	if (rest->len == 0 || (rest->data[0] != '.' && rest->data[0] != ',')) return true;
	while (n < rest->len && rest->data[n] >= '0' && rest->data[n] <= '9') n++;
	rest->data += n;
	rest->len -= n;
	return n > 1;
}

static bool next_is_digit(struct mfa_bytes rest)
{
	return rest.len > 0 && rest.data[0] >= '0' && rest.data[0] <= '9';
}

/** Days from 1 January 1970 to the first of a month, Gregorian calendar
 *
 * Years are counted from March, so that the leap day is the last day of a year.
 */
static int64_t days_to_month(int64_t year, int64_t month)
{
	int64_t const from_march = (month + 9) % 12;

	year -= month < 3 ? 1 : 0;
	return year * 365 + year / 4 - year / 100 + year / 400 + (from_march * 153 + 2) / 5 -
	       DAYS_TO_1970;
}

/** Days of a month */
static int64_t month_length(int64_t year, int64_t month)
{
	return month == 12 ? 31 : days_to_month(year, month + 1) - days_to_month(year, month);
}

/* Not timegm(3): a time_t of 32 bits ends in 2038, and its -1 is a date as well as a failure. */
enum mfa_rc mfa_time_parse(int64_t *time_s, struct mfa_bytes text)
{
	int century, year, month, day, hour, minute = 0, second = 0, east_s;

	*time_s = 0;
	if (!two_digits(&century, &text, 19, 99) || !two_digits(&year, &text, 0, 99) ||
	    !two_digits(&month, &text, 1, 12) || !two_digits(&day, &text, 1, 31) ||
	    !two_digits(&hour, &text, 0, 23)) {
		return MFA_ERR_FORMAT;
	}
	if (next_is_digit(text) && !two_digits(&minute, &text, 0, 59)) return MFA_ERR_FORMAT;
	if (next_is_digit(text) && !two_digits(&second, &text, 0, 60)) return MFA_ERR_FORMAT;
	if (!fraction(&text) || !zone(&east_s, text)) return MFA_ERR_FORMAT;
	year += century * 100;
	if (day > month_length(year, month)) return MFA_ERR_FORMAT; /* 31 February */
	*time_s = (days_to_month(year, month) + day - 1) * DAY_S + hour * 3600 + minute * 60 +
		  second - east_s;
	return MFA_OK;
}

/** The month that a day since 1970 lies in; what is left of the days within it */
static void split_days(int64_t *year, int64_t *month, int64_t *days)
{
	*year = 1970 + *days / 366; /* never too late */
	while (days_to_month(*year + 1, 1) <= *days) ++*year;
	*month = 12;
	while (days_to_month(*year, *month) > *days) --*month;
	*days -= days_to_month(*year, *month);
}

enum mfa_rc mfa_time_format(char out[MFA_TIME_SIZE], int64_t time_s)
{
	int64_t year, month, days = time_s / DAY_S, rest = time_s % DAY_S;
	int len;

	out[0] = '\0';
	if (time_s < 0 || time_s > TIME_MAX) return MFA_ERR_ARG;
	split_days(&year, &month, &days);
	len = snprintf(out, MFA_TIME_SIZE, "%04d%02d%02d%02d%02d%02d.0Z", (int)year, (int)month,
		       (int)days + 1, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
	return len == MFA_TIME_SIZE - 1 ? MFA_OK : MFA_ERR_INTERNAL;
}
