/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/doctor.h
 * @brief The parts of check: each looks at one thing and prints lines.
 */
#ifndef MFA_ADMIN_DOCTOR_H
#define MFA_ADMIN_DOCTOR_H

#include "admin/cli.h"

#include <ldap.h>

/** How a line ends */
enum mfa_cli_health {
	MFA_CLI_OK,
	MFA_CLI_WARNING, //!< Works, and should be looked at.
	MFA_CLI_WRONG,	 //!< Does not work, or is not safe.
	MFA_CLI_HEALTH_COUNT
};

/** A visit of the doctor */
struct mfa_cli_doctor {
	struct mfa_cli *cli;
	LDAP *handle; //!< Bound as the administrator; NULL: not connected.
	unsigned lines[MFA_CLI_HEALTH_COUNT];
	char test_dn[1024]; //!< An entry to try things on; empty: none was found.
};

/** Print one line: what was looked at, how it is, what to do */
void mfa_cli_doctor_say(struct mfa_cli_doctor *doctor, enum mfa_cli_health health, char const *what,
			char const *fmt, ...) MFA_PRINTF(4, 5);

/** Modes and owners of files, key ring, and TLS as configured */
void mfa_cli_doctor_files(struct mfa_cli_doctor *doctor);

/** The module on this machine against the server on this machine */
void mfa_cli_doctor_module(struct mfa_cli_doctor *doctor);

/** Schema, extensions, index, and clock of the directory */
void mfa_cli_doctor_directory(struct mfa_cli_doctor *doctor);

/** Whether others can do what they must not, and our programs what they must */
void mfa_cli_doctor_access(struct mfa_cli_doctor *doctor);

/** Search one entry for some attributes; NULL when there is none */
LDAPMessage *mfa_cli_doctor_read(LDAP *handle, char const *dn, char const *filter,
				 char const *const *attrs);

#endif /* MFA_ADMIN_DOCTOR_H */
