/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/rlm_peruser_mfa.c
 * @brief Optional per-user TOTP, kept in LDAP: the module's entry points.
 *
 * authorize:	 a request that carries our State goes to authenticate; a code that was glued
 *		 to the password is taken off.
 * authenticate: the answer to a challenge.
 * post-auth:	 after any first factor said accept: nothing, a challenge, or a refusal.
 */
#include "rlm_peruser_mfa/cache.h"
#include "rlm_peruser_mfa/challenge.h"
#include "rlm_peruser_mfa/eap.h"
#include "rlm_peruser_mfa/first_factor.h"
#include "rlm_peruser_mfa/metrics.h"
#include "rlm_peruser_mfa/policy.h"
#include "rlm_peruser_mfa/reply.h"

#include <mfa_build.h>
#include <openssl/crypto.h>

extern module_t rlm_peruser_mfa;

#define SEEN "peruser_mfa_seen"

/** Find an instance's section in a configuration that was read again */
static CONF_SECTION *find_again(CONF_SECTION *modules, CONF_SECTION *cs)
{
	char const *name1 = cf_section_name1(cs), *name2 = cf_section_name2(cs);
	CONF_SECTION *sub = NULL;

	while ((sub = cf_subsection_find_next(modules, sub, name1))) {
		char const *other = cf_section_name2(sub);

		if (name2 ? other && strcmp(name2, other) == 0 : !other) return sub;
	}
	return NULL;
}

/** The section to configure this instance from
 *
 * When a file that belongs to a section has changed (the key ring, or what the
 * section includes), the server instantiates the old section again, as it read it
 * at first.  Then we read the configuration anew, and keep it as long as the instance.
 *
 * @return NULL when it cannot be read.
 */
static CONF_SECTION *current_section(rlm_peruser_mfa_t *inst, CONF_SECTION *cs)
{
	CONF_SECTION *modules;
	char path[1024];

	if (!cf_data_find(cs, SEEN)) return cf_data_add(cs, SEEN, cs, NULL) < 0 ? NULL : cs;
	if (snprintf(path, sizeof(path), "%s/%s.conf", get_radius_dir(), main_config.name) >=
	    (int)sizeof(path)) {
		return NULL;
	}
	inst->reread = cf_section_alloc(NULL, "main", NULL);
	if (!inst->reread || cf_file_read(inst->reread, path) < 0) return NULL;
	modules = cf_section_sub_find(inst->reread, "modules");
	return modules ? find_again(modules, cs) : NULL;
}

static int conn_free(struct mfa_conn **conn)
{
	mfa_conn_free(conn);
	return 0;
}

/** Open one connection of the pool */
static void *mod_conn_create(TALLOC_CTX *ctx, void *opaque)
{
	struct mfa_directory *directory = opaque;
	struct mfa_conn **conn = talloc_zero(ctx, struct mfa_conn *);
	struct mfa_diag why;

	if (!conn) return NULL;
	if (mfa_conn_open(conn, &why, &directory->store) != MFA_OK) {
		ERROR("rlm_peruser_mfa: %s", why.text);
		talloc_free(conn);
		return NULL;
	}
	talloc_set_destructor(conn, conn_free);
	return conn;
}

/** Define the attributes, once for all instances
 *
 * Before any instance, of this module or another, is instantiated, so that all may
 * name them.  A module that keeps its bootstrap method is left out of HUP by the
 * server, so the method goes once it has done its work.
 */
static int mod_bootstrap(UNUSED CONF_SECTION *cs, UNUSED void *instance)
{
	if (peruser_dictionary_define() < 0) return -1;
	rlm_peruser_mfa.bootstrap = NULL;
	INFO("rlm_peruser_mfa: version " MFA_VERSION);
	return 0;
}

static int mod_instantiate(CONF_SECTION *cs, void *instance)
{
	rlm_peruser_mfa_t *inst = instance;

	inst->name = cf_section_name2(cs);
	if (!inst->name) inst->name = cf_section_name1(cs);
	cs = current_section(inst, cs);
	if (!cs || peruser_config_load(inst, cs) < 0) {
		peruser_ring_watch(inst->name);
		return -1;
	}

	inst->pool =
		fr_connection_pool_module_init(cs, &inst->directory, mod_conn_create, NULL, NULL);
	inst->gate = peruser_gate_alloc(inst->pool_max);
	if (!inst->pool || !inst->gate) return -1;
	if (inst->cached_records > 0) {
		inst->cache = peruser_cache_alloc(inst->cached_records);
		if (!inst->cache) return -1;
	}
	if (inst->directory.config.several_writers == MFA_SEVERAL_ACCEPT_REPLAYS)
		WARN("%s: several_writers = accept_replays: the same code may be accepted once at "
		     "each server that is written to",
		     inst->name);
	if (inst->report_only)
		WARN("%s: report_only is on: nobody is asked for a code", inst->name);
	return 0;
}

