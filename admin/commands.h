/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/commands.h
 * @brief The subcommands, one file each.
 */
#ifndef MFA_ADMIN_COMMANDS_H
#define MFA_ADMIN_COMMANDS_H

#include "admin/options.h"

extern struct mfa_cli_command const mfa_cli_status, mfa_cli_list, mfa_cli_report, mfa_cli_metrics,
	mfa_cli_enroll, mfa_cli_invite, mfa_cli_require, mfa_cli_suspend, mfa_cli_resume,
	mfa_cli_reset, mfa_cli_unlock, mfa_cli_policy, mfa_cli_recovery, mfa_cli_verify,
	mfa_cli_import, mfa_cli_export, mfa_cli_keygen, mfa_cli_keys, mfa_cli_rekey, mfa_cli_check,
	mfa_cli_device_command, mfa_cli_trusted, mfa_cli_setup, mfa_cli_ledger;

#endif /* MFA_ADMIN_COMMANDS_H */
