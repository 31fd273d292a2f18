/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole entry and a login on top of it.  Each line of the input is a digit, which names the
 * attribute, and a value; a line that begins with 'c' is what the user typed.
 */
#include "core/verdict.h"
#include "fuzz.h"

#define NOW 1700000010

static struct mfa_entry entry;
static struct mfa_record record;
static struct mfa_decision decision;

static void read_entry(struct mfa_code *code, struct mfa_bytes rest)
{
	mfa_entry_init(&entry);
	mfa_code_parse(code, (struct mfa_bytes){0});
	CHECK(mfa_entry_set_id(&entry, mfa_bytes_of(FUZZ_ENTRY_ID)) == MFA_OK);
	while (rest.len > 0) {
		struct mfa_bytes line = fuzz_line(&rest);
		unsigned const kind = line.len ? (unsigned)line.data[0] - '0' : MFA_ATTR_COUNT;

		if (line.len == 0) continue;
		line.data++;
		line.len--;
		if (line.data[-1] == 'c') mfa_code_parse(code, line);
		if (kind < MFA_ATTR_COUNT &&
		    mfa_entry_add(&entry, (enum mfa_attr)kind, line) != MFA_OK) {
			return;
		}
	}
}

/** Whether the code is that of a device within the widest window, or a recovery code */
static bool could_be_right(struct mfa_code const *code)
{
	char expected[MFA_TOTP_DIGITS_MAX + 1];
	size_t index;

	if (mfa_recovery_find(&index, &entry, fuzz_ring(), code) == MFA_OK) return true;
	for (size_t i = 0; i < record.secret_count; i++) {
		int64_t const now = NOW / record.secret[i].period_s;

		for (int64_t step = now - 6; step <= now + 6; step++) {
			CHECK(mfa_totp_generate(expected, &record.secret[i], step) == MFA_OK);
			if (mfa_code_equals(code, expected)) return true;
		}
	}
	return false;
}

static void check_record(void)
{
	CHECK(record.secret_count <= MFA_SECRETS_MAX);
	if (record.state == MFA_STATE_ENROLLED) CHECK(record.secret_count > 0);
	if (record.state == MFA_STATE_OFF || record.state == MFA_STATE_SUSPENDED)
		CHECK(!record.enabled &&
		      (record.required_from_s < 0 || record.required_from_s > NOW));
}

static void check_decision(struct mfa_code const *code)
{
	CHECK(decision.verdict <= MFA_CHALLENGE && decision.result < MFA_RESULT_COUNT);
	CHECK(decision.reason.text[0] && !decision.change.overflow);
	if (decision.verdict != MFA_ACCEPT) return;
	if (!code) {
		CHECK(decision.result == MFA_RESULT_OFF || decision.result == MFA_RESULT_TRUSTED);
	} else {
		CHECK(could_be_right(code));
	}
}

int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
	static struct mfa_policy const policy = {.window = 1,
						 .drift_max = 4,
						 .lock_threshold = 5,
						 .lock_base_s = 30,
						 .lock_max_s = 3600,
						 .attempts = 3,
						 .lifetime_s = 120,
						 .remember_s = 1000};
	struct mfa_bytes const device = mfa_bytes_of("02-00-00-00-00-01");
	struct mfa_request request = {.now_s = NOW, .device = device};
	struct mfa_diag diag;
	struct mfa_code code;

	read_entry(&code, (struct mfa_bytes){data, size});
	mfa_record_parse(&record, &diag, &entry, fuzz_ring(), false, NOW);
	check_record();
	if (record.state == MFA_STATE_BROKEN) CHECK(diag.text[0]);
	mfa_decide(&decision, &record, fuzz_ring(), &policy, &request);
	check_decision(NULL);
	request.code = &code;
	request.nonce = "aaaaaaaaaaaaaaaa";
	request.prompt = 1;
	mfa_decide(&decision, &record, fuzz_ring(), &policy, &request);
	check_decision(&code);
	mfa_record_clear(&record);
	return 0;
}
