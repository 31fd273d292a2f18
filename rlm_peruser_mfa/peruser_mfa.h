/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file rlm_peruser_mfa/peruser_mfa.h
 * @brief What the module's files share: the instance, and one login's notes.
 */
#ifndef RLM_PERUSER_MFA_H
#define RLM_PERUSER_MFA_H

#include <freeradius/radiusd.h>

#include <freeradius/modules.h>

#include "core/challenge.h"
#include "core/event.h"
#include "core/login.h"
#include "core/metrics.h"
#include "rlm_peruser_mfa/compat.h"
#include "rlm_peruser_mfa/expand.h"
#include "rlm_peruser_mfa/gate.h"
#include "rlm_peruser_mfa/ring.h"

struct peruser_cache;

/** How the code arrives; also the values of control:Peruser-MFA-Mode */
enum mfa_mode {
	MFA_MODE_CHALLENGE = 0, //!< By a challenge.
	MFA_MODE_APPEND,	//!< Behind the password.
	MFA_MODE_AUTO,		//!< Behind the password when it is there, else by a challenge.
	MFA_MODE_SKIP,		//!< Not at all: only by Peruser-MFA-Mode.
	MFA_MODE_COUNT
};

/** Which requests with EAP are decided outside of a tunnel */
enum peruser_eap {
	PERUSER_EAP_REQUIRE_INNER = 0, //!< None: an instance in the tunnel decides.
	PERUSER_EAP_IDENTITY,	       //!< Those of methods that prove the outer name.
	PERUSER_EAP_CERTIFICATE,       //!< EAP-TLS: the certificate is the second factor.
};

/** The directory of an instance */
struct mfa_directory {
	struct mfa_config config; //!< The shared configuration.
	struct mfa_store store;
};

/** Texts for people, expanded for each login */
struct mfa_messages {
	struct peruser_text challenge;
	struct peruser_text wrong;
	struct peruser_text rejected;
	struct peruser_text no_code;
	struct peruser_text replayed;
	struct peruser_text locked;
	struct peruser_text locked_forever;
	struct peruser_text unenrolled;
	struct peruser_text enroll;
	struct peruser_text next;
	struct peruser_text restart;
	struct peruser_text recovery;
	struct peruser_text required;
	struct peruser_text press_enter;
};

#define PERUSER_SEEN_SIZE 1024u //!< Users whose password's length is remembered, at most.

/** One instance of the module */
typedef struct rlm_peruser_mfa_t {
	char const *name; //!< Instance name; also the Auth-Type.
	struct mfa_directory directory;
	struct peruser_text base_dn;
	struct peruser_named filter;
	bool filter_is_name;	      //!< It compares the user's name and keeps nobody out.
	struct peruser_named user_dn; //!< Empty: users are searched for.
	CONF_SECTION *reread; //!< The configuration, when this instance had to read it again.
	fr_connection_pool_t *pool;
	uint32_t pool_max;     //!< Requests that may wait for the directory.
	uint32_t pool_wait_ms; //!< How long another one waits for its turn.
	struct peruser_gate *gate;
	struct peruser_ring *ring;
	struct mfa_policy policy;

	char const *identity;
	char const *password;
	bool external;
	char const *key_ring;
	char const *mode_name;
	char const *unenrolled_name;
	char const *locked_name;
	char const *replayed_name;
	char const *rejected_name;
	char const *not_found_name;
	char const *eap_name;
	char const *separator;
	bool report_only;
	bool log_success;
	bool bind_users;
	uint32_t lifetime_s;
	uint32_t enroll_lifetime_s;
	uint32_t retransmission_s;
	uint32_t attempts;
	uint32_t cached_records;
	struct peruser_text bind;
	char const *events;
	char const *metrics_file;    //!< Empty: none.
	struct mfa_metrics *metrics; //!< Of the process, by the instance's name; never freed.
	struct mfa_event_sink event_sink;
	uint32_t remember_s;
	struct peruser_text remember_key;
	struct peruser_text remember_nas;
	struct mfa_messages message;

	enum mfa_mode mode;
	bool mode_by_policy; //!< A rule of the policy may say otherwise.
	enum peruser_eap eap;
	bool accept_not_found;
	/* Whether the text is shown as a challenge before the reject. */
	bool show_locked;
	bool show_replayed;
	bool show_rejected;
	struct peruser_cache *cache;	  //!< NULL: records are not kept.
	uint32_t seen[PERUSER_SEEN_SIZE]; //!< How long passwords were: see split.c.
} rlm_peruser_mfa_t;

