/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enroll/mail.h"
#include "enroll/layout.h"

#include <ldap.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_MAX 2048u
#define ADDRESS_MAX 254u /* RFC 5321 section 4.5.3.1.3 */

/** An address that needs no quoting anywhere: in a header, or as an argument */
static bool is_plain_address(char const *text)
{
	size_t const len = strlen(text);

	return len > 2 && len <= ADDRESS_MAX && text[0] != '-' && strchr(text, '@') &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			    "@._+-=~") == len;
}

/** Ask the directory for the visitor's mail address; empty when there is none to use */
static void find_address(char out[static ADDRESS_MAX + 1], struct mfa_web *web)
{
	struct mfa_page_config const *page = &web->app->settings.page;
	struct timeval limit = {.tv_sec = web->app->settings.shared.timeout_s};
	char *attrs[] = {page->mail_attribute, NULL};
	LDAPMessage *result = NULL;
	struct berval **values = NULL;
	struct mfa_diag diag = {.text = "search"};
	LDAP *handle = mfa_conn_handle(&diag, web->app->conn, MFA_SIDE_READ);

	out[0] = '\0';
	if (handle && ldap_search_ext_s(handle, web->session.dn, LDAP_SCOPE_BASE, NULL, attrs, 0,
					NULL, NULL, &limit, 1, &result) == LDAP_SUCCESS) {
		LDAPMessage *entry = ldap_first_entry(handle, result);

		if (entry) values = ldap_get_values_len(handle, entry, page->mail_attribute);
	}
	if (values && values[0] && values[0]->bv_len <= ADDRESS_MAX)
		(void)snprintf(out, ADDRESS_MAX + 1, "%.*s", (int)values[0]->bv_len,
			       values[0]->bv_val);
	if (values) ldap_value_free_len(values);
	if (result) (void)ldap_msgfree(result);
	if (!is_plain_address(out)) out[0] = '\0';
}

static char const *subject_of(enum mfa_mail_event event)
{
	switch (event) {
	case MFA_MAIL_ON: return _("MFA was turned on");
	case MFA_MAIL_OFF: return _("MFA was turned off");
	case MFA_MAIL_ADDED: return _("A device was added to your MFA");
	case MFA_MAIL_REPLACED: return _("Your MFA devices were replaced by a new one");
	case MFA_MAIL_CODES: return _("New recovery codes were made for your MFA");
	case MFA_MAIL_RECOVERY_USED: return _("A recovery code of your MFA was used");
	case MFA_MAIL_LOCKED: return _("Your MFA is locked after wrong codes");
	case MFA_MAIL_REMOVED: break;
	}
	return _("A device was removed from your MFA");
}

/** A header's value in UTF-8 (RFC 2047 section 2) */
static void encode_header(char out[static 400], char const *text)
{
	size_t const len = strlen(text);
	unsigned char base64[360];

	out[0] = '\0';
	if (len > 240) return;
	(void)EVP_EncodeBlock(base64, (unsigned char const *)text, (int)len);
	(void)snprintf(out, 400, "=?UTF-8?B?%s?=", (char const *)base64);
}

/** "recipient NUL message" */
static size_t compose(char out[static MESSAGE_MAX], struct mfa_web *web, char const *to,
		      enum mfa_mail_event event)
{
	struct mfa_page_config const *page = &web->app->settings.page;
	char subject[400], date[MFA_DATE_SIZE];
	size_t const used = strlen(to) + 1;
	int len;

	encode_header(subject, subject_of(event));
	mfa_date_format_time(date, web->now_s);
	memcpy(out, to, used);
	len = snprintf(out + used, MESSAGE_MAX - used,
		       "From: %s\nTo: %s\nSubject: %s\nMIME-Version: 1.0\n"
		       "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
		       "Auto-Submitted: auto-generated\n\n"
		       "%s\n\n%s: %s\n%s: %s\n%s: %s\n%s: %s\n\n%s %s\n",
		       page->mail_from, to, subject, subject_of(event), _("Site"), page->site_name,
		       _("User name"), web->session.user, _("Date"), date, _("From the address"),
		       web->http.address,
		       _("If this was not you, tell your administrator at once, and change your "
			 "password."),
		       page->support);
	return len > 0 && (size_t)len < MESSAGE_MAX - used ? used + (size_t)len : 0;
}

void mfa_mail_notice(struct mfa_web *web, enum mfa_mail_event event)
{
	char to[ADDRESS_MAX + 1], message[MESSAGE_MAX];
	size_t len;

	if (web->app->mail_fd < 0) return;
	find_address(to, web);
	if (to[0] == '\0') {
		mfa_web_log(web, "no notice by mail: the entry has no address that can be used");
		return;
	}
	len = compose(message, web, to, event);
	if (len == 0 || send(web->app->mail_fd, message, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		mfa_web_log(web, "no notice by mail: the mail process does not take it");
}
