/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Schema, accounts and access rules: by the directory's own tools, from the packs that are
 * installed, so that what is done is what the documentation says. */
#include "admin/setup/directory.h"
#include "admin/setup/tool.h"

#include "admin/output.h"
#include "core/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_RULE   "{0}to attrs=peruserMfaEnabled"
#define EXISTS	     68 /* LDAP_ALREADY_EXISTS, which the tools end with */
#define VALUE_EXISTS 20

/** Run an LDAP tool; @p more are up to 8 further words, NULL last */
static int ldap_tool(struct mfa_setup const *setup, char *output, char const *path,
		     enum mfa_directory_as as, char const *input, char const *const *more)
{
	char const *argv[20] = {path, NULL};
	size_t n = 1;

	argv[n++] = "-H";
	argv[n++] = as == MFA_AS_ROOT ? setup->answer.config : setup->answer.uri;
	if (as == MFA_AS_ROOT) {
		argv[n++] = "-Q";
		argv[n++] = "-Y";
		argv[n++] = "EXTERNAL";
	} else {
		argv[n++] = "-x";
	}
	if (as == MFA_AS_ADMIN) {
		argv[n++] = "-D";
		argv[n++] = setup->answer.admin;
		argv[n++] = "-y";
		argv[n++] = MFA_TOOL_SECRET;
	}
	if (as != MFA_AS_ROOT && setup->answer.tls) argv[n++] = "-ZZ";
	for (size_t i = 0; more && i < 8 && more[i]; i++) argv[n++] = more[i];
	argv[n] = NULL;
	return mfa_tool_run(&(struct mfa_tool){
		argv, input, as == MFA_AS_ADMIN ? setup->password : NULL, output});
}

int mfa_directory_search(struct mfa_setup const *setup, char *output, enum mfa_directory_as as,
			 char const *base, char const *filter)
{
	char const *const more[] = {"-LLL", "-oldif-wrap=no", "-b", base, filter, NULL};

	return ldap_tool(setup, output, "/usr/bin/ldapsearch", as, NULL, more);
}

enum mfa_rc mfa_directory_send(struct mfa_setup *setup, struct mfa_diag *diag,
			       enum mfa_directory_as as, char const *what, char const *ldif)
{
	char *said;
	int status;

	mfa_setup_say(setup, "%s, by this LDIF:", what);
	mfa_cli_say(setup->cli, "%s\n", ldif);
	if (setup->dry_run) return MFA_OK;
	said = malloc(MFA_SETUP_TEXT);
	if (!said) return MFA_ERR_NOMEM;
	status = ldap_tool(setup, said, "/usr/bin/ldapmodify", as, ldif, NULL);
	if (status != 0) mfa_diag_set(diag, "%s: ldapmodify ended with %d: %s", what, status, said);
	free(said);
	if (status == 0 || status == EXISTS || status == VALUE_EXISTS) return MFA_OK;
	return MFA_ERR_DENIED;
}

// ---- what it is

static enum mfa_setup_directory kind_of(char const *root_dse)
{
	char text[128];

	if (strstr(root_dse, "objectClass: OpenLDAProotDSE")) return MFA_SETUP_OPENLDAP;
	if (mfa_tool_ldif_value(text, sizeof(text), root_dse, "vendorName") &&
	    strncmp(text, "389", 3) == 0) {
		return MFA_SETUP_389DS;
	}
	return mfa_tool_ldif_value(text, sizeof(text), root_dse, "domainFunctionality")
		       ? MFA_SETUP_AD
		       : MFA_SETUP_UNKNOWN;
}

/** OpenLDAP: which database of cn=config holds the suffix */
static enum mfa_rc find_database(struct mfa_setup *setup, struct mfa_diag *diag, char *text)
{
	char filter[600];

	(void)snprintf(filter, sizeof(filter), "(olcSuffix=%s)", setup->answer.suffix);
	if (mfa_directory_search(setup, text, MFA_AS_ROOT, "cn=config", filter) == 0 &&
	    mfa_tool_ldif_value(setup->database, sizeof(setup->database), text, "dn")) {
		return MFA_OK;
	}
	mfa_diag_set(diag, "no database with the suffix '%s' in cn=config at %s: %s",
		     setup->answer.suffix, setup->answer.config, text);
	return MFA_ERR_NOT_FOUND;
}

