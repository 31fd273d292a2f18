/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/request.h"

static int free_notes(struct mfa_notes *notes)
{
	mfa_code_clear(&notes->code);
	mfa_login_free(&notes->record.login);
	return 0;
}

/* Not by instance: a reload puts another one in its place while requests are under way. */
static char notes_key;

struct mfa_notes *peruser_find_notes(REQUEST *request)
{
	return request_data_reference(request, &notes_key, 0);
}

struct mfa_notes *peruser_notes(REQUEST *request)
{
	struct mfa_notes *notes = peruser_find_notes(request);

	if (notes) return notes;
	notes = talloc_zero(request, struct mfa_notes);
	if (!notes) return NULL;
	talloc_set_destructor(notes, free_notes);
	if (request_data_add(request, &notes_key, 0, notes, true) < 0) TALLOC_FREE(notes);
	return notes;
}

int64_t peruser_now_s(REQUEST *request)
{
	return request->timestamp;
}

struct mfa_keyring const *peruser_keys(rlm_peruser_mfa_t *inst, REQUEST *request)
{
	return peruser_ring_keys(inst->ring, peruser_now_s(request));
}

REQUEST *peruser_outermost(REQUEST *request)
{
	while (request->parent) request = request->parent;
	return request;
}

VALUE_PAIR *peruser_password(REQUEST *request)
{
	return fr_pair_find_by_num(request->packet->vps, PW_USER_PASSWORD, 0, TAG_ANY);
}

int peruser_set_auth_type(rlm_peruser_mfa_t *inst, REQUEST *request)
{
	DICT_VALUE *auth_type = dict_valbyname(PW_AUTH_TYPE, 0, inst->name);
	VALUE_PAIR *vp;

	if (!auth_type) {
		RERROR("%s is not listed in the authenticate section", inst->name);
		return -1;
	}
	fr_pair_delete_by_num(&request->config, PW_AUTH_TYPE, 0, TAG_ANY);
	vp = radius_pair_create(request, &request->config, PW_AUTH_TYPE, 0);
	if (!vp) return -1;
	vp->vp_integer = (uint32_t)auth_type->value;
	return 0;
}

/** Whether no challenge reaches the user: the request is part of an EAP conversation */
static bool is_within_eap(REQUEST *request)
{
	for (; request; request = request->parent) {
		if (fr_pair_find_by_num(request->packet->vps, PW_EAP_MESSAGE, 0, TAG_ANY))
			return true;
	}
	return false;
}

/** The rule of the policy that counts for this request, as far as it was asked; or NULL */
static struct mfa_rule const *rule_of(REQUEST *request)
{
	struct mfa_notes const *notes = peruser_find_notes(request);

	return notes && notes->record.login ? notes->record.login->policy.rule : NULL;
}

enum mfa_mode peruser_mode(rlm_peruser_mfa_t const *inst, REQUEST *request)
{
	struct mfa_rule const *rule = rule_of(request);
	enum mfa_mode const usual =
		rule && rule->mode > 0 ? (enum mfa_mode)(rule->mode - 1) : inst->mode;
	VALUE_PAIR *vp = fr_pair_find_by_da(request->config, peruser_attr(PERUSER_MODE), TAG_ANY);
	enum mfa_mode const mode =
		vp && vp->vp_integer < MFA_MODE_COUNT ? (enum mfa_mode)vp->vp_integer : usual;

	/* The code can only come with the password there. */
	return mode != MFA_MODE_SKIP && is_within_eap(request) ? MFA_MODE_APPEND : mode;
}

bool peruser_shows(REQUEST *request, bool configured)
{
	VALUE_PAIR *vp = fr_pair_find_by_da(request->config, peruser_attr(PERUSER_SHOW), TAG_ANY);

	if (request->parent || is_within_eap(request)) return false;
	return vp ? vp->vp_integer == 1 : configured;
}

bool peruser_required(REQUEST *request)
{
	VALUE_PAIR *vp =
		fr_pair_find_by_da(request->config, peruser_attr(PERUSER_REQUIRED), TAG_ANY);

	return vp && vp->vp_integer != 0;
}

bool peruser_find_state(struct mfa_bytes *state, REQUEST *request)
{
	VALUE_PAIR *vp = fr_pair_find_by_num(request->packet->vps, PW_STATE, 0, TAG_ANY);

	if (!vp) return false;
	*state = (struct mfa_bytes){vp->vp_octets, vp->vp_length};
	return mfa_challenge_has_form(*state);
}

bool peruser_is_empty_answer(REQUEST *request)
{
	VALUE_PAIR *vp = peruser_password(request);

	if (vp) return vp->vp_length == 0;
	return !fr_pair_find_by_num(request->packet->vps, PW_MSCHAP_CHALLENGE, VENDORPEC_MICROSOFT,
				    TAG_ANY) &&
	       !fr_pair_find_by_num(request->packet->vps, PW_EAP_MESSAGE, 0, TAG_ANY);
}

bool peruser_find_code(struct mfa_code *code, REQUEST *request)
{
	VALUE_PAIR *vp = peruser_password(request);
	VALUE_PAIR *challenge;

	if (vp && vp->vp_length == 0) return false;
	if (vp) {
		mfa_code_parse(code,
			       (struct mfa_bytes){(uint8_t const *)vp->vp_strvalue, vp->vp_length});
		return true;
	}
	vp = fr_pair_find_by_num(request->packet->vps, PW_CHAP_PASSWORD, 0, TAG_ANY);
	if (!vp) return false;
	challenge = fr_pair_find_by_num(request->packet->vps, PW_CHAP_CHALLENGE, 0, TAG_ANY);
	mfa_code_parse_chap(code, (struct mfa_bytes){vp->vp_octets, vp->vp_length},
			    challenge
				    ? (struct mfa_bytes){challenge->vp_octets, challenge->vp_length}
				    : (struct mfa_bytes){request->packet->vector,
							 sizeof(request->packet->vector)});
	return true;
}
