/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/doctor/doctor.h
 * @brief The parts of check: each looks at one thing and prints lines.
 */
#ifndef MFA_ADMIN_DOCTOR_DOCTOR_H
#define MFA_ADMIN_DOCTOR_DOCTOR_H

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
	uint64_t users;	      //!< That were found.
	bool test_has_secret; //!< The entry below has one.
	char test_dn[1024];   //!< An entry to try things on; empty: none was found.
};

/** Print one line: what was looked at, how it is, what to do */
void mfa_cli_doctor_say(struct mfa_cli_doctor *doctor, enum mfa_cli_health health, char const *what,
			char const *fmt, ...) MFA_PRINTF(4, 5);

/** Modes and owners of files, key ring, and TLS as configured */
void mfa_cli_doctor_files(struct mfa_cli_doctor *doctor);

/** Each member of etcd, where the ledger is there: whether it answers, and what we may do */
void mfa_cli_doctor_ledger(struct mfa_cli_doctor *doctor);

/** The module on this machine against the server on this machine */
void mfa_cli_doctor_module(struct mfa_cli_doctor *doctor);

/** Schema, extensions, index, and clock of the directory */
void mfa_cli_doctor_directory(struct mfa_cli_doctor *doctor);

/** Whether the attribute that users are searched by has an index for equality
 *
 * As the directory's configuration says; where this account cannot read that, it is not known.
 *
 * @param[in] root the root DSE with namingContexts and schemaNamingContext.
 */
void mfa_cli_doctor_index(struct mfa_cli_doctor *doctor, LDAPMessage *root);

/** Whether others can do what they must not, and our programs what they must */
void mfa_cli_doctor_access(struct mfa_cli_doctor *doctor);

/** Search for the one entry there is; NULL when there is none, or several */
LDAPMessage *mfa_cli_doctor_search(LDAP *handle, char const *dn, int scope, char const *filter,
				   char const *const *attrs);

/** Read some attributes of one entry; NULL when it cannot be read */
LDAPMessage *mfa_cli_doctor_read(LDAP *handle, char const *dn, char const *const *attrs);

/** The n-th value of an attribute as a C string; false when there are not so many */
bool mfa_cli_doctor_value(char *out, size_t out_size, LDAP *handle, LDAPMessage *result,
			  char const *attr, int n);

/** The naming context that holds the users; false when none does */
bool mfa_cli_doctor_suffix(char *out, size_t out_size, struct mfa_cli_doctor *doctor,
			   LDAPMessage *root);

#endif /* MFA_ADMIN_DOCTOR_DOCTOR_H */
