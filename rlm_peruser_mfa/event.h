/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/event.h
 * @brief Each decision as an event: docs/events.md.
 */
#ifndef PERUSER_EVENT_H
#define PERUSER_EVENT_H

#include "rlm_peruser_mfa/request.h"

/** Open what the item 'events' names
 *
 * @return 0, or -1 with the reason in @p why.
 */
int peruser_event_open(rlm_peruser_mfa_t *inst, struct mfa_diag *why);

/** Write an event about a decision; an event that cannot be written is an error in the log
 *
 * @param[in] login NULL: no entry is known.
 */
void peruser_event(rlm_peruser_mfa_t const *inst, REQUEST *request, struct mfa_login const *login,
		   enum mfa_result result, char const *reason);

#endif /* PERUSER_EVENT_H */
