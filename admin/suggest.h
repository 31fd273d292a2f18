/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/suggest.h
 * @brief The word that somebody may have meant.
 */
#ifndef MFA_ADMIN_SUGGEST_H
#define MFA_ADMIN_SUGGEST_H

#include <stddef.h>

/** How many letters must be inserted, deleted, replaced or swapped with the next one
 *
 * The optimal string alignment distance.
 *
 * @return the distance; at least 3 when a word is longer than 32 bytes.
 */
size_t mfa_cli_distance(char const *a, char const *b);

/** Keep the nearest of several words
 *
 * @param[in,out] best     NULL at first, and when no word is near.
 * @param[in,out] distance 3 at first: two mistakes are forgiven.
 */
void mfa_cli_suggest(char const **best, size_t *distance, char const *typed, char const *word);

#endif /* MFA_ADMIN_SUGGEST_H */
