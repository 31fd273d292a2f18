/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/settings.h"

#include <string.h>

#define STRING_MAX  1024u
#define AT(_field)  offsetof(struct mfa_page_config, _field)
#define SHARED_FILE MFA_FR_CONFDIR "/mods-config/peruser_mfa/peruser_mfa.conf"
#define THROTTLE    MFA_STATEDIR "/throttle"
/* Free, open, and without an account. */
#define APPS                                                                                       \
	"Aegis (Android) https://getaegis.app, 2FAS (Android, iPhone) https://2fas.com, "          \
	"FreeOTP (Android, iPhone) https://freeotp.github.io"
#define TITLE_MAX    64u
#define SENTENCE_MAX 400u

static struct mfa_config_item const items[] = {
	{NULL, "shared", MFA_CONFIG_STRING, AT(shared), SHARED_FILE, 1, STRING_MAX, NULL},
	{NULL, "events", MFA_CONFIG_STRING, AT(events), "syslog", 1, STRING_MAX, NULL},

	{"account", "identity", MFA_CONFIG_STRING, AT(identity), "", 0, STRING_MAX, NULL},
	{"account", "password", MFA_CONFIG_STRING, AT(password), "", 0, STRING_MAX, NULL},
	{"account", "external", MFA_CONFIG_BOOL, AT(external), "no", 0, 0, NULL},

	{"site", "name", MFA_CONFIG_STRING, AT(site_name), "Example", 1, TITLE_MAX, NULL},
	{"site", "issuer", MFA_CONFIG_STRING, AT(issuer), "", 0, TITLE_MAX, NULL},
	{"site", "support", MFA_CONFIG_STRING, AT(support), "", 0, SENTENCE_MAX, NULL},
	{"site", "logo", MFA_CONFIG_STRING, AT(logo), "", 0, STRING_MAX, NULL},
	{"site", "style_sheet", MFA_CONFIG_STRING, AT(style_sheet), "", 0, STRING_MAX, NULL},
	{"site", "apps", MFA_CONFIG_STRING, AT(apps), APPS, 0, STRING_MAX, NULL},
	{"site", "base_path", MFA_CONFIG_STRING, AT(base_path), "", 0, 200, NULL},
	{"site", "locale_dir", MFA_CONFIG_STRING, AT(locale_dir), MFA_LOCALEDIR, 1, STRING_MAX,
	 NULL},

	{"enroll", "required", MFA_CONFIG_BOOL, AT(required), "no", 0, 0, NULL},
	{"enroll", "require_voucher", MFA_CONFIG_BOOL, AT(require_voucher), "no", 0, 0, NULL},

	{"throttle", "file", MFA_CONFIG_STRING, AT(throttle_file), THROTTLE, 1, STRING_MAX, NULL},
	{"throttle", "user_attempts", MFA_CONFIG_NUMBER, AT(user_attempts), "5", 1, 100, NULL},
	{"throttle", "address_attempts", MFA_CONFIG_NUMBER, AT(address_attempts), "100", 1, 100000,
	 NULL},
	{"throttle", "wait", MFA_CONFIG_NUMBER, AT(wait_s), "30", 1, 3600, NULL},
	{"throttle", "wait_max", MFA_CONFIG_NUMBER, AT(wait_max_s), "900", 1, 86400, NULL},

	{"mail", "command", MFA_CONFIG_STRING, AT(mail_command), "", 0, STRING_MAX, NULL},
	{"mail", "from", MFA_CONFIG_STRING, AT(mail_from), "", 0, 254, NULL},
	{"mail", "attribute", MFA_CONFIG_STRING, AT(mail_attribute), "mail", 1, 64, NULL},

	{"http", "allow_plain_loopback", MFA_CONFIG_BOOL, AT(allow_plain_loopback), "no", 0, 0,
	 NULL},
	{"http", "trusted_proxies", MFA_CONFIG_STRING, AT(trusted_proxies), "", 0, STRING_MAX,
	 NULL},
	{NULL, NULL, MFA_CONFIG_STRING, 0, NULL, 0, 0, NULL},
};

/** A path on this host: what the Content-Security-Policy lets a browser fetch */
static bool is_local_path(char const *path)
{
	if (path[0] == '\0') return true;
	return path[0] == '/' && path[1] != '/' &&
	       strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			    "/._~-") == strlen(path);
}

static bool is_mail_address(char const *text)
{
	return text[0] == '\0' ||
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			    "@.!#$%&'*+/=?^_`{|}~-") == strlen(text);
}