/** A record in hand, and for which account it was read */
struct peruser_record {
	struct mfa_login *login;	      //!< NULL: none.
	uint8_t read_for[MFA_CHALLENGE_HASH]; //!< See peruser_account_key().
	bool is_mapped; //!< By rlm_ldap, which may not be able to read all of it.
};

/** What one request has to remember between the sections; all instances share it */
struct mfa_notes {
	bool checked;  //!< An instance verified a code.
	bool has_code; //!< A code came with the password.
	uint32_t
		cuts; //!< Places where it could have been cut off, none of which left a right code.
	bool was_cut; //!< It was taken off a password, as the record of cut_for told.
	uint8_t cut_for[MFA_CHALLENGE_HASH];	 //!< Hash of that entry's id.
	char nonce[MFA_NONCE_TEXT_SIZE];	 //!< Of a login whose code came with the password.
	bool is_begun;				 //!< The nonce of a challenge was chosen.
	uint8_t challenge_nonce[MFA_NONCE_SIZE]; //!< Of a login that is about to be challenged.
	char login_id[MFA_LOGIN_ID_SIZE];	 //!< For events; empty: no code is needed.
	struct mfa_code code;
	struct peruser_record record; //!< When it was read before post-auth.
};

/* config.c */

/** Read and check everything; complains with file and line
 *
 * @return 0, or -1.
 */
int peruser_config_load(rlm_peruser_mfa_t *inst, CONF_SECTION *cs);

/** Free what peruser_config_load() made */
void peruser_config_free(rlm_peruser_mfa_t *inst);

/* dictionary.c */

/** Attributes of the module, by index into peruser_attr */
enum peruser_attr {
	PERUSER_RESULT,
	PERUSER_MODE,
	PERUSER_REQUIRED,
	PERUSER_SHOW,
	PERUSER_DIGITS,
	PERUSER_WAIT,
	PERUSER_RECOVERY_LEFT,
	PERUSER_REQUIRED_DATE,
	PERUSER_ENTRY_ID,
	PERUSER_OBJECT_CLASS,
	PERUSER_INNER,
	PERUSER_MAPPED, //!< First of MFA_ATTR_COUNT attributes, in the order of enum mfa_attr.
	PERUSER_ATTR_COUNT = PERUSER_MAPPED + MFA_ATTR_COUNT
};

/** Define the attributes
 *
 * @return 0, or -1.
 */
int peruser_dictionary_define(void);

/** One of the attributes, after they were defined */
DICT_ATTR const *peruser_attr(enum peruser_attr attr);

/** Set an attribute in a list, instead of what is there
 *
 * @return 0, or -1 when memory ran out.
 */
int peruser_set_integer(TALLOC_CTX *ctx, VALUE_PAIR **list, enum peruser_attr attr, uint32_t value);
int peruser_set_string(TALLOC_CTX *ctx, VALUE_PAIR **list, enum peruser_attr attr,
		       char const *value);

/* split.c */

/** Note where the password ended, now that the first factor said that it is right
 *
 * So that the next wrong code of a user whose devices have several lengths is cut off there.
 */
void peruser_note_cut(rlm_peruser_mfa_t *inst, REQUEST *request, struct mfa_login const *login);

/** Take the code off the password, where it was glued on
 *
 * @return the rcode of authorize: noop, updated, reject or fail.
 */
rlm_rcode_t peruser_split(rlm_peruser_mfa_t *inst, REQUEST *request);

/* remember.c */

#define PERUSER_DEVICE_SIZE (MFA_DEVICE_LABEL_MAX + 1u) //!< Bytes of a device's key, NUL included.

/** What tells the device that this request came from, and the kind of NAS
 *
 * @param[out] device empty when devices are not remembered, or nothing tells them.
 */
void peruser_device(char device[static PERUSER_DEVICE_SIZE], rlm_peruser_mfa_t *inst,
		    REQUEST *request);

/** Note the device and what a home server sent, so that the second packet can have them
 *
 * @return false when it does not fit.
 */
bool peruser_keep(REQUEST *request, struct mfa_challenge *challenge, char const *device);

/** The device that the first packet came from; no bytes when there is none */
struct mfa_bytes peruser_kept_device(struct mfa_challenge const *challenge);

/** Put what a home server sent back into the reply
 *
 * @return false when it cannot be read.
 */
bool peruser_restore_reply(REQUEST *request, struct mfa_challenge const *challenge);

#endif /* RLM_PERUSER_MFA_H */
