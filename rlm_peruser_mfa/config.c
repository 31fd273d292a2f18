/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/event.h"
#include "rlm_peruser_mfa/metrics.h"
#include "rlm_peruser_mfa/policy.h"
#include "rlm_peruser_mfa/reply.h"

#define AT(_type, _field) FR_CONF_OFFSET(_type, rlm_peruser_mfa_t, _field)

static CONF_PARSER const challenge_config[] = {
	{"lifetime", AT(PW_TYPE_INTEGER, lifetime_s), "120"},
	{"enroll_lifetime", AT(PW_TYPE_INTEGER, enroll_lifetime_s), "900"},
	{"attempts", AT(PW_TYPE_INTEGER, attempts), "3"},
	{"cache", AT(PW_TYPE_INTEGER, cached_records), "0"},
	{"bind", AT(PW_TYPE_STRING | PW_TYPE_XLAT, bind.fmt),
	 "%{%{NAS-Identifier}:-%{%{NAS-IP-Address}:-%{NAS-IPv6-Address}}}"},
	CONF_PARSER_TERMINATOR};

static CONF_PARSER const append_config[] = {
	{"retransmission", AT(PW_TYPE_INTEGER, retransmission_s), "10"}, CONF_PARSER_TERMINATOR};

static CONF_PARSER const remember_config[] = {
	{"lifetime", AT(PW_TYPE_INTEGER, remember_s), "0"},
	{"key", AT(PW_TYPE_STRING | PW_TYPE_XLAT, remember_key.fmt), "%{Calling-Station-Id}"},
	{"nas", AT(PW_TYPE_STRING | PW_TYPE_XLAT, remember_nas.fmt), "%{NAS-Port-Type}"},
	CONF_PARSER_TERMINATOR};

static CONF_PARSER const message_config[] = {
	{"challenge", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.challenge.fmt),
	 "Enter the %{Peruser-MFA-Digits}-digit code: "},
	{"wrong", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.wrong.fmt),
	 "Wrong code. Enter the %{Peruser-MFA-Digits}-digit code: "},
	{"rejected", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.rejected.fmt),
	 "Wrong code. Please log in again."},
	{"no_code", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.no_code.fmt),
	 "Type the code from your app behind your password."},
	{"replayed", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.replayed.fmt),
	 "This code was already used. Wait for the next one and log in again."},
	{"locked", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.locked.fmt),
	 "Too many wrong codes. Try again in %{Peruser-MFA-Wait}."},
	{"locked_forever", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.locked_forever.fmt),
	 "Too many wrong codes. Ask your help desk to unlock the account."},
	{"unenrolled", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.unenrolled.fmt),
	 "You have to set up two-factor login before you can log in."},
	{"enroll", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.enroll.fmt), ""},
	{"next", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.next.fmt),
	 "This code was already used. Enter the next %{Peruser-MFA-Digits}-digit code: "},
	{"restart", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.restart.fmt),
	 "The login took too long or was interrupted. Please log in again."},
	{"recovery", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.recovery.fmt),
	 "Recovery code accepted. Recovery codes left: %{Peruser-MFA-Recovery-Left}."},
	{"required", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.required.fmt),
	 "From %{Peruser-MFA-Required-Date} on you need two-factor login. Please set it up."},
	{"press_enter", AT(PW_TYPE_STRING | PW_TYPE_XLAT, message.press_enter.fmt),
	 " Press Enter: "},
	CONF_PARSER_TERMINATOR};

