/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/cli.h
 * @brief What the subcommands of peruser-mfa share: arguments, settings, session.
 */
#ifndef MFA_ADMIN_CLI_H
#define MFA_ADMIN_CLI_H

#include "core/conn.h"
#include "core/enrollment.h"
#include "core/event.h"
#include "core/keyring.h"
#include "core/verdict.h"

#define MFA_CLI_NAME "peruser-mfa"

/** How the program ends */
enum mfa_cli_exit {
	MFA_CLI_DONE = 0,	 //!< All that was asked for was done.
	MFA_CLI_REFUSED = 1,	 //!< Something was refused or failed; the rest was done.
	MFA_CLI_USAGE = 2,	 //!< Wrong arguments, or a configuration that cannot be used.
	MFA_CLI_UNAVAILABLE = 3, //!< The directory does not answer.
};

/** All options of all subcommands; strings belong to argv */
struct mfa_cli_args {
	uint32_t help, version;
	/* everywhere */
	char const *config;	   //!< -c: the shared file.
	char const *admin_config;  //!< --admin-config: our own file.
	char const *uri;	   //!< -H
	char const *identity;	   //!< -D
	uint32_t ask_password;	   //!< -W
	char const *password_file; //!< -y
	char const *mechanism;	   //!< -Y
	uint32_t simple;	   //!< -x; what happens anyway, for those who are used to it.
	uint32_t start_tls;	   //!< -Z, -ZZ
	uint32_t json;
	uint32_t quiet;
	/* for all that write */
	uint32_t dry_run;
	uint32_t yes;		//!< Do not ask.
	char const *users;	//!< A filter in parentheses.
	char const *users_file; //!< A name or DN in each line.
	char const *group;	//!< DN
	/* of single subcommands */
	char const *from;
	uint32_t until_removed, remove;
	char const *state;
	uint32_t required, locked;
	uint32_t stale_days; //!< 0: not asked for.
	char const *device;
	uint32_t algorithm; //!< enum mfa_totp_hash.
	uint32_t digits, period_s;
	uint32_t no_confirm;
	char const *issuer;
	uint32_t voucher, valid_hours;
	uint32_t format;
	char const *user;
	uint32_t all_or_nothing, suspended;
	char const *pskc_key_file, *pskc_password_file;
	char const *key_id;
	uint32_t last;
	char const *first_key, *remove_key;
	uint32_t ring_only, force;
	uint32_t progress;
	char const *output;
	char const *as_radius, *as_radius_file;
	char const *as_page, *as_page_file;
	char const *as_user, *as_user_file;
	char const *module;
	char const *answers;
	char const *nas, *address;
	uint32_t undo;
};

/** The command line's own file; strings are owned */
struct mfa_cli_settings {
	char *identity;
	char *password_file;
	uint32_t sasl; //!< 0: none, 1: EXTERNAL.
	char *name_attribute;
	char *issuer;
	char *events;
};

/** What a subcommand cannot do without */
enum mfa_cli_need {
	MFA_CLI_NEED_NOTHING = 0,
	MFA_CLI_NEED_CONFIG = 1,    //!< The shared file was read.
	MFA_CLI_NEED_RING = 2,	    //!< The key ring was read.
	MFA_CLI_NEED_DIRECTORY = 4, //!< Connected and bound.
};

#define MFA_CLI_LOOKS_AT_ALL ((1u << MFA_ATTR_COUNT) - 1u)

struct mfa_cli;
struct mfa_cli_edit;
struct mfa_cli_option;

/** A subcommand */
struct mfa_cli_command {
	char const *name;
	char const *operands;		     //!< As the usage line shows them.
	char const *summary;		     //!< One line.
	int operands_min, operands_max;	     //!< -1: any number.
	unsigned needs;			     //!< enum mfa_cli_need, or-ed.
	uint32_t looks_at;		     //!< Set of attributes that it must be able to see.
	uint32_t takes_users;		     //!< Operands are users; options name them, too.
	enum mfa_event_kind event;	     //!< What a change of an entry is.
	uint32_t asks;			     //!< "Are you sure?" when a filter or group is given.
	struct mfa_cli_option const *option; //!< Its own options; ends with a NULL name.
	enum mfa_cli_exit (*run)(struct mfa_cli *cli);
	enum mfa_outcome (*decide)(struct mfa_cli_edit *edit); //!< See mfa_cli_edit_command().
};

/** One run of the program */
struct mfa_cli {
	struct mfa_cli_command const *command;
	struct mfa_cli_args args;
	char **operand;
	int operand_count;
	struct mfa_config config;
	char config_path[512];
	struct mfa_cli_settings settings;
	char settings_path[512]; //!< Empty: there is none.
	struct mfa_keyring ring;
	bool have_ring;
	struct mfa_policy policy;
	struct mfa_store store;
	char password[512];
	struct mfa_conn *conn; //!< For single entries and for writing.
	struct mfa_conn *walk; //!< For long searches, so that paging is never disturbed.
	char name_attr[65];    //!< Which attribute holds the login name.
	char everyone[2048];   //!< The filter that finds all users.
	int64_t now_s;
	uint64_t changed, unchanged, refused, failed; //!< Entries, by outcome.
	bool unavailable;
	bool hopeless;		      //!< The directory refuses everybody, which was said.
	unsigned same_failures;	      //!< Entries in a row that failed for the same reason.
	struct mfa_diag last_failure; //!< That reason.
	struct mfa_event_sink events;
	enum mfa_event_kind event; //!< Of the next change.
	bool unrecorded;	   //!< An event could not be written, which was said.
	bool mute;		   //!< The output cannot be written, which was said.
};

extern struct mfa_config_item const mfa_cli_setting_items[];

/** Read configuration and key ring, connect and bind, as far as needed
 *
 * Says itself what went wrong.
 */
enum mfa_cli_exit mfa_cli_open(struct mfa_cli *cli, unsigned needs);

/** Read the settings only; the first step of mfa_cli_open() */
enum mfa_cli_exit mfa_cli_open_config(struct mfa_cli *cli, struct mfa_diag *diag);

/** Choose the account and read its password */
enum mfa_cli_exit mfa_cli_open_account(struct mfa_cli *cli, struct mfa_diag *diag);

/** Connect and bind; the last step of mfa_cli_open() */
enum mfa_rc mfa_cli_connect(struct mfa_cli *cli, struct mfa_diag *diag) MFA_MUST_CHECK;

/** Forget everything, secrets wiped */
void mfa_cli_close(struct mfa_cli *cli);

/** Whether nothing more may be begun: directory gone, output gone, or a signal came */
bool mfa_cli_must_stop(struct mfa_cli const *cli);

/** What a core result means for the exit status */
enum mfa_cli_exit mfa_cli_exit_of(enum mfa_rc rc);

/** The exit status that the counts of entries stand for */
enum mfa_cli_exit mfa_cli_tally_exit(struct mfa_cli const *cli);

#endif /* MFA_ADMIN_CLI_H */
