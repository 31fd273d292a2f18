/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/config.h"

#include <confuse.h>
#include <openssl/crypto.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTS_MAX 96u
#define END	 "end of the file" /* put behind it: libconfuse takes a section that is not closed */

/** What is being read; libconfuse's callbacks have no place for a pointer of our own */
struct reading {
	void *base;
	struct mfa_diag *diag;
	struct mfa_config_item const *items;
	char const *name; //!< Of the file; libconfuse forgets it.
	bool failed;
	bool seen[OPTS_MAX];	  //!< By position in items.
	bool seen_rule[OPTS_MAX]; //!< The same in mfa_rule_items, of the present rule.
};

static _Thread_local struct reading *reading;

/** The first problem is the one to mend; what follows is often its echo */
static void MFA_PRINTF(2, 0) report(cfg_t *cfg, char const *fmt, va_list args)
{
	char text[MFA_DIAG_SIZE / 2];

	if (reading->failed) return;
	reading->failed = true;
	(void)vsnprintf(text, sizeof(text), fmt, args);
	if (strstr(text, "'" END "'"))
		(void)snprintf(text, sizeof(text), "section '%s' is not closed", cfg_name(cfg));
	mfa_diag_set(reading->diag, "%s:%d: %s", reading->name, cfg->line, text);
}

/** Note that an item was read; false when it was read before */
static bool note_item(bool *seen, struct mfa_config_item const *items, char const *section,
		      char const *name)
{
	for (size_t i = 0; items[i].name; i++) {
		if (strcmp(items[i].name, name) != 0 || !items[i].section != !section ||
		    (section && strcmp(items[i].section, section) != 0)) {
			continue;
		}
		if (seen[i]) return false;
		seen[i] = true;
	}
	return true;
}

/** Take one item as soon as it was read, while the line number is right */
static int take(cfg_t *cfg, cfg_opt_t *opt)
{
	char const *section = strcmp(cfg_name(cfg), "root") == 0 ? NULL : cfg_name(cfg);
	char const *value = cfg_opt_getnstr(opt, 0);
	struct mfa_diag why;

	if (!note_item(reading->seen, reading->items, section, opt->name)) {
		cfg_error(cfg, "'%s' is given twice", opt->name);
		return -1;
	}
	if (mfa_config_set(reading->base, &why, reading->items, section, opt->name,
			   value ? value : "") != MFA_OK) {
		cfg_error(cfg, "%s", why.text);
		return -1;
	}
	return 0;
}

static struct mfa_rules *rules_read(void)
{
	return &((struct mfa_config *)reading->base)->rules;
}

/** Begin a rule of the policy, where this is not the present one already */
static bool begin_rule(cfg_t *cfg, char const *title)
{
	struct mfa_rules *rules = rules_read();
	struct mfa_diag why = {.text = "out of memory"};

	if (rules->count > 0 && strcmp(rules->list[rules->count - 1].name, title) == 0) return true;
	memset(reading->seen_rule, 0, sizeof(reading->seen_rule));
	if (mfa_rules_add(rules, &why, title) == MFA_OK) return true;
	cfg_error(cfg, "%s", why.text);
	return false;
}

/** Take one item of a rule */
static int take_of_rule(cfg_t *cfg, cfg_opt_t *opt)
{
	char const *value = cfg_opt_getnstr(opt, 0);
	struct mfa_diag why;

	if (!begin_rule(cfg, cfg_title(cfg))) return -1;
	if (!note_item(reading->seen_rule, mfa_rule_items, MFA_RULE_SECTION, opt->name)) {
		cfg_error(cfg, "'%s' is given twice", opt->name);
		return -1;
	}
	if (mfa_rules_set(rules_read(), &why, opt->name, value ? value : "") == MFA_OK) return 0;
	cfg_error(cfg, "%s", why.text);
	return -1;
}

/** The end of a rule: one without items was not begun yet */
static int take_rule(cfg_t *cfg, cfg_opt_t *opt)
{
	return begin_rule(cfg, cfg_title(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1))) ? 0 : -1;
}

/** libconfuse's description of what the table allows */
struct grammar {
	cfg_opt_t top[OPTS_MAX];
	cfg_opt_t inner[OPTS_MAX]; //!< Options of all sections, each group closed by an end mark.
	cfg_opt_t rule[OPTS_MAX];  //!< Options of a rule of the policy.
	size_t top_count, inner_count, rule_count;
};

static void append(cfg_opt_t *list, size_t *count, cfg_opt_t option)
{
	cfg_opt_t const end = CFG_END();

	list[*count] = option;
	list[++*count] = end;
}

/** Options of one section, or of the top level */
static void append_items(cfg_opt_t *list, size_t *count, struct mfa_config_item const *items,
			 char const *section, cfg_validate_callback_t taker)
{
	for (; items->name; items++) {
		cfg_opt_t option = CFG_STR(items->name, NULL, CFGF_NODEFAULT);

		if (!items->section != !section ||
		    (section && strcmp(items->section, section) != 0)) {
			continue;
		}
		option.validcb = taker;
		append(list, count, option);
	}
}

/** Whether this item is the first of its section; items of a section stand together */
static bool begins_section(struct mfa_config_item const *items, size_t i)
{
	return items[i].section && (i == 0 || !items[i - 1].section ||
				    strcmp(items[i - 1].section, items[i].section) != 0);
}

/** The sections `policy NAME { }` */
static void describe_rules(struct grammar *grammar)
{
	cfg_opt_t section = CFG_SEC(MFA_RULE_SECTION, grammar->rule,
				    CFGF_TITLE | CFGF_MULTI | CFGF_NO_TITLE_DUPES);

	append_items(grammar->rule, &grammar->rule_count, mfa_rule_items, MFA_RULE_SECTION,
		     take_of_rule);
	section.validcb = take_rule;
	append(grammar->top, &grammar->top_count, section);
}