static CONF_PARSER const module_config[] = {
	{"identity", AT(PW_TYPE_STRING, identity), ""},
	{"password", AT(PW_TYPE_STRING | PW_TYPE_SECRET, password), ""},
	{"external", AT(PW_TYPE_BOOLEAN, external), "no"},
	/* A shared item, and read as one; here so that the server watches the file for HUP. */
	{"key_ring", AT(PW_TYPE_FILE_INPUT, key_ring), NULL},
	{"mode", AT(PW_TYPE_STRING, mode_name), "challenge"},
	{"separator", AT(PW_TYPE_STRING, separator), ""},
	{"unenrolled", AT(PW_TYPE_STRING, unenrolled_name), "reject"},
	{"locked", AT(PW_TYPE_STRING, locked_name), "reject"},
	{"replayed", AT(PW_TYPE_STRING, replayed_name), "reject"},
	{"rejected", AT(PW_TYPE_STRING, rejected_name), "reject"},
	{"not_found", AT(PW_TYPE_STRING, not_found_name), "reject"},
	{"eap", AT(PW_TYPE_STRING, eap_name), "require_inner"},
	{"user_dn", AT(PW_TYPE_STRING | PW_TYPE_XLAT, user_dn.full.fmt), ""},
	{"bind_users", AT(PW_TYPE_BOOLEAN, bind_users), "no"},
	{"report_only", AT(PW_TYPE_BOOLEAN, report_only), "no"},
	{"log_success", AT(PW_TYPE_BOOLEAN, log_success), "yes"},
	{"events", AT(PW_TYPE_STRING, events), "none"},
	{"metrics", AT(PW_TYPE_STRING, metrics_file), ""},
	{"challenge", FR_CONF_POINTER(PW_TYPE_SUBSECTION, NULL), (void const *)challenge_config},
	{"append", FR_CONF_POINTER(PW_TYPE_SUBSECTION, NULL), (void const *)append_config},
	{"remember", FR_CONF_POINTER(PW_TYPE_SUBSECTION, NULL), (void const *)remember_config},
	{"message", FR_CONF_POINTER(PW_TYPE_SUBSECTION, NULL), (void const *)message_config},
	CONF_PARSER_TERMINATOR};

static CONF_PARSER const *find_item(CONF_PARSER const *items, char const *name)
{
	for (; items->name; items++) {
		if (strcmp(items->name, name) == 0) return items;
	}
	return NULL;
}

/** The module's own items of a section; NULL when the section is not its own */
static CONF_PARSER const *own_items(char const *section)
{
	CONF_PARSER const *item;

	if (!section) return module_config;
	item = find_item(module_config, section);
	return item && item->type == PW_TYPE_SUBSECTION ? item->dflt : NULL;
}

/** Whether an own item's value is of its type; the server's parser does not say what is allowed */
static char const *wrong_type(CONF_PARSER const *item, char const *value)
{
	static char const *const boolean[] = {"yes", "no", "true", "false", "on", "off"};

	switch (item->type & 0xff) {
	case PW_TYPE_BOOLEAN:
		for (size_t i = 0; i < sizeof(boolean) / sizeof(boolean[0]); i++) {
			if (strcasecmp(value, boolean[i]) == 0) return NULL;
		}
		return "yes or no";
	case PW_TYPE_INTEGER:
		return value[0] && strspn(value, "0123456789") == strlen(value) ? NULL : "a number";
	default: return NULL;
	}
}

/** Check one item: known, once, and allowed */
static int take_pair(struct mfa_config *config, CONF_SECTION *cs, CONF_PAIR *cp,
		     char const *section)
{
	CONF_PARSER const *own = own_items(section);
	char const *name = cf_pair_attr(cp), *value = cf_pair_value(cp), *allowed;
	CONF_PARSER const *item;
	struct mfa_diag why;
	enum mfa_rc rc;

	if (cf_pair_find(cs, name) != cp) {
		cf_log_err_cp(cp, "'%s' is given twice", name);
		return -1;
	}
	rc = mfa_config_set(config, &why, mfa_config_items, section, name, value ? value : "");
	if (rc == MFA_OK) return 0;
	item = own ? find_item(own, name) : NULL;
	if (rc != MFA_ERR_NOT_FOUND || !item) {
		cf_log_err_cp(cp, "%s", why.text);
		return -1;
	}
	allowed = wrong_type(item, value ? value : "");
	if (!allowed) return 0;
	cf_log_err_cp(cp, "'%s' must be %s", name, allowed);
	return -1;
}

/** Take the items of a section; another one within it goes to take_sub */
static int take_items(struct mfa_config *config, CONF_SECTION *cs, char const *section,
		      int (*take_sub)(struct mfa_config *config, CONF_SECTION *cs,
				      CONF_SECTION *sub))
{
	for (CONF_ITEM *ci = cf_item_find_next(cs, NULL); ci; ci = cf_item_find_next(cs, ci)) {
		if (cf_item_is_pair(ci) &&
		    take_pair(config, cs, cf_item_to_pair(ci), section) < 0) {
			return -1;
		}
		if (cf_item_is_section(ci) && take_sub(config, cs, cf_item_to_section(ci)) < 0)
			return -1;
	}
	return 0;
}

