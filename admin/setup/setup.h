/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file admin/setup/setup.h
 * @brief The assistant: what was answered, and the steps from a packaged server to the
 * first challenge.
 *
 * Each step looks first whether it has been done, so that a run can be repeated.  What a
 * step changed is noted in #MFA_SETUP_FOLDER, so that it can be undone.
 */
#ifndef MFA_ADMIN_SETUP_SETUP_H
#define MFA_ADMIN_SETUP_SETUP_H

#include "admin/cli.h"

#include <mfa_build.h>

#define MFA_SETUP_FOLDER MFA_PAGE_CONFDIR "/setup" //!< Copies of files, and lists; root's alone.
#define MFA_SETUP_OURS	 MFA_FR_CONFDIR "/mods-config/peruser_mfa"
#define MFA_SETUP_SELF	 "/proc/self/exe"
#define MFA_SETUP_TEXT	 (64u << 10) //!< Bytes of a file or of a tool's output.

/** Kinds of directory servers */
enum mfa_setup_directory {
	MFA_SETUP_UNKNOWN = 0,
	MFA_SETUP_OPENLDAP,
	MFA_SETUP_389DS,
	MFA_SETUP_AD,
};

/** What the administrator answered; strings are owned */
struct mfa_setup_answers {
	char *uri;	//!< One LDAP URI.
	uint32_t tls;	//!< 0: none, or by ldaps://; 1: StartTLS.
	char *ca_file;	//!< Empty: the authorities of the system.
	char *config;	//!< The URI under which OpenLDAP's cn=config is managed by EXTERNAL.
	char *suffix;	//!< Empty: what the server says.
	char *base_dn;	//!< Empty: ou=people below the suffix.
	char *login;	//!< The attribute that holds the login name.
	char *services; //!< Where the accounts are made; empty: ou=services below the suffix.
	char *admin;	//!< The administrator's DN.
	char *site;	//!< The site that is changed; empty: none.
	uint32_t web;	//!< 0: none, 1: apache, 2: nginx.
	char *web_site; //!< nginx: the file of the server that has the certificate; empty: none.
	char *user;	//!< For the trial login; empty: none.
	char *user_password_file;
	char *radius_secret; //!< Of the client 127.0.0.1, for the trial login.
};

/** One run */
struct mfa_setup {
	struct mfa_cli *cli;
	struct mfa_setup_answers answer;
	enum mfa_setup_directory directory;
	char database[256];  //!< OpenLDAP: the database's entry in cn=config.
	char password[512];  //!< The administrator's; kept nowhere else.
	char account[2][48]; //!< Passwords of the new accounts: radius, enroll.
	bool dry_run;
};

/** A step of the way */
struct mfa_setup_step {
	char const *name;
	enum mfa_rc (*run)(struct mfa_setup *setup, struct mfa_diag *diag);
};

extern struct mfa_config_item const mfa_setup_items[];

/** Say one line of what is done; "would" in front of it in a dry run */
void mfa_setup_say(struct mfa_setup const *setup, char const *fmt, ...) MFA_PRINTF(2, 3);

/** Read the answers from a file, or ask for each at the terminal
 *
 * @return #MFA_OK, or the result of mfa_config_read() with the reason in @p diag.
 */
enum mfa_rc mfa_setup_answer(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;

/** Keep the answers for the way back, but for those that name secrets */
enum mfa_rc mfa_setup_keep_answers(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;

/** Forget them, once all is taken back */
void mfa_setup_forget_answers(void);

/** Fill in what follows from other answers: base, accounts */
enum mfa_rc mfa_setup_derive(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;

/** Bind once as the administrator, before anything is changed
 *
 * @return #MFA_OK, or #MFA_ERR_DENIED with the directory's answer in @p diag.
 */
enum mfa_rc mfa_setup_bind(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;

/* The steps */
enum mfa_rc mfa_setup_recognize(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_schema(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_accounts(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_access(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_settings(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_ring(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_site(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_page(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_restart(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_check(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_trial(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;

/* The way back */
enum mfa_rc mfa_setup_undo_files(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_undo_page(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_undo_access(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;
enum mfa_rc mfa_setup_undo_accounts(struct mfa_setup *setup, struct mfa_diag *diag) MFA_MUST_CHECK;

#endif /* MFA_ADMIN_SETUP_SETUP_H */
