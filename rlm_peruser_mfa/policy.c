/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rlm_peruser_mfa/policy.h"
#include "rlm_peruser_mfa/account.h"
#include "rlm_peruser_mfa/request.h"

/** Read an address out of a text; a gateway may add a port: "192.0.2.1[4500]" */
static void parse_text(struct mfa_address *address, VALUE_PAIR const *vp)
{
	struct mfa_bytes text = {(uint8_t const *)vp->vp_strvalue, vp->vp_length};
	uint8_t const *port = text.len > 1 ? memchr(text.data + 1, '[', text.len - 1) : NULL;

	if (port) text.len = (size_t)(port - text.data);
	mfa_address_parse(address, text);
}

/** Read an address out of an attribute of that type */
static void parse_ip(struct mfa_address *address, VALUE_PAIR const *vp)
{
	char text[INET6_ADDRSTRLEN];
	bool const six = vp->da->type == PW_TYPE_IPV6_ADDR;
	void const *raw = six ? (void const *)&vp->vp_ipv6addr : (void const *)&vp->vp_ipaddr;

	if (inet_ntop(six ? AF_INET6 : AF_INET, raw, text, sizeof(text)))
		mfa_address_parse(address, mfa_bytes_of(text));
}

/** Take the first of some attributes that is there */
static void take_address(struct mfa_address *address, REQUEST *request, unsigned const *attrs,
			 size_t count)
{
	for (size_t i = 0; i < count && !address->known; i++) {
		VALUE_PAIR *vp = fr_pair_find_by_num(request->packet->vps, attrs[i], 0, TAG_ANY);

		if (!vp) continue;
		if (vp->da->type == PW_TYPE_STRING) {
			parse_text(address, vp);
		} else {
			parse_ip(address, vp);
		}
	}
}

void peruser_facts(struct mfa_policy_facts *facts, rlm_peruser_mfa_t const *inst, REQUEST *request)
{
	static unsigned const nas[] = {PW_NAS_IP_ADDRESS, PW_NAS_IPV6_ADDRESS};
	static unsigned const user[] = {PW_FRAMED_IP_ADDRESS, PW_FRAMED_IPV6_ADDRESS,
					PW_CALLING_STATION_ID};
	VALUE_PAIR *vp;
	char source[INET6_ADDRSTRLEN];
	fr_ipaddr_t const *from;

	*facts = (struct mfa_policy_facts){.is_login = true};
	if (inst->directory.config.rules.count == 0) return;
	request = peruser_outermost(request);
	vp = fr_pair_find_by_num(request->packet->vps, PW_NAS_IDENTIFIER, 0, TAG_ANY);
	if (vp) facts->nas = (struct mfa_bytes){(uint8_t const *)vp->vp_strvalue, vp->vp_length};
	take_address(&facts->nas_address[0], request, nas, sizeof(nas) / sizeof(nas[0]));
	from = &request->packet->src_ipaddr;
	if (inet_ntop(from->af, &from->ipaddr, source, sizeof(source)))
		mfa_address_parse(&facts->nas_address[1], mfa_bytes_of(source));
	take_address(&facts->address, request, user, sizeof(user) / sizeof(user[0]));
}

void peruser_policy_report(REQUEST *request, struct mfa_policy_verdict const *verdict)
{
	char user[PERUSER_LOGGED_NAME_SIZE];

	if (!verdict->report) return;
	peruser_logged_name(user, request);
	RINFO("user '%s': policy '%s' is only reported, and would say: mfa = %s", user,
	      verdict->report->name, mfa_demand_name((enum mfa_demand)verdict->report->mfa));
}

/** Take one item of a rule */
static int take_pair(struct mfa_rules *rules, CONF_SECTION *cs, CONF_PAIR *cp)
{
	char const *name = cf_pair_attr(cp), *value = cf_pair_value(cp);
	struct mfa_diag why = {.text = "out of memory"};

	if (cf_pair_find(cs, name) != cp) {
		cf_log_err_cp(cp, "'%s' is given twice", name);
		return -1;
	}
	if (mfa_rules_set(rules, &why, name, value ? value : "") == MFA_OK) return 0;
	cf_log_err_cp(cp, "%s", why.text);
	return -1;
}

int peruser_policy_take(struct mfa_config *config, CONF_SECTION *cs)
{
	char const *name = cf_section_name2(cs);
	struct mfa_diag why = {.text = "out of memory"};

	if (mfa_rules_add(&config->rules, &why, name ? name : "") != MFA_OK) {
		cf_log_err_cs(cs, "%s", why.text);
		return -1;
	}
	for (CONF_ITEM *ci = cf_item_find_next(cs, NULL); ci; ci = cf_item_find_next(cs, ci)) {
		if (cf_item_is_section(ci)) {
			cf_log_err_cs(cf_item_to_section(ci), "unknown section in a policy");
			return -1;
		}
		if (cf_item_is_pair(ci) && take_pair(&config->rules, cs, cf_item_to_pair(ci)) < 0) {
			return -1;
		}
	}
	return 0;
}
