/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/event.h"

#include "admin/output.h"

#include <pwd.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LOGIN_SIZE 64u

static void to_system_log(char const *line)
{
	openlog(MFA_CLI_NAME, LOG_PID, LOG_AUTHPRIV);
	syslog(LOG_NOTICE, "@cee: %s", line);
	closelog();
}

enum mfa_rc mfa_cli_event_open(struct mfa_cli *cli, struct mfa_diag *diag)
{
	cli->events = (struct mfa_event_sink){
		.program = MFA_CLI_NAME, .system_log = to_system_log, .fd = -1};
	return mfa_event_open(&cli->events, diag, cli->settings.events);
}

/** The login of the session; it stays what it was under sudo(8) and su(1) */
static char const *find_login(char login[static LOGIN_SIZE])
{
	struct passwd entry, *found = NULL;
	char buffer[2048];

	if (getlogin_r(login, LOGIN_SIZE) == 0) return login;
	if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found) {
		(void)snprintf(login, LOGIN_SIZE, "%s", entry.pw_name);
	} else {
		(void)snprintf(login, LOGIN_SIZE, "uid %u", (unsigned)getuid());
	}
	return login;
}

void mfa_cli_event_factor(struct mfa_cli *cli, enum mfa_event_kind kind, char const *user,
			  struct mfa_entry const *entry, char const *factor, char const *result,
			  char const *reason)
{
	struct mfa_account const *account = &cli->store.account;
	struct mfa_event event = {.kind = kind,
				  .time_s = (int64_t)time(NULL),
				  .actor = MFA_ACTOR_ADMINISTRATOR,
				  .actor_name =
					  account->external ? "SASL EXTERNAL" : account->identity,
				  .factor = factor,
				  .result = result,
				  .reason = reason};
	char login[LOGIN_SIZE];

	event.actor_login = find_login(login);
	if (user) event.user = mfa_bytes_of(user);
	if (entry) {
		event.dn = entry->dn;
		event.entry_id = entry->id;
	}
	if (mfa_event_write(&cli->events, &event) == MFA_OK || cli->unrecorded) return;
	cli->unrecorded = true;
	mfa_cli_warn("the event cannot be written to %s: nothing more is changed",
		     cli->settings.events);
}

void mfa_cli_event(struct mfa_cli *cli, enum mfa_event_kind kind, char const *user,
		   struct mfa_entry const *entry, char const *result, char const *reason)
{
	mfa_cli_event_factor(cli, kind, user, entry, NULL, result, reason);
}