static int refuse_section(UNUSED struct mfa_config *config, UNUSED CONF_SECTION *cs,
			  CONF_SECTION *sub)
{
	cf_log_err_cs(sub, "unknown section '%s'", cf_section_name1(sub));
	return -1;
}

/** Take a section of the instance; a section within it is refused */
static int take_section(struct mfa_config *config, CONF_SECTION *cs, CONF_SECTION *sub)
{
	char const *name = cf_section_name1(sub);

	if (strcmp(name, "pool") == 0) return 0;
	if (strcmp(name, MFA_RULE_SECTION) == 0) return peruser_policy_take(config, sub);
	if (!mfa_config_has_section(mfa_config_items, name) && !own_items(name))
		return refuse_section(config, cs, sub);
	if (cf_section_sub_find(cs, name) != sub) {
		cf_log_err_cs(sub, "section '%s' is given twice", name);
		return -1;
	}
	return take_items(config, sub, name, refuse_section);
}

/** Complain about a pair, or about the section when it is a default */
static void complain_that(CONF_SECTION *cs, char const *section, char const *name, char const *verb,
			  char const *what)
{
	CONF_SECTION *sub = section ? cf_section_sub_find(cs, section) : cs;
	CONF_PAIR *cp = sub ? cf_pair_find(sub, name) : NULL;

	if (cp) {
		cf_log_err_cp(cp, "'%s' %s %s", name, verb, what);
	} else {
		cf_log_err_cs(cs, "'%s' %s %s", name, verb, what);
	}
}

static void complain(CONF_SECTION *cs, char const *section, char const *name, char const *allowed)
{
	complain_that(cs, section, name, "must be", allowed);
}

/** The position of a word in a list, or -1 */
static int choice(char const *value, char const *const *words)
{
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], value) == 0) return i;
	}
	return -1;
}

/** How a refusal is told: by a reject, or by a challenge before it */
static int check_show(bool *show, CONF_SECTION *cs, char const *name, char const *value)
{
	static char const *const words[] = {"reject", "challenge", NULL};
	int const chosen = choice(value, words);

	if (chosen < 0) complain(cs, NULL, name, "reject or challenge");
	*show = chosen == 1;
	return chosen < 0 ? -1 : 0;
}

static int check_choices(rlm_peruser_mfa_t *inst, CONF_SECTION *cs)
{
	static char const *const mode[] = {"challenge", "append", "auto", NULL};
	static char const *const unenrolled[] = {"reject", "accept", "challenge", "enroll", NULL};
	static char const *const not_found[] = {"reject", "accept", NULL};
	int const m = choice(inst->mode_name, mode);
	int const u = choice(inst->unenrolled_name, unenrolled);
	static char const *const eap[] = {"require_inner", "identity", "certificate", NULL};
	int const n = choice(inst->not_found_name, not_found);
	int const e = choice(inst->eap_name, eap);

	if (m < 0) complain(cs, NULL, "mode", "challenge, append or auto");
	if (u < 0) complain(cs, NULL, "unenrolled", "reject, accept, challenge or enroll");
	if (n < 0) complain(cs, NULL, "not_found", "reject or accept");
	if (e < 0) complain(cs, NULL, "eap", "require_inner, identity or certificate");
	if (m < 0 || u < 0 || n < 0 || e < 0 ||
	    check_show(&inst->show_locked, cs, "locked", inst->locked_name) < 0 ||
	    check_show(&inst->show_replayed, cs, "replayed", inst->replayed_name) < 0 ||
	    check_show(&inst->show_rejected, cs, "rejected", inst->rejected_name) < 0) {
		return -1;
	}
	inst->mode = (enum mfa_mode)m;
	inst->policy.unenrolled = (enum mfa_unenrolled)u;
	inst->accept_not_found = n == 1;
	inst->eap = (enum peruser_eap)e;
	return 0;
}

