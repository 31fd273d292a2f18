/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/lang.h"

#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The first one is that of the texts in the source. */
static char const *const languages[] = {"en", "cs", "de", "es", "fr", "it",
					"ja", "nl", "pl", "pt", "sv"};
#define LANGUAGES (sizeof(languages) / sizeof(languages[0]))

/* gettext's own: says that LANGUAGE has changed since it looked last. */
extern int
	_nl_msg_cat_cntr; /* NOLINT(bugprone-reserved-identifier,readability-identifier-naming) */

void mfa_lang_use(char const *lang)
{
	(void)setenv("LANGUAGE", lang, 1); /* NOLINT(concurrency-mt-unsafe) one thread */
	_nl_msg_cat_cntr++;
}

void mfa_lang_init(char const *locale_dir)
{
	/* Any locale but "C" makes gettext look at LANGUAGE; this one needs no installation. */
	(void)setlocale(LC_MESSAGES, "C.UTF-8"); /* NOLINT(concurrency-mt-unsafe) one thread */
	/* For small and capital letters in user names. */
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* NOLINT(concurrency-mt-unsafe) one thread */
	(void)bindtextdomain(MFA_LANG_DOMAIN, locale_dir);
	(void)bind_textdomain_codeset(MFA_LANG_DOMAIN, "UTF-8");
	(void)textdomain(MFA_LANG_DOMAIN);
	for (size_t i = LANGUAGES; i > 0; i--) {
		mfa_lang_use(languages[i - 1]);
		(void)_("Sign in");
	}
}

/** The quality in thousandths; 0 when it cannot be read */
static int quality(char const *item, size_t len)
{
	char const *q = memmem(item, len, ";q=", 3);
	int value = 0, scale = 1000;

	if (!q) return 1000;
	q += 3;
	for (; q < item + len && scale > 0; q++) {
		if (*q == '.') continue;
		if (*q < '0' || *q > '9') break;
		value += (*q - '0') * scale;
		scale /= 10;
	}
	return value > 1000 ? 0 : value;
}

static bool names(char const *item, size_t len, char const *lang)
{
	size_t const lang_len = strlen(lang);

	if (len < lang_len || strncasecmp(item, lang, lang_len) != 0) return false;
	return len == lang_len || strchr("-; \t", item[lang_len]) != NULL;
}

char const *mfa_lang_choose(char const *header)
{
	char const *best = languages[0];
	int best_quality = 0;

	while (header && *header) {
		size_t const len = strcspn(header, ",");
		size_t const blank = strspn(header, " \t");
		size_t const skip = blank < len ? blank : len;

		for (size_t i = 0; i < LANGUAGES; i++) {
			if (!names(header + skip, len - skip, languages[i])) continue;
			if (quality(header + skip, len - skip) <= best_quality) continue;
			best_quality = quality(header + skip, len - skip);
			best = languages[i];
		}
		header += len + (header[len] == ',' ? 1 : 0);
	}
	return best;
}
