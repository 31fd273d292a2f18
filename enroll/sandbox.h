/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/sandbox.h
 * @brief What a worker gives up once it has started.
 */
#ifndef MFA_ENROLL_SANDBOX_H
#define MFA_ENROLL_SANDBOX_H

#include "core/err.h"

/** Give up what is not needed from now on
 *
 * No new privileges by running a program, no core dump; a filter of system calls
 * leaves files to read, sockets, memory and time. No program can be run, no process
 * begun, no file written but those that are open. A build with SECCOMP=no has no filter.
 */
enum mfa_rc mfa_sandbox_enter(struct mfa_diag *diag) MFA_MUST_CHECK;

#endif /* MFA_ENROLL_SANDBOX_H */