static int check_ranges(rlm_peruser_mfa_t *inst, CONF_SECTION *cs)
{
	if (inst->lifetime_s < 1 || inst->lifetime_s > 600) {
		complain(cs, "challenge", "lifetime", "a number of seconds from 1 to 600");
		return -1;
	}
	if (inst->enroll_lifetime_s < 60 || inst->enroll_lifetime_s > 3600) {
		complain(cs, "challenge", "enroll_lifetime", "a number of seconds from 60 to 3600");
		return -1;
	}
	if ((inst->policy.unenrolled == MFA_UNENROLLED_ENROLL ||
	     mfa_rules_enroll(&inst->directory.config.rules)) &&
	    !inst->message.enroll.fmt[0]) {
		complain(cs, "message", "enroll",
			 "a text with the address of your page, for 'unenrolled = enroll'");
		return -1;
	}
	if (inst->attempts < 1 || inst->attempts > 10) {
		complain(cs, "challenge", "attempts", "a number from 1 to 10");
		return -1;
	}
	if (inst->retransmission_s < 1 || inst->retransmission_s > 60) {
		complain(cs, "append", "retransmission", "a number of seconds from 1 to 60");
		return -1;
	}
	if (inst->cached_records > 65536) {
		complain(cs, "challenge", "cache", "a number of records from 0 to 65536");
		return -1;
	}
	if (inst->remember_s > 31536000) {
		complain(cs, "remember", "lifetime", "a number of seconds from 0 to 31536000");
		return -1;
	}
	if (strlen(inst->separator) > 8) {
		complain(cs, NULL, "separator", "at most 8 characters");
		return -1;
	}
	if (!inst->external && (!inst->identity[0] || !inst->password[0])) {
		complain(cs, NULL, "identity", "set together with 'password', or 'external = yes'");
		return -1;
	}
	return 0;
}

/** Where an item's text is kept */
static struct peruser_text *text_of(rlm_peruser_mfa_t *inst, CONF_PARSER const *item)
{
	return (struct peruser_text *)(void *)((uint8_t *)inst + item->offset);
}

/** Take apart the texts among some items */
static int read_texts(rlm_peruser_mfa_t *inst, CONF_SECTION *cs, char const *section)
{
	for (CONF_PARSER const *item = own_items(section); item->name; item++) {
		char const *why;

		if (!(item->type & PW_TYPE_XLAT)) continue;
		if (peruser_text_read(inst, text_of(inst, item), &why) < 0) {
			complain_that(cs, section, item->name, "cannot be expanded:", why);
			return -1;
		}
	}
	return 0;
}

/** Whether a filter is one comparison with what the server knows of the user: "(uid=%{User-Name})" */
static bool compares_name_alone(char const *filter)
{
	char const *value = strchr(filter, '=');
	size_t const len = strlen(filter);

	return value && filter[0] == '(' && !strchr(filter + 1, '(') &&
	       strncmp(value, "=%{", 3) == 0 && strcmp(filter + len - 2, "})") == 0;
}

/** Take apart what says where the user is */
static int read_where(rlm_peruser_mfa_t *inst, CONF_SECTION *cs)
{
	char const *why;

	inst->base_dn.fmt = inst->directory.config.base_dn;
	if (peruser_text_read(inst, &inst->base_dn, &why) < 0) {
		complain_that(cs, "user", "base_dn", "cannot be expanded:", why);
		return -1;
	}
	if (peruser_named_read(inst, &inst->filter, inst->directory.config.filter, &why) < 0) {
		complain_that(cs, "user", "filter", "cannot be expanded:", why);
		return -1;
	}
	inst->filter_is_name = compares_name_alone(inst->directory.config.filter);
	if (peruser_named_read(inst, &inst->user_dn, inst->user_dn.full.fmt, &why) < 0) {
		complain_that(cs, NULL, "user_dn", "cannot be expanded:", why);
		return -1;
	}
	return 0;
}

/** Texts that expand to themselves must fit into an attribute, or a link would be cut off */
static int check_messages(rlm_peruser_mfa_t *inst, CONF_SECTION *cs)
{
	for (CONF_PARSER const *item = message_config; item->name; item++) {
		char const *text = text_of(inst, item)->fmt;

		if (strchr(text, '%') || strlen(text) <= PERUSER_TEXT_MAX) continue;
		complain(cs, "message", item->name, "at most 253 bytes");
		return -1;
	}
	return 0;
}

/** Take the shared items, and refuse whatever is unknown */
static int load_directory(rlm_peruser_mfa_t *inst, CONF_SECTION *cs)
{
	struct mfa_config *config = &inst->directory.config;
	struct mfa_diag why;

	if (mfa_config_defaults(config, mfa_config_items) != MFA_OK) return -1;
	if (take_items(config, cs, NULL, take_section) < 0) return -1;
	if (mfa_config_complete(config, &why, mfa_config_items) != MFA_OK) {
		cf_log_err_cs(cs, "%s", why.text);
		return -1;
	}
	return 0;
}