static int mod_detach(void *instance)
{
	rlm_peruser_mfa_t *inst = instance;

	fr_connection_pool_free(inst->pool);
	peruser_gate_free(&inst->gate);
	mfa_event_close(&inst->event_sink);
	peruser_metrics_flush(inst);
	talloc_free(inst->cache);
	peruser_ring_free(&inst->ring);
	peruser_config_free(inst);
	talloc_free(inst->reread);
	return 0;
}

/** Take the code out of the request
 *
 * The modules behind us still run, to add what belongs to an Accept.  None of them
 * shall take the code for a password, or send it anywhere.
 */
static rlm_rcode_t take_answer(REQUEST *request)
{
	struct mfa_notes *notes = peruser_notes(request);
	VALUE_PAIR *vp = peruser_password(request);

	if (!notes) return RLM_MODULE_FAIL;
	notes->has_code = peruser_find_code(&notes->code, request);
	if (vp) OPENSSL_cleanse((void *)(uintptr_t)vp->vp_strvalue, vp->vp_length);
	request->password = NULL;
	fr_pair_delete_by_num(&request->packet->vps, PW_USER_PASSWORD, 0, TAG_ANY);
	fr_pair_delete_by_num(&request->packet->vps, PW_CHAP_PASSWORD, 0, TAG_ANY);
	return RLM_MODULE_OK;
}

/** Send the request to authenticate, and to no home server, whatever a realm module may say */
static rlm_rcode_t claim(rlm_peruser_mfa_t *inst, REQUEST *request)
{
	VALUE_PAIR *vp;

	if (peruser_set_auth_type(inst, request) < 0) return RLM_MODULE_FAIL;
	fr_pair_delete_by_num(&request->config, PW_PROXY_TO_REALM, 0, TAG_ANY);
	vp = radius_pair_create(request, &request->config, PW_PROXY_TO_REALM, 0);
	if (!vp) return RLM_MODULE_FAIL;
	fr_pair_value_strcpy(vp, "LOCAL"); /* the first one counts */
	return RLM_MODULE_OK;
}

/** A request that answers no challenge: split it, and check the password if that is our job */
static rlm_rcode_t take_password(rlm_peruser_mfa_t *inst, REQUEST *request)
{
	rlm_rcode_t const rcode = peruser_split(inst, request);
	int offered;

	if (rcode != RLM_MODULE_NOOP && rcode != RLM_MODULE_OK && rcode != RLM_MODULE_UPDATED)
		return rcode;
	offered = peruser_offer_bind(inst, request);
	if (offered < 0) return RLM_MODULE_FAIL;
	return offered > 0 ? RLM_MODULE_OK : rcode;
}

/** A State of our form that is not this instance's
 *
 * The instance or the home server that wrote it answers.  Where none does, our authenticate
 * method refuses, so that no first factor takes the code for a password.
 */
static rlm_rcode_t leave_answer(rlm_peruser_mfa_t *inst, REQUEST *request)
{
	if (fr_pair_find_by_num(request->config, PW_AUTH_TYPE, 0, TAG_ANY)) return RLM_MODULE_NOOP;
	return peruser_set_auth_type(inst, request) < 0 ? RLM_MODULE_FAIL : RLM_MODULE_NOOP;
}

/** Why a request is refused before any first factor sees it; NULL when it is not */
static char const *request_problem(REQUEST *request)
{
	VALUE_PAIR *vp = peruser_password(request);

	/* For a directory it ends there: the rest may be an empty password (RFC 4513 5.1.2). */
	if (vp && memchr(vp->vp_strvalue, '\0', vp->vp_length)) return "the password holds a NUL";
	return peruser_name_problem(request);
}

static rlm_rcode_t refuse_request(rlm_peruser_mfa_t *inst, REQUEST *request, char const *why)
{
	peruser_report(inst, request, MFA_RESULT_REJECTED, why);
	return peruser_reject_with(request, NULL);
}

