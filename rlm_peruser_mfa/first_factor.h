/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/first_factor.h
 * @brief The password, checked by the module itself.
 */
#ifndef PERUSER_FIRST_FACTOR_H
#define PERUSER_FIRST_FACTOR_H

#include "rlm_peruser_mfa/request.h"

/** In authorize: have the password checked by us, when that is configured and nobody else does
 *
 * @return 1 when we will, 0, or -1.
 */
int peruser_offer_bind(rlm_peruser_mfa_t *inst, REQUEST *request);

/** In authenticate: check the password by a bind as the user; the record is read along
 *
 * @return the rcode of authenticate.
 */
rlm_rcode_t peruser_bind(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_notes *notes);

#endif /* PERUSER_FIRST_FACTOR_H */
