/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/attr.h
 * @brief The attributes of the record: one table, from which everything else follows.
 *
 * The settings, the readers, the module's dictionary and the checks of a running directory
 * use this table.  Schema packs, access rules, docs/record.md and peruser_mfa.conf are
 * compared with it by tools/check_attrs.py, which reads the rows below.
 */
#ifndef MFA_CORE_ATTR_H
#define MFA_CORE_ATTR_H

#include <stdbool.h>
#include <stdint.h>

#define MFA_SECRETS_MAX	   5u  //!< Devices of one user.
#define MFA_RECOVERY_COUNT 10u //!< Recovery codes in a set.
#define MFA_DEVICES_MAX	   20u //!< Remembered devices of one user.

/** A row: X(ID, item, name, name in FreeRADIUS, values, secret, user, RADIUS, page)
 *
 * item    its item in attribute { }; name: what it is called unless that says otherwise.
 * values  how many there may be; 1: the schema allows one only.
 * secret  never shown, never logged.
 * The rest is what each account may do: "r" read, "w" write, "d" delete values only.
 * Administrators may do everything.
 */
/* clang-format off */
#define MFA_ATTRS(X) \
	X(ENABLED, "enabled", "peruserMfaEnabled", "Peruser-MFA-Enabled", 1, false, "r", "r", "rw") \
	X(SECRET, "secret", "peruserMfaSecret", "Peruser-MFA-Secret", MFA_SECRETS_MAX, true, "", "r", "rw") \
	X(REQUIRED_FROM, "required_from", "peruserMfaRequiredFrom", "Peruser-MFA-Required-From", 1, false, "", "r", "r") \
	X(LAST_USE, "last_use", "peruserMfaLastUse", "Peruser-MFA-Last-Use", 1, false, "", "rw", "rw") \
	X(FAILURES, "failures", "peruserMfaFailures", "Peruser-MFA-Failures", 1, false, "", "rw", "rw") \
	X(RECOVERY_CODE, "recovery_code", "peruserMfaRecoveryCode", "Peruser-MFA-Recovery-Code", MFA_RECOVERY_COUNT, true, "", "rd", "rw") \
	X(VOUCHER, "voucher", "peruserMfaVoucher", "Peruser-MFA-Voucher", 1, true, "", "r", "rd") \
	X(TRUSTED_DEVICE, "trusted_device", "peruserMfaTrustedDevice", "Peruser-MFA-Trusted-Device", MFA_DEVICES_MAX, true, "", "rw", "rd")
/* clang-format on */

/** The attributes; names are the site's (struct mfa_config) */
enum mfa_attr {
#define MFA_ATTR_ID(_id, ...) MFA_ATTR_##_id,
	MFA_ATTRS(MFA_ATTR_ID)
#undef MFA_ATTR_ID
	MFA_ATTR_COUNT
};

#define MFA_ATTR_BIT(_attr) (1u << (_attr)) //!< For a set of them.

/** What the table says about one */
struct mfa_attr_info {
	char const *name;	 //!< Unless the settings say otherwise.
	char const *radius_name; //!< In FreeRADIUS, where a site maps it.
	uint32_t values;	 //!< How many there may be.
	bool secret;		 //!< Never shown, never logged.
};

extern struct mfa_attr_info const mfa_attrs[MFA_ATTR_COUNT];

/** Whether it holds one value: to add one is then the compare and swap of a first value */
bool mfa_attr_is_single(enum mfa_attr attr);

#endif /* MFA_CORE_ATTR_H */
