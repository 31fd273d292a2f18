/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/compat.h
 * @brief What FreeRADIUS 3.0 (from 3.0.21 on) lacks beside 3.2.
 */
#ifndef RLM_PERUSER_MFA_COMPAT_H
#define RLM_PERUSER_MFA_COMPAT_H

#include <freeradius/radiusd.h>

/* RADIUSD_VERSION is 030201 for 3.2.1, which C reads as octal, and 030028 as an error. */
#define PERUSER_AS_HEX(_digits)	    0x##_digits
#define PERUSER_VERSION_OF(_digits) PERUSER_AS_HEX(_digits)

#if PERUSER_VERSION_OF(RADIUSD_VERSION) < 0x030200
/** Delete all pairs of an attribute, whatever their tag */
static inline void fr_pair_delete_by_da(VALUE_PAIR **list, DICT_ATTR const *da)
{
	fr_pair_delete_by_num(list, da->attr, da->vendor, TAG_ANY);
}
#endif

/** Keep an attribute's values out of debug output; 3.0.21 shows them, as it shows passwords */
static inline void peruser_flag_secret(ATTR_FLAGS *flags, bool secret)
{
#if PERUSER_VERSION_OF(RADIUSD_VERSION) >= 0x030026
	flags->secret = secret;
#else
	(void)flags;
	(void)secret;
#endif
}

#endif /* RLM_PERUSER_MFA_COMPAT_H */
