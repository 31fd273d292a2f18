/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/totp.h"

#include <liboath/oath.h>
#include <openssl/crypto.h>

#include <string.h>

static bool totp_ok(struct mfa_totp const *totp)
{
	return totp->key_len >= MFA_TOTP_KEY_MIN && totp->key_len <= MFA_TOTP_KEY_MAX &&
	       totp->digits >= MFA_TOTP_DIGITS_MIN && totp->digits <= MFA_TOTP_DIGITS_MAX &&
	       totp->period_s >= MFA_TOTP_PERIOD_MIN && totp->period_s <= MFA_TOTP_PERIOD_MAX;
}

static bool window_ok(struct mfa_totp_window const *window)
{
	return window->steps <= MFA_TOTP_WINDOW_MAX && window->drift >= -MFA_TOTP_DRIFT_MAX &&
	       window->drift <= MFA_TOTP_DRIFT_MAX;
}

static int oath_flags(enum mfa_totp_hash hash)
{
	switch (hash) {
	case MFA_TOTP_SHA256: return OATH_TOTP_HMAC_SHA256;
	case MFA_TOTP_SHA512: return OATH_TOTP_HMAC_SHA512;
	case MFA_TOTP_SHA1: break;
	}
	return 0;
}

char const *mfa_totp_hash_name(enum mfa_totp_hash hash)
{
	switch (hash) {
	case MFA_TOTP_SHA256: return "SHA256";
	case MFA_TOTP_SHA512: return "SHA512";
	case MFA_TOTP_SHA1: break;
	}
	return "SHA1";
}

enum mfa_rc mfa_totp_generate(char code[static MFA_TOTP_DIGITS_MAX + 1],
			      struct mfa_totp const *totp, int64_t step)
{
	memset(code, 0, MFA_TOTP_DIGITS_MAX + 1);
	if (!totp_ok(totp) || step < 0 || step > INT64_MAX / MFA_TOTP_PERIOD_MAX)
		return MFA_ERR_ARG;
	/* Steps in place of seconds: these fit into a time_t of 32 bits as well. */
	if (oath_totp_generate2((char const *)totp->key, totp->key_len, (time_t)step, 1, 0,
				totp->digits, oath_flags(totp->hash), code) != OATH_OK) {
		OPENSSL_cleanse(code, MFA_TOTP_DIGITS_MAX + 1);
		return MFA_ERR_CRYPTO;
	}
	return MFA_OK;
}

/** Compare one step and note the outcome; a fresh step wins over a used one */
static enum mfa_rc try_step(struct mfa_totp_match *match, struct mfa_totp const *totp,
			    struct mfa_totp_window const *window, struct mfa_code const *code,
			    int64_t step)
{
	char expected[MFA_TOTP_DIGITS_MAX + 1];
	enum mfa_rc rc;

	if (step < 0) return MFA_OK;
	rc = mfa_totp_generate(expected, totp, step);
	if (rc == MFA_OK && mfa_code_equals(code, expected)) {
		bool const fresh = step * totp->period_s > window->not_after;

		if (fresh || !match->fresh) match->step = step;
		match->fresh |= fresh;
		match->used |= !fresh;
	}
	OPENSSL_cleanse(expected, sizeof(expected));
	return rc;
}

enum mfa_rc mfa_totp_match(struct mfa_totp_match *match, struct mfa_totp const *totp,
			   struct mfa_totp_window const *window, struct mfa_code const *code,
			   int64_t now_s)
{
	int64_t const steps = window->steps;
	int64_t reach;

	*match = (struct mfa_totp_match){0};
	if (!totp_ok(totp) || !window_ok(window) || now_s < 0) return MFA_ERR_ARG;
	reach = steps + (window->drift < 0 ? -window->drift : window->drift);
	for (int64_t i = -reach; i <= reach; i++) {
		bool const near_now = i >= -steps && i <= steps;
		bool const near_drift = i >= window->drift - steps && i <= window->drift + steps;
		enum mfa_rc rc;

		if (!near_now && !near_drift) continue;
		rc = try_step(match, totp, window, code, now_s / totp->period_s + i);
		if (rc != MFA_OK) {
			*match = (struct mfa_totp_match){0};
			return rc;
		}
	}
	return MFA_OK;
}
