/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/options.h"

#include "admin/suggest.h"
#include "core/totp.h"

#include <stdio.h>
#include <string.h>

struct mfa_cli_option const mfa_cli_common_options[] = {
	{'c', "config", "FILE", "the shared settings (peruser_mfa.conf)", MFA_CLI_STRING,
	 MFA_CLI_AT(config), 0, 0, NULL},
	{0, "admin-config", "FILE", "our own settings; default: admin.conf beside the shared file",
	 MFA_CLI_STRING, MFA_CLI_AT(admin_config), 0, 0, NULL},
	{'H', "uri", "URI", "LDAP URI, in place of the configured ones", MFA_CLI_STRING,
	 MFA_CLI_AT(uri), 0, 0, NULL},
	{'D', "bind-dn", "DN", "bind as this entry", MFA_CLI_STRING, MFA_CLI_AT(identity), 0, 0,
	 NULL},
	{'W', "ask-password", NULL, "ask for the password", MFA_CLI_FLAG, MFA_CLI_AT(ask_password),
	 0, 0, NULL},
	{'y', "password-file", "FILE", "read the password from a file", MFA_CLI_STRING,
	 MFA_CLI_AT(password_file), 0, 0, NULL},
	{'Y', "mechanism", "EXTERNAL", "SASL mechanism, for ldapi:// or a client certificate",
	 MFA_CLI_STRING, MFA_CLI_AT(mechanism), 0, 0, NULL},
	{'x', "simple", NULL, "simple bind; the default", MFA_CLI_FLAG, MFA_CLI_AT(simple), 0, 0,
	 NULL},
	{'Z', "start-tls", NULL, "StartTLS, and no connection without it (also -ZZ)", MFA_CLI_FLAG,
	 MFA_CLI_AT(start_tls), 0, 0, NULL},
	{'j', "json", NULL, "write JSON, an object a line", MFA_CLI_FLAG, MFA_CLI_AT(json), 0, 0,
	 NULL},
	{'q', "quiet", NULL, "no progress line, no summary", MFA_CLI_FLAG, MFA_CLI_AT(quiet), 0, 0,
	 NULL},
	{'V', "version", NULL, "show the version", MFA_CLI_FLAG, MFA_CLI_AT(version), 0, 0, NULL},
	{'h', "help", NULL, "show this", MFA_CLI_FLAG, MFA_CLI_AT(help), 0, 0, NULL},
	MFA_CLI_OPTION_END,
};

void mfa_cli_args_init(struct mfa_cli_args *args)
{
	memset(args, 0, sizeof(*args));
	args->digits = MFA_TOTP_DIGITS_MIN;
	args->period_s = 30;
	args->valid_hours = 168;
}

static struct mfa_cli_option const *find_name(struct mfa_cli_option const *options,
					      struct mfa_bytes name)
{
	for (; options && options->name; options++) {
		if (mfa_bytes_equal(mfa_bytes_of(options->name), name)) return options;
	}
	return NULL;
}

static struct mfa_cli_option const *find_letter(struct mfa_cli_option const *options, char letter)
{
	for (; options && options->name; options++) {
		if (options->letter == letter) return options;
	}
	return NULL;
}

static uint32_t *number_at(struct mfa_cli_args *args, struct mfa_cli_option const *option)
{
	return (uint32_t *)(void *)((char *)args + option->offset);
}

static enum mfa_rc set_choice(struct mfa_cli_args *args, struct mfa_diag *diag,
			      struct mfa_cli_option const *option, char const *value)
{
	struct mfa_bytes rest = mfa_bytes_of(option->choices), word;

	for (uint32_t i = 0; mfa_text_word(&word, &rest); i++) {
		if (!mfa_bytes_equal(word, mfa_bytes_of(value))) continue;
		*number_at(args, option) = i;
		return MFA_OK;
	}
	mfa_diag_set(diag, "--%s must be one of: %s", option->name, option->choices);
	return MFA_ERR_FORMAT;
}

static enum mfa_rc set_value(struct mfa_cli_args *args, struct mfa_diag *diag,
			     struct mfa_cli_option const *option, char const *value)
{
	char const **string = (char const **)(void *)((char *)args + option->offset);
	int64_t number;

	switch (option->type) {
	case MFA_CLI_FLAG: (*number_at(args, option))++; return MFA_OK;
	case MFA_CLI_CHOICE: return set_choice(args, diag, option, value);
	case MFA_CLI_NUMBER:
		if (mfa_text_number(&number, mfa_bytes_of(value), option->max) != MFA_OK ||
		    number < option->min) {
			mfa_diag_set(diag, "--%s must be a number from %u to %u", option->name,
				     option->min, option->max);
			return MFA_ERR_FORMAT;
		}
		*number_at(args, option) = (uint32_t)number;
		return MFA_OK;
	case MFA_CLI_STRING: break;
	}
	if (*string) {
		mfa_diag_set(diag, "--%s is given twice", option->name);
		return MFA_ERR_FORMAT;
	}
	*string = value;
	return MFA_OK;
}

