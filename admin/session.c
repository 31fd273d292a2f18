/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/cli.h"
#include "admin/event.h"
#include "admin/output.h"
#include "admin/process.h"
#include "admin/prompt.h"
#include "core/filter.h"

#include <mfa_build.h>
#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_CONFIG MFA_FR_CONFDIR "/mods-config/peruser_mfa/peruser_mfa.conf"
#define STRING_MAX     1024u
#define AT(_field)     offsetof(struct mfa_cli_settings, _field)

struct mfa_config_item const mfa_cli_setting_items[] = {
	{NULL, "identity", MFA_CONFIG_STRING, AT(identity), "", 0, STRING_MAX, NULL},
	{NULL, "password_file", MFA_CONFIG_STRING, AT(password_file), "", 0, STRING_MAX, NULL},
	{NULL, "sasl", MFA_CONFIG_CHOICE, AT(sasl), "none", 0, 0, "none EXTERNAL"},
	{NULL, "name_attribute", MFA_CONFIG_STRING, AT(name_attribute), "", 0, 64, NULL},
	{NULL, "issuer", MFA_CONFIG_STRING, AT(issuer), "VPN", 1, 64, NULL},
	{NULL, "events", MFA_CONFIG_STRING, AT(events), "syslog", 1, STRING_MAX, NULL},
	{NULL, NULL, MFA_CONFIG_STRING, 0, NULL, 0, 0, NULL},
};

enum mfa_cli_exit mfa_cli_exit_of(enum mfa_rc rc)
{
	switch (rc) {
	case MFA_OK: return MFA_CLI_DONE;
	case MFA_ERR_BROKEN:
	case MFA_ERR_UNAVAILABLE: return MFA_CLI_UNAVAILABLE;
	case MFA_ERR_ARG: return MFA_CLI_USAGE;
	case MFA_ERR_INTERNAL:
	case MFA_ERR_NOMEM:
	case MFA_ERR_FORMAT:
	case MFA_ERR_SPACE:
	case MFA_ERR_CRYPTO:
	case MFA_ERR_NOT_FOUND:
	case MFA_ERR_CONFLICT:
	case MFA_ERR_DENIED:
	case MFA_ERR_AMBIGUOUS: break;
	}
	return MFA_CLI_REFUSED;
}

bool mfa_cli_must_stop(struct mfa_cli const *cli)
{
	return cli->unavailable || cli->hopeless || cli->mute || cli->unrecorded ||
	       mfa_cli_interrupted();
}

enum mfa_cli_exit mfa_cli_tally_exit(struct mfa_cli const *cli)
{
	if (cli->unavailable) return MFA_CLI_UNAVAILABLE;
	return cli->refused || cli->failed || cli->mute || cli->unrecorded ? MFA_CLI_REFUSED
									   : MFA_CLI_DONE;
}

/** admin.conf stands beside the shared file, unless another one was named */
static enum mfa_rc settings_path(struct mfa_cli *cli)
{
	char const *slash = strrchr(cli->config_path, '/');
	int const folder_len = slash ? (int)(slash + 1 - cli->config_path) : 0;
	int const n = cli->args.admin_config
			      ? snprintf(cli->settings_path, sizeof(cli->settings_path), "%s",
					 cli->args.admin_config)
			      : snprintf(cli->settings_path, sizeof(cli->settings_path),
					 "%.*sadmin.conf", folder_len, cli->config_path);

	return n < 0 || (size_t)n >= sizeof(cli->settings_path) ? MFA_ERR_SPACE : MFA_OK;
}

static enum mfa_rc read_settings(struct mfa_cli *cli, struct mfa_diag *diag)
{
	enum mfa_rc rc = settings_path(cli);

	if (rc != MFA_OK) {
		mfa_diag_set(diag, "the name of the configuration file is too long");
		return rc;
	}
	if (!cli->args.admin_config && access(cli->settings_path, F_OK) != 0) {
		cli->settings_path[0] = '\0';
		return mfa_config_defaults(&cli->settings, mfa_cli_setting_items);
	}
	return mfa_config_read(&cli->settings, diag, mfa_cli_setting_items, cli->settings_path);
}

/** Put -H and -Z over what was read */
static enum mfa_rc override(struct mfa_cli *cli, struct mfa_diag *diag)
{
	struct mfa_config_item const *items = mfa_config_items;
	enum mfa_rc rc = MFA_OK;

	if (cli->args.uri) {
		rc = mfa_config_set(&cli->config, diag, items, "ldap", "uri", cli->args.uri);
		if (rc == MFA_OK)
			rc = mfa_config_set(&cli->config, diag, items, "ldap", "write_uri", "");
	}
	if (rc == MFA_OK && cli->args.start_tls)
		rc = mfa_config_set(&cli->config, diag, items, "ldap", "start_tls", "yes");
	return rc == MFA_OK ? mfa_config_complete(&cli->config, diag, items) : rc;
}

/** Put "*" where the filter has the name; the attribute in front of it holds the name */
static enum mfa_rc find_everyone(struct mfa_cli *cli, struct mfa_diag *diag)
{
	char const *mark = "\\01";
	char *at, *name;
	enum mfa_rc rc = mfa_filter_expand(cli->everyone, sizeof(cli->everyone), diag,
					   cli->config.filter, mfa_bytes_of("\1"));