/** A fault of the directory that concerns no single request */
static void log_fault(char const *line)
{
	ERROR("rlm_peruser_mfa: %s", line);
}

/** Who connects: own items, so known only after they were parsed */
static void fill_store(rlm_peruser_mfa_t *inst)
{
	inst->directory.store = (struct mfa_store){.config = &inst->directory.config,
						   .account = {.identity = inst->identity,
							       .password = inst->password,
							       .external = inst->external},
						   .read_class = true,
						   .log = log_fault};
}

static void fill_policy(rlm_peruser_mfa_t *inst)
{
	struct mfa_config const *config = &inst->directory.config;
	struct mfa_policy *policy = &inst->policy;

	policy->window = config->window;
	policy->drift_max = config->drift_max;
	policy->lock_threshold = config->lock_threshold;
	policy->lock_base_s = config->lock_base_s;
	policy->lock_max_s = config->lock_max_s;
	policy->attempts = inst->attempts;
	policy->lifetime_s = inst->lifetime_s;
	policy->retransmission_s = inst->retransmission_s;
	policy->remember_s = inst->remember_s;
	policy->reads_devices = mfa_rules_remember(&config->rules);
	inst->mode_by_policy = mfa_rules_set_mode(&config->rules);
}

/** Items of the server's pool that the gate before it needs; the server checks its own */
static int read_pool(rlm_peruser_mfa_t *inst, CONF_SECTION *cs)
{
	CONF_SECTION *pool = cf_section_sub_find(cs, "pool");
	CONF_PAIR *max = pool ? cf_pair_find(pool, "max") : NULL;
	CONF_PAIR *wait = pool ? cf_pair_find(pool, "wait_ms") : NULL;
	int64_t number;

	inst->pool_max = UINT32_MAX;
	inst->pool_wait_ms = 100;
	if (max &&
	    mfa_text_number(&number, mfa_bytes_of(cf_pair_value(max)), UINT32_MAX) == MFA_OK &&
	    number > 0) {
		inst->pool_max = (uint32_t)number;
	}
	if (!wait) return 0;
	if (mfa_text_number(&number, mfa_bytes_of(cf_pair_value(wait)), 10000) != MFA_OK) {
		complain(cs, "pool", "wait_ms", "a number of milliseconds from 0 to 10000");
		return -1;
	}
	inst->pool_wait_ms = (uint32_t)number;
	return 0;
}

void peruser_config_free(rlm_peruser_mfa_t *inst)
{
	mfa_config_clear(&inst->directory.config, mfa_config_items);
}

int peruser_config_load(rlm_peruser_mfa_t *inst, CONF_SECTION *cs)
{
	struct mfa_diag why;

	/* The server parses an instance's items from the section that it started with, also when
	 * it was reloaded with a newer one; so we parse them here. */
	if (load_directory(inst, cs) < 0) return -1;
	inst->ring = peruser_ring_alloc(&why, inst->name, inst->directory.config.key_ring);
	if (why.text[0]) {
		cf_log_err_cp(cf_pair_find(cs, "key_ring"), "%s", why.text);
		if (!inst->ring) return -1;
		ERROR("%s: the keys read before stay in use until the key ring can be read",
		      inst->name);
	}
	if (cf_section_parse(cs, inst, module_config) < 0) return -1;
	fill_store(inst);
	if (read_pool(inst, cs) < 0) return -1;
	if (check_choices(inst, cs) < 0 || check_ranges(inst, cs) < 0 ||
	    check_messages(inst, cs) < 0) {
		return -1;
	}
	if (peruser_event_open(inst, &why) < 0) {
		complain_that(cs, NULL, "events", "cannot be used:", why.text);
		return -1;
	}
	if (peruser_metrics_open(inst, &why) < 0) {
		complain_that(cs, NULL, "metrics", "cannot be used:", why.text);
		return -1;
	}
	if (cf_section_parse_pass2(cs, inst, module_config) < 0) return -1;
	if (read_texts(inst, cs, "challenge") < 0 || read_texts(inst, cs, "remember") < 0 ||
	    read_texts(inst, cs, "message") < 0 || read_where(inst, cs) < 0) {
		return -1;
	}
	fill_policy(inst);
	return 0;
}
