/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/audit.h"

#include "admin/output.h"

#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

void mfa_cli_audit(struct mfa_cli const *cli, char const *user, char const *what)
{
	struct mfa_account const *account = &cli->store.account;
	char const *name = account->external ? "SASL EXTERNAL" : account->identity;
	char raw[1024], line[1024];

	(void)snprintf(raw, sizeof(raw), "audit: uid %u as '%s' %s%s%s%s: %s", (unsigned)getuid(),
		       name ? name : "", cli->command->name, user ? " '" : "", user ? user : "",
		       user ? "'" : "", what);
	mfa_cli_clean(line, sizeof(line), mfa_bytes_of(raw));
	openlog(MFA_CLI_NAME, LOG_PID, LOG_AUTHPRIV);
	syslog(LOG_NOTICE, "%s", line);
	closelog();
}
