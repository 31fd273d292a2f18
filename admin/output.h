/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/output.h
 * @brief Text for people and JSON for programs.
 */
#ifndef MFA_ADMIN_OUTPUT_H
#define MFA_ADMIN_OUTPUT_H

#include "admin/cli.h"

#include <jansson.h>

#define MFA_CLI_TIME_SIZE 24u //!< "2026-01-31T09:00:00Z" and NUL.

/** Write to stdout, unless JSON was asked for; cleaned, but for line breaks */
void mfa_cli_say(struct mfa_cli const *cli, char const *fmt, ...) MFA_PRINTF(2, 3);

/** Write "peruser-mfa: ..." to stderr; control characters become '?' */
void mfa_cli_warn(char const *fmt, ...) MFA_PRINTF(1, 2);

/** Write one object as a line, if JSON was asked for; takes it over in any case */
void mfa_cli_json(struct mfa_cli const *cli, json_t *object);

/** A JSON string of any bytes: what is not UTF-8 becomes '?' */
json_t *mfa_cli_json_text(struct mfa_bytes text);

/** A JSON string of a time as "2026-01-31T09:00:00Z", or null below 0 */
json_t *mfa_cli_json_time(int64_t time_s);

/** Make any bytes fit for a terminal
 *
 * Broken UTF-8 becomes '?', as do control characters and characters that are invisible or
 * turn the direction of what follows: with them a name could look like another.
 */
void mfa_cli_clean(char *out, size_t out_size, struct mfa_bytes text);

/** Write a time as "2026-01-31T09:00:00Z"; "-" below 0 */
char const *mfa_cli_time_format(char out[static MFA_CLI_TIME_SIZE], int64_t time_s);

/** Write a span of time in words: "5 s", "3 min", "2 h", "9 days" */
char const *mfa_cli_span_format(char out[static MFA_CLI_TIME_SIZE], int64_t span_s);

/** Show how far a long run is, on a terminal and not too often; NULL: wipe the line */
void mfa_cli_progress(struct mfa_cli const *cli, char const *what, uint64_t count);

/** Warn when stdout is a file that others can read; @p what stands there */
void mfa_cli_warn_if_readable(int fd, char const *what);

/** Prove that the output can be written, before something is made that is shown only once
 *
 * Writes @p title as a line, or in JSON a space, which means nothing there.
 */
bool mfa_cli_can_show(struct mfa_cli *cli, char const *title) MFA_MUST_CHECK;

/** Whether somebody still reads the output; sets cli->mute, with a message, when not */
bool mfa_cli_is_read(struct mfa_cli *cli) MFA_MUST_CHECK;

/** Flush stdout; false, with a message, when it could not be written */
bool mfa_cli_flush(void);

#endif /* MFA_ADMIN_OUTPUT_H */
