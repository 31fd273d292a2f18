/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/setup/tool.h
 * @brief Other programs: what they are given, and what they said.
 */
#ifndef MFA_ADMIN_SETUP_TOOL_H
#define MFA_ADMIN_SETUP_TOOL_H

#include "admin/setup/setup.h"

#define MFA_TOOL_SECRET "/dev/fd/3" //!< An argument: where the program finds the secret.

/** A program's run */
struct mfa_tool {
	char const *const *argv; //!< The path first, NULL last.
	char const *input;	 //!< On its stdin; NULL: nothing.
	char const *secret;	 //!< At #MFA_TOOL_SECRET; NULL: none.
	char *output;		 //!< Its stdout and stderr, cut at #MFA_SETUP_TEXT; NULL: dropped.
};

/** Run a program to its end
 *
 * @return its exit status; 127 when it cannot be run, 128 when a signal ended it.
 */
int mfa_tool_run(struct mfa_tool const *tool);

/** Whether systemd runs this machine */
bool mfa_tool_has_systemd(void);

/** The value behind "name: " in LDIF that does not wrap, first of its kind
 *
 * @param[out] out NUL-terminated; empty when there is none or it is too long.
 */
bool mfa_tool_ldif_value(char *out, size_t out_size, char const *ldif, char const *name);

#endif /* MFA_ADMIN_SETUP_TOOL_H */
