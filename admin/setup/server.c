/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is set in the configuration of FreeRADIUS and of the page. */
#include "admin/setup/files.h"
#include "admin/setup/tool.h"

#include "admin/output.h"
#include "admin/prompt.h"

#include <openssl/crypto.h>

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARED	 MFA_SETUP_OURS "/peruser_mfa.conf"
#define INSTANCE MFA_FR_CONFDIR "/mods-available/peruser_mfa"
#define ENABLED	 MFA_FR_CONFDIR "/mods-enabled/peruser_mfa"
#define PAGE	 MFA_PAGE_CONFDIR "/enroll.conf"
#define ADMIN	 MFA_SETUP_OURS "/admin.conf"
#define RING	 MFA_SETUP_OURS "/peruser_mfa.keys"
#define MARK	 "\t# added by peruser-mfa setup\n"

struct item {
	char const *name, *value;
};

/** Set items of one file; an item whose value is NULL is left as it is */
static enum mfa_rc set_items(struct mfa_setup *setup, struct mfa_diag *diag, char const *path,
			     struct item const *items, size_t count)
{
	struct mfa_text before = {0}, after = {0};
	enum mfa_rc rc = mfa_text_read(&before, diag, path);

	if (rc == MFA_OK) rc = mfa_text_add(&after, before.data);
	for (size_t i = 0; i < count && rc == MFA_OK; i++) {
		if (!items[i].value) continue;
		rc = mfa_text_set_item(&after, items[i].name, items[i].value);
		if (rc != MFA_OK) mfa_diag_set(diag, "%s: no item '%s'", path, items[i].name);
	}
	if (rc == MFA_OK) rc = mfa_setup_change(setup, diag, path, before.data, after.data);
	mfa_text_free(&before);
	mfa_text_free(&after);
	return rc;
}

/** Name and password of an account; none where the account was there before */
static enum mfa_rc set_account(struct mfa_setup *setup, struct mfa_diag *diag, char const *path,
			       unsigned which)
{
	static char const *const names[] = {"radius", "enroll"};
	char dn[600];
	struct item items[] = {{"identity", dn}, {"password", setup->account[which]}};
	enum mfa_rc rc;

	if (setup->account[which][0] == '\0') return MFA_OK;
	(void)snprintf(dn, sizeof(dn), "cn=%s,%s", names[which], setup->answer.services);
	rc = set_items(setup, diag, path, items, 2);
	if (rc == MFA_OK && !setup->dry_run && !mfa_journal_has("settings", names[which]))
		rc = mfa_journal_note(diag, "settings", names[which]);
	return rc;
}

enum mfa_rc mfa_setup_settings(struct mfa_setup *setup, struct mfa_diag *diag)
{
	static char const *const ids[] = {NULL, NULL, "nsUniqueId", "objectGUID"};
	char filter[200];
	struct item const shared[] = {
		{"uri", setup->answer.uri},
		{"start_tls", setup->answer.tls ? "yes" : NULL},
		{"ca_file", setup->answer.ca_file[0] ? setup->answer.ca_file : NULL},
		{"base_dn", setup->answer.base_dn},
		{"filter", filter},
		{"id", ids[setup->directory]},
	};
	struct item const admin[] = {{"identity", setup->answer.admin}};
	enum mfa_rc rc;

	(void)snprintf(filter, sizeof(filter), "(%s=%%{%%{Stripped-User-Name}:-%%{User-Name}})",
		       setup->answer.login);
	rc = set_items(setup, diag, SHARED, shared, sizeof(shared) / sizeof(shared[0]));
	if (rc == MFA_OK && access(INSTANCE, F_OK) == 0) rc = set_account(setup, diag, INSTANCE, 0);
	if (rc == MFA_OK && access(PAGE, F_OK) == 0) rc = set_account(setup, diag, PAGE, 1);
	if (rc == MFA_OK) rc = set_items(setup, diag, ADMIN, admin, 1);
	return rc;
}

/** A key ring is made once, and never taken away: what it sealed could not be read */
enum mfa_rc mfa_setup_ring(struct mfa_setup *setup, struct mfa_diag *diag)
{
	static char const *const keygen[] = {MFA_SETUP_SELF, "keygen", "--quiet", NULL};
	struct group const *const group = getgrnam("freerad"); /* NOLINT(concurrency-mt-unsafe) */

