/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/web.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <syslog.h>

/* No session lives so long, nor does a clock go so far wrong. */
#define ENDED_S	     (2u * MFA_SESSION_S)
#define SITE_FACTOR  4u /* an IPv6 /48 may guess as often as so many addresses */
#define ENTRY_FACTOR 2u /* an entry as often as so many spellings of its name */

static void set_limits(struct mfa_throttle *throttle, struct mfa_page_config const *page)
{
	/* One guess each longest wait, for ever, is what a stranger gets. */
	struct mfa_throttle_limit const user = {page->user_attempts, page->wait_s, page->wait_max_s,
						page->wait_max_s};
	/* Many people share one: their typing errors are forgotten sooner. */
	struct mfa_throttle_limit const address = {page->address_attempts, page->wait_s,
						   page->wait_max_s, page->wait_s};

	for (unsigned i = 0; i < MFA_THROTTLE_KINDS; i++) throttle->limit[i] = user;
	throttle->limit[MFA_THROTTLE_ENTRY].free *= ENTRY_FACTOR;
	throttle->limit[MFA_THROTTLE_ADDRESS] = throttle->limit[MFA_THROTTLE_SITE] = address;
	throttle->limit[MFA_THROTTLE_SITE].free *= SITE_FACTOR;
	throttle->limit[MFA_THROTTLE_ENDED] = throttle->limit[MFA_THROTTLE_LEFT] =
		(struct mfa_throttle_limit){UINT32_MAX, 1, 1, ENDED_S};
}

static void to_server_log(void *uctx, char const *line)
{
	struct mfa_io const *io = uctx;

	io->log(io->uctx, line);
}

static void to_system_log(char const *line)
{
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "@cee: %s", line);
}

/** Before the filter of system calls keeps files from being opened for writing */
static enum mfa_rc open_events(struct mfa_app *app, struct mfa_diag *diag)
{
	app->events = (struct mfa_event_sink){.program = "peruser-mfa-enroll",
					      .log = to_server_log,
					      .system_log = to_system_log,
					      .fd = -1};
	return mfa_event_open(&app->events, diag, app->settings.page.events);
}

enum mfa_rc mfa_app_open(struct mfa_app *app, struct mfa_diag *diag, char const *path)
{
	struct mfa_settings *settings = &app->settings;
	uint8_t key[MFA_KEY_SIZE];
	enum mfa_rc rc;

	app->mail_fd = app->throttle.fd = app->events.fd = -1;
	rc = mfa_settings_read(settings, diag, path);
	if (rc == MFA_OK) rc = open_events(app, diag);
	if (rc == MFA_OK) rc = mfa_keyring_load(&app->ring, diag, settings->shared.key_ring);
	if (rc != MFA_OK) return rc;
	(void)stat(settings->shared.key_ring, &app->ring_stat);
	rc = mfa_derive(key, app->ring.key[0].derived[MFA_PURPOSE_FAILURE], "peruser-mfa throttle");
	if (rc == MFA_OK)
		rc = mfa_throttle_open(&app->throttle, diag, settings->page.throttle_file, key);
	OPENSSL_cleanse(key, sizeof(key));
	if (rc != MFA_OK) return rc;
	set_limits(&app->throttle, &settings->page);
	app->store = (struct mfa_store){
		.config = &settings->shared, .account = settings->account, .read_class = true};
	rc = mfa_conn_alloc(&app->conn, &app->store);
	if (rc != MFA_OK) mfa_diag_set(diag, "out of memory");
	return rc;
}

void mfa_app_close(struct mfa_app *app)
{
	mfa_event_close(&app->events);
	mfa_conn_free(&app->conn);
	mfa_throttle_close(&app->throttle);
	mfa_keyring_clear(&app->ring);
	mfa_settings_clear(&app->settings);
}

struct mfa_web *mfa_web_alloc(void)
{
	struct mfa_web *web = calloc(1, sizeof(*web));

	if (!web) return NULL;
	web->login = mfa_login_alloc();
	if (!web->login) mfa_web_free(&web);
	return web;
}

void mfa_web_free(struct mfa_web **web)
{
	if (!*web) return;
	mfa_login_free(&(*web)->login);
	OPENSSL_cleanse(*web, sizeof(**web));
	free(*web);
	*web = NULL;
}
