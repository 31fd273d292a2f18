/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The enrollment page: its socket, and the web server that passes requests to it. */
#include "admin/setup/files.h"
#include "admin/setup/tool.h"

#include "admin/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WEB	"/web/"
#define APACHE	"/etc/apache2/"
#define INCLUDE "\tinclude snippets/peruser-mfa-enroll.conf; # added by peruser-mfa setup\n"
#define AFTER	"ssl_certificate_key"

static enum mfa_rc copy_example(struct mfa_setup *setup, struct mfa_diag *diag, char const *name,
				char const *to)
{
	struct mfa_text text = {0};
	char path[256];
	enum mfa_rc rc;

	if (access(to, F_OK) == 0) {
		mfa_cli_say(setup->cli, "%s: is there\n", to);
		return MFA_OK;
	}
	(void)snprintf(path, sizeof(path), MFA_SHAREDIR WEB "%s", name);
	rc = mfa_text_read(&text, diag, path);
	if (rc == MFA_OK) rc = mfa_setup_change(setup, diag, to, NULL, text.data);
	mfa_text_free(&text);
	return rc;
}

/** Ask a web server whether it takes its configuration, and systemd to reload it */
static enum mfa_rc reload(struct mfa_setup *setup, struct mfa_diag *diag, char const *const *test,
			  char const *unit)
{
	char const *const argv[] = {"/usr/bin/systemctl", "reload", unit, NULL};
	char *said;
	int status;

	mfa_setup_say(setup, "reload %s", unit);
	if (setup->dry_run) return MFA_OK;
	said = malloc(MFA_SETUP_TEXT);
	if (!said) return MFA_ERR_NOMEM;
	status = mfa_tool_run(&(struct mfa_tool){test, NULL, NULL, said});
	if (status != 0) mfa_diag_set(diag, "%s refuses its configuration: %s", unit, said);
	free(said);
	if (status != 0) return MFA_ERR_FORMAT;
	if (!mfa_tool_has_systemd()) {
		mfa_cli_say(setup->cli, "to do: reload %s\n", unit);
	} else if (mfa_tool_run(&(struct mfa_tool){.argv = argv}) != 0) {
		mfa_cli_say(setup->cli, "to do: start %s\n", unit);
	}
	return MFA_OK;
}

static enum mfa_rc enable(struct mfa_setup *setup, struct mfa_diag *diag, char const *kind,
			  char const *name)
{
	char link[200], target[200];

	(void)snprintf(link, sizeof(link), APACHE "%s-enabled/%s", kind, name);
	(void)snprintf(target, sizeof(target), "../%s-available/%s", kind, name);
	return mfa_setup_link(setup, diag, link, target);
}

/** What "a2enmod ssl proxy_fcgi" and "a2enconf" do */
static enum mfa_rc use_apache(struct mfa_setup *setup, struct mfa_diag *diag)
{
	static char const *const modules[] = {"socache_shmcb.load", "ssl.load",
					      "ssl.conf",	    "proxy.load",
					      "proxy.conf",	    "proxy_fcgi.load"};
	static char const *const test[] = {"/usr/sbin/apache2ctl", "configtest", NULL};
	enum mfa_rc rc;

	if (access(APACHE "mods-available/proxy_fcgi.load", F_OK) != 0) {
		mfa_diag_set(diag, "Apache is not installed: " APACHE "mods-available");
		return MFA_ERR_NOT_FOUND;
	}
	rc = copy_example(setup, diag, "apache-fastcgi.conf",
			  APACHE "conf-available/peruser-mfa-enroll.conf");
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]) && rc == MFA_OK; i++)
		rc = enable(setup, diag, "mods", modules[i]);
	if (rc == MFA_OK) rc = enable(setup, diag, "conf", "peruser-mfa-enroll.conf");
	return rc == MFA_OK ? reload(setup, diag, test, "apache2") : rc;
}

/** The beginning of the line after the one that names the certificate's key; 0: there is none */
static size_t after_certificate(struct mfa_text const *text)
{
	size_t at = 0;

	while (at < text->len) {
		char const *const line = text->data + at;

		at += strcspn(line, "\n");
		if (text->data[at] == '\n') at++;
		if (strncmp(line + strspn(line, " \t"), AFTER, strlen(AFTER)) == 0) return at;
	}
	return 0;
}