static enum mfa_rc recognize(struct mfa_setup *setup, struct mfa_diag *diag, char *text)
{
	static char const *const names[] = {"", "OpenLDAP", "389 Directory Server",
					    "Active Directory"};
	static char const *const more[] = {
		"-LLL", "-oldif-wrap=no", "-sbase", "-b", "", "(objectClass=*)", "+", "*", NULL};
	char suffix[512];
	enum mfa_rc rc = MFA_OK;

	if (ldap_tool(setup, text, "/usr/bin/ldapsearch", MFA_AS_NOBODY, NULL, more) != 0) {
		mfa_diag_set(diag, "no answer from %s: %s", setup->answer.uri, text);
		return MFA_ERR_UNAVAILABLE;
	}
	setup->directory = kind_of(text);
	if (setup->directory == MFA_SETUP_AD) {
		mfa_diag_say(diag, "Active Directory: a schema cannot be taken back, so it is not "
				   "loaded from here: follow the steps of directories.md");
		return MFA_ERR_DENIED;
	}
	if (setup->directory == MFA_SETUP_UNKNOWN) {
		mfa_diag_set(diag, "%s is neither OpenLDAP, 389-DS nor Active Directory",
			     setup->answer.uri);
		return MFA_ERR_NOT_FOUND;
	}
	if (setup->answer.suffix[0] == '\0' &&
	    (mfa_tool_ldif_value(suffix, sizeof(suffix), text, "defaultNamingContext") ||
	     mfa_tool_ldif_value(suffix, sizeof(suffix), text, "namingContexts"))) {
		rc = mfa_config_set(&setup->answer, diag, mfa_setup_items, NULL, "suffix", suffix);
	}
	if (setup->answer.suffix[0] == '\0') {
		mfa_diag_set(diag, "%s names no suffix: answer with the one of your users",
			     setup->answer.uri);
		return MFA_ERR_NOT_FOUND;
	}
	mfa_cli_say(setup->cli, "directory: %s, suffix %s\n", names[setup->directory],
		    setup->answer.suffix);
	if (rc == MFA_OK && setup->directory == MFA_SETUP_OPENLDAP)
		rc = find_database(setup, diag, text);
	return rc;
}

enum mfa_rc mfa_setup_bind(struct mfa_setup *setup, struct mfa_diag *diag)
{
	static char const *const more[] = {"-LLL", "-sbase", "-b", "", "1.1", NULL};
	char *said = malloc(MFA_SETUP_TEXT);
	enum mfa_rc rc = said ? MFA_OK : MFA_ERR_NOMEM;

	if (said && ldap_tool(setup, said, "/usr/bin/ldapsearch", MFA_AS_ADMIN, NULL, more) != 0) {
		mfa_diag_set(diag, "nothing was changed: %s cannot bind: %s", setup->answer.admin,
			     said);
		rc = MFA_ERR_DENIED;
	}
	free(said);
	return rc;
}

enum mfa_rc mfa_setup_recognize(struct mfa_setup *setup, struct mfa_diag *diag)
{
	char *text = malloc(MFA_SETUP_TEXT);
	enum mfa_rc rc = text ? recognize(setup, diag, text) : MFA_ERR_NOMEM;

	free(text);
	return rc == MFA_OK ? mfa_setup_derive(setup, diag) : rc;
}

// ---- the packs

/** Put the site's names in place of the pack's; the lines of the comment are left out */
static enum mfa_rc fill(struct mfa_setup const *setup, struct mfa_text *text)
{
	struct mfa_setup_answers const *answer = &setup->answer;
	char const *accounts[][2] = {
		{"cn=radius,ou=services,dc=example,dc=org", "cn=radius,"},
		{"cn=enroll,ou=services,dc=example,dc=org", "cn=enroll,"},
		{"cn=mfa-admins,ou=groups,dc=example,dc=org", "cn=mfa-admins,"},
	};
	enum mfa_rc rc = mfa_text_drop_comments(text);
	char dn[600];

