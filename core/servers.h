/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/servers.h
 * @brief Which servers of a list failed a short while ago: known to all connections of a store.
 *
 * A server that failed is tried last, so that one that is gone or hangs costs one login its
 * time, and not each.  After a while one connection tries it again.
 */
#ifndef MFA_CORE_SERVERS_H
#define MFA_CORE_SERVERS_H

#include "core/store.h"

/** Whether a server should be tried before those that failed
 *
 * True for a server that has not failed; and once, for whoever asks first, when the time of a
 * failed one is over.
 *
 * @param[in] n position in the list of that side, from 0.
 */
bool mfa_server_is_good(struct mfa_store *store, enum mfa_side side, unsigned n);

/** Whether a server failed, has not been tried again since, and there is another one */
bool mfa_server_has_failed(struct mfa_store const *store, enum mfa_side side, unsigned n);

/** Remember that a server could not be reached or did not answer in time */
void mfa_server_note_failure(struct mfa_store *store, enum mfa_side side, unsigned n);

/** Remember that a server works; a change of the server is one line in the log
 *
 * @param[in] uri its URI.
 */
void mfa_server_note_success(struct mfa_store *store, enum mfa_side side, unsigned n,
			     char const *uri);

#endif /* MFA_CORE_SERVERS_H */
