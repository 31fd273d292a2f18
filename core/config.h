/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/config.h
 * @brief The one configuration that module, page and command line share.
 *
 * A table says what there is, what is allowed and what the default is.  The module
 * fills it from FreeRADIUS's parser, page and command line from a file; both call
 * mfa_config_set() for each item, so that all refuse the same things.
 */
#ifndef MFA_CORE_CONFIG_H
#define MFA_CORE_CONFIG_H

#include "core/entry.h"
#include "core/policy.h"

/** How the server's certificate is checked (ldap.conf(5), TLS_REQCERT) */
enum mfa_require_cert {
	MFA_CERT_DEMAND = 0, //!< A bad or missing certificate ends the connection.
	MFA_CERT_ALLOW,	     //!< A bad one is tolerated.  Not safe.
	MFA_CERT_NEVER,	     //!< Not looked at.  Not safe.
};

/** Where a user is searched for (RFC 4511 section 4.5.1.2) */
enum mfa_scope {
	MFA_SCOPE_SUB = 0,
	MFA_SCOPE_ONE,
	MFA_SCOPE_BASE,
};

/** What is done with a configuration by which several servers are written to */
enum mfa_several_writers {
	MFA_SEVERAL_REFUSE = 0,	    //!< It is refused.
	MFA_SEVERAL_ACCEPT_REPLAYS, //!< A code may be accepted once per server.  Not safe.
};

/** Whether an answer that rests on a replica and writes nothing is confirmed by the provider */
enum mfa_confirm {
	MFA_CONFIRM_NO = 0,	    //!< The replica is believed.
	MFA_CONFIRM_WHEN_REACHABLE, //!< The replica is believed while the provider is away.
	MFA_CONFIRM_ALWAYS, //!< Nobody is accepted without a code while the provider is away.
};

/** Where it is written down that a code was used: see core/ledger.h */
enum mfa_ledger_type {
	MFA_LEDGER_LDAP = 0, //!< In the user's entry.
	MFA_LEDGER_BOTH,     //!< In both, while a site goes over from one to the other.
	MFA_LEDGER_ETCD,     //!< In etcd.
};

/** All shared settings; strings are owned, free with mfa_config_clear() */
struct mfa_config {
	/* ldap { } */
	char *uri;		    //!< One or several LDAP URIs, separated by spaces: for reading.
	char *write_uri;	    //!< For writing; empty: the same.
	uint32_t several_writers;   //!< enum mfa_several_writers.
	uint32_t confirm;	    //!< enum mfa_confirm, as configured: see mfa_config_confirm().
	uint32_t start_tls;	    //!< Boolean.
	char *ca_file;		    //!< PEM; empty: the system's.
	uint32_t require_cert;	    //!< enum mfa_require_cert.
	uint32_t timeout_s;	    //!< For all operations of one step together.
	uint32_t connect_timeout_s; //!< To connect, start TLS and bind.

	/* user { } */
	char *base_dn;
	char *filter;
	uint32_t scope; //!< enum mfa_scope.

	/* attribute { } */
	char *attr[MFA_ATTR_COUNT]; //!< Names in this directory.
	char *attr_id;		    //!< The immutable entry id.
	char *object_class;	    //!< Auxiliary class; empty: attributes need none.

	/* totp { } */
	uint32_t window;
	uint32_t drift_max;

	/* lockout { } */
	uint32_t lock_threshold;
	uint32_t lock_base_s;
	uint32_t lock_max_s;

	/* ledger { } */
	uint32_t ledger_type;	//!< enum mfa_ledger_type.
	char *ledger_endpoints; //!< URLs of etcd's members, separated by spaces.
	char *ledger_user;	//!< Empty: etcd asks for no password.
	char *ledger_password_file;
	char *ledger_ca_file; //!< PEM; empty: the system's.
	char *ledger_prefix;  //!< In front of every key.

	char *key_ring; //!< Path.

	struct mfa_rules rules; //!< policy NAME { }
};

/** What a value is */
enum mfa_config_type {
	MFA_CONFIG_STRING,
	MFA_CONFIG_NUMBER, //!< uint32_t between min and max.
	MFA_CONFIG_BOOL,   //!< uint32_t: yes or no.
	MFA_CONFIG_CHOICE, //!< uint32_t: index into choices.
	MFA_CONFIG_NAME,   //!< String: an attribute or class name or OID (RFC 4512 section 1.4).
	MFA_CONFIG_URIS,   //!< String: LDAP URIs, separated by spaces.
};

/** One item; tables of items end with a NULL name */
struct mfa_config_item {
	char const *section; //!< NULL at the top level.
	char const *name;
	enum mfa_config_type type;
	size_t offset;	     //!< In the structure that the table describes.
	char const *dflt;    //!< As it would be written; NULL: must be given.
	uint32_t min, max;   //!< NUMBER: range.  STRING: bytes.
	char const *choices; //!< CHOICE: words separated by spaces.
};

