/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/address.h"

#include <openssl/crypto.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define SEPARATORS ", \t"

static uint8_t const four_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static uint8_t const nat64_prefix[12] = {0x00, 0x64, 0xff, 0x9b};

/** Take a port and brackets away; false when what is left is too long for an address */
static bool bare(char out[static MFA_ADDRESS_TEXT_SIZE], struct mfa_bytes text)
{
	uint8_t const *end;

	if (text.len > 0 && text.data[0] == '[') {
		text.data++;
		text.len--;
		end = memchr(text.data, ']', text.len);
		if (!end) return false;
		text.len = (size_t)(end - text.data);
	} else if (text.len > 0 && memchr(text.data, '.', text.len)) {
		end = memrchr(text.data, ':', text.len);
		/* In ::ffff:192.0.2.1 the last colon comes before the dots. */
		if (end && !memchr(end, '.', (size_t)(text.data + text.len - end)))
			text.len = (size_t)(end - text.data);
	}
	if (text.len >= MFA_ADDRESS_TEXT_SIZE) return false;
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';
	return text.len > 0;
}

void mfa_address_parse(struct mfa_address *address, struct mfa_bytes text)
{
	char plain[MFA_ADDRESS_TEXT_SIZE];

	memset(address, 0, sizeof(*address));
	if (!bare(plain, text)) return;
	if (inet_pton(AF_INET, plain, &address->bytes[12]) == 1) {
		memcpy(address->bytes, four_prefix, sizeof(four_prefix));
		address->known = true;
	} else if (inet_pton(AF_INET6, plain, address->bytes) == 1) {
		address->known = true;
		if (CRYPTO_memcmp(address->bytes, nat64_prefix, sizeof(nat64_prefix)) == 0)
			memcpy(address->bytes, four_prefix, sizeof(four_prefix));
	} else {
		memset(address, 0, sizeof(*address));
	}
}

bool mfa_address_is_four(struct mfa_address const *address)
{
	return address->known &&
	       CRYPTO_memcmp(address->bytes, four_prefix, sizeof(four_prefix)) == 0;
}

bool mfa_address_is_loopback(struct mfa_address const *address)
{
	uint8_t const loopback[16] = {[15] = 1};

	if (mfa_address_is_four(address)) return address->bytes[12] == 127;
	return address->known && CRYPTO_memcmp(address->bytes, loopback, sizeof(loopback)) == 0;
}

void mfa_address_format(char out[static MFA_ADDRESS_TEXT_SIZE], struct mfa_address const *address,
			unsigned bits)
{
	uint8_t kept[16] = {0};

	(void)snprintf(out, MFA_ADDRESS_TEXT_SIZE, "unknown");
	if (!address->known) return;
	if (mfa_address_is_four(address)) {
		(void)inet_ntop(AF_INET, &address->bytes[12], out, MFA_ADDRESS_TEXT_SIZE);
		return;
	}
	memcpy(kept, address->bytes, bits / 8);
	(void)inet_ntop(AF_INET6, kept, out, MFA_ADDRESS_TEXT_SIZE);
}

/** Read one network */
static enum mfa_rc add_prefix(struct mfa_prefixes *prefixes, struct mfa_bytes text)
{
	uint8_t const *slash = memchr(text.data, '/', text.len);
	struct mfa_bytes address = text, bits;
	int64_t number = 128;

	if (prefixes->count == MFA_PREFIXES_MAX) return MFA_ERR_SPACE;
	if (slash) address.len = (size_t)(slash - text.data);
	mfa_address_parse(&prefixes->list[prefixes->count].address, address);
	if (!prefixes->list[prefixes->count].address.known) return MFA_ERR_FORMAT;
	if (slash) {
		bool const four = memchr(address.data, ':', address.len) == NULL;

		bits = (struct mfa_bytes){slash + 1, text.len - address.len - 1};
		if (mfa_text_number(&number, bits, four ? 32 : 128) != MFA_OK)
			return MFA_ERR_FORMAT;
		if (four) number += 96;
	}
	prefixes->list[prefixes->count++].bits = (unsigned)number;
	return MFA_OK;
}

enum mfa_rc mfa_prefixes_parse(struct mfa_prefixes *prefixes, char const *text)
{
	enum mfa_rc rc = MFA_OK;

	memset(prefixes, 0, sizeof(*prefixes));
	text += strspn(text, SEPARATORS);
	while (*text && rc == MFA_OK) {
		size_t const len = strcspn(text, SEPARATORS);

		rc = add_prefix(prefixes, (struct mfa_bytes){(uint8_t const *)text, len});
		text += len;
		text += strspn(text, SEPARATORS);
	}
	return rc;
}

static bool equal_bits(uint8_t const *a, uint8_t const *b, unsigned bits)
{
	unsigned const rest = bits % 8;

	if (CRYPTO_memcmp(a, b, bits / 8) != 0) return false;
	return rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

bool mfa_prefixes_hold(struct mfa_prefixes const *prefixes, struct mfa_address const *address)
{
	for (size_t i = 0; address->known && i < prefixes->count; i++) {
		if (equal_bits(prefixes->list[i].address.bytes, address->bytes,
			       prefixes->list[i].bits)) {
			return true;
		}
	}
	return false;
}

/** Cut the last item off a list */
static struct mfa_bytes take_last(struct mfa_bytes *list)
{
	struct mfa_bytes item;

	while (list->len > 0 && strchr(SEPARATORS, list->data[list->len - 1])) list->len--;
	item = *list;
	while (list->len > 0 && !strchr(SEPARATORS, list->data[list->len - 1])) list->len--;
	item.data += list->len;
	item.len -= list->len;
	return item;
}

void mfa_address_behind(struct mfa_address *address, struct mfa_prefixes const *trusted,
			char const *list)
{
	struct mfa_bytes rest = mfa_bytes_of(list);

	while (mfa_prefixes_hold(trusted, address)) {
		struct mfa_bytes const item = take_last(&rest);

		if (item.len == 0) return;
		mfa_address_parse(address, item);
	}
}
