/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/process.h
 * @brief The process itself: its standard files, its signals, and no core dumps.
 */
#ifndef MFA_ADMIN_PROCESS_H
#define MFA_ADMIN_PROCESS_H

#include <stdbool.h>

/** Call this first, before any file is opened
 *
 * - Descriptors 0 to 2 are opened when they are closed, so that no socket gets their number
 *   and is sent what is meant for the terminal.  Nothing can be written there.
 * - A crash leaves no core file, which would hold passwords and secrets.
 * - HUP, INT, QUIT and TERM end the run after the entry in hand; a second one ends it at once.
 *   HUP stays ignored where it was, as nohup(1) does it.
 */
void mfa_cli_process_prepare(void);

/** Whether a signal asked for the end */
bool mfa_cli_interrupted(void);

/** From now on those signals change nothing: the run is about to end, and must do it in order */
void mfa_cli_process_finish(void);

#endif /* MFA_ADMIN_PROCESS_H */