	for (size_t i = 0; i < 3 && rc == MFA_OK; i++) {
		(void)snprintf(dn, sizeof(dn), "%s%s", accounts[i][1], answer->services);
		rc = mfa_text_replace(text, accounts[i][0], dn);
	}
	if (rc == MFA_OK) rc = mfa_text_replace(text, "dc=example,dc=org", answer->suffix);
	if (rc == MFA_OK)
		rc = mfa_text_replace(text, "olcDatabase={1}mdb,cn=config", setup->database);
	(void)snprintf(dn, sizeof(dn), "objectClass,%s,", answer->login);
	if (rc == MFA_OK) rc = mfa_text_replace(text, "objectClass,uid,", dn);
	(void)snprintf(dn, sizeof(dn), "|| %s ||", answer->login);
	return rc == MFA_OK ? mfa_text_replace(text, "|| uid ||", dn) : rc;
}

static enum mfa_rc send_pack(struct mfa_setup *setup, struct mfa_diag *diag, char const *file,
			     char const *what)
{
	bool const openldap = setup->directory == MFA_SETUP_OPENLDAP;
	struct mfa_text text = {0};
	char path[256];
	enum mfa_rc rc;

	(void)snprintf(path, sizeof(path), MFA_SETUP_PACK "%s/%s", openldap ? "openldap" : "389ds",
		       file);
	rc = mfa_text_read(&text, diag, path);
	if (rc == MFA_OK) rc = fill(setup, &text);
	/* An LDIF without a change type adds an entry. */
	if (rc == MFA_OK && openldap && strcmp(file, "peruser-mfa.ldif") == 0)
		rc = mfa_text_replace(&text, "cn=schema,cn=config\n",
				      "cn=schema,cn=config\nchangetype: add\n");
	if (rc == MFA_OK)
		rc = mfa_directory_send(setup, diag, openldap ? MFA_AS_ROOT : MFA_AS_ADMIN, what,
					text.data);
	mfa_text_free(&text);
	return rc;
}

bool mfa_directory_finds(struct mfa_setup const *setup, enum mfa_directory_as as, char const *base,
			 char const *filter, char const *expected)
{
	char *text = malloc(MFA_SETUP_TEXT);
	bool const found = text && mfa_directory_search(setup, text, as, base, filter) == 0 &&
			   strstr(text, expected);

	free(text);
	return found;
}

enum mfa_rc mfa_setup_schema(struct mfa_setup *setup, struct mfa_diag *diag)
{
	bool const openldap = setup->directory == MFA_SETUP_OPENLDAP;

	if (openldap ? mfa_directory_finds(setup, MFA_AS_ROOT, "cn=schema,cn=config",
					   "(cn=*peruser-mfa)", "dn: ")
		     : mfa_directory_finds(setup, MFA_AS_ADMIN, "cn=schema",
					   "(attributeTypes=peruserMfaEnabled)", "dn: ")) {
		mfa_cli_say(setup->cli, "schema: is there\n");
		return MFA_OK;
	}
	return send_pack(setup, diag, "peruser-mfa.ldif", "load the schema");
}

enum mfa_rc mfa_setup_access(struct mfa_setup *setup, struct mfa_diag *diag)
{
	bool const openldap = setup->directory == MFA_SETUP_OPENLDAP;
	char const *where = openldap ? setup->database : setup->answer.suffix;
	enum mfa_rc rc;

	if (openldap ? mfa_directory_finds(setup, MFA_AS_ROOT, setup->database, "(olcAccess=*)",
					   FIRST_RULE)
		     : mfa_directory_finds(setup, MFA_AS_ADMIN, setup->answer.suffix,
					   "(aci=*peruser-mfa*)",
					   "peruser-mfa: not written by others")) {
		mfa_cli_say(setup->cli, "access rules: are there\n");
		return MFA_OK;
	}
	rc = setup->dry_run ? MFA_OK : mfa_journal_note(diag, "access", where);
	return rc == MFA_OK ? send_pack(setup, diag, "access.ldif", "load the access rules") : rc;
}

// ---- the accounts

/** "{SSHA}..." of a password (as RFC 2307 has it, with salt) */
static enum mfa_rc hash(char out[static 64], char const *password)
{
	uint8_t raw[28];
	unsigned len = 0;
	uint8_t text[96];
	size_t const used = strlen(password);
	enum mfa_rc rc = mfa_random(raw + 20, 8);