bool mfa_settings_app(struct mfa_settings_app *app, char const **list)
{
	static char const separator[] = " https://";
	char const *address = strstr(*list, separator);
	size_t len;

	*list += strspn(*list, ", ");
	if (!address || address <= *list) return false;
	app->name = (struct mfa_bytes){(uint8_t const *)*list, (size_t)(address - *list)};
	address++;
	len = strcspn(address, ", \"'<>");
	app->address = (struct mfa_bytes){(uint8_t const *)address, len};
	*list = address + len;
	return len > sizeof(separator) - 1;
}

static bool are_apps(char const *list)
{
	struct mfa_settings_app app;

	while (list[0] != '\0') {
		if (!mfa_settings_app(&app, &list) || (list[0] != '\0' && list[0] != ','))
			return false;
	}
	return true;
}

/** What one item's table cannot say */
static enum mfa_rc check(struct mfa_diag *diag, struct mfa_page_config const *page,
			 char const *path)
{
	char const *wrong = NULL;

	if (!page->external && (page->identity[0] == '\0' || page->password[0] == '\0'))
		wrong = "account: identity and password must be set, unless external = yes";
	if (!is_local_path(page->logo))
		wrong = "'logo' must be a path on this host, such as /a.svg";
	if (!is_local_path(page->style_sheet))
		wrong = "'style_sheet' must be a path on this host, such as /a.css";
	if (!is_local_path(page->base_path)) wrong = "'base_path' must be a path such as /mfa";
	if (!are_apps(page->apps))
		wrong = "'apps' must be such as \"Name https://address, Name https://address\"";
	if (page->mail_command[0] != '\0' && page->mail_command[0] != '/')
		wrong = "'command' must be an absolute path, such as /usr/sbin/sendmail";
	if (!is_mail_address(page->mail_from)) wrong = "'from' must be one bare mail address";
	if (page->mail_command[0] != '\0' && page->mail_from[0] == '\0')
		wrong = "mail: 'from' must be set";
	if (!wrong) return MFA_OK;
	mfa_diag_set(diag, "%s: %s", path, wrong);
	return MFA_ERR_FORMAT;
}

static enum mfa_rc derive_proxies(struct mfa_settings *settings, struct mfa_diag *diag,
				  char const *path)
{
	enum mfa_rc const rc =
		mfa_prefixes_parse(&settings->proxies, settings->page.trusted_proxies);

	if (rc == MFA_OK) return rc;
	mfa_diag_set(diag,
		     "%s: 'trusted_proxies' must be up to %u addresses or networks, such as "
		     "\"192.0.2.1 2001:db8::/48\"",
		     path, MFA_PREFIXES_MAX);
	return MFA_ERR_FORMAT;
}

static void derive_policy(struct mfa_settings *settings)
{
	struct mfa_config const *shared = &settings->shared;

	settings->policy = (struct mfa_policy){
		.window = shared->window,
		.drift_max = shared->drift_max,
		.lock_threshold = shared->lock_threshold,
		.lock_base_s = shared->lock_base_s,
		.lock_max_s = shared->lock_max_s,
		.attempts = 1,
		.lifetime_s = 1,
		.retransmission_s = 1,
		.unenrolled = MFA_UNENROLLED_REJECT,
	};
	settings->account = (struct mfa_account){
		.identity = settings->page.identity,
		.password = settings->page.password,
		.external = settings->page.external != 0,
	};
}

/** "/mfa/" and "/" are the same mount points as "/mfa" and "" */
static void trim_slash(char *path)
{
	size_t const len = strlen(path);

	if (len > 1 && path[len - 1] == '/') path[len - 1] = '\0';
}

enum mfa_rc mfa_settings_read(struct mfa_settings *settings, struct mfa_diag *diag,
			      char const *path)
{
	enum mfa_rc rc = mfa_config_read(&settings->page, diag, items, path);

	if (rc == MFA_OK) rc = check(diag, &settings->page, path);
	if (rc == MFA_OK) rc = derive_proxies(settings, diag, path);
	if (rc != MFA_OK) return rc;
	trim_slash(settings->page.base_path);
	rc = mfa_config_read(&settings->shared, diag, mfa_config_items, settings->page.shared);
	if (rc == MFA_OK) derive_policy(settings);
	return rc;
}

void mfa_settings_clear(struct mfa_settings *settings)
{
	mfa_config_clear(&settings->page, items);
	mfa_config_clear(&settings->shared, mfa_config_items);
}
