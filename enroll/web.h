/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file enroll/web.h
 * @brief One request from its arrival to its answer, and what all requests of a worker share.
 */
#ifndef MFA_ENROLL_WEB_H
#define MFA_ENROLL_WEB_H

#include "core/event.h"
#include "core/login.h"
#include "enroll/http.h"
#include "enroll/lang.h"
#include "enroll/session.h"
#include "enroll/settings.h"
#include "enroll/throttle.h"

#include <sys/stat.h>

#define MFA_CODES_S	    300 //!< Fresh recovery codes may be shown and saved so long.
#define MFA_WEB_ERROR_SIZE  400u
#define MFA_KNOWN_TEXT_MAX  159u //!< Characters of the cookie of a known browser.
#define MFA_KEY_TEXT_MAX    511u //!< Characters of the cookie of a pending key.
#define MFA_DRAFT_TEXT_MAX  799u //!< Characters of the cookie of a draft.
#define MFA_CODES_TEXT_SIZE (MFA_RECOVERY_COUNT * MFA_RECOVERY_TEXT_SIZE) //!< A line a code.
#define MFA_CODES_BOX_SIZE  MFA_BOX_TEXT_SIZE(MFA_SESSION_ID_SIZE + 16u + MFA_CODES_TEXT_SIZE)

/** What lives as long as the worker */
struct mfa_app {
	struct mfa_settings settings;
	struct mfa_keyring ring;
	struct mfa_keyring spare_ring; //!< Where a changed one is read into.
	struct stat ring_stat;	       //!< Of the file that was read last.
	struct mfa_store store;
	struct mfa_conn *conn;
	struct mfa_throttle throttle;
	struct mfa_event_sink events;
	int mail_fd; //!< To the process that sends mail; -1: none.
};

/** Read configuration and key ring, open the throttle file; nothing is asked of the directory yet
 *
 * @param[in,out] app zero before; to be closed also after a failure.
 * @param[in] path   of enroll.conf.
 */
enum mfa_rc mfa_app_open(struct mfa_app *app, struct mfa_diag *diag, char const *path)
	MFA_MUST_CHECK;

void mfa_app_close(struct mfa_app *app);

struct mfa_web;

/** A page: who may see it, which fields it takes, what shows it and what acts */
struct mfa_route {
	char const *path;
	void (*show)(struct mfa_web *web); //!< GET; NULL: none.
	void (*act)(struct mfa_web *web);  //!< POST; NULL: none.
	struct mfa_field const *query;	   //!< Of a GET.
	struct mfa_field const *form;	   //!< Of a POST.
	bool signed_in;			   //!< Only for those who are.
	bool change;			   //!< Wants a password that is not old.
};

/** One request */
struct mfa_web {
	struct mfa_app *app;
	struct mfa_io const *io;
	struct mfa_http http;
	struct mfa_route const *route;
	int64_t now_s;
	char const *lang;
	struct mfa_session session;
	bool session_changed;		//!< Send the cookie.
	bool complete;			//!< The answer is written: nothing is to be added.
	bool problem_below;		//!< What went wrong is said further down, not at the top.
	bool ask_password;		//!< The form asks for the password once more.
	struct mfa_login *login;	//!< The visitor's record, as read last.
	struct mfa_form form;		//!< Fields of the query or of the body.
	uint8_t raw[MFA_FORM_BODY_MAX]; //!< The body, until it is parsed.
	struct mfa_head answer;
	char error[MFA_WEB_ERROR_SIZE];	    //!< What went wrong, for the visitor; may be empty.
	char const *wrong_field;	    //!< The field that it is about.
	char codes_box[MFA_CODES_BOX_SIZE]; //!< Fresh recovery codes on their way; may be empty.
	char const *codes;		    //!< Those that this page shows, a line each.
	bool drop_codes;		    //!< They were shown: take the cookie away.
	char key_box[MFA_KEY_TEXT_MAX + 1]; //!< For the cookie of a pending key; may be empty.
	char draft_box[MFA_DRAFT_TEXT_MAX + 1]; //!< For the cookie of a draft; may be empty.
	bool drop_draft;			//!< It was shown: take the cookie away.
	char known_box[MFA_KNOWN_TEXT_MAX +
		       1];     //!< For the cookie of a known browser; may be empty.
	int64_t hold_until_ms; //!< When the answer may leave; 0: at once.
	struct mfa_out head, body;
};

/** Allocate; NULL when memory ran out */
struct mfa_web *mfa_web_alloc(void);

/** Wipe and free; sets *web to NULL */
void mfa_web_free(struct mfa_web **web);

/** Handle one request: @p web is reused from request to request and clean afterwards */
void mfa_web_serve(struct mfa_web *web, struct mfa_app *app, struct mfa_io const *io,
		   int64_t now_s);

/** A line in the web server's log: who, from where, what; never a secret */
void mfa_web_log(struct mfa_web *web, char const *fmt, ...) MFA_PRINTF(2, 3);

/** An event about the visitor, or about the entry that is signing in: docs/events.md
 *
 * @param[in] factor "totp", "recovery_code", "password", "voucher", or NULL.
 * @param[in] result "accepted", "rejected", "locked", "changed".
 */
void mfa_web_event(struct mfa_web *web, enum mfa_event_kind kind, char const *factor,
		   char const *result, char const *reason);

/** Answer with 303 to another of our pages */
void mfa_web_redirect(struct mfa_web *web, char const *path);

/** As above, and that page says something first */
void mfa_web_redirect_flash(struct mfa_web *web, char const *path, enum mfa_flash flash);

/** Say what went wrong, in the form that is shown again; with the code, unless web->wrong_field is set */
void mfa_web_problem(struct mfa_web *web, int status, char const *fmt, ...) MFA_PRINTF(3, 4);

/** A problem that ends by itself */
void mfa_web_wait(struct mfa_web *web, uint32_t wait_s);

/** Read the visitor's entry from the provider into web->login, and understand it
 *
 * @return as mfa_conn_read(); #MFA_ERR_NOT_FOUND also when it is not the entry of the sign-in.
 */
enum mfa_rc mfa_web_read_record(struct mfa_web *web) MFA_MUST_CHECK;

/** What a login of the page's own is decided with: the policy, without a NAS */
void mfa_web_login_context(struct mfa_login_context *ctx, struct mfa_policy_facts *facts,
			   struct mfa_web *web);

/** Whether MFA is compulsory for everybody, or by the policy for the visitor, now */
bool mfa_web_requires(struct mfa_web const *web);

/** Understand the visitor's entry, which was read into web->login
 *
 * Rules of the policy that are about logins do not count.
 *
 * @return #MFA_OK; #MFA_ERR_NOT_FOUND when it is not the entry of the sign-in; as
 *	mfa_login_judge().
 */
enum mfa_rc mfa_web_take_record(struct mfa_web *web) MFA_MUST_CHECK;

/** The shared directory questions in one place: where the visitor's entry is */
enum mfa_rc mfa_web_where(struct mfa_where *where, char *filter, size_t filter_size,
			  struct mfa_web *web) MFA_MUST_CHECK;

/** What the directory's failure means for the visitor: 503 and a page */
void mfa_web_unavailable(struct mfa_web *web, enum mfa_rc rc, struct mfa_diag const *diag);

#endif /* MFA_ENROLL_WEB_H */