static rlm_rcode_t CC_HINT(nonnull) mod_authorize(void *instance, REQUEST *request)
{
	rlm_peruser_mfa_t *inst = instance;
	char const *why = request_problem(request);
	struct mfa_bytes state;
	rlm_rcode_t rcode;

	if (why) return refuse_request(inst, request, why);
	peruser_eap_carry(request);
	if (!peruser_find_state(&state, request)) return take_password(inst, request);
	if (!mfa_challenge_is_ours(state, peruser_keys(inst, request), inst->name))
		return leave_answer(inst, request);
	rcode = claim(inst, request);
	return rcode == RLM_MODULE_OK ? take_answer(request) : rcode;
}

static rlm_rcode_t CC_HINT(nonnull) mod_authenticate(void *instance, REQUEST *request)
{
	rlm_peruser_mfa_t *inst = instance;
	struct mfa_notes *notes = peruser_notes(request);
	struct mfa_bytes state;
	char const *why = peruser_name_problem(request);

	if (!notes) return RLM_MODULE_FAIL;
	if (why) return refuse_request(inst, request, why);
	if (inst->bind_users && !peruser_find_state(&state, request))
		return peruser_bind(inst, request, notes);
	return peruser_check_answer(inst, request, notes);
}

/** Ask the record; then about the code, when one came with the password and one is needed
 *
 * A wrong code ends the login: a client that sends both at once sends both again.
 */
static enum mfa_rc ask_record(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_notes *notes)
{
	struct mfa_request ask = {.now_s = peruser_now_s(request)};
	struct peruser_expected expected = {
		.else_reason = "the code was taken off the password for another account: list the "
			       "realm module before peruser_mfa"};
	struct peruser_expected *cut_for = notes->was_cut ? &expected : NULL;
	struct mfa_decision *decision = &notes->record.login->decision;
	char device[PERUSER_DEVICE_SIZE];
	enum mfa_rc rc;

	peruser_device(device, inst, request);
	ask.device = mfa_bytes_of(device);
	memcpy(expected.user, notes->cut_for, sizeof(expected.user));
	rc = peruser_ask(inst, request, &notes->record, &ask, cut_for);
	if (notes->has_code && !inst->report_only && rc == MFA_OK &&
	    decision->result == MFA_RESULT_CHALLENGED) {
		decision->verdict = MFA_REJECT;
		ask.code = &notes->code;
		ask.nonce = notes->nonce;
		ask.guesses = notes->cuts;
		if (notes->cuts > 0) peruser_note_cut(inst, request, notes->record.login);
		rc = peruser_ask(inst, request, &notes->record, &ask, cut_for);
	}
	return rc;
}

/** The user is not in the directory that holds the records */
static rlm_rcode_t stranger(rlm_peruser_mfa_t *inst, REQUEST *request,
			    struct mfa_notes const *notes)
{
	bool const let_in = inst->accept_not_found && !notes->was_cut;

	peruser_report(inst, request, let_in ? MFA_RESULT_OFF : MFA_RESULT_REJECTED,
		       notes->was_cut ? "the user of the code that was taken off the password is "
					"not in the directory any more"
				      : "not in the directory");
	if (let_in || inst->report_only) return RLM_MODULE_NOOP;
	return peruser_reject_with(request, NULL);
}

/** Ask for the first code of a device that is set up meanwhile, where the client has a prompt */
static rlm_rcode_t ask_to_enroll(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_notes *notes)
{
	bool const has_prompt = peruser_mode(inst, request) != MFA_MODE_APPEND && !notes->has_code;

	if (has_prompt && peruser_challenge_begin(request) < 0) return RLM_MODULE_FAIL;
	peruser_report_decision(inst, request, notes->record.login);
	if (!has_prompt) return peruser_reject_with(request, &inst->message.unenrolled);
	return peruser_challenge_user(inst, request, &notes->record, &inst->message.enroll);
}

/** Ask for the code, or say that it was missing behind the password */
static rlm_rcode_t ask_for_code(rlm_peruser_mfa_t *inst, REQUEST *request,
				struct peruser_record *record)
{
	if (peruser_mode(inst, request) == MFA_MODE_APPEND) {
		peruser_report(inst, request, MFA_RESULT_REJECTED,
			       peruser_password(request)
				       ? "no code behind the password"
				       : "no place for a code in this first factor");
		return peruser_reject_with(request, &inst->message.no_code);
	}
	if (peruser_challenge_begin(request) < 0) return RLM_MODULE_FAIL;
	peruser_report_decision(inst, request, record->login);
	return peruser_challenge_user(inst, request, record, &inst->message.challenge);
}