#define MFA_ENDPOINTS_MAX   8u	     //!< Members of etcd in a list.
#define MFA_RULE_SECTION    "policy" //!< The section's name; the rule's name follows it.
#define MFA_RULE_NAME_MAX   32u	     //!< Bytes of a rule's name.
#define MFA_CONFIG_FILE_MAX 32767u   //!< Bytes of a configuration file.

/** The items of struct mfa_config */
extern struct mfa_config_item const mfa_config_items[];

/** The items of struct mfa_rule; all in the section #MFA_RULE_SECTION */
extern struct mfa_config_item const mfa_rule_items[];

/** Add a rule that holds for everybody, to be changed by mfa_rules_set()
 *
 * @param[in] name 1 .. #MFA_RULE_NAME_MAX letters, digits, dashes, dots and underscores.
 * @return #MFA_OK, #MFA_ERR_FORMAT (the name), #MFA_ERR_CONFLICT (there is one of this name),
 *	#MFA_ERR_SPACE (too many), #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_rules_add(struct mfa_rules *rules, struct mfa_diag *diag, char const *name)
	MFA_MUST_CHECK;

/** Set one item of the rule that was added last; returns as mfa_config_set() */
enum mfa_rc mfa_rules_set(struct mfa_rules *rules, struct mfa_diag *diag, char const *name,
			  char const *value) MFA_MUST_CHECK;

/** Check each rule's items together, and read what they hold
 *
 * @return #MFA_OK, or #MFA_ERR_FORMAT with the reason in @p diag.
 */
enum mfa_rc mfa_rules_complete(struct mfa_rules *rules, struct mfa_diag *diag) MFA_MUST_CHECK;

/** Free them all */
void mfa_rules_clear(struct mfa_rules *rules);

/** Whether a rule sets how the code arrives: then the policy is asked before the password is */
bool mfa_rules_set_mode(struct mfa_rules const *rules);

/** Whether a rule lets users enroll while the login waits */
bool mfa_rules_enroll(struct mfa_rules const *rules);

/** Whether a rule remembers devices */
bool mfa_rules_remember(struct mfa_rules const *rules);

/** Set one item of a structure
 *
 * @param[in,out] base the structure that @p items describes.
 * @param[out] diag    what is allowed, when it is refused.
 * @param[in] section  NULL at the top level.
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND (no such item), #MFA_ERR_FORMAT (value not allowed),
 *	#MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_config_set(void *base, struct mfa_diag *diag, struct mfa_config_item const *items,
			   char const *section, char const *name, char const *value) MFA_MUST_CHECK;

/** Set every item that has a default; the structure must be zero before */
enum mfa_rc mfa_config_defaults(void *base, struct mfa_config_item const *items) MFA_MUST_CHECK;

/** Check that every item that must be given was, and that the items fit together
 *
 * No two NAMEs may be the same.  In the shared configuration one server must be the one
 * that is written to: a directory compares and swaps a value within one server, so a code
 * could be accepted once at each of several.  The rules of its policy are completed.
 *
 * @return #MFA_OK, or #MFA_ERR_FORMAT with the reason in @p diag.
 */
enum mfa_rc mfa_config_complete(void *base, struct mfa_diag *diag,
				struct mfa_config_item const *items) MFA_MUST_CHECK;

/** Attributes that are not kept in the directory: a set of them */
uint32_t mfa_config_ledger_attrs(struct mfa_config const *config);

/** What is to be confirmed; MFA_CONFIRM_NO where reading and writing go to the same servers */
enum mfa_confirm mfa_config_confirm(struct mfa_config const *config);

/** Free every string and set all to zero; strings are wiped, some are passwords */
void mfa_config_clear(void *base, struct mfa_config_item const *items);

/** Whether a section of this name is in the table */
bool mfa_config_has_section(struct mfa_config_item const *items, char const *section);

/** Read a file of `section { item = value }` (by libconfuse)
 *
 * An unknown item, a value out of range, an item that is given twice and one that is
 * missing are errors.  Programs that call this link libconfuse.
 *
 * @param[out] base zero before; to be cleared also after a failure.
 * @param[out] diag the first problem, with file, line and what is allowed.
 * @return #MFA_OK, #MFA_ERR_NOT_FOUND (cannot be opened or read), #MFA_ERR_SPACE (too large),
 *	#MFA_ERR_FORMAT, #MFA_ERR_NOMEM.
 */
enum mfa_rc mfa_config_read(void *base, struct mfa_diag *diag, struct mfa_config_item const *items,
			    char const *path) MFA_MUST_CHECK;

/** As mfa_config_read(), from memory; @p name stands for the file in messages */
enum mfa_rc mfa_config_parse(void *base, struct mfa_diag *diag, struct mfa_config_item const *items,
			     char const *text, char const *name) MFA_MUST_CHECK;

#endif /* MFA_CORE_CONFIG_H */
