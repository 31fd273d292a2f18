/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/doctor/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SITE_PATH_MAX 600u

/** A file of FreeRADIUS: the shared file is in mods-config/peruser_mfa below the same folder */
static bool site_path(char out[static SITE_PATH_MAX], struct mfa_cli_doctor const *doctor,
		      char const *name)
{
	char const *config = doctor->cli->config_path;
	char const *at = strstr(config, "mods-config/");

	return at && snprintf(out, SITE_PATH_MAX, "%.*s%s", (int)(at - config), config, name) <
			     (int)SITE_PATH_MAX;
}

/** Do something with each line of a file that is no comment; nothing when it is not there */
static void each_line(struct mfa_cli_doctor *doctor, char const *path, void *uctx,
		      void (*take)(struct mfa_cli_doctor *doctor, char const *path,
				   unsigned line_no, char *line, void *uctx))
{
	FILE *file = fopen(path, "re");
	size_t room = 0;
	char *line = NULL;

	for (unsigned line_no = 1; file && getline(&line, &room, file) >= 0; line_no++) {
		line[strcspn(line, "#\n")] = '\0';
		take(doctor, path, line_no, line, uctx);
	}
	free(line);
	if (file) (void)fclose(file);
}

static void look_for_placeholder(struct mfa_cli_doctor *doctor, char const *path, unsigned line_no,
				 char *line, void *uctx)
{
	static char const *const known[] = {"change-me", "change me", "mfa.example.org",
					    "dc=example,dc=com", "testing123"};

	(void)uctx;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strcasestr(line, known[i])) continue;
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "placeholder",
				   "%s:%u still has the example '%s'", path, line_no, known[i]);
	}
}

void mfa_cli_doctor_placeholders(struct mfa_cli_doctor *doctor)
{
	static char const *const names[] = {"mods-enabled/peruser_mfa", "sites-enabled/peruser_mfa",
					    "mods-enabled/ldap",
					    "mods-config/peruser_mfa/enroll.conf"};
	char path[SITE_PATH_MAX];

	each_line(doctor, doctor->cli->config_path, NULL, look_for_placeholder);
	if (doctor->cli->settings_path[0])
		each_line(doctor, doctor->cli->settings_path, NULL, look_for_placeholder);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (site_path(path, doctor, names[i]))
			each_line(doctor, path, NULL, look_for_placeholder);
	}
}

/** "control:Name += 'attribute'": the attribute, unless it is where the password is kept */
static char *mapped_attribute(char *line)
{
	char *at = line + strspn(line, " \t&"), *value, *end;

	if (strncasecmp(at, "control:", 8) != 0) return NULL;
	value = strchr(at, '=');
	if (!value) return NULL;
	*value++ = '\0';
	if (strcasestr(at, "Password")) return NULL;
	value += strspn(value, " \t'\"&");
	end = value + strcspn(value, " \t'\";,}");
	*end = '\0';
	return *value ? value : NULL;
}

/** Who is asked about mapped attributes */
struct mapped {
	LDAP *handle;
	char const *dn;
};

static void check_mapped(struct mfa_cli_doctor *doctor, char const *path, unsigned line_no,
			 char *line, void *uctx)
{
	static char sample[] = "Reply-Message := peruser-mfa-check";
	struct mapped const *mapped = uctx;
	char *attr = mapped_attribute(line);

	if (!attr) return;
	if (!mapped->handle) {
		mfa_cli_doctor_say(
			doctor, MFA_CLI_WARNING, "control list",
			"%s:%u copies '%s' into control: a user who may write it can turn "
			"MFA off; try it with --as-user",
			path, line_no, attr);
	} else if (mfa_cli_doctor_may_write(mapped->handle, mapped->dn, attr, sample)) {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "control list",
				   "a user may write '%s', which %s:%u copies into control, and so "
				   "can turn MFA off",
				   attr, path, line_no);
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "control list",
				   "a user may not write '%s', which %s:%u copies into control",
				   attr, path, line_no);
	}
}

void mfa_cli_doctor_mapped(struct mfa_cli_doctor *doctor, LDAP *handle, char const *dn)
{
	struct mapped mapped = {handle, dn};
	char path[SITE_PATH_MAX];

	if (site_path(path, doctor, "mods-enabled/ldap"))
		each_line(doctor, path, &mapped, check_mapped);
}