/** Include the page's locations in the server that has a certificate */
static enum mfa_rc include_snippet(struct mfa_setup *setup, struct mfa_diag *diag, char const *site)
{
	struct mfa_text before = {0}, after = {0};
	enum mfa_rc rc = mfa_text_read(&before, diag, site);

	if (rc == MFA_OK && strstr(before.data, "peruser-mfa-enroll.conf")) {
		mfa_cli_say(setup->cli, "%s: includes the page already\n", site);
	} else if (rc == MFA_OK && after_certificate(&before) == 0) {
		mfa_diag_set(diag, "%s: has no " AFTER, site);
		rc = MFA_ERR_NOT_FOUND;
	} else if (rc == MFA_OK) {
		rc = mfa_text_add(&after, before.data);
		if (rc == MFA_OK) rc = mfa_text_insert(&after, after_certificate(&before), INCLUDE);
		if (rc == MFA_OK) rc = mfa_setup_change(setup, diag, site, before.data, after.data);
	}
	mfa_text_free(&before);
	mfa_text_free(&after);
	return rc;
}

static enum mfa_rc use_nginx(struct mfa_setup *setup, struct mfa_diag *diag)
{
	static char const *const test[] = {"/usr/sbin/nginx", "-t", NULL};
	char const *const site = setup->answer.web_site;
	enum mfa_rc rc;

	if (access("/etc/nginx/snippets", F_OK) != 0) {
		mfa_diag_set(diag, "nginx is not installed: /etc/nginx/snippets");
		return MFA_ERR_NOT_FOUND;
	}
	rc = copy_example(setup, diag, "nginx.conf", "/etc/nginx/snippets/peruser-mfa-enroll.conf");
	if (rc == MFA_OK && site[0] == '\0') {
		mfa_cli_say(setup->cli,
			    "to do: \"include snippets/peruser-mfa-enroll.conf;\" in the "
			    "server that has your certificate, and reload nginx\n");
		return MFA_OK;
	}
	if (rc == MFA_OK) rc = include_snippet(setup, diag, site);
	return rc == MFA_OK ? reload(setup, diag, test, "nginx") : rc;
}

enum mfa_rc mfa_setup_page(struct mfa_setup *setup, struct mfa_diag *diag)
{
	static char const *const socket[] = {"/usr/bin/systemctl", "enable", "--now",
					     "peruser-mfa-enroll.socket", NULL};
	enum mfa_rc rc;

	if (setup->answer.web == 0) return MFA_OK;
	rc = setup->answer.web == 1 ? use_apache(setup, diag) : use_nginx(setup, diag);
	if (rc != MFA_OK || !mfa_tool_has_systemd()) return rc;
	mfa_setup_say(setup, "start peruser-mfa-enroll.socket");
	if (!setup->dry_run && mfa_tool_run(&(struct mfa_tool){.argv = socket}) != 0) {
		mfa_diag_set(diag, "peruser-mfa-enroll.socket cannot be started");
		return MFA_ERR_DENIED;
	}
	return MFA_OK;
}

enum mfa_rc mfa_setup_undo_page(struct mfa_setup *setup, struct mfa_diag *diag)
{
	static char const *const socket[] = {"/usr/bin/systemctl", "disable", "--now",
					     "peruser-mfa-enroll.socket", NULL};
	char const *const unit = setup->answer.web == 1 ? "apache2" : "nginx";
	char const *const web[] = {"/usr/bin/systemctl", "reload", unit, NULL};

	(void)diag;
	if (setup->answer.web == 0) return MFA_OK;
	mfa_setup_say(setup, "stop peruser-mfa-enroll.socket, reload %s", unit);
	if (setup->dry_run) return MFA_OK;
	if (!mfa_tool_has_systemd() || mfa_tool_run(&(struct mfa_tool){.argv = socket}) != 0 ||
	    mfa_tool_run(&(struct mfa_tool){.argv = web}) != 0) {
		mfa_cli_say(setup->cli, "to do: stop the page, and reload %s\n", unit);
	}
	return MFA_OK;
}
