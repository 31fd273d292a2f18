/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/eap.h
 * @brief Where an EAP conversation is decided: where the password is.
 *
 * With a tunnel the outer name proves nothing: the inner one is whose password was verified.  So
 * an instance in the inner tunnel decides, and leaves a mark in the session-state list of the
 * request around it.  The list stays on the server; the supplicant cannot write it.
 */
#ifndef PERUSER_EAP_H
#define PERUSER_EAP_H

#include "rlm_peruser_mfa/request.h"

/** Where a request that a first factor accepted is decided */
enum peruser_eap_place {
	PERUSER_EAP_HERE,      //!< By this instance, upon the name in this request.
	PERUSER_EAP_ELSEWHERE, //!< It was decided in the tunnel, or by a certificate.
	PERUSER_EAP_NOWHERE,   //!< Nobody did: it must be refused.
};

/** Tell where a request is decided
 *
 * @param[out] why for the log, when it is nowhere.
 */
enum peruser_eap_place peruser_eap_place(rlm_peruser_mfa_t *inst, REQUEST *request,
					 char const **why);

/** Note for the request around this one, if any, that its inner request was decided and accepted */
void peruser_eap_decided(REQUEST *request);

/** Show the mark to the TLS session cache, which takes it out of the reply
 *
 * PEAP ends in a packet of its own, after the one in which the tunnel was decided.
 */
void peruser_eap_carry(REQUEST *request);

#endif /* PERUSER_EAP_H */
