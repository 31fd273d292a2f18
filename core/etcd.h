/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/etcd.h
 * @brief etcd by its JSON gateway: read one key, swap one key (etcd v3.4, "API reference").
 *
 * The members of the list are tried in order, one that failed a short while ago last
 * (core/servers.h).  A member without a majority does not answer: that is a failure of it.
 * All of it ends with the time that mfa_conn_start() began.
 */
#ifndef MFA_CORE_ETCD_H
#define MFA_CORE_ETCD_H

#include "core/conn.h"

#define MFA_ETCD_VALUE_SIZE 8192u //!< Bytes of a value, NUL included.

/** What a key holds */
struct mfa_etcd_value {
	int64_t revision;		//!< mod_revision; 0: there is no such key.
	size_t len;			//!< Bytes of text.
	char text[MFA_ETCD_VALUE_SIZE]; //!< NUL-terminated.
};

/** Read a key, as a majority of the members has it
 *
 * @param[in] key NUL-terminated, without the prefix.
 * @return #MFA_OK, also when there is no such key; #MFA_ERR_UNAVAILABLE, #MFA_ERR_DENIED (wrong
 *	password, or no permission for the key), #MFA_ERR_FORMAT, #MFA_ERR_SPACE, #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_etcd_get(struct mfa_etcd_value *value, struct mfa_diag *diag, struct mfa_conn *conn,
			 char const *key) MFA_MUST_CHECK;

/** Write a key, when it still has the revision that was read
 *
 * @param[in] value its revision is what the key must have; its text is what is written.
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_CONFLICT when the key has another revision; nothing was written.
 *	- #MFA_ERR_BROKEN when a member was asked and did not answer: read again.
 *	- as mfa_etcd_get(); nothing was written.
 */
enum mfa_rc mfa_etcd_swap(struct mfa_diag *diag, struct mfa_conn *conn, char const *key,
			  struct mfa_etcd_value const *value) MFA_MUST_CHECK;

#endif /* MFA_CORE_ETCD_H */
