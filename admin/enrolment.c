/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/enrolment.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>

/** What is there already */
struct present {
	bool same; //!< This very secret.
	bool name; //!< A device of this name.
	char names[MFA_SECRETS_MAX][MFA_TOTP_NAME_MAX + 1];
	size_t count;
};

static bool is_same(struct mfa_totp const *a, struct mfa_totp const *b)
{
	return a->hash == b->hash && a->digits == b->digits && a->period_s == b->period_s &&
	       mfa_bytes_equal((struct mfa_bytes){a->key, a->key_len},
			       (struct mfa_bytes){b->key, b->key_len});
}

static void look_at_devices(struct present *present, struct mfa_cli_edit const *edit,
			    struct mfa_totp const *wanted)
{
	memset(present, 0, sizeof(*present));
	for (size_t i = 0; i < edit->secrets && i < MFA_SECRETS_MAX; i++) {
		struct mfa_totp totp;

		if (mfa_secret_parse(&totp, NULL, &edit->cli->ring, edit->entry->id,
				     mfa_entry_get(edit->entry, MFA_ATTR_SECRET, i)) != MFA_OK) {
			continue;
		}
		present->same |= is_same(&totp, wanted);
		present->name |= wanted->name[0] && strcmp(totp.name, wanted->name) == 0;
		memcpy(present->names[present->count++], totp.name, sizeof(totp.name));
		OPENSSL_cleanse(&totp, sizeof(totp));
	}
}

/** "device 1", or the next number that is free */
static void choose_name(struct mfa_totp *totp, struct present const *present)
{
	bool taken = true;

	for (unsigned n = 1; taken; n++) {
		(void)snprintf(totp->name, sizeof(totp->name), "device %u", n);
		taken = false;
		for (size_t i = 0; i < present->count; i++)
			taken |= strcmp(present->names[i], totp->name) == 0;
	}
}

/** The code that proved the device must not log anybody in */
static enum mfa_rc use_up(struct mfa_cli_edit *edit, struct mfa_cli_enrolment const *enrolment)
{
	struct mfa_last_use use = {
		.present = true, .step = enrolment->used_step, .time_s = edit->cli->now_s};
	struct mfa_bytes const old = mfa_entry_get(edit->entry, MFA_ATTR_LAST_USE, 0);
	uint8_t nonce[MFA_NONCE_SIZE];
	char text[MFA_LAST_USE_SIZE];
	struct mfa_last_use before;
	enum mfa_rc rc;

	if (enrolment->used_step < 0) return MFA_OK;
	if (old.data && mfa_last_use_parse(&before, old) == MFA_OK &&
	    before.step * mfa_last_use_period_s(&before) >= use.step * enrolment->totp.period_s) {
		return MFA_OK;
	}
	rc = mfa_random(nonce, sizeof(nonce));
	if (rc == MFA_OK)
		rc = mfa_base64url_encode(use.nonce, sizeof(use.nonce), nonce, sizeof(nonce));
	if (rc != MFA_OK) return rc;
	mfa_last_use_format(text, &use);
	mfa_change_swap(&edit->change, edit->entry, MFA_ATTR_LAST_USE, text);
	return MFA_OK;
}

/** Why it may not be added; MFA_CLI_CHANGED when it may */
static enum mfa_cli_outcome check(struct mfa_cli_edit *edit,
				  struct mfa_cli_enrolment const *enrolment,
				  struct present const *present)
{
	if (present->same) {
		mfa_diag_set(&edit->text, "this device is there already");
		return MFA_CLI_UNCHANGED;
	}
	if (edit->flag_bad || edit->required_bad) {
		mfa_diag_set(&edit->text, "the record is broken: flag or date cannot be read");
	} else if (edit->secrets >= MFA_SECRETS_MAX) {
		mfa_diag_set(&edit->text, "has %zu devices, more are not allowed", edit->secrets);
	} else if (present->name) {
		mfa_diag_set(&edit->text, "has a device '%s' already", enrolment->totp.name);
	} else if (edit->secrets > 0 && !edit->flag && !enrolment->suspended) {
		mfa_diag_set(&edit->text, "is suspended: resume, or reset it first");
	} else {
		return MFA_CLI_CHANGED;
	}
	return MFA_CLI_NOT_ALLOWED;
}

enum mfa_cli_outcome mfa_cli_enrolment_decide(struct mfa_cli_edit *edit,
					      struct mfa_cli_enrolment *enrolment)
{
	struct mfa_totp totp = enrolment->totp;
	struct present present;
	char value[MFA_SECRET_SIZE];
	enum mfa_cli_outcome outcome;
	enum mfa_rc rc;

	look_at_devices(&present, edit, &totp);
	outcome = check(edit, enrolment, &present);
	if (outcome != MFA_CLI_CHANGED) goto out;
	if (!totp.name[0]) choose_name(&totp, &present);
	if (totp.added_s == 0) totp.added_s = edit->cli->now_s;
	rc = mfa_secret_format(value, &totp, &edit->cli->ring, edit->entry->id);
	if (rc == MFA_OK) rc = use_up(edit, enrolment);
	if (rc != MFA_OK) {
		mfa_diag_set(&edit->text, "the secret could not be sealed");
		outcome = MFA_CLI_FAILED;
		goto out;
	}
	if (!enrolment->suspended && !edit->flag) {
		mfa_cli_change_flag(edit, true);
	} else {
		mfa_cli_change_class(edit);
		mfa_change_assert(&edit->change, edit->entry, MFA_ATTR_ENABLED);
	}
	mfa_change_add(&edit->change, MFA_ATTR_SECRET, value);
	mfa_change_swap(&edit->change, edit->entry, MFA_ATTR_VOUCHER, NULL);
	mfa_change_assert(&edit->change, edit->entry, MFA_ATTR_SECRET);
	mfa_diag_set(&edit->text, "device '%s' added%s", totp.name,
		     enrolment->suspended && !edit->flag ? ", suspended" : "");
out:
	OPENSSL_cleanse(&totp, sizeof(totp));
	return outcome;
}
