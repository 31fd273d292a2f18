/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A body or a query of the enrolment page: no field gets through that its table does not allow. */
#include "core/utf8.h"
#include "enroll/form.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size);

static struct mfa_field const fields[] = {
	{"csrf", 44, MFA_ALPHABET_TOKEN, false},
	{"name", 16, MFA_ALPHABET_TEXT, true},
	{"password", 32, MFA_ALPHABET_SECRET, false},
	{NULL, 0, MFA_ALPHABET_TEXT, false},
};

static void demand(bool condition)
{
	if (!condition) abort();
}

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	static struct mfa_form form;
	enum mfa_rc const rc = mfa_form_parse(&form, fields, (struct mfa_bytes){data, size});

	if (rc != MFA_OK) {
		demand(mfa_form_get(&form, "name")[0] == '\0');
		return 0;
	}
	for (size_t i = 0; fields[i].name; i++) {
		char const *value = mfa_form_get(&form, fields[i].name);

		demand(strlen(value) <= fields[i].max);
		demand(strlen(value) == form.value[i].len);
		if (fields[i].alphabet == MFA_ALPHABET_TEXT)
			demand(mfa_utf8_is_printable(mfa_bytes_of(value)));
	}
	demand(form.value[1].data != NULL);
	mfa_form_clear(&form);
	return 0;
}