/** What is being read */
struct reader {
	struct mfa_cli_args *args;
	struct mfa_diag *diag;
	struct mfa_cli_option const *own;
	char **argv;
	int argc, next;
};

/** The argument of an option: what stands behind it, or the next word */
static enum mfa_rc take_value(struct reader *reader, struct mfa_cli_option const *option,
			      char const *attached)
{
	if (option->type == MFA_CLI_FLAG)
		return set_value(reader->args, reader->diag, option, NULL);
	if (!attached) {
		if (reader->next == reader->argc) {
			mfa_diag_set(reader->diag, "--%s needs %s", option->name, option->argument);
			return MFA_ERR_FORMAT;
		}
		attached = reader->argv[reader->next++];
	}
	return set_value(reader->args, reader->diag, option, attached);
}

static enum mfa_rc unknown_option(struct reader *reader, struct mfa_bytes name)
{
	struct mfa_cli_option const *tables[] = {reader->own, mfa_cli_common_options};
	char const *best = NULL;
	size_t distance = 3;
	char typed[64];

	(void)snprintf(typed, sizeof(typed), "%.*s", (int)name.len, (char const *)name.data);
	for (size_t i = 0; i < 2; i++) {
		for (struct mfa_cli_option const *at = tables[i]; at && at->name; at++)
			mfa_cli_suggest(&best, &distance, typed, at->name);
	}
	mfa_diag_set(reader->diag, "unknown option '--%s'%s%s%s", typed,
		     best ? "; did you mean '--" : "", best ? best : "", best ? "'?" : "");
	return MFA_ERR_FORMAT;
}

static enum mfa_rc take_long(struct reader *reader, char const *word)
{
	char const *equals = strchr(word, '=');
	struct mfa_bytes const name = {(uint8_t const *)word,
				       equals ? (size_t)(equals - word) : strlen(word)};
	struct mfa_cli_option const *option = find_name(reader->own, name);

	if (!option) option = find_name(mfa_cli_common_options, name);
	if (!option) return unknown_option(reader, name);
	if (equals && option->type == MFA_CLI_FLAG) {
		mfa_diag_set(reader->diag, "--%s takes no value", option->name);
		return MFA_ERR_FORMAT;
	}
	return take_value(reader, option, equals ? equals + 1 : NULL);
}

/** One or several letters behind a dash, the last of which may have a value */
static enum mfa_rc take_letters(struct reader *reader, char const *letter)
{
	enum mfa_rc rc = MFA_OK;

	for (; *letter && rc == MFA_OK; letter++) {
		struct mfa_cli_option const *option = find_letter(reader->own, *letter);

		if (!option) option = find_letter(mfa_cli_common_options, *letter);
		if (!option) {
			mfa_diag_set(reader->diag, "unknown option '-%c'", *letter);
			return MFA_ERR_FORMAT;
		}
		if (option->type != MFA_CLI_FLAG)
			return take_value(reader, option, letter[1] ? letter + 1 : NULL);
		rc = take_value(reader, option, NULL);
	}
	return rc;
}

enum mfa_rc mfa_cli_options_parse(struct mfa_cli_args *args, struct mfa_diag *diag, int *argc,
				  char **argv, struct mfa_cli_option const *own)
{
	struct reader reader = {args, diag, own, argv, *argc, 0};
	enum mfa_rc rc = MFA_OK;
	int operands = 0;

	while (rc == MFA_OK && reader.next < reader.argc) {
		char *word = argv[reader.next++];

		if (strcmp(word, "--") == 0) {
			while (reader.next < reader.argc) argv[operands++] = argv[reader.next++];
		} else if (word[0] == '-' && word[1] == '-') {
			rc = take_long(&reader, word + 2);
		} else if (word[0] == '-' && word[1]) {
			rc = take_letters(&reader, word + 1);
		} else {
			argv[operands++] = word;
			if (own) continue;
			while (reader.next < reader.argc) argv[operands++] = argv[reader.next++];
		}
	}
	*argc = operands;
	return rc;
}

void mfa_cli_options_print(struct mfa_cli_option const *options)
{
	for (; options && options->name; options++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "%c%c%s--%s%s%s", options->letter ? '-' : ' ',
			       options->letter ? options->letter : ' ',
			       options->letter ? ", " : "  ", options->name,
			       options->argument ? " " : "",
			       options->argument ? options->argument : "");
		(void)printf("  %-28s %s\n", left, options->help);
	}
}
