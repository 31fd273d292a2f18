/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/setup/setup.h"

#include "admin/output.h"
#include "admin/prompt.h"
#include "admin/setup/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LONGEST	   512u
#define KEPT	   MFA_SETUP_FOLDER "/answers"
#define AT(_field) offsetof(struct mfa_setup_answers, _field)

struct mfa_config_item const mfa_setup_items[] = {
	{NULL, "uri", MFA_CONFIG_STRING, AT(uri), "ldap://127.0.0.1:389", 1, LONGEST, NULL},
	{NULL, "tls", MFA_CONFIG_CHOICE, AT(tls), "none", 0, 0, "none starttls"},
	{NULL, "ca_file", MFA_CONFIG_STRING, AT(ca_file), "", 0, LONGEST, NULL},
	{NULL, "config_uri", MFA_CONFIG_STRING, AT(config), "ldapi:///", 1, LONGEST, NULL},
	{NULL, "suffix", MFA_CONFIG_STRING, AT(suffix), "", 0, LONGEST, NULL},
	{NULL, "base_dn", MFA_CONFIG_STRING, AT(base_dn), "", 0, LONGEST, NULL},
	{NULL, "login_attribute", MFA_CONFIG_NAME, AT(login), "uid", 1, 64, NULL},
	{NULL, "services_dn", MFA_CONFIG_STRING, AT(services), "", 0, LONGEST, NULL},
	{NULL, "administrator", MFA_CONFIG_STRING, AT(admin), "", 0, LONGEST, NULL},
	{NULL, "site", MFA_CONFIG_STRING, AT(site), MFA_FR_CONFDIR "/sites-available/default", 0,
	 LONGEST, NULL},
	{NULL, "web_server", MFA_CONFIG_CHOICE, AT(web), "none", 0, 0, "none apache nginx"},
	{NULL, "web_site", MFA_CONFIG_STRING, AT(web_site), "", 0, LONGEST, NULL},
	{NULL, "trial_user", MFA_CONFIG_STRING, AT(user), "", 0, LONGEST, NULL},
	{NULL, "trial_password_file", MFA_CONFIG_STRING, AT(user_password_file), "", 0, LONGEST,
	 NULL},
	{NULL, "radius_secret", MFA_CONFIG_STRING, AT(radius_secret), "testing123", 1, 128, NULL},
	{NULL, NULL, MFA_CONFIG_STRING, 0, NULL, 0, 0, NULL},
};

static struct {
	char const *name, *question;
} const questions[] = {
	{"uri", "LDAP URI of the directory"},
	{"tls", "TLS on ldap://: none or starttls"},
	{"ca_file", "PEM file of the authority of its certificate; empty: the system's"},
	{"suffix", "suffix; empty: the one that the server names"},
	{"base_dn", "where the users are; empty: ou=people below the suffix"},
	{"login_attribute", "attribute of the login name"},
	{"administrator", "DN of the directory's administrator; empty: cn=admin below the suffix"},
	{"site", "FreeRADIUS site that asks for codes"},
	{"web_server", "web server of the enrollment page: none, apache or nginx"},
	{"web_site", "nginx only: file of the server that has the certificate; empty: none"},
	{"trial_user", "user for a trial login at the end; empty: none"},
};

void mfa_setup_say(struct mfa_setup const *setup, char const *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	mfa_cli_say(setup->cli, "%s%s\n", setup->dry_run ? "would: " : "", text);
}

static char const *default_of(char const *name)
{
	for (struct mfa_config_item const *item = mfa_setup_items; item->name; item++) {
		if (strcmp(item->name, name) == 0) return item->dflt;
	}
	return "";
}

