/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/etcd_call.h
 * @brief One question to etcd: which member, with which token, until when.
 */
#ifndef MFA_CORE_ETCD_CALL_H
#define MFA_CORE_ETCD_CALL_H

#include "core/conn.h"

#include <jansson.h>

/** Whether a question that may have been carried out may be asked once more */
enum mfa_etcd_repeat {
	MFA_ETCD_HARMLESS, //!< Yes: it reads.
	MFA_ETCD_ONCE,	   //!< No: it writes.
};

/** Ask the members in turn, until one answers
 *
 * @param[out] answer to be freed by json_decref(3); NULL on failure.
 * @param[in] path of the gateway: "/v3/kv/range".
 * @return
 *	- #MFA_OK.
 *	- #MFA_ERR_UNAVAILABLE when no member answered.
 *	- #MFA_ERR_BROKEN when a member was asked #MFA_ETCD_ONCE and did not answer.
 *	- #MFA_ERR_DENIED when user or password is wrong, or the user may not do this.
 *	- #MFA_ERR_FORMAT, #MFA_ERR_SPACE (of the answer), #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_etcd_call(json_t **answer, struct mfa_diag *diag, struct mfa_conn *conn,
			  char const *path, json_t const *question, enum mfa_etcd_repeat repeat)
	MFA_MUST_CHECK;

#endif /* MFA_CORE_ETCD_CALL_H */
