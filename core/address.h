/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/address.h
 * @brief Network addresses and prefixes, and the visitor behind proxies that are trusted.
 */
#ifndef MFA_CORE_ADDRESS_H
#define MFA_CORE_ADDRESS_H

#include "core/text.h"

#define MFA_ADDRESS_TEXT_SIZE 64u //!< An address or a prefix, NUL included.
#define MFA_PREFIXES_MAX      32u //!< Trusted networks.

/** An address; an IPv4 one is kept as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2) */
struct mfa_address {
	bool known;
	uint8_t bytes[16];
};

/** Networks: an address and how many of its bits count */
struct mfa_prefixes {
	size_t count;
	struct {
		struct mfa_address address;
		unsigned bits; //!< Of 128.
	} list[MFA_PREFIXES_MAX];
};

/** Read an address
 *
 * "192.0.2.1", "2001:db8::1", "[2001:db8::1]:443", "192.0.2.1:443".  IPv4 addresses within IPv6
 * (::ffff:0:0/96, and 64:ff9b::/96 of RFC 6052) become IPv4.
 *
 * @param[out] address not known when it is none.
 */
void mfa_address_parse(struct mfa_address *address, struct mfa_bytes text);

bool mfa_address_is_loopback(struct mfa_address const *address);

/** Write an address; "unknown" when it is not known
 *
 * @param[in] bits of an IPv6 address that are kept, the rest becomes 0; IPv4 is written whole.
 */
void mfa_address_format(char out[static MFA_ADDRESS_TEXT_SIZE], struct mfa_address const *address,
			unsigned bits);

/** Whether it is IPv4 */
bool mfa_address_is_four(struct mfa_address const *address);

/** Read a list of addresses and networks, separated by blanks or commas
 *
 * @param[in] text "127.0.0.1 10.1.0.0/16, 2001:db8::/48".
 * @return #MFA_OK; #MFA_ERR_FORMAT when one is none, #MFA_ERR_SPACE when there are too many.
 */
enum mfa_rc mfa_prefixes_parse(struct mfa_prefixes *prefixes, char const *text) MFA_MUST_CHECK;

/** Whether an address is in one of the networks; one that is not known is in none */
bool mfa_prefixes_hold(struct mfa_prefixes const *prefixes, struct mfa_address const *address);

/** The visitor behind trusted proxies
 *
 * Each proxy adds the address that it was called from at the end of the list.  So the list is read from
 * its end, and the first address that is no trusted proxy is the visitor: what stands before it was
 * sent by the visitor and is not believed.
 *
 * @param[in,out] address in: who connected; out: the visitor.
 * @param[in] list	  X-Forwarded-For; empty: none.
 */
void mfa_address_behind(struct mfa_address *address, struct mfa_prefixes const *trusted,
			char const *list);

#endif /* MFA_CORE_ADDRESS_H */
