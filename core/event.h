/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file core/event.h
 * @brief What happened, to whom and by whom, as one line of JSON: docs/events.md.
 */
#ifndef MFA_CORE_EVENT_H
#define MFA_CORE_EVENT_H

#include "core/text.h"

#define MFA_LOGIN_ID_SIZE 17u //!< Hexadecimal digits of a login id, and NUL.

/** What happened; docs/events.md explains each */
enum mfa_event_kind {
	MFA_EVENT_LOGIN = 0,
	MFA_EVENT_SIGN_IN,
	MFA_EVENT_SIGN_OUT,
	MFA_EVENT_CODE,
	MFA_EVENT_VOUCHER,
	MFA_EVENT_DEVICE_ADDED,
	MFA_EVENT_DEVICE_CHANGED,
	MFA_EVENT_DEVICE_REMOVED,
	MFA_EVENT_DEVICES_REPLACED,
	MFA_EVENT_RECOVERY_CODES,
	MFA_EVENT_TRUSTED_FORGOTTEN,
	MFA_EVENT_TURNED_OFF,
	MFA_EVENT_INVITED,
	MFA_EVENT_REQUIRED,
	MFA_EVENT_SUSPENDED,
	MFA_EVENT_RESUMED,
	MFA_EVENT_RESET,
	MFA_EVENT_UNLOCKED,
	MFA_EVENT_IMPORTED,
	MFA_EVENT_EXPORTED,
	MFA_EVENT_REENCRYPTED,
	MFA_EVENT_KEY_RING,
	MFA_EVENT_KIND_COUNT
};

/** Who did it */
enum mfa_actor {
	MFA_ACTOR_USER = 0,	 //!< The user of the entry, on the page.
	MFA_ACTOR_ADMINISTRATOR, //!< Somebody with the command.
	MFA_ACTOR_SERVER,	 //!< A RADIUS server, for a user that logs in.
};

/** One event; members that are empty or NULL are written as null */
struct mfa_event {
	enum mfa_event_kind kind;
	int64_t time_s;		   //!< Unix time.
	struct mfa_bytes user;	   //!< As it was typed.
	struct mfa_bytes dn;	   //!< Of the entry.
	struct mfa_bytes entry_id; //!< The entry's immutable id; hexadecimal when it is no text.
	enum mfa_actor actor;
	char const *actor_name;	 //!< Bind DN of the administrator, instance of the server.
	char const *actor_login; //!< The administrator's login at the shell.
	struct mfa_bytes nas;	 //!< NAS-Identifier or address of the NAS.
	char const *address;	 //!< From where the packet or the browser's request came.
	struct mfa_bytes device; //!< Calling-Station-Id.
	char const *client;	 //!< Name of the RADIUS client.
	char const *factor;   //!< "totp", "recovery_code", "trusted_device", "password", "voucher".
	char const *result;   //!< "accepted", "rejected", "changed" and so on.
	char const *reason;   //!< A sentence; no secret.
	char const *login_id; //!< Equal in all packets of one login.
};

/** Where events go: chosen by a setting, open as long as the program or instance lives */
struct mfa_event_sink {
	char const *program; //!< Name in each event.
	/** The host program's own log; NULL: it has none.  Threads may call both at once. */
	void (*log)(void *uctx, char const *line);
	void (*system_log)(char const *line); //!< The system's log.
	void *uctx;
	enum {
		MFA_EVENT_TO_NOTHING = 0,
		MFA_EVENT_TO_SYSLOG,
		MFA_EVENT_TO_LOG,
		MFA_EVENT_TO_FILE
	} target;
	int fd; //!< Of the file; -1: none.
};

/** The name of an event, as it is written: "login", "device_added" */
char const *mfa_event_name(enum mfa_event_kind kind);

/** Open a target
 *
 * A file is appended to; it is made with mode 0600.  A symbolic link is refused.
 *
 * @param[in,out] sink	 program, log, system_log and uctx are set before; fd is -1 after a failure.
 * @param[in] where	 "none", "syslog", "log" (where sink->log is set) or an absolute path.
 * @return #MFA_OK; #MFA_ERR_FORMAT when where is none of these; #MFA_ERR_DENIED when the file
 *	cannot be opened.
 */
enum mfa_rc mfa_event_open(struct mfa_event_sink *sink, struct mfa_diag *diag, char const *where)
	MFA_MUST_CHECK;

void mfa_event_close(struct mfa_event_sink *sink);

/** Write an event as one line
 *
 * Long values are cut.  Whatever the bytes are, the line is JSON in UTF-8 (RFC 8259).
 *
 * @return #MFA_OK; #MFA_ERR_NOMEM; #MFA_ERR_UNAVAILABLE when the file cannot be written.
 */
enum mfa_rc mfa_event_write(struct mfa_event_sink const *sink, struct mfa_event const *event)
	MFA_MUST_CHECK;

/** The id of a login: a hash of what only its packets have in common
 *
 * @param[out] id 16 hexadecimal digits; empty when the hash cannot be made.
 */
void mfa_login_id(char id[static MFA_LOGIN_ID_SIZE], struct mfa_bytes nonce);

#endif /* MFA_CORE_EVENT_H */
