/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "admin/date.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size);

/* What is read can be written as Generalized Time, and is read the same from that. */
int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	char text[MFA_TIME_SIZE];
	int64_t time_s, again_s;

	if (!copy) return 0;
	if (size) memcpy(copy, data, size);
	if (mfa_cli_date_parse(&time_s, (struct mfa_bytes){copy, size}, 1700000000) != MFA_OK) {
		if (time_s != 0) abort();
	} else if (mfa_time_format(text, time_s) == MFA_OK) {
		if (mfa_cli_date_parse(&again_s, mfa_bytes_of(text), 0) != MFA_OK ||
		    again_s != time_s)
			abort();
	}
	free(copy);
	return 0;
}
