/* SPDX-License-Identifier: GPL-2.0-or-later */
/* First line: a filter with expansions.  The rest: a user's name, which never adds to the filter. */
#include "core/filter.h"
#include "fuzz.h"

/** What is left of a filter when each escape is read as one harmless byte */
static size_t count_special(char const *text)
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '\\') {
			CHECK(strspn(text + 1, "0123456789abcdef") >= 2);
			text += 2;
		} else if (strchr("()*", *text)) {
			n++;
		}
	}
	return n;
}

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	struct mfa_bytes rest = {data, size};
	struct mfa_bytes const line = fuzz_line(&rest);
	struct mfa_bytes const user = fuzz_copy(rest);
	char filter[256], out[512], dn[1024];
	struct mfa_diag diag;
	int len;

	if (line.len < sizeof(filter)) {
		memcpy(filter, line.data ? line.data : (uint8_t const *)"", line.len);
		filter[line.len] = '\0';
		(void)mfa_filter_expand(out, sizeof(out), &diag, filter, user);
	}
	len = mfa_filter_escape(out, sizeof(out), user);
	if (len >= 0) CHECK((size_t)len == strlen(out) && count_special(out) == 0);
	len = mfa_dn_escape(dn, sizeof(dn), user);
	if (len >= 0) CHECK((size_t)len == strlen(dn) && !strpbrk(dn, ",=+\"<>;# "));
	if (mfa_filter_expand(out, sizeof(out), &diag, "(&(uid=%{User-Name})(x=*))", user) ==
	    MFA_OK)
		CHECK(count_special(out) == 7);
	fuzz_free(user);
	return 0;
}
