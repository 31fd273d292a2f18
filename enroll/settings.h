/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/settings.h
 * @brief What the administrator configured for the page, and what follows from it.
 */
#ifndef MFA_ENROLL_SETTINGS_H
#define MFA_ENROLL_SETTINGS_H

#include "core/address.h"
#include "core/store.h"
#include "core/verdict.h"

#include <mfa_build.h>

#define MFA_SETTINGS_FILE MFA_PAGE_CONFDIR "/enroll.conf"

/** enroll.conf; strings are owned */
struct mfa_page_config {
	char *shared; //!< Path of peruser_mfa.conf.
	char *events; //!< Where events go: none, syslog, log or a file.

	/* account { } */
	char *identity, *password;
	uint32_t external; //!< Boolean: SASL EXTERNAL.

	/* site { } */
	char *site_name;   //!< Shown on each page.
	char *issuer;	   //!< What the app shows above the code; empty: site_name.
	char *support;	   //!< Whom to ask; empty: a general sentence.
	char *logo;	   //!< Path on the same host, or empty.
	char *style_sheet; //!< The same.
	char *apps;	   //!< Recommended apps; see mfa_settings_app().
	char *base_path;   //!< Where the page is mounted; empty: SCRIPT_NAME.
	char *locale_dir;  //!< Translations.

	/* enroll { } */
	uint32_t required;	  //!< Boolean: MFA is compulsory for everybody.
	uint32_t require_voucher; //!< Boolean.

	/* throttle { } */
	char *throttle_file;
	uint32_t user_attempts, address_attempts, wait_s, wait_max_s;

	/* mail { } */
	char *mail_command; //!< Absolute path of sendmail or the like; empty: no mail.
	char *mail_from;
	char *mail_attribute;

	/* http { } */
	uint32_t allow_plain_loopback; //!< Boolean: for tests.
	char *trusted_proxies;	       //!< Addresses and networks; empty: none.
};

/** Both files, read and checked; free with mfa_settings_clear() */
struct mfa_settings {
	struct mfa_page_config page;
	struct mfa_config shared;
	struct mfa_policy policy;
	struct mfa_account account; //!< Points into page.
	struct mfa_prefixes proxies;
};

/** Read enroll.conf, and the shared file that it names
 *
 * @param[out] settings zero before; to be cleared also after a failure.
 * @param[out] diag	the first problem, with file, line and what is allowed.
 * @return as mfa_config_read().
 */
enum mfa_rc mfa_settings_read(struct mfa_settings *settings, struct mfa_diag *diag,
			      char const *path) MFA_MUST_CHECK;

/** An app that the site recommends */
struct mfa_settings_app {
	struct mfa_bytes name, address;
};

/** Take the next app off a list: "Name https://address, Name https://address"
 *
 * @return false at the end of the list, or at an item that is none.
 */
bool mfa_settings_app(struct mfa_settings_app *app, char const **list);

void mfa_settings_clear(struct mfa_settings *settings);

#endif /* MFA_ENROLL_SETTINGS_H */