	if (rc != MFA_OK || used + 8 > sizeof(text)) return MFA_ERR_INTERNAL;
	memcpy(text, password, used);
	memcpy(text + used, raw + 20, 8);
	if (EVP_Digest(text, used + 8, raw, &len, EVP_sha1(), NULL) != 1) rc = MFA_ERR_CRYPTO;
	(void)snprintf(out, 64, "{SSHA}");
	(void)EVP_EncodeBlock((unsigned char *)out + 6, raw, (int)sizeof(raw));
	OPENSSL_cleanse(text, sizeof(text));
	return rc;
}

enum mfa_rc mfa_directory_make_entry(struct mfa_setup *setup, struct mfa_diag *diag, char const *dn,
				     char const *attributes)
{
	char ldif[2048];
	enum mfa_rc rc;

	if (mfa_directory_finds(setup, MFA_AS_ADMIN, dn, "(objectClass=*)", "dn: ")) {
		mfa_cli_say(setup->cli, "%s: is there\n", dn);
		return MFA_OK;
	}
	(void)snprintf(ldif, sizeof(ldif), "dn: %s\nchangetype: add\n%s", dn, attributes);
	rc = setup->dry_run ? MFA_OK : mfa_journal_note(diag, "entries", dn);
	return rc == MFA_OK ? mfa_directory_send(setup, diag, MFA_AS_ADMIN, "make an entry", ldif)
			    : rc;
}

bool mfa_directory_needs_password(struct mfa_setup *setup, char const *dn, unsigned which)
{
	static char const *const names[] = {"radius", "enroll"};

	if (!mfa_journal_has("settings", names[which]) ||
	    !mfa_directory_finds(setup, MFA_AS_ADMIN, dn, "(objectClass=*)", "dn: ")) {
		return true;
	}
	setup->account[which][0] = '\0';
	mfa_cli_say(setup->cli, "%s: is there\n", dn);
	return false;
}

/** A service account with a random password; an account that is there gets a new one */
static enum mfa_rc make_account(struct mfa_setup *setup, struct mfa_diag *diag, unsigned which)
{
	static char const *const names[] = {"radius", "enroll"};
	char dn[600], hashed[64], attributes[900];
	uint8_t raw[24];
	enum mfa_rc rc = mfa_random(raw, sizeof(raw));

	(void)snprintf(dn, sizeof(dn), "cn=%s,%s", names[which], setup->answer.services);
	if (!mfa_directory_needs_password(setup, dn, which)) return MFA_OK;
	if (rc == MFA_OK)
		rc = mfa_base64url_encode(setup->account[which], sizeof(setup->account[which]), raw,
					  sizeof(raw));
	if (rc == MFA_OK) rc = hash(hashed, setup->account[which]);
	if (rc != MFA_OK) return rc;
	if (!mfa_directory_finds(setup, MFA_AS_ADMIN, dn, "(objectClass=*)", "dn: ")) {
		(void)snprintf(attributes, sizeof(attributes),
			       "objectClass: organizationalRole\n"
			       "objectClass: simpleSecurityObject\ncn: %s\nuserPassword: %s\n",
			       names[which], hashed);
		return mfa_directory_make_entry(setup, diag, dn, attributes);
	}
	(void)snprintf(attributes, sizeof(attributes),
		       "dn: %s\nchangetype: modify\nreplace: userPassword\nuserPassword: %s\n", dn,
		       hashed);
	return mfa_directory_send(setup, diag, MFA_AS_ADMIN, "give the account a new password",
				  attributes);
}

enum mfa_rc mfa_setup_accounts(struct mfa_setup *setup, struct mfa_diag *diag)
{
	struct mfa_setup_answers const *answer = &setup->answer;
	char dn[600], text[700], name[128];
	enum mfa_rc rc;

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(answer->services, ","),
		       answer->services);
	if (strncasecmp(name, "ou=", 3) != 0) {
		mfa_diag_set(diag, "services_dn must begin with ou=: '%s'", answer->services);
		return MFA_ERR_FORMAT;
	}
	(void)snprintf(text, sizeof(text), "objectClass: organizationalUnit\nou: %s\n", name + 3);
	rc = mfa_directory_make_entry(setup, diag, answer->services, text);
	if (rc == MFA_OK) rc = make_account(setup, diag, 0);
	if (rc == MFA_OK) rc = make_account(setup, diag, 1);
	(void)snprintf(dn, sizeof(dn), "cn=mfa-admins,%s", answer->services);
	(void)snprintf(text, sizeof(text),
		       "objectClass: groupOfNames\ncn: mfa-admins\nmember: %s\n", answer->admin);
	return rc == MFA_OK ? mfa_directory_make_entry(setup, diag, dn, text) : rc;
}

