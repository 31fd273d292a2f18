/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/gate.h
 * @brief How many requests may wait for the directory at once.
 *
 * The server's pool refuses at once when all its connections are lent out, and would let every
 * thread wait for a directory that hangs.  So requests pass a gate first: as many as there are
 * connections go through, and the others wait a little.  When nobody has left for that long, the
 * directory hangs: others are told so at once, and their threads serve users who do not need it.
 */
#ifndef RLM_PERUSER_MFA_GATE_H
#define RLM_PERUSER_MFA_GATE_H

#include <stdbool.h>
#include <stdint.h>

/** Opaque */
struct peruser_gate;

/** Make one for at most @p max requests at once, 1 or more; NULL when memory ran out */
struct peruser_gate *peruser_gate_alloc(uint32_t max);

/** Free, when nobody is in it; sets *gate to NULL */
void peruser_gate_free(struct peruser_gate **gate);

/** Go in, and wait at most @p wait_ms until somebody leaves
 *
 * @return false when it is still full, or full and unmoved for longer than @p wait_ms: do not leave.
 */
bool peruser_gate_enter(struct peruser_gate *gate, uint32_t wait_ms);

/** Leave, and let somebody in */
void peruser_gate_leave(struct peruser_gate *gate);

#endif /* RLM_PERUSER_MFA_GATE_H */