	if (access(RING, F_OK) == 0) {
		mfa_cli_say(setup->cli, "key ring: is there\n");
		return MFA_OK;
	}
	mfa_setup_say(setup, "make the key ring " RING);
	if (setup->dry_run) return MFA_OK;
	if (mfa_tool_run(&(struct mfa_tool){.argv = keygen}) != 0 || chmod(RING, 0640) != 0 ||
	    (group && chown(RING, 0, group->gr_gid) != 0)) {
		mfa_diag_set(diag, RING ": cannot be made");
		return MFA_ERR_DENIED;
	}
	return MFA_OK;
}

// ---- the site

/** Where the text behind a section's opening line begins, at or after @p from; 0: there is none */
static size_t behind_opening(struct mfa_text const *text, char const *section, size_t from)
{
	size_t at = from;

	while (at < text->len) {
		char const *const line = text->data + at;
		size_t const len = strcspn(line, "\n"), indent = strspn(line, " \t");

		at += len + 1;
		if (strncmp(line + indent, section, strlen(section)) == 0 && len > 0 &&
		    line[indent + strlen(section) +
			 strspn(line + indent + strlen(section), " \t")] == '{') {
			return at;
		}
	}
	return 0;
}

/** Put one line in as the first one of a section */
static enum mfa_rc add_line(struct mfa_text *text, struct mfa_diag *diag, char const *section,
			    char const *line, size_t *at)
{
	*at = behind_opening(text, section, *at);
	if (*at == 0) {
		mfa_diag_set(diag,
			     "the site has no section '%s': add the lines of the README by "
			     "hand",
			     section);
		return MFA_ERR_NOT_FOUND;
	}
	return mfa_text_insert(text, *at, line);
}

static enum mfa_rc add_lines(struct mfa_text *text, struct mfa_diag *diag)
{
	size_t authorize = 0, authenticate = 0, post_auth = 0, reject;
	enum mfa_rc rc = add_line(text, diag, "authorize", "\tperuser_mfa" MARK, &authorize);

	if (rc == MFA_OK)
		rc = add_line(text, diag, "authenticate", "\tperuser_mfa" MARK, &authenticate);
	if (rc == MFA_OK) rc = add_line(text, diag, "post-auth", "\tperuser_mfa" MARK, &post_auth);
	reject = post_auth;
	if (rc == MFA_OK)
		rc = add_line(text, diag, "Post-Auth-Type REJECT",
			      "\t\tperuser_mfa_silent_when_unavailable" MARK, &reject);
	return rc;
}

/** Whether a line that is no comment names the module */
static bool names_module(struct mfa_text const *text)
{
	for (char const *at = text->data; at && *at; at = strchr(at, '\n')) {
		if (*at == '\n') at++;
		if (strncmp(at + strspn(at, " \t"), "peruser_mfa", 11) == 0) return true;
	}
	return false;
}

static enum mfa_rc server_check(struct mfa_diag *diag)
{
	char const *argv[] = {"/usr/sbin/freeradius", "-Cx", "-lstdout", NULL};
	char *said = malloc(MFA_SETUP_TEXT);
	int status = said ? mfa_tool_run(&(struct mfa_tool){argv, NULL, NULL, said}) : 127;
	size_t const len = said ? strlen(said) : 0;

	if (status != 0)
		mfa_diag_set(diag, "freeradius -C refuses the configuration: ...%s",
			     said ? said + (len > 300 ? len - 300 : 0) : "");
	free(said);
	return status == 0 ? MFA_OK : MFA_ERR_FORMAT;
}

static enum mfa_rc change_site(struct mfa_setup *setup, struct mfa_diag *diag,
			       struct mfa_text *before)
{
	struct mfa_text after = {0};
	enum mfa_rc rc = mfa_text_add(&after, before->data);

	if (rc == MFA_OK) rc = add_lines(&after, diag);
	if (rc == MFA_OK)
		rc = mfa_setup_change(setup, diag, setup->answer.site, before->data, after.data);
	if (rc == MFA_OK && !setup->dry_run) {
		rc = server_check(diag);
		if (rc != MFA_OK) {
			struct mfa_diag ignored;

			mfa_cli_warn("%s is put back as it was", setup->answer.site);
			(void)!mfa_setup_change(setup, &ignored, setup->answer.site, after.data,
						before->data);
		}
	}
	mfa_text_free(&after);
	return rc;
}

enum mfa_rc mfa_setup_site(struct mfa_setup *setup, struct mfa_diag *diag)
{
	bool const linked = access(ENABLED, F_OK) == 0;
	struct mfa_text before = {0};
	enum mfa_rc rc;

