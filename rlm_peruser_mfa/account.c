/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/account.h"
#include "core/filter.h"

#define PACKET_HEADER_LEN 20u /* RFC 2865 section 3 */

/** Escape for a filter; what does not fit finds nobody */
static size_t escape_filter(UNUSED REQUEST *request, char *out, size_t out_size, char const *in,
			    UNUSED void *arg)
{
	int const len = mfa_filter_escape(out, out_size, mfa_bytes_of(in));

	if (len >= 0) return (size_t)len;
	out[0] = '\0';
	return 0;
}

static size_t escape_dn(UNUSED REQUEST *request, char *out, size_t out_size, char const *in,
			UNUSED void *arg)
{
	int const len = mfa_dn_escape(out, out_size, mfa_bytes_of(in));

	if (len >= 0) return (size_t)len;
	out[0] = '\0';
	return 0;
}

static char const *value_problem(VALUE_PAIR const *vp)
{
	uint8_t const *p = (uint8_t const *)vp->vp_strvalue;
	size_t left = vp->vp_length;

	if (left == 0) return "the name is empty";
	if (left > PERUSER_NAME_MAX) return "the name is longer than 253 octets";
	if (memchr(p, '\0', left)) return "the name holds a NUL";
	while (left > 0) {
		size_t const len = *p < 0x80 ? 1 : (size_t)fr_utf8_char(p, (ssize_t)left);

		if (len == 0 || len > left) return "the name is not UTF-8";
		p += len;
		left -= len;
	}
	return NULL;
}

char const *peruser_name_problem(REQUEST *request)
{
	static unsigned int const names[] = {PW_USER_NAME, PW_STRIPPED_USER_NAME};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		VALUE_PAIR *vp = fr_pair_find_by_num(request->packet->vps, names[i], 0, TAG_ANY);
		char const *why = vp ? value_problem(vp) : NULL;

		if (why) return why;
	}
	return NULL;
}

/** The value of the first User-Name in a packet as it arrived */
static struct mfa_bytes name_in_packet(RADIUS_PACKET const *packet)
{
	uint8_t const *p = packet->data;
	size_t left = packet->data_len;

	if (!p || left < PACKET_HEADER_LEN) return (struct mfa_bytes){0};
	p += PACKET_HEADER_LEN;
	left -= PACKET_HEADER_LEN;
	while (left >= 2 && p[1] >= 2 && p[1] <= left) {
		if (p[0] == PW_USER_NAME) return (struct mfa_bytes){p + 2, p[1] - 2u};
		left -= p[1];
		p += p[1];
	}
	return (struct mfa_bytes){0};
}

struct mfa_bytes peruser_typed_name(REQUEST *request)
{
	struct mfa_bytes const name = name_in_packet(request->packet);
	VALUE_PAIR *vp = fr_pair_find_by_num(request->packet->vps, PW_USER_NAME, 0, TAG_ANY);

	if (name.len > 0 || !vp) return name;
	return (struct mfa_bytes){(uint8_t const *)vp->vp_strvalue, vp->vp_length};
}

void peruser_logged_name(char out[static PERUSER_LOGGED_NAME_SIZE], REQUEST *request)
{
	VALUE_PAIR *vp = fr_pair_find_by_num(request->packet->vps, PW_USER_NAME, 0, TAG_ANY);

	out[0] = '\0';
	if (vp)
		(void)fr_prints(out, PERUSER_LOGGED_NAME_SIZE, vp->vp_strvalue,
				(ssize_t)vp->vp_length, '\'');
}

/** The text for the name that this request has */
static struct peruser_text const *text_for(struct peruser_named const *named, REQUEST *request)
{
	return fr_pair_find_by_num(request->packet->vps, PW_STRIPPED_USER_NAME, 0, TAG_ANY)
		       ? &named->stripped
		       : &named->full;
}

/** Where the account is that the name in the request leads to */
static enum mfa_rc locate(struct mfa_where *where, TALLOC_CTX *ctx, rlm_peruser_mfa_t *inst,
			  REQUEST *request, struct mfa_diag *diag)
{
	bool const named = inst->user_dn.full.fmt[0] != '\0';
	struct peruser_text const *place =
		named ? text_for(&inst->user_dn, request) : &inst->base_dn;
	char *base = NULL, *filter = NULL;

	if (peruser_expand(&base, request, place, escape_dn) < 0 ||
	    peruser_expand(&filter, request, text_for(&inst->filter, request), escape_filter) < 0) {
		talloc_free(base);
		mfa_diag_set(diag, "'%s' or 'filter' cannot be expanded",
			     named ? "user_dn" : "base_dn");
		return MFA_ERR_FORMAT;
	}
	(void)talloc_steal(ctx, base);
	(void)talloc_steal(ctx, filter);
	*where = (struct mfa_where){.base = base,
				    .scope = named ? MFA_SCOPE_BASE
						   : (enum mfa_scope)inst->directory.config.scope,
				    .filter = filter};
	/* Conditions of a filter come first: nobody locks an entry that they leave out. */
	where->bind_at_once = where->scope == MFA_SCOPE_BASE && inst->filter_is_name;
	return MFA_OK;
}

enum mfa_rc peruser_account_find(struct peruser_account *account, TALLOC_CTX *ctx,
				 rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_diag *diag)
{
	VALUE_PAIR *dn = fr_pair_find_by_num(request->config, PW_LDAP_USERDN, 0, TAG_ANY);
	enum mfa_rc rc = MFA_OK;

	account->is_dn = dn != NULL;
	if (dn) {
		account->where = (struct mfa_where){
			.base = dn->vp_strvalue, .scope = MFA_SCOPE_BASE, .bind_at_once = true};
	} else if (fr_pair_find_by_num(request->packet->vps, PW_USER_NAME, 0, TAG_ANY)) {
		rc = locate(&account->where, ctx, inst, request, diag);
	} else {
		mfa_diag_set(diag, "no User-Name in the request");
		rc = MFA_ERR_ARG;
	}
	return rc;
}

enum mfa_rc peruser_account_key(uint8_t key[static MFA_CHALLENGE_HASH],
				struct peruser_account const *account)
{
	struct mfa_where const *where = &account->where;
	char *text = talloc_asprintf(NULL, "%d %zu %s %s", (int)where->scope, strlen(where->base),
				     where->base, where->filter ? where->filter : "");
	enum mfa_rc rc = MFA_ERR_NOMEM;

	memset(key, 0, MFA_CHALLENGE_HASH);
	if (text) rc = mfa_challenge_hash(key, mfa_bytes_of(text));
	talloc_free(text);
	return rc;
}

bool peruser_account_owns(struct peruser_account const *account,
			  struct peruser_record const *record)
{
	struct mfa_bytes const dn = record->login->entry.dn;
	uint8_t key[MFA_CHALLENGE_HASH];

	if (account->is_dn) {
		return mfa_bytes_equal(dn, mfa_bytes_of(account->where.base));
	}
	return peruser_account_key(key, account) == MFA_OK &&
	       mfa_bytes_equal((struct mfa_bytes){key, sizeof(key)},
			       (struct mfa_bytes){record->read_for, sizeof(key)});
}
