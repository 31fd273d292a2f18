/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/config.h"
#include "core/totp.h"

#include <ldap.h>
#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STRING_MAX 1024u
#define AT(_field) offsetof(struct mfa_config, _field)
#define ATTR(_i)   (AT(attr) + (_i) * sizeof(char *))

struct mfa_config_item const mfa_config_items[] = {
	{"ldap", "uri", MFA_CONFIG_URIS, AT(uri), NULL, 1, STRING_MAX, NULL},
	{"ldap", "write_uri", MFA_CONFIG_URIS, AT(write_uri), "", 0, STRING_MAX, NULL},
	{"ldap", "several_writers", MFA_CONFIG_CHOICE, AT(several_writers), "refuse", 0, 0,
	 "refuse accept_replays"},
	{"ldap", "confirm", MFA_CONFIG_CHOICE, AT(confirm), "when_reachable", 0, 0,
	 "no when_reachable always"},
	{"ldap", "start_tls", MFA_CONFIG_BOOL, AT(start_tls), "no", 0, 0, NULL},
	{"ldap", "ca_file", MFA_CONFIG_STRING, AT(ca_file), "", 0, STRING_MAX, NULL},
	{"ldap", "require_cert", MFA_CONFIG_CHOICE, AT(require_cert), "demand", 0, 0,
	 "demand allow never"},
	{"ldap", "timeout", MFA_CONFIG_NUMBER, AT(timeout_s), "3", 1, 60, NULL},
	{"ldap", "connect_timeout", MFA_CONFIG_NUMBER, AT(connect_timeout_s), "2", 1, 60, NULL},

