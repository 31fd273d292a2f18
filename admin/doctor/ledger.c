/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/doctor/doctor.h"
#include "core/etcd.h"

#include <stdlib.h>
#include <string.h>

#define TEST_KEY "check" /* no entry id is like it; nothing is ever written there */

/** Whether a member answers for a majority, and lets this user read and write
 *
 * A swap under a revision that the key cannot have shows the right to write, and writes nothing.
 */
static enum mfa_rc try_member(struct mfa_diag *diag, struct mfa_config const *config)
{
	struct mfa_store store = {.config = config};
	struct mfa_etcd_value *value = malloc(sizeof(*value));
	struct mfa_conn *conn = NULL;
	enum mfa_rc rc = MFA_ERR_NOMEM;

	if (!value || mfa_conn_alloc(&conn, &store) != MFA_OK) goto out;
	mfa_conn_start(conn);
	rc = mfa_etcd_get(value, diag, conn, TEST_KEY);
	if (rc != MFA_OK) goto out;
	value->revision += INT32_MAX;
	rc = mfa_etcd_swap(diag, conn, TEST_KEY, value);
	rc = rc == MFA_ERR_CONFLICT ? MFA_OK : rc == MFA_OK ? MFA_ERR_INTERNAL : rc;
out:
	mfa_conn_free(&conn);
	free(value);
	return rc;
}

static void check_member(struct mfa_cli_doctor *doctor, struct mfa_bytes url)
{
	struct mfa_config one = doctor->cli->config;
	struct mfa_diag diag = {.text = "no memory"};
	char endpoint[320];
	enum mfa_rc rc;

	if (url.len >= sizeof(endpoint)) return;
	memcpy(endpoint, url.data, url.len);
	endpoint[url.len] = '\0';
	one.ledger_endpoints = endpoint;
	rc = try_member(&diag, &one);
	if (rc == MFA_OK) {
		mfa_cli_doctor_say(doctor, MFA_CLI_OK, "ledger",
				   "%s answers, and '%s' may read and write", endpoint,
				   one.ledger_user[0] ? one.ledger_user : "everybody");
	} else {
		mfa_cli_doctor_say(doctor, MFA_CLI_WRONG, "ledger", "%s", diag.text);
	}
}

void mfa_cli_doctor_ledger(struct mfa_cli_doctor *doctor)
{
	struct mfa_config const *config = &doctor->cli->config;
	struct mfa_bytes rest = mfa_bytes_of(config->ledger_endpoints), word;
	unsigned members = 0;

	if (config->ledger_type == MFA_LEDGER_LDAP) return;
	while (rest.len > 0) {
		if (!mfa_text_word(&word, &rest)) continue;
		check_member(doctor, word);
		members++;
	}
	if (members < 3)
		mfa_cli_doctor_say(
			doctor, MFA_CLI_WARNING, "ledger",
			"%u members are listed: logins stop when one is away, list three", members);
	if (!config->ledger_user[0])
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "ledger",
				   "etcd asks for no password: whoever reaches it can make a used "
				   "code good again");
	if (config->ledger_type == MFA_LEDGER_BOTH)
		mfa_cli_doctor_say(doctor, MFA_CLI_WARNING, "ledger",
				   "in directory and etcd: go on with 'ledger move', see "
				   "docs/clusters.md");
}
