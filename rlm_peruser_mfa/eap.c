/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/eap.h"
#include "rlm_peruser_mfa/reply.h"

/* EAP method types (IANA "EAP Numbers"); RFC 3748, 5216, 5281, 5931, 7170. */
enum {
	EAP_MD5 = 4,
	EAP_GTC = 6,
	EAP_TLS = 13,
	EAP_TTLS = 21,
	EAP_PEAP = 25,
	EAP_MSCHAPV2 = 26,
	EAP_FAST = 43,
	EAP_PWD = 52,
	EAP_TEAP = 55,
};

#define EAP_TYPE_AT 4u /* after code, identifier and length (RFC 3748 section 4) */

/** The method of the response that ended the conversation; 0 when there is none */
static unsigned method_of(REQUEST *request)
{
	VALUE_PAIR *vp = fr_pair_find_by_num(request->packet->vps, PW_EAP_MESSAGE, 0, TAG_ANY);

	return vp && vp->vp_length > EAP_TYPE_AT ? vp->vp_octets[EAP_TYPE_AT] : 0;
}

/** What the instance in the tunnel, of this conversation or of the one it resumes, decided */
static VALUE_PAIR *find_mark(REQUEST *request)
{
	return fr_pair_find_by_da(request->state, peruser_attr(PERUSER_INNER), TAG_ANY);
}

static enum peruser_eap_place place_of_tunnel(REQUEST *request, char const **why)
{
	VALUE_PAIR *mark = find_mark(request);

	if (mark) {
		(void)peruser_set_integer(request->packet, &request->packet->vps, PERUSER_RESULT,
					  mark->vp_integer);
		return PERUSER_EAP_ELSEWHERE;
	}
	*why = fr_pair_find_by_num(request->packet->vps, PW_EAP_SESSION_RESUMED, 0, TAG_ANY)
		       ? "the resumed TLS session does not say that it was decided: list "
			 "Peruser-MFA-Inner in cache { store } of the eap module"
		       : "nobody decided in the tunnel: list peruser_mfa in authorize and "
			 "post-auth "
			 "of the inner tunnel's virtual server";
	return PERUSER_EAP_NOWHERE;
}

static enum peruser_eap_place place_of_name(rlm_peruser_mfa_t const *inst, REQUEST *request,
					    char const **why)
{
	if (request->parent || inst->eap == PERUSER_EAP_IDENTITY) return PERUSER_EAP_HERE;
	*why = "EAP without a tunnel: set 'eap = identity' where it is protected otherwise";
	return PERUSER_EAP_NOWHERE;
}

static enum peruser_eap_place place_of_certificate(rlm_peruser_mfa_t const *inst, REQUEST *request,
						   char const **why)
{
	if (inst->eap == PERUSER_EAP_CERTIFICATE) {
		peruser_report(inst, request, MFA_RESULT_SKIPPED, "client certificate");
		return PERUSER_EAP_ELSEWHERE;
	}
	*why = "EAP-TLS: set 'eap = certificate' where the certificate is the second factor";
	return PERUSER_EAP_NOWHERE;
}

enum peruser_eap_place peruser_eap_place(rlm_peruser_mfa_t *inst, REQUEST *request,
					 char const **why)
{
	if (!fr_pair_find_by_num(request->packet->vps, PW_EAP_MESSAGE, 0, TAG_ANY))
		return PERUSER_EAP_HERE;
	switch (method_of(request)) {
	case EAP_TTLS:
	case EAP_PEAP:
	case EAP_FAST:
	case EAP_TEAP: return place_of_tunnel(request, why);
	case EAP_MD5:
	case EAP_GTC:
	case EAP_MSCHAPV2:
	case EAP_PWD: return place_of_name(inst, request, why);
	case EAP_TLS: return place_of_certificate(inst, request, why);
	default:
		*why = "an EAP method that proves no name that is known";
		return PERUSER_EAP_NOWHERE;
	}
}

static uint32_t result_of(REQUEST *request)
{
	VALUE_PAIR *vp =
		fr_pair_find_by_da(request->packet->vps, peruser_attr(PERUSER_RESULT), TAG_ANY);

	return vp ? vp->vp_integer : MFA_RESULT_OFF;
}

void peruser_eap_decided(REQUEST *request)
{
	REQUEST *outer = request->parent;

	if (!outer) return;
	(void)peruser_set_integer(outer->state_ctx, &outer->state, PERUSER_INNER,
				  result_of(request));
	peruser_eap_carry(outer);
}

void peruser_eap_carry(REQUEST *request)
{
	VALUE_PAIR *mark = find_mark(request);

	/* Users that have to enroll log in anew each time, so as to leave a restricted network. */
	if (!mark || mark->vp_integer == MFA_RESULT_UNENROLLED) return;
	(void)peruser_set_integer(request->reply, &request->reply->vps, PERUSER_INNER,
				  mark->vp_integer);
}
