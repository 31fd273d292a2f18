/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

char const *mfa_rc_name(enum mfa_rc rc)
{
	switch (rc) {
	case MFA_OK: return "MFA_OK";
	case MFA_ERR_INTERNAL: return "MFA_ERR_INTERNAL";
	case MFA_ERR_NOMEM: return "MFA_ERR_NOMEM";
	case MFA_ERR_ARG: return "MFA_ERR_ARG";
	case MFA_ERR_FORMAT: return "MFA_ERR_FORMAT";
	case MFA_ERR_SPACE: return "MFA_ERR_SPACE";
	case MFA_ERR_CRYPTO: return "MFA_ERR_CRYPTO";
	case MFA_ERR_NOT_FOUND: return "MFA_ERR_NOT_FOUND";
	case MFA_ERR_CONFLICT: return "MFA_ERR_CONFLICT";
	case MFA_ERR_UNAVAILABLE: return "MFA_ERR_UNAVAILABLE";
	case MFA_ERR_DENIED: return "MFA_ERR_DENIED";
	case MFA_ERR_AMBIGUOUS: return "MFA_ERR_AMBIGUOUS";
	case MFA_ERR_BROKEN: return "MFA_ERR_BROKEN";
	}
	return "MFA_ERR_UNKNOWN";
}

void mfa_diag_say(struct mfa_diag *diag, char const *text)
{
	size_t const len = strnlen(text, MFA_DIAG_SIZE - 1);

	if (!diag) return;
	memcpy(diag->text, text, len);
	diag->text[len] = '\0';
}

void mfa_diag_set(struct mfa_diag *diag, char const *fmt, ...)
{
	va_list args;

	if (!diag) return;
	va_start(args, fmt);
	(void)vsnprintf(diag->text, sizeof(diag->text), fmt, args);
	va_end(args);
	for (char *p = diag->text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f) *p = '?';
	}
}