	if (rc != MFA_OK) return rc;
	at = strstr(cli->everyone, mark);
	if (!at) {
		mfa_diag_set(diag, "the user filter does not name the user");
		return MFA_ERR_FORMAT;
	}
	name = at;
	while (name > cli->everyone && name[-1] != '(') name--;
	if (cli->settings.name_attribute[0]) {
		(void)snprintf(cli->name_attr, sizeof(cli->name_attr), "%s",
			       cli->settings.name_attribute);
	} else {
		(void)snprintf(cli->name_attr, sizeof(cli->name_attr), "%.*s",
			       (int)strcspn(name, "=:~<>"), name);
	}
	for (; at; at = strstr(at, mark)) {
		*at = '*';
		memmove(at + 1, at + strlen(mark), strlen(at + strlen(mark)) + 1);
	}
	return MFA_OK;
}

enum mfa_cli_exit mfa_cli_open_config(struct mfa_cli *cli, struct mfa_diag *diag)
{
	char const *path = cli->args.config ? cli->args.config : DEFAULT_CONFIG;

	cli->now_s = (int64_t)time(NULL);
	if (snprintf(cli->config_path, sizeof(cli->config_path), "%s", path) >=
	    (int)sizeof(cli->config_path)) {
		mfa_diag_set(diag, "the name of the configuration file is too long");
		return MFA_CLI_USAGE;
	}
	if (mfa_config_read(&cli->config, diag, mfa_config_items, path) != MFA_OK ||
	    read_settings(cli, diag) != MFA_OK || override(cli, diag) != MFA_OK ||
	    find_everyone(cli, diag) != MFA_OK || mfa_cli_event_open(cli, diag) != MFA_OK) {
		return MFA_CLI_USAGE;
	}
	cli->policy = (struct mfa_policy){
		.window = cli->config.window,
		.drift_max = cli->config.drift_max,
		.lock_threshold = cli->config.lock_threshold,
		.lock_base_s = cli->config.lock_base_s,
		.lock_max_s = cli->config.lock_max_s,
		.attempts = 1,
		.lifetime_s = 120,
		.unenrolled = MFA_UNENROLLED_REJECT,
	};
	return MFA_CLI_DONE;
}

static enum mfa_rc read_password(struct mfa_cli *cli, struct mfa_diag *diag, char const *file)
{
	if (file && file[0] && !cli->args.ask_password)
		return mfa_cli_read_secret(cli->password, sizeof(cli->password), diag, file);
	mfa_diag_set(diag, "no password");
	return mfa_cli_ask(cli->password, sizeof(cli->password), "LDAP password: ", true);
}

enum mfa_cli_exit mfa_cli_open_account(struct mfa_cli *cli, struct mfa_diag *diag)
{
	struct mfa_cli_args const *args = &cli->args;
	struct mfa_account *account = &cli->store.account;
	char const *file = args->password_file;

	if (args->mechanism && strcasecmp(args->mechanism, "EXTERNAL") != 0) {
		mfa_diag_set(diag, "-Y: only EXTERNAL is offered");
		return MFA_CLI_USAGE;
	}
	account->external = args->mechanism || (!args->identity && cli->settings.sasl == 1);
	account->identity = args->identity ? args->identity : cli->settings.identity;
	account->password = cli->password;
	if (account->external) return MFA_CLI_DONE;
	if (!account->identity[0]) {
		mfa_diag_set(diag, "no account to bind as: give -D or -Y EXTERNAL, or set "
				   "'identity' in admin.conf");
		return MFA_CLI_USAGE;
	}
	if (!file && !args->identity) file = cli->settings.password_file;
	return read_password(cli, diag, file) == MFA_OK ? MFA_CLI_DONE : MFA_CLI_USAGE;
}

enum mfa_rc mfa_cli_connect(struct mfa_cli *cli, struct mfa_diag *diag)
{
	enum mfa_rc rc;

	cli->store.config = &cli->config;
	cli->store.read_class = cli->config.object_class[0] != '\0';
	rc = mfa_conn_open(&cli->conn, diag, &cli->store);
	if (rc == MFA_OK) rc = mfa_conn_alloc(&cli->walk, &cli->store);
	return rc;
}

enum mfa_cli_exit mfa_cli_open(struct mfa_cli *cli, unsigned needs)
{
	struct mfa_diag diag = {.text = ""};
	enum mfa_cli_exit status = MFA_CLI_DONE;

	if (needs & MFA_CLI_NEED_CONFIG) status = mfa_cli_open_config(cli, &diag);
	if (status == MFA_CLI_DONE && needs & MFA_CLI_NEED_RING) {
		cli->have_ring =
			mfa_keyring_load(&cli->ring, &diag, cli->config.key_ring) == MFA_OK;
		if (!cli->have_ring) status = MFA_CLI_USAGE;
	}
	if (status == MFA_CLI_DONE && needs & MFA_CLI_NEED_DIRECTORY) {
		status = mfa_cli_open_account(cli, &diag);
		if (status == MFA_CLI_DONE) status = mfa_cli_exit_of(mfa_cli_connect(cli, &diag));
	}
	if (status != MFA_CLI_DONE) mfa_cli_warn("%s", diag.text);
	return status;
}

void mfa_cli_close(struct mfa_cli *cli)
{
	mfa_event_close(&cli->events);
	mfa_conn_free(&cli->conn);
	mfa_conn_free(&cli->walk);
	mfa_keyring_clear(&cli->ring);
	OPENSSL_cleanse(cli->password, sizeof(cli->password));
	mfa_config_clear(&cli->settings, mfa_cli_setting_items);
	mfa_config_clear(&cli->config, mfa_config_items);
}
