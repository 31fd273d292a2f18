/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/event.h"
#include "rlm_peruser_mfa/account.h"

#include <syslog.h>

#define ADDRESS_SIZE 64u

static void to_server_log(void *uctx, char const *line)
{
	(void)uctx;
	INFO("event %s", line);
}

static void to_system_log(char const *line)
{
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "@cee: %s", line);
}

int peruser_event_open(rlm_peruser_mfa_t *inst, struct mfa_diag *why)
{
	inst->event_sink = (struct mfa_event_sink){.program = "rlm_peruser_mfa",
						   .log = to_server_log,
						   .system_log = to_system_log,
						   .fd = -1};
	return mfa_event_open(&inst->event_sink, why, inst->events) == MFA_OK ? 0 : -1;
}

/** What the user proved, or tried to prove, besides the password */
static char const *factor_of(struct mfa_login const *login, enum mfa_result result)
{
	switch (result) {
	case MFA_RESULT_ACCEPTED:
	case MFA_RESULT_REPLAYED: return "totp";
	case MFA_RESULT_RECOVERY: return "recovery_code";
	case MFA_RESULT_TRUSTED: return "trusted_device";
	case MFA_RESULT_REJECTED:
	case MFA_RESULT_OFF:
	case MFA_RESULT_CHALLENGED:
	case MFA_RESULT_LOCKED:
	case MFA_RESULT_UNENROLLED:
	case MFA_RESULT_BROKEN:
	case MFA_RESULT_UNAVAILABLE:
	case MFA_RESULT_EXPIRED:
	case MFA_RESULT_SKIPPED:
	case MFA_RESULT_COUNT: break;
	}
	return login && login->decision.wrong ? "code" : NULL;
}

static struct mfa_bytes value_of(VALUE_PAIR *list, unsigned int attr)
{
	VALUE_PAIR *vp = fr_pair_find_by_num(list, attr, 0, TAG_ANY);

	return vp ? (struct mfa_bytes){(uint8_t const *)vp->vp_strvalue, vp->vp_length}
		  : (struct mfa_bytes){0};
}

/** Where the request came from; a tunnel has no source of its own */
static void fill_source(struct mfa_event *event, char address[static ADDRESS_SIZE],
			REQUEST *request)
{
	RADIUS_PACKET const *packet = request->packet;

	event->nas = value_of(packet->vps, PW_NAS_IDENTIFIER);
	event->device = value_of(packet->vps, PW_CALLING_STATION_ID);
	event->client = request->client ? request->client->shortname : NULL;
	if (inet_ntop(packet->src_ipaddr.af, &packet->src_ipaddr.ipaddr, address, ADDRESS_SIZE))
		event->address = address;
}

static void fill_account(struct mfa_event *event, REQUEST *request, struct mfa_login const *login)
{
	event->user = peruser_typed_name(request);
	event->dn = value_of(request->config, PW_LDAP_USERDN);
	if (!login || !login->have_entry) return;
	if (login->entry.dn.len > 0) event->dn = login->entry.dn;
	event->entry_id = login->entry.id;
}

void peruser_event(rlm_peruser_mfa_t const *inst, REQUEST *request, struct mfa_login const *login,
		   enum mfa_result result, char const *reason)
{
	struct mfa_notes const *notes = peruser_find_notes(request);
	struct mfa_event event = {.kind = MFA_EVENT_LOGIN,
				  .time_s = peruser_now_s(request),
				  .actor = MFA_ACTOR_SERVER,
				  .actor_name = inst->name,
				  .factor = factor_of(login, result),
				  .result = mfa_result_name(result),
				  .reason = reason};
	char address[ADDRESS_SIZE];

	if (inst->event_sink.target == MFA_EVENT_TO_NOTHING) return;
	if (notes) event.login_id = notes->login_id;
	fill_account(&event, request, login);
	fill_source(&event, address, peruser_outermost(request));
	if (mfa_event_write(&inst->event_sink, &event) != MFA_OK)
		RERROR("the event cannot be written to %s", inst->events);
}