static bool describe(struct grammar *grammar, struct mfa_config_item const *items)
{
	size_t sections = 0, total;

	for (total = 0; items[total].name; total++)
		sections += begins_section(items, total) ? 1 : 0;
	if (total + sections + 3 >= OPTS_MAX) return false;

	append(grammar->top, &grammar->top_count, (cfg_opt_t)CFG_STR(END, NULL, CFGF_NODEFAULT));
	append_items(grammar->top, &grammar->top_count, items, NULL, take);
	for (size_t i = 0; i < total; i++) {
		cfg_opt_t *start = &grammar->inner[grammar->inner_count];

		if (!begins_section(items, i)) continue;
		append_items(grammar->inner, &grammar->inner_count, items, items[i].section, take);
		grammar->inner_count++; /* keep the end mark */
		append(grammar->top, &grammar->top_count,
		       (cfg_opt_t)CFG_SEC(items[i].section, start, CFGF_NODEFAULT));
	}
	if (items == mfa_config_items) describe_rules(grammar);
	return true;
}

/** Let libconfuse read; every item goes through take() */
static enum mfa_rc parse(struct grammar *grammar, char const *text)
{
	cfg_t *cfg = cfg_init(grammar->top, CFGF_NONE);

	if (!cfg) return MFA_ERR_NOMEM;
	(void)cfg_set_error_function(cfg, report);
	if (cfg_parse_buf(cfg, text) != CFG_SUCCESS && !reading->failed) {
		reading->failed = true;
		mfa_diag_set(reading->diag, "%s: cannot be parsed", reading->name);
	}
	(void)cfg_free(cfg);
	return reading->failed ? MFA_ERR_FORMAT : MFA_OK;
}

/** Refuse "${...}": the server would put its own variable there, libconfuse the environment's */
static enum mfa_rc refuse_variables(struct mfa_diag *diag, char const *text, char const *name)
{
	unsigned line = 1;

	while (*text) {
		size_t const len = strcspn(text, "\n");
		size_t const blank = strspn(text, " \t");

		if (text[blank] != '#' && memmem(text, len, "${", 2)) {
			mfa_diag_set(diag, "%s:%u: write the value itself, not a variable", name,
				     line);
			return MFA_ERR_FORMAT;
		}
		text += len + (text[len] ? 1 : 0);
		line++;
	}
	return MFA_OK;
}

/** A copy with the end marked, without the lines that are comments: libconfuse counts those twice */
static char *prepare(char const *text)
{
	size_t const text_len = strlen(text);
	char const *newline = text_len > 0 && text[text_len - 1] != '\n' ? "\n" : "";
	char *copy;

	if (asprintf(&copy, "%s%s\"" END "\" = \"\"\n", text, newline) < 0) return NULL;
	for (char *line = copy; *line;) {
		size_t const len = strcspn(line, "\n");

		if (line[strspn(line, " \t")] == '#') memset(line, ' ', len);
		line += len + (line[len] ? 1 : 0);
	}
	return copy;
}

enum mfa_rc mfa_config_parse(void *base, struct mfa_diag *diag, struct mfa_config_item const *items,
			     char const *text, char const *name)
{
	struct reading now = {.base = base, .diag = diag, .items = items, .name = name};
	struct grammar *grammar = calloc(1, sizeof(*grammar));
	char *plain = prepare(text);
	struct mfa_diag why;
	enum mfa_rc rc = grammar && plain ? mfa_config_defaults(base, items) : MFA_ERR_NOMEM;

	if (rc == MFA_OK && !describe(grammar, items)) rc = MFA_ERR_SPACE;
	if (rc == MFA_OK) rc = refuse_variables(diag, text, name);
	if (rc == MFA_OK) {
		reading = &now;
		rc = parse(grammar, plain);
		reading = NULL;
	}
	free(grammar);
	if (plain) OPENSSL_cleanse(plain, strlen(plain)); /* passwords stand in these files */
	free(plain);
	if (rc != MFA_OK) return rc;
	rc = mfa_config_complete(base, &why, items);
	if (rc != MFA_OK) mfa_diag_set(diag, "%s: %s", name, why.text);
	return rc;
}

enum mfa_rc mfa_config_read(void *base, struct mfa_diag *diag, struct mfa_config_item const *items,
			    char const *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t len;
	enum mfa_rc rc = MFA_ERR_NOMEM;

	if (!file) {
		mfa_diag_set(diag, "%s: cannot be opened%s", path,
			     errno == EACCES ? ": permission denied" : "");
		return MFA_ERR_NOT_FOUND;
	}
	text = malloc(MFA_CONFIG_FILE_MAX + 1);
	if (!text) goto out;
	len = fread(text, 1, MFA_CONFIG_FILE_MAX + 1, file);
	if (len > MFA_CONFIG_FILE_MAX) {
		mfa_diag_set(diag, "%s: larger than %u bytes", path, MFA_CONFIG_FILE_MAX);
		rc = MFA_ERR_SPACE;
		goto out;
	}
	text[len] = '\0';
	if (ferror(file)) {
		mfa_diag_set(diag, "%s: cannot be read", path);
		rc = MFA_ERR_NOT_FOUND;
	} else if (strlen(text) != len) {
		mfa_diag_set(diag, "%s: a NUL byte in it", path);
		rc = MFA_ERR_FORMAT;
	} else {
		rc = mfa_config_parse(base, diag, items, text, path);
	}
	OPENSSL_cleanse(text, len); /* passwords stand in these files */
out:
	free(text);
	(void)fclose(file);
	return rc;
}
