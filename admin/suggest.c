/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/suggest.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX 32u

static uint8_t min(unsigned a, unsigned b)
{
	return (uint8_t)(a < b ? a : b);
}

size_t mfa_cli_distance(char const *a, char const *b)
{
	size_t const a_len = strlen(a), b_len = strlen(b);
	uint8_t d[WORD_MAX + 1][WORD_MAX + 1];

	if (a_len > WORD_MAX || b_len > WORD_MAX) return 3;
	for (size_t i = 0; i <= a_len; i++) d[i][0] = (uint8_t)i;
	for (size_t j = 0; j <= b_len; j++) d[0][j] = (uint8_t)j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			unsigned const change = d[i - 1][j - 1] + (a[i - 1] != b[j - 1] ? 1u : 0u);

			d[i][j] = min(min(d[i - 1][j], d[i][j - 1]) + 1u, change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1u);
		}
	}
	return d[a_len][b_len];
}

void mfa_cli_suggest(char const **best, size_t *distance, char const *typed, char const *word)
{
	size_t const found = mfa_cli_distance(typed, word);

	if (found >= *distance || found >= strlen(word)) return;
	*distance = found;
	*best = word;
}