	if (setup->answer.site[0] == '\0') return MFA_OK;
	if (access(INSTANCE, F_OK) != 0) {
		mfa_cli_say(setup->cli,
			    "the FreeRADIUS module is not installed here: no site is changed\n");
		return MFA_OK;
	}
	rc = mfa_setup_link(setup, diag, ENABLED, "../mods-available/peruser_mfa");
	if (rc == MFA_OK) rc = mfa_text_read(&before, diag, setup->answer.site);
	if (rc == MFA_OK && names_module(&before)) {
		mfa_cli_say(setup->cli, "%s: names the module already\n", setup->answer.site);
	} else if (rc == MFA_OK) {
		rc = change_site(setup, diag, &before);
		/* The next restart would fail otherwise. */
		if (rc != MFA_OK && !linked && !setup->dry_run) (void)unlink(ENABLED);
	}
	mfa_text_free(&before);
	return rc;
}

// ---- the end

enum mfa_rc mfa_setup_restart(struct mfa_setup *setup, struct mfa_diag *diag)
{
	static char const *const restart[] = {"/usr/bin/systemctl", "restart", "freeradius", NULL};

	if (setup->answer.site[0] == '\0') return MFA_OK;
	if (!mfa_tool_has_systemd()) {
		mfa_cli_say(setup->cli, "to do: restart FreeRADIUS\n");
		return MFA_OK;
	}
	mfa_setup_say(setup, "restart FreeRADIUS");
	if (setup->dry_run || mfa_tool_run(&(struct mfa_tool){.argv = restart}) == 0) return MFA_OK;
	mfa_diag_set(diag, "FreeRADIUS did not restart: see its log");
	return MFA_ERR_DENIED;
}

/** What "check" says, as the administrator; shown, and no reason to stop */
enum mfa_rc mfa_setup_check(struct mfa_setup *setup, struct mfa_diag *diag)
{
	char const *const argv[] = {MFA_SETUP_SELF, "check",	     "-D", setup->answer.admin,
				    "-y",	    MFA_TOOL_SECRET, NULL};
	char *said = malloc(MFA_SETUP_TEXT);

	(void)diag;
	if (!said) return MFA_ERR_NOMEM;
	if (!setup->dry_run) {
		(void)mfa_tool_run(&(struct mfa_tool){argv, NULL, setup->password, said});
		mfa_cli_say(setup->cli, "%s", said);
	}
	free(said);
	return MFA_OK;
}

static enum mfa_rc trial_password(struct mfa_setup *setup, struct mfa_diag *diag, char *out,
				  size_t out_size)
{
	char question[700];

	if (setup->answer.user_password_file[0])
		return mfa_cli_read_secret(out, out_size, diag, setup->answer.user_password_file);
	(void)snprintf(question, sizeof(question),
		       "Password of '%s', for a trial login: ", setup->answer.user);
	mfa_diag_set(diag, "no password for the trial login");
	return mfa_cli_ask(out, out_size, question, true);
}

enum mfa_rc mfa_setup_trial(struct mfa_setup *setup, struct mfa_diag *diag)
{
	static char const *const argv[] = {
		"/usr/bin/radclient", "-x",	   "-r",   "1", "-t", "5", "-S",
		MFA_TOOL_SECRET,      "127.0.0.1", "auth", NULL};
	char password[256], quoted[600], user[600], packet[1400];
	char *said = malloc(MFA_SETUP_TEXT);
	enum mfa_rc rc = MFA_OK;

	if (!said || setup->answer.user[0] == '\0' || setup->dry_run) {
		free(said);
		return said ? MFA_OK : MFA_ERR_NOMEM;
	}
	rc = trial_password(setup, diag, password, sizeof(password));
	if (rc == MFA_OK) {
		mfa_text_quote(user, sizeof(user), setup->answer.user);
		mfa_text_quote(quoted, sizeof(quoted), password);
		(void)snprintf(packet, sizeof(packet), "User-Name = %s\nUser-Password = %s\n", user,
			       quoted);
		(void)mfa_tool_run(
			&(struct mfa_tool){argv, packet, setup->answer.radius_secret, said});
		mfa_cli_say(setup->cli, "trial login of '%s': %s\n", setup->answer.user,
			    strstr(said, "Access-Challenge") ? "asked for a code"
			    : strstr(said, "Access-Accept")  ? "accepted without a code"
			    : strstr(said, "Access-Reject")  ? "refused"
							     : "no answer");
	}
	OPENSSL_cleanse(password, sizeof(password));
	OPENSSL_cleanse(quoted, sizeof(quoted));
	OPENSSL_cleanse(packet, sizeof(packet));
	free(said);
	return rc;
}