/** Turn the decision after the first factor into a reply */
static rlm_rcode_t reply_to_password(rlm_peruser_mfa_t *inst, REQUEST *request,
				     struct mfa_notes *notes)
{
	struct peruser_record *record = &notes->record;
	struct mfa_decision const *decision = &record->login->decision;

	if (decision->verdict == MFA_CHALLENGE && decision->result == MFA_RESULT_UNENROLLED)
		return ask_to_enroll(inst, request, notes);
	if (decision->verdict == MFA_CHALLENGE) return ask_for_code(inst, request, record);
	if (decision->verdict == MFA_REJECT && decision->result == MFA_RESULT_UNENROLLED &&
	    peruser_challenge_begin(request) < 0)
		return RLM_MODULE_FAIL;
	peruser_report_decision(inst, request, record->login);
	if (decision->verdict == MFA_ACCEPT) {
		peruser_accept(inst, request, decision);
		return decision->result == MFA_RESULT_OFF || decision->result == MFA_RESULT_SKIPPED
			       ? RLM_MODULE_NOOP
			       : RLM_MODULE_OK;
	}
	if (decision->result == MFA_RESULT_UNENROLLED &&
	    peruser_shows(request, inst->policy.unenrolled == MFA_UNENROLLED_CHALLENGE)) {
		return peruser_challenge_user(inst, request, record, &inst->message.unenrolled);
	}
	return peruser_refuse(inst, request, decision);
}

/** The first factor said yes: what the record says */
static rlm_rcode_t after_password(rlm_peruser_mfa_t *inst, REQUEST *request,
				  struct mfa_notes *notes)
{
	struct peruser_record *record = &notes->record;
	enum mfa_rc rc;

	if (!record->login) record->login = mfa_login_alloc();
	if (!record->login) return RLM_MODULE_FAIL;
	rc = ask_record(inst, request, notes);
	if (record->login->record_diag.text[0]) RWARN("%s", record->login->record_diag.text);
	peruser_policy_report(request, &record->login->policy);
	if (rc == MFA_ERR_NOT_FOUND) return stranger(inst, request, notes);
	if (!inst->report_only) return reply_to_password(inst, request, notes);
	peruser_report_decision(inst, request, record->login);
	return RLM_MODULE_NOOP;
}

/** Decide about a request that a first factor accepted */
static rlm_rcode_t decide(rlm_peruser_mfa_t *inst, REQUEST *request)
{
	struct mfa_notes *notes = peruser_find_notes(request), none = {0};
	char const *why = peruser_name_problem(request);
	rlm_rcode_t rcode;

	if (!notes) notes = &none;
	if (notes->checked) return RLM_MODULE_NOOP;
	if (why) return refuse_request(inst, request, why);
	if (peruser_mode(inst, request) == MFA_MODE_SKIP) {
		peruser_report(inst, request, MFA_RESULT_SKIPPED, "");
		return RLM_MODULE_NOOP;
	}
	switch (peruser_eap_place(inst, request, &why)) {
	case PERUSER_EAP_HERE: break;
	case PERUSER_EAP_ELSEWHERE: return RLM_MODULE_NOOP;
	case PERUSER_EAP_NOWHERE:
		peruser_report_fault(inst, request, MFA_RESULT_REJECTED, why);
		return inst->report_only ? RLM_MODULE_NOOP : peruser_reject_with(request, NULL);
	}
	rcode = after_password(inst, request, notes);
	/* The server keeps a request for a while after its reply; not the record. */
	mfa_login_free(&notes->record.login);
	return rcode;
}

static rlm_rcode_t CC_HINT(nonnull) mod_post_auth(void *instance, REQUEST *request)
{
	rlm_peruser_mfa_t *inst = instance;
	rlm_rcode_t rcode;

	if (request->reply->code != PW_CODE_ACCESS_ACCEPT) return RLM_MODULE_NOOP;
	rcode = decide(inst, request);
	if (rcode == RLM_MODULE_NOOP || rcode == RLM_MODULE_OK) peruser_eap_decided(request);
	return rcode;
}

/* The module's name is the only symbol that the server looks for. */
module_t rlm_peruser_mfa = {
	.magic = RLM_MODULE_INIT,
	.name = "peruser_mfa",
	.type = RLM_TYPE_HUP_SAFE,
	.inst_size = sizeof(rlm_peruser_mfa_t),
	.bootstrap = mod_bootstrap,
	.instantiate = mod_instantiate,
	.detach = mod_detach,
	.methods = {[MOD_AUTHENTICATE] = mod_authenticate,
		    [MOD_AUTHORIZE] = mod_authorize,
		    [MOD_POST_AUTH] = mod_post_auth},
};