	{"user", "base_dn", MFA_CONFIG_STRING, AT(base_dn), NULL, 1, STRING_MAX, NULL},
	{"user", "filter", MFA_CONFIG_STRING, AT(filter),
	 "(uid=%{%{Stripped-User-Name}:-%{User-Name}})", 3, STRING_MAX, NULL},
	{"user", "scope", MFA_CONFIG_CHOICE, AT(scope), "sub", 0, 0, "sub one base"},

#define ITEM(_id, _item, _name, ...)                                                               \
	{"attribute", _item, MFA_CONFIG_NAME, ATTR(MFA_ATTR_##_id), _name, 1, 64, NULL},
	MFA_ATTRS(ITEM)
#undef ITEM
		{"attribute", "id", MFA_CONFIG_NAME, AT(attr_id), "entryUUID", 1, 64, NULL},
	{"attribute", "object_class", MFA_CONFIG_NAME, AT(object_class), "peruserMfaUser", 0, 64,
	 NULL},

	{"totp", "window", MFA_CONFIG_NUMBER, AT(window), "1", 0, MFA_TOTP_WINDOW_MAX, NULL},
	{"totp", "drift_max", MFA_CONFIG_NUMBER, AT(drift_max), "4", 0, MFA_TOTP_DRIFT_MAX, NULL},

	{"lockout", "threshold", MFA_CONFIG_NUMBER, AT(lock_threshold), "5", 1, 99, NULL},
	{"lockout", "base", MFA_CONFIG_NUMBER, AT(lock_base_s), "30", 1, 86400, NULL},
	{"lockout", "max", MFA_CONFIG_NUMBER, AT(lock_max_s), "3600", 1, 604800, NULL},

	{"ledger", "type", MFA_CONFIG_CHOICE, AT(ledger_type), "ldap", 0, 0, "ldap both etcd"},
	{"ledger", "endpoints", MFA_CONFIG_STRING, AT(ledger_endpoints), "", 0, STRING_MAX, NULL},
	{"ledger", "user", MFA_CONFIG_STRING, AT(ledger_user), "", 0, 128, NULL},
	{"ledger", "password_file", MFA_CONFIG_STRING, AT(ledger_password_file), "", 0, STRING_MAX,
	 NULL},
	{"ledger", "ca_file", MFA_CONFIG_STRING, AT(ledger_ca_file), "", 0, STRING_MAX, NULL},
	{"ledger", "prefix", MFA_CONFIG_STRING, AT(ledger_prefix), "peruser-mfa/", 1, 128, NULL},

	{NULL, "key_ring", MFA_CONFIG_STRING, AT(key_ring), NULL, 1, STRING_MAX, NULL},
	{NULL, NULL, MFA_CONFIG_STRING, 0, NULL, 0, 0, NULL},
};

static bool same(char const *a, char const *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static struct mfa_config_item const *find(struct mfa_config_item const *items, char const *section,
					  char const *name)
{
	for (; items->name; items++) {
		if (same(items->section, section) && same(items->name, name)) return items;
	}
	return NULL;
}

bool mfa_config_has_section(struct mfa_config_item const *items, char const *section)
{
	for (; items->name; items++) {
		if (items->section && strcmp(items->section, section) == 0) return true;
	}
	return false;
}

static char **string_at(void *base, struct mfa_config_item const *item)
{
	return (char **)(void *)((char *)base + item->offset);
}

static uint32_t *number_at(void *base, struct mfa_config_item const *item)
{
	return (uint32_t *)(void *)((char *)base + item->offset);
}

static void free_string(char **string)
{
	if (*string) OPENSSL_cleanse(*string, strlen(*string));
	free(*string);
	*string = NULL;
}

static enum mfa_rc set_string(void *base, struct mfa_diag *diag, struct mfa_config_item const *item,
			      char const *value)
{
	size_t const len = strlen(value);
	char *copy;

	if (len < item->min || len > item->max) {
		mfa_diag_set(diag, "'%s' must have %u to %u characters", item->name, item->min,
			     item->max);
		return MFA_ERR_FORMAT;
	}
	copy = strdup(value);
	if (!copy) return MFA_ERR_NOMEM;
	free_string(string_at(base, item));
	*string_at(base, item) = copy;
	return MFA_OK;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/** A name (letter, then letters, digits, dashes) or a dotted number */
static bool name_ok(char const *name)
{
	bool const oid = name[0] >= '0' && name[0] <= '9';

	if (name[0] == '-' || name[0] == '.') return false;
	for (char const *p = name; *p; p++) {
		if (oid ? *p != '.' && (*p < '0' || *p > '9') : *p != '-' && !is_alnum(*p))
			return false;
	}
	return true;
}

static bool uris_ok(char const *uris)
{
	struct mfa_bytes rest = mfa_bytes_of(uris), word;

	while (rest.len > 0) {
		LDAPURLDesc *parsed = NULL;
		char uri[256];
		bool ok;

		if (!mfa_text_word(&word, &rest)) continue;
		if (word.len >= sizeof(uri)) return false;
		memcpy(uri, word.data, word.len);
		uri[word.len] = '\0';
		ok = ldap_is_ldap_url(uri) && ldap_url_parse(uri, &parsed) == LDAP_URL_SUCCESS;
		if (parsed) ldap_free_urldesc(parsed);
		if (!ok) return false;
	}
	return true;
}

static enum mfa_rc set_name(void *base, struct mfa_diag *diag, struct mfa_config_item const *item,
			    char const *value)
{
	if (name_ok(value)) return set_string(base, diag, item, value);
	mfa_diag_set(diag, "'%s' must be a name of letters, digits and dashes, or an OID",
		     item->name);
	return MFA_ERR_FORMAT;
}

static enum mfa_rc set_uris(void *base, struct mfa_diag *diag, struct mfa_config_item const *item,
			    char const *value)
{
	if (uris_ok(value)) return set_string(base, diag, item, value);
	mfa_diag_set(diag,
		     "'%s' must be URIs such as ldap://, ldaps:// or ldapi://, separated by spaces",
		     item->name);
	return MFA_ERR_FORMAT;
}

static enum mfa_rc set_number(void *base, struct mfa_diag *diag, struct mfa_config_item const *item,
			      char const *value)
{
	int64_t number;

	if (mfa_text_number(&number, mfa_bytes_of(value), item->max) != MFA_OK ||
	    number < item->min) {
		mfa_diag_set(diag, "'%s' must be a number from %u to %u", item->name, item->min,
			     item->max);
		return MFA_ERR_FORMAT;
	}
	*number_at(base, item) = (uint32_t)number;
	return MFA_OK;
}

static enum mfa_rc set_bool(void *base, struct mfa_diag *diag, struct mfa_config_item const *item,
			    char const *value)
{
	bool const yes = strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0 ||
			 strcasecmp(value, "on") == 0;

	if (!yes && strcasecmp(value, "no") != 0 && strcasecmp(value, "false") != 0 &&
	    strcasecmp(value, "off") != 0) {
		mfa_diag_set(diag, "'%s' must be yes or no", item->name);
		return MFA_ERR_FORMAT;
	}
	*number_at(base, item) = yes ? 1 : 0;
	return MFA_OK;
}

static enum mfa_rc set_choice(void *base, struct mfa_diag *diag, struct mfa_config_item const *item,
			      char const *value)
{
	struct mfa_bytes rest = mfa_bytes_of(item->choices), word;

	for (uint32_t i = 0; mfa_text_word(&word, &rest); i++) {
		if (!mfa_bytes_equal(word, mfa_bytes_of(value))) continue;
		*number_at(base, item) = i;
		return MFA_OK;
	}
	mfa_diag_set(diag, "'%s' must be one of: %s", item->name, item->choices);
	return MFA_ERR_FORMAT;
}

enum mfa_rc mfa_config_set(void *base, struct mfa_diag *diag, struct mfa_config_item const *items,
			   char const *section, char const *name, char const *value)
{
	struct mfa_config_item const *item = find(items, section, name);

	if (!item) {
		mfa_diag_set(diag, "unknown item '%s'%s%s", name, section ? " in section " : "",
			     section ? section : "");
		return MFA_ERR_NOT_FOUND;
	}
	switch (item->type) {
	case MFA_CONFIG_STRING: return set_string(base, diag, item, value);
	case MFA_CONFIG_NUMBER: return set_number(base, diag, item, value);
	case MFA_CONFIG_BOOL: return set_bool(base, diag, item, value);
	case MFA_CONFIG_CHOICE: return set_choice(base, diag, item, value);
	case MFA_CONFIG_NAME: return set_name(base, diag, item, value);
	case MFA_CONFIG_URIS: return set_uris(base, diag, item, value);
	}
	return MFA_ERR_INTERNAL;
}

enum mfa_rc mfa_config_defaults(void *base, struct mfa_config_item const *items)
{
	for (struct mfa_config_item const *item = items; item->name; item++) {
		enum mfa_rc rc;

		if (!item->dflt) continue;
		rc = mfa_config_set(base, NULL, items, item->section, item->name, item->dflt);
		if (rc != MFA_OK) return rc;
	}
	return MFA_OK;
}

static bool is_string(struct mfa_config_item const *item)
{
	return item->type == MFA_CONFIG_STRING || item->type == MFA_CONFIG_NAME ||
	       item->type == MFA_CONFIG_URIS;
}

static char const *string_of(void const *base, struct mfa_config_item const *item)
{
	return *(char *const *)(void const *)((char const *)base + item->offset);
}

/** An item before this one that names the same attribute: one would overwrite the other */
static struct mfa_config_item const *
same_name(void const *base, struct mfa_config_item const *items, struct mfa_config_item const *item)
{
	char const *name = string_of(base, item);

	for (; items < item; items++) {
		if (items->type == MFA_CONFIG_NAME && name[0] &&
		    strcasecmp(string_of(base, items), name) == 0) {
			return items;
		}
	}
	return NULL;
}

enum mfa_confirm mfa_config_confirm(struct mfa_config const *config)
{
	if (!config->write_uri[0] || strcmp(config->write_uri, config->uri) == 0)
		return MFA_CONFIRM_NO;
	return (enum mfa_confirm)config->confirm;
}

static unsigned count_words(char const *text)
{
	struct mfa_bytes rest = mfa_bytes_of(text), word;
	unsigned n = 0;

	while (rest.len > 0) n += mfa_text_word(&word, &rest) ? 1 : 0;
	return n;
}

uint32_t mfa_config_ledger_attrs(struct mfa_config const *config)
{
	if (config->ledger_type != MFA_LEDGER_ETCD) return 0;
	return MFA_ATTR_BIT(MFA_ATTR_LAST_USE) | MFA_ATTR_BIT(MFA_ATTR_FAILURES);
}

/** Whether a URL of etcd protects the password: by TLS, or by not leaving the machine */
static bool endpoint_ok(struct mfa_bytes url)
{
	static char const *const begins[] = {"https://", "http://127.0.0.1:", "http://[::1]:"};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		size_t const len = strlen(begins[i]);

		if (url.len > len &&
		    mfa_bytes_equal((struct mfa_bytes){url.data, len}, mfa_bytes_of(begins[i]))) {
			return true;
		}
	}
	return false;
}

static enum mfa_rc check_endpoints(struct mfa_diag *diag, char const *endpoints)
{
	struct mfa_bytes rest = mfa_bytes_of(endpoints), word;
	unsigned n = 0;

	while (rest.len > 0) {
		if (!mfa_text_word(&word, &rest)) continue;
		if (!endpoint_ok(word)) n = MFA_ENDPOINTS_MAX;
		n++;
	}
	if (n > 0 && n <= MFA_ENDPOINTS_MAX) return MFA_OK;
	mfa_diag_set(diag,
		     "'endpoints' in section ledger must be 1 to %u URLs that begin with https://, "
		     "separated by spaces (http:// to 127.0.0.1 or [::1] only)",
		     MFA_ENDPOINTS_MAX);
	return MFA_ERR_FORMAT;
}

static enum mfa_rc check_ledger(struct mfa_config const *config, struct mfa_diag *diag)
{
	if (config->ledger_type == MFA_LEDGER_LDAP) return MFA_OK;
	if (!config->ledger_user[0] != !config->ledger_password_file[0]) {
		mfa_diag_say(diag, "'user' and 'password_file' in section ledger belong together");
		return MFA_ERR_FORMAT;
	}
	return check_endpoints(diag, config->ledger_endpoints);
}

/** Refuse a configuration by which several servers are written to */
static enum mfa_rc check_writers(struct mfa_config const *config, struct mfa_diag *diag)
{
	bool const own = count_words(config->write_uri) > 0;
	unsigned const writers = count_words(own ? config->write_uri : config->uri);

	if (config->ledger_type == MFA_LEDGER_ETCD) return MFA_OK;
	if (writers <= 1 || config->several_writers == MFA_SEVERAL_ACCEPT_REPLAYS) return MFA_OK;
	mfa_diag_set(
		diag,
		"'%s' in section ldap names %u servers to write to, and each could accept the "
		"same code once: set 'write_uri' to one server ('uri' may list several to read "
		"from), set type = \"etcd\" in section ledger, or set several_writers = "
		"accept_replays",
		own ? "write_uri" : "uri", writers);
	return MFA_ERR_FORMAT;
}

/** What the table of the shared configuration cannot say */
static enum mfa_rc check_shared(struct mfa_config *config, struct mfa_diag *diag)
{
	enum mfa_rc rc = check_ledger(config, diag);

	if (rc == MFA_OK) rc = check_writers(config, diag);
	return rc == MFA_OK ? mfa_rules_complete(&config->rules, diag) : rc;
}

enum mfa_rc mfa_config_complete(void *base, struct mfa_diag *diag,
				struct mfa_config_item const *items)
{
	for (struct mfa_config_item const *item = items; item->name; item++) {
		struct mfa_config_item const *other;

		if (is_string(item) && !string_of(base, item)) {
			mfa_diag_set(diag, "'%s'%s%s must be set", item->name,
				     item->section ? " in section " : "",
				     item->section ? item->section : "");
			return MFA_ERR_FORMAT;
		}
		other = item->type == MFA_CONFIG_NAME ? same_name(base, items, item) : NULL;
		if (other) {
			mfa_diag_set(diag, "'%s' and '%s' must not be the same attribute",
				     item->name, other->name);
			return MFA_ERR_FORMAT;
		}
	}
	return items == mfa_config_items ? check_shared(base, diag) : MFA_OK;
}

void mfa_config_clear(void *base, struct mfa_config_item const *items)
{
	if (items == mfa_config_items) mfa_rules_clear(&((struct mfa_config *)base)->rules);
	for (; items->name; items++) {
		if (is_string(items)) {
			free_string(string_at(base, items));
		} else {
			*number_at(base, items) = 0;
		}
	}
}