/** Ask until the answer is one that is allowed */
static enum mfa_rc ask(struct mfa_setup *setup, struct mfa_diag *diag, char const *name,
		       char const *question)
{
	char text[256], typed[LONGEST + 1];
	enum mfa_rc rc;

	(void)snprintf(text, sizeof(text), "%s [%s]: ", question, default_of(name));
	do {
		rc = mfa_cli_ask(typed, sizeof(typed), text, false);
		if (rc != MFA_OK) {
			mfa_diag_set(diag, "no answer to: %s", question);
			return rc;
		}
		if (typed[0] == '\0') return MFA_OK;
		rc = mfa_config_set(&setup->answer, diag, mfa_setup_items, NULL, name, typed);
		if (rc != MFA_OK) mfa_cli_warn("%s", diag->text);
	} while (rc == MFA_ERR_FORMAT);
	return rc;
}

/** Ask for each answer at the terminal */
static enum mfa_rc ask_all(struct mfa_setup *setup, struct mfa_diag *diag)
{
	enum mfa_rc rc = mfa_config_defaults(&setup->answer, mfa_setup_items);

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]) && rc == MFA_OK; i++)
		rc = ask(setup, diag, questions[i].name, questions[i].question);
	return rc;
}

enum mfa_rc mfa_setup_answer(struct mfa_setup *setup, struct mfa_diag *diag)
{
	char const *path = setup->cli->args.answers;
	bool const kept = setup->cli->args.undo && access(KEPT, F_OK) == 0;

	if (!path && kept) path = KEPT;
	return path ? mfa_config_read(&setup->answer, diag, mfa_setup_items, path)
		    : ask_all(setup, diag);
}

enum mfa_rc mfa_setup_keep_answers(struct mfa_setup *setup, struct mfa_diag *diag)
{
	static char const *const webs[] = {"none", "apache", "nginx"};
	struct mfa_setup_answers const *answer = &setup->answer;
	struct {
		char const *name, *value;
	} const kept[] = {
		{"uri", answer->uri},
		{"tls", answer->tls ? "starttls" : "none"},
		{"ca_file", answer->ca_file},
		{"config_uri", answer->config},
		{"suffix", answer->suffix},
		{"base_dn", answer->base_dn},
		{"login_attribute", answer->login},
		{"services_dn", answer->services},
		{"administrator", answer->admin},
		{"site", answer->site},
		{"web_server", webs[answer->web]},
	};
	char value[2 * LONGEST], line[3 * LONGEST];
	enum mfa_rc rc = MFA_OK;

	if (setup->dry_run) return MFA_OK;
	mfa_setup_forget_answers();
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]) && rc == MFA_OK; i++) {
		mfa_text_quote(value, sizeof(value), kept[i].value);
		(void)snprintf(line, sizeof(line), "%s = %s", kept[i].name, value);
		rc = mfa_journal_note(diag, "answers", line);
	}
	return rc;
}

void mfa_setup_forget_answers(void)
{
	(void)unlink(KEPT);
}

/** Give an answer that was left empty: a name below the suffix */
static enum mfa_rc below_suffix(struct mfa_setup *setup, struct mfa_diag *diag, char const *name,
				char const *now, char const *rdn)
{
	char dn[2 * LONGEST];

	if (now[0] != '\0') return MFA_OK;
	(void)snprintf(dn, sizeof(dn), "%s,%s", rdn, setup->answer.suffix);
	return mfa_config_set(&setup->answer, diag, mfa_setup_items, NULL, name, dn);
}

enum mfa_rc mfa_setup_derive(struct mfa_setup *setup, struct mfa_diag *diag)
{
	struct mfa_setup_answers const *answer = &setup->answer;
	enum mfa_rc rc = below_suffix(setup, diag, "base_dn", answer->base_dn, "ou=people");

	if (rc == MFA_OK)
		rc = below_suffix(setup, diag, "services_dn", answer->services, "ou=services");
	if (rc == MFA_OK && setup->directory != MFA_SETUP_389DS)
		rc = below_suffix(setup, diag, "administrator", answer->admin, "cn=admin");
	if (rc == MFA_OK && answer->admin[0] == '\0')
		rc = mfa_config_set(&setup->answer, diag, mfa_setup_items, NULL, "administrator",
				    "cn=Directory Manager");
	return rc;
}