// ---- the way back

/** How many rules the pack puts before those of the site */
static enum mfa_rc count_rules(unsigned *count, struct mfa_diag *diag)
{
	static char const rule[] = "\nolcAccess: {";
	struct mfa_text text = {0};
	enum mfa_rc const rc = mfa_text_read(&text, diag, MFA_SETUP_PACK "openldap/access.ldif");

	*count = 0;
	for (char const *at = text.data; at && (at = strstr(at, rule)); at += sizeof(rule) - 1)
		++*count;
	mfa_text_free(&text);
	return rc;
}

static enum mfa_rc undo_openldap(struct mfa_setup *setup, struct mfa_diag *diag, char const *dn)
{
	struct mfa_text text = {0};
	unsigned rules;
	enum mfa_rc rc;

	if (!mfa_directory_finds(setup, MFA_AS_ROOT, dn, "(olcAccess=*)", FIRST_RULE)) {
		mfa_cli_warn("%s: its first access rules are not ours: left as they are", dn);
		return MFA_OK;
	}
	rc = count_rules(&rules, diag);
	if (rc == MFA_OK) rc = mfa_text_add(&text, "dn: ");
	if (rc == MFA_OK) rc = mfa_text_add(&text, dn);
	if (rc == MFA_OK) rc = mfa_text_add(&text, "\nchangetype: modify\n");
	for (unsigned i = 0; i < rules && rc == MFA_OK; i++)
		rc = mfa_text_add(&text, "delete: olcAccess\nolcAccess: {0}\n-\n");
	if (rc == MFA_OK)
		rc = mfa_directory_send(setup, diag, MFA_AS_ROOT, "take the access rules back",
					text.data);
	mfa_text_free(&text);
	return rc;
}

static enum mfa_rc undo_389ds(struct mfa_setup *setup, struct mfa_diag *diag)
{
	struct mfa_text text = {0};
	enum mfa_rc rc = mfa_text_read(&text, diag, MFA_SETUP_PACK "389ds/access.ldif");

	if (rc == MFA_OK) rc = fill(setup, &text);
	if (rc == MFA_OK) rc = mfa_text_replace(&text, "add: aci", "delete: aci");
	if (rc == MFA_OK)
		rc = mfa_directory_send(setup, diag, MFA_AS_ADMIN, "take the access rules back",
					text.data);
	mfa_text_free(&text);
	return rc;
}

enum mfa_rc mfa_setup_undo_access(struct mfa_setup *setup, struct mfa_diag *diag)
{
	char dn[600];
	enum mfa_rc rc;

	if (!mfa_journal_last(dn, sizeof(dn), "access")) return MFA_OK;
	rc = setup->directory == MFA_SETUP_OPENLDAP ? undo_openldap(setup, diag, dn)
						    : undo_389ds(setup, diag);
	if (rc == MFA_OK && !setup->dry_run) mfa_journal_drop_last("access");
	return rc;
}

enum mfa_rc mfa_setup_undo_accounts(struct mfa_setup *setup, struct mfa_diag *diag)
{
	char dn[600], ldif[700];
	enum mfa_rc rc = MFA_OK;

	while (rc == MFA_OK && mfa_journal_last(dn, sizeof(dn), "entries")) {
		(void)snprintf(ldif, sizeof(ldif), "dn: %s\nchangetype: delete\n", dn);
		if (setup->dry_run ||
		    mfa_directory_finds(setup, MFA_AS_ADMIN, dn, "(objectClass=*)", "dn: "))
			rc = mfa_directory_send(setup, diag, MFA_AS_ADMIN, "delete an entry", ldif);
		if (setup->dry_run) break;
		if (rc == MFA_OK) mfa_journal_drop_last("entries");
	}
	mfa_cli_say(setup->cli, "the schema stays: records of users may need it\n");
	return rc;
}
