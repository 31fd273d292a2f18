/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Active Directory: users as accounts, and access rules in SDDL, which a controller's own tool sets. */
#include "admin/setup/directory.h"
#include "admin/setup/files.h"
#include "admin/setup/tool.h"

#include "admin/output.h"
#include "core/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES MFA_SETUP_FOLDER "/access.sddl"

enum mfa_rc mfa_ad_schema(struct mfa_setup *setup, struct mfa_diag *diag)
{
	if (mfa_directory_finds(setup, MFA_AS_ADMIN, setup->database,
				"(lDAPDisplayName=peruserMfaEnabled)", "dn: ")) {
		mfa_cli_say(setup->cli, "schema: is there\n");
		return MFA_OK;
	}
	mfa_diag_set(diag,
		     "nothing was changed: the schema of Active Directory cannot be taken back, so "
		     "setup does not load it: follow directories.md, then run this again");
	return MFA_ERR_NOT_FOUND;
}

// ---- the accounts

/** A password as unicodePwd has it: in double quotes, UTF-16, base64 */
static void encode_password(char out[static 256], char const *password)
{
	uint8_t wide[160];
	size_t n = 0;

	wide[n++] = '"';
	wide[n++] = 0;
	for (; *password && n + 4 < sizeof(wide); password++) {
		wide[n++] = (uint8_t)*password;
		wide[n++] = 0;
	}
	wide[n++] = '"';
	wide[n++] = 0;
	(void)EVP_EncodeBlock((unsigned char *)out, wide, (int)n);
	OPENSSL_cleanse(wide, sizeof(wide));
}

/** A random password with each kind of character that a policy may ask for */
static enum mfa_rc new_password(char *out, size_t out_size)
{
	uint8_t raw[24];
	enum mfa_rc rc = mfa_random(raw, sizeof(raw));

	if (rc == MFA_OK) rc = mfa_base64url_encode(out, out_size, raw, sizeof(raw));
	if (rc == MFA_OK) (void)snprintf(out + strlen(out), out_size - strlen(out), "-Aa1");
	return rc;
}

static enum mfa_rc make_user(struct mfa_setup *setup, struct mfa_diag *diag, unsigned which)
{
	static char const *const names[] = {"radius", "enroll"};
	char dn[600], encoded[256], text[1100];
	enum mfa_rc rc;

	(void)snprintf(dn, sizeof(dn), "cn=%s,%s", names[which], setup->answer.services);
	if (!mfa_directory_needs_password(setup, dn, which)) return MFA_OK;
	rc = new_password(setup->account[which], sizeof(setup->account[which]));
	if (rc != MFA_OK) return rc;
	encode_password(encoded, setup->account[which]);
	if (mfa_directory_finds(setup, MFA_AS_ADMIN, dn, "(objectClass=*)", "dn: ")) {
		(void)snprintf(text, sizeof(text),
			       "dn: %s\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: %s\n",
			       dn, encoded);
		rc = mfa_directory_send(setup, diag, MFA_AS_ADMIN,
					"give the account a new password", text);
	} else {
		(void)snprintf(text, sizeof(text),
			       "objectClass: user\nsAMAccountName: peruser-mfa-%s\n"
			       "userAccountControl: 66048\nunicodePwd:: %s\n",
			       names[which], encoded);
		rc = mfa_directory_make_entry(setup, diag, dn, text);
	}
	OPENSSL_cleanse(encoded, sizeof(encoded));
	OPENSSL_cleanse(text, sizeof(text));
	return rc;
}

enum mfa_rc mfa_ad_accounts(struct mfa_setup *setup, struct mfa_diag *diag)
{
	struct mfa_setup_answers const *answer = &setup->answer;
	char dn[600], text[700];
	enum mfa_rc rc = mfa_directory_make_entry(setup, diag, answer->services,
						  "objectClass: organizationalUnit\n");

	if (rc == MFA_OK) rc = make_user(setup, diag, 0);
	if (rc == MFA_OK) rc = make_user(setup, diag, 1);
	(void)snprintf(dn, sizeof(dn), "cn=mfa-admins,%s", answer->services);
	(void)snprintf(text, sizeof(text),
		       "objectClass: group\nsAMAccountName: peruser-mfa-admins\nmember: %s\n",
		       answer->admin);
	return rc == MFA_OK ? mfa_directory_make_entry(setup, diag, dn, text) : rc;
}

