/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/clock.h
 * @brief The clock of time limits.
 */
#ifndef MFA_CORE_CLOCK_H
#define MFA_CORE_CLOCK_H

#include <stdint.h>

/** A clock that nobody sets, in milliseconds */
int64_t mfa_monotonic_ms(void);

#endif /* MFA_CORE_CLOCK_H */
