/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/request.h"

#define HASHED_SIZE MFA_BASE64URL_SIZE(MFA_CHALLENGE_HASH)

/** Put a text into a word of the key; what is too long is told by its hash */
static int put_word(char *out, size_t out_size, char const *text)
{
	uint8_t hash[MFA_CHALLENGE_HASH];
	size_t const len = strlen(text);

	if (len < out_size) {
		memcpy(out, text, len + 1);
		return 0;
	}
	if (mfa_challenge_hash(hash, mfa_bytes_of(text)) != MFA_OK ||
	    mfa_base64url_encode(out, out_size, hash, sizeof(hash)) != MFA_OK) {
		out[0] = '\0';
		return -1;
	}
	return 0;
}

/** Leave out the port that an IKE gateway adds to an address: "192.0.2.1[4500]"
 *
 * It is another one at each connection, and says nothing about the device.
 */
static void drop_port(char *key)
{
	size_t const len = strlen(key);
	char *open = strrchr(key, '[');

	if (!open || open == key || key[len - 1] != ']') return;
	if (strspn(open + 1, "0123456789") == len - (size_t)(open - key) - 2) *open = '\0';
}

void peruser_device(char device[static PERUSER_DEVICE_SIZE], rlm_peruser_mfa_t *inst,
		    REQUEST *request)
{
	char nas[HASHED_SIZE], *key = NULL, *kind = NULL;
	size_t len;

	device[0] = '\0';
	if (inst->remember_s == 0 && !inst->policy.reads_devices) return;
	/* What the NAS sent: attributes in a tunnel are the supplicant's own word. */
	request = peruser_outermost(request);
	if (peruser_expand(&key, request, &inst->remember_key, NULL) <= 0 ||
	    peruser_expand(&kind, request, &inst->remember_nas, NULL) < 0 ||
	    put_word(nas, sizeof(nas), kind) < 0) {
		goto out;
	}
	drop_port(key);
	/* The kind of NAS is one word, so that no key can pretend to begin with another kind. */
	for (char *p = nas; *p; p++) {
		if (*p == ' ') *p = '_';
	}
	len = (size_t)snprintf(device, PERUSER_DEVICE_SIZE, "%s ", nas[0] ? nas : "-");
	if (put_word(device + len, PERUSER_DEVICE_SIZE - len, key) < 0) device[0] = '\0';
out:
	talloc_free(key);
	talloc_free(kind);
}

/* What the State keeps: a byte of length, the device, then attributes of a home server. */

static void keep_device(struct mfa_challenge *challenge, char const *device)
{
	size_t const len = strlen(device);

	challenge->kept[0] = (uint8_t)len;
	memcpy(challenge->kept + 1, device, len);
	challenge->kept_len = (uint8_t)(1 + len);
}

struct mfa_bytes peruser_kept_device(struct mfa_challenge const *challenge)
{
	if (challenge->kept_len == 0 || challenge->kept[0] >= challenge->kept_len)
		return (struct mfa_bytes){0};
	return (struct mfa_bytes){challenge->kept + 1, challenge->kept[0]};
}

/** Attributes that are no authorisation, or that only the server itself can make */
static bool is_kept(VALUE_PAIR const *vp)
{
	if (vp->da->vendor == 0) {
		switch (vp->da->attr) {
		case PW_REPLY_MESSAGE:
		case PW_STATE:
		case PW_PROXY_STATE:
		case PW_EAP_MESSAGE:
		case PW_MESSAGE_AUTHENTICATOR: return false;
		default: break;
		}
		if (vp->da->attr > 255) return false; /* internal */
	}
	return vp->da->flags.encrypt == FLAG_ENCRYPT_NONE;
}

/** Write an attribute as it is in a packet, if it comes back from there as it is
 *
 * The server's encoder cuts what is too long.
 *
 * @return bytes; 0 when it does not fit.
 */
static size_t keep_attribute(uint8_t *out, size_t out_size, REQUEST *request, VALUE_PAIR const *vp)
{
	VALUE_PAIR const *next = vp;
	VALUE_PAIR *again = NULL;
	int const len = rad_vp2attr(request->reply, request->packet, "", &next, out, out_size);
	bool const whole = len > 0 &&
			   rad_attr2vp(request->reply, request->reply, request->packet, "", out,
				       (size_t)len, &again) == len &&
			   again && again->da == vp->da &&
			   (!vp->da->flags.has_tag || again->tag == vp->tag) &&
			   value_data_cmp(vp->da->type, &vp->data, vp->vp_length, again->da->type,
					  &again->data, again->vp_length) == 0;

	fr_pair_list_free(&again);
	return whole ? (size_t)len : 0;
}

/** Note what a home server sent; false when it does not fit */
static bool keep_reply(REQUEST *request, struct mfa_challenge *challenge)
{
	vp_cursor_t cursor;

	if (!request->proxy_reply) return true;
	for (VALUE_PAIR const *vp = fr_cursor_init(&cursor, &request->reply->vps); vp;
	     vp = fr_cursor_next(&cursor)) {
		size_t len;

		if (!is_kept(vp)) continue;
		len = keep_attribute(challenge->kept + challenge->kept_len,
				     sizeof(challenge->kept) - challenge->kept_len, request, vp);
		if (len == 0) return false;
		challenge->kept_len = (uint8_t)(challenge->kept_len + len);
	}
	return true;
}

bool peruser_keep(REQUEST *request, struct mfa_challenge *challenge, char const *device)
{
	keep_device(challenge, device);
	if (keep_reply(request, challenge)) return true;
	keep_device(challenge, ""); /* to be asked again is better than not to get in */
	return keep_reply(request, challenge);
}

bool peruser_restore_reply(REQUEST *request, struct mfa_challenge const *challenge)
{
	size_t const skip = challenge->kept_len ? 1u + challenge->kept[0] : 0;
	uint8_t const *p = challenge->kept + skip;
	size_t left;

	if (skip > challenge->kept_len) return false;
	left = challenge->kept_len - skip;
	while (left > 0) {
		VALUE_PAIR *vp = NULL;
		ssize_t const len = rad_attr2vp(request->reply, request->reply, request->packet, "",
						p, left, &vp);

		if (len <= 0 || (size_t)len > left) return false;
		if (vp) fr_pair_add(&request->reply->vps, vp);
		p += len;
		left -= (size_t)len;
	}
	return true;
}
