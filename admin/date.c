/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/date.h"

#include <string.h>

#define TIME_MAX INT64_C(253402300799) /* the end of the year 9999 */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/** "+14d": a number and a unit */
static enum mfa_rc parse_relative(int64_t *time_s, struct mfa_bytes text, int64_t now_s)
{
	static struct {
		char letter;
		int64_t unit_s;
	} const unit[] = {{'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	int64_t number;

	if (text.len < 3) return MFA_ERR_FORMAT;
	if (mfa_text_number(&number, (struct mfa_bytes){text.data + 1, text.len - 2}, 1000000) !=
	    MFA_OK) {
		return MFA_ERR_FORMAT;
	}
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
		if (text.data[text.len - 1] != (uint8_t)unit[i].letter) continue;
		*time_s = now_s + number * unit[i].unit_s;
		return *time_s <= TIME_MAX ? MFA_OK : MFA_ERR_FORMAT;
	}
	return MFA_ERR_FORMAT;
}

/** Copy digits, leaving out one separator between groups, up to the zone
 *
 * @return how many digits, 0 when the shape is another one.
 */
static size_t copy_digits(char out[static 15], struct mfa_bytes *text)
{
	static char const shape[] = "dddd-dd-ddTdd:dd:dd";
	size_t n = 0, i = 0;

	for (; i < sizeof(shape) - 1 && i < text->len; i++) {
		uint8_t const c = text->data[i];

		if (shape[i] == 'd' && is_digit(c)) {
			out[n++] = (char)c;
		} else if (shape[i] == 'T' && (c == 'T' || c == ' ')) {
			continue;
		} else if (shape[i] == 'd' || c != (uint8_t)shape[i]) {
			break;
		}
	}
	text->data += i;
	text->len -= i;
	return i == 10 || i == 16 || i == 19 ? n : 0;
}

/** "Z", "+01:00", "-0530"; nothing is UTC */
static enum mfa_rc parse_zone(int64_t *offset_s, struct mfa_bytes text)
{
	uint8_t const *d = text.data;
	size_t const colon = text.len == 6 ? 1 : 0;

	*offset_s = 0;
	if (text.len == 0 || (text.len == 1 && d[0] == 'Z')) return MFA_OK;
	if ((text.len != 5 && text.len != 6) || (d[0] != '+' && d[0] != '-')) return MFA_ERR_FORMAT;
	if (!is_digit(d[1]) || !is_digit(d[2]) || (colon && d[3] != ':') ||
	    !is_digit(d[3 + colon]) || !is_digit(d[4 + colon])) {
		return MFA_ERR_FORMAT;
	}
	*offset_s = (int64_t)((d[1] - '0') * 10 + d[2] - '0') * 3600 +
		    (int64_t)((d[3 + colon] - '0') * 10 + d[4 + colon] - '0') * 60;
	if (*offset_s > 50400 || d[3 + colon] > '5') return MFA_ERR_FORMAT;
	if (d[0] == '-') *offset_s = -*offset_s;
	return MFA_OK;
}

static enum mfa_rc parse_calendar(int64_t *time_s, struct mfa_bytes text)
{
	char general[16] = "";
	size_t const digits = copy_digits(general, &text);
	int64_t offset_s;

	if (digits < 8 || parse_zone(&offset_s, text) != MFA_OK) return MFA_ERR_FORMAT;
	if (digits == 8 && text.len > 0) return MFA_ERR_FORMAT;
	memset(general + digits, '0', 14 - digits);
	general[14] = 'Z';
	if (mfa_time_parse(time_s, (struct mfa_bytes){(uint8_t const *)general, 15}) != MFA_OK)
		return MFA_ERR_FORMAT;
	*time_s -= offset_s;
	return *time_s >= 0 && *time_s <= TIME_MAX ? MFA_OK : MFA_ERR_FORMAT;
}

enum mfa_rc mfa_cli_date_parse(int64_t *time_s, struct mfa_bytes text, int64_t now_s)
{
	enum mfa_rc rc = MFA_ERR_FORMAT;

	*time_s = 0;
	if (mfa_bytes_equal(text, mfa_bytes_of("now"))) {
		*time_s = now_s;
		return MFA_OK;
	}
	if (text.len > 0 && text.data[0] == '+') {
		rc = parse_relative(time_s, text, now_s);
	} else if (text.len > 4 && text.data[4] == '-') {
		rc = parse_calendar(time_s, text);
	} else if (text.len > 8) {
		rc = mfa_time_parse(time_s, text);
	}
	if (rc != MFA_OK) *time_s = 0;
	return rc;
}