// ---- the access rules

/** "S-1-5-..." of a SID's bytes ([MS-DTYP] section 2.4.2) */
static bool print_sid(char *out, size_t out_size, uint8_t const *sid, size_t len)
{
	unsigned long long authority = 0;
	size_t n;

	if (len < 8 || len != 8 + 4u * sid[1]) return false;
	for (size_t i = 2; i < 8; i++) authority = authority << 8 | sid[i];
	n = (size_t)snprintf(out, out_size, "S-%u-%llu", sid[0], authority);
	for (size_t i = 8; i < len && n < out_size; i += 4) {
		uint32_t const part = (uint32_t)sid[i] | (uint32_t)sid[i + 1] << 8 |
				      (uint32_t)sid[i + 2] << 16 | (uint32_t)sid[i + 3] << 24;

		n += (size_t)snprintf(out + n, out_size - n, "-%u", part);
	}
	return n < out_size;
}

static bool find_sid(struct mfa_setup *setup, char *out, size_t out_size, char const *name)
{
	char dn[600], base64[128], *text = malloc(MFA_SETUP_TEXT);
	uint8_t raw[96];
	int len = -1;

	(void)snprintf(dn, sizeof(dn), "cn=%s,%s", name, setup->answer.services);
	if (text && mfa_directory_search(setup, text, MFA_AS_ADMIN, dn, "(objectClass=*)") == 0 &&
	    mfa_tool_ldif_value(base64, sizeof(base64), text, "objectSid:")) {
		len = EVP_DecodeBlock(raw, (unsigned char const *)base64, (int)strlen(base64));
		for (size_t n = strlen(base64); len > 0 && n > 0 && base64[n - 1] == '='; n--)
			len--;
	}
	free(text);
	return len > 0 && print_sid(out, out_size, raw, (size_t)len);
}

/** One file of the pack, with SIDs in place of the words */
static enum mfa_rc add_rules(struct mfa_setup *setup, struct mfa_diag *diag, struct mfa_text *rules,
			     char const *path)
{
	static char const *const words[][2] = {
		{"@RADIUS@", "radius"}, {"@ENROLL@", "enroll"}, {"@ADMINS@", "mfa-admins"}};
	struct mfa_text text = {0};
	char sid[200];
	enum mfa_rc rc = mfa_text_read(&text, diag, path);

	if (rc == MFA_OK) rc = mfa_text_drop_comments(&text);
	for (size_t i = 0; i < 3 && rc == MFA_OK; i++) {
		if (!find_sid(setup, sid, sizeof(sid), words[i][1])) {
			mfa_diag_set(diag, "cn=%s,%s: its objectSid cannot be read", words[i][1],
				     setup->answer.services);
			rc = MFA_ERR_NOT_FOUND;
		} else {
			rc = mfa_text_replace(&text, words[i][0], sid);
		}
	}
	if (rc == MFA_OK) rc = mfa_text_add(rules, text.data);
	mfa_text_free(&text);
	return rc;
}

/** A denial counts when it comes first; only Samba needs them */
enum mfa_rc mfa_ad_access(struct mfa_setup *setup, struct mfa_diag *diag)
{
	struct mfa_text rules = {0};
	enum mfa_rc rc = MFA_OK;

	if (setup->dry_run) {
		mfa_setup_say(setup, "make " RULES " for a domain controller");
		return MFA_OK;
	}
	if (setup->samba)
		rc = add_rules(setup, diag, &rules, MFA_SETUP_PACK "ad/access-samba.sddl");
	if (rc == MFA_OK) rc = add_rules(setup, diag, &rules, MFA_SETUP_PACK "ad/access.sddl");
	if (rc == MFA_OK) rc = mfa_setup_change(setup, diag, RULES, NULL, rules.data);
	mfa_text_free(&rules);
	if (rc == MFA_OK)
		mfa_cli_say(setup->cli,
			    "to do, on a domain controller: samba-tool dsacl set --objectdn=\"%s\" "
			    "--sddl=\"$(grep '^(' access.sddl | tr -d '\\n')\" with " RULES "\n",
			    setup->answer.base_dn);
	return rc;
}
