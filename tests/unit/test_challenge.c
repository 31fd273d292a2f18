/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/challenge.h"
#include "unit.h"

static struct mfa_keyring ring, old_ring, other_ring;

static int read_rings(void **state)
{
	(void)state;
	ring_parse(&ring, TWO_KEYS);
	ring_parse(&old_ring, "old ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n");
	ring_parse(&other_ring, "new ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n");
	return 0;
}

static struct mfa_challenge sample(uint8_t kept_len)
{
	struct mfa_challenge challenge = {
		.issued_s = 1700000000, .attempt = 2, .kept_len = kept_len};

	memset(challenge.nonce, 1, sizeof(challenge.nonce));
	memset(challenge.user, 2, sizeof(challenge.user));
	memset(challenge.bind, 3, sizeof(challenge.bind));
	for (uint8_t i = 0; i < kept_len; i++) challenge.kept[i] = (uint8_t)(i + 100);
	return challenge;
}

static void a_login_comes_back_whole(void **state)
{
	char text[MFA_STATE_TEXT_MAX + 1];
	struct mfa_challenge out;

	(void)state;
	for (unsigned n = 0; n <= MFA_CHALLENGE_KEPT; n++) {
		struct mfa_challenge const in = sample((uint8_t)n);

		assert_int_equal(mfa_challenge_seal(text, &in, &ring, "peruser_mfa"), MFA_OK);
		assert_true(strlen(text) <= MFA_STATE_TEXT_MAX);
		assert_int_equal(mfa_challenge_open(&out, &ring, bytes(text), "peruser_mfa"),
				 MFA_OK);
		assert_memory_equal(&out, &in, sizeof(in));
	}
}

static void every_time_and_attempt_comes_back(void **state)
{
	static int64_t const issued[] = {0, 1, 253402300799, -1, INT64_MAX, INT64_MIN};
	char text[MFA_STATE_TEXT_MAX + 1];
	struct mfa_challenge out;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(issued); i++) {
		struct mfa_challenge in = sample(0);

		in.issued_s = issued[i];
		in.attempt = (uint8_t)(127 - i);
		in.enrolling = i % 2 == 1;
		in.failures = (uint8_t)(i * 3);
		assert_int_equal(mfa_challenge_seal(text, &in, &ring, ""), MFA_OK);
		assert_int_equal(mfa_challenge_open(&out, &ring, bytes(text), ""), MFA_OK);
		assert_true(out.issued_s == in.issued_s);
		assert_int_equal(out.attempt, in.attempt);
		assert_int_equal(out.enrolling, in.enrolling);
		assert_int_equal(out.failures, in.failures);
	}
}

/* One VPN server cuts State at the first NUL byte, and RADIUS allows 253. */
static void a_state_is_printable_and_fits(void **state)
{
	struct mfa_challenge const in = sample(MFA_CHALLENGE_KEPT);
	char text[MFA_STATE_TEXT_MAX + 1];

	(void)state;
	assert_int_equal(mfa_challenge_seal(text, &in, &ring, "peruser_mfa"), MFA_OK);
	assert_true(strlen(text) <= 253);
	for (char const *p = text; *p; p++) assert_true(*p > ' ' && *p <= '~');
}

static void more_than_fits_is_refused(void **state)
{
	struct mfa_challenge in = sample(0);
	char text[MFA_STATE_TEXT_MAX + 1];

	(void)state;
	in.kept_len = MFA_CHALLENGE_KEPT + 1;
	assert_int_equal(mfa_challenge_seal(text, &in, &ring, ""), MFA_ERR_ARG);
	assert_zero(text, sizeof(text));
	in = sample(0);
	in.attempt = 128;
	assert_int_equal(mfa_challenge_seal(text, &in, &ring, ""), MFA_ERR_ARG);
	assert_zero(text, sizeof(text));
}

static void every_altered_character_is_noticed(void **state)
{
	struct mfa_challenge const in = sample(10);
	char text[MFA_STATE_TEXT_MAX + 1];
	struct mfa_challenge out;
	size_t len;

	(void)state;
	assert_int_equal(mfa_challenge_seal(text, &in, &ring, "a"), MFA_OK);
	len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			text[i] = (char)(text[i] ^ (1 << bit));
			assert_int_not_equal(mfa_challenge_open(&out, &ring, raw(text, len), "a"),
					     MFA_OK);
			assert_zero(&out, sizeof(out));
			text[i] = (char)(text[i] ^ (1 << bit));
		}
	}
	for (size_t n = 0; n < len; n++)
		assert_int_not_equal(mfa_challenge_open(&out, &ring, raw(text, n), "a"), MFA_OK);
	text[len] = 'A';
	assert_int_not_equal(mfa_challenge_open(&out, &ring, raw(text, len + 1), "a"), MFA_OK);
	assert_int_equal(mfa_challenge_open(&out, &ring, raw(text, len), "a"), MFA_OK);
}

static void only_the_same_context_and_a_key_of_the_ring_open_it(void **state)
{
	struct mfa_challenge const in = sample(0);
	char text[MFA_STATE_TEXT_MAX + 1];
	struct mfa_challenge out;

	(void)state;
	assert_int_equal(mfa_challenge_seal(text, &in, &ring, "vpn"), MFA_OK);
	assert_int_equal(mfa_challenge_open(&out, &ring, bytes(text), "wifi"), MFA_ERR_CRYPTO);
	assert_int_equal(mfa_challenge_open(&out, &ring, bytes(text), ""), MFA_ERR_CRYPTO);
	assert_int_equal(mfa_challenge_open(&out, &old_ring, bytes(text), "vpn"), MFA_ERR_CRYPTO);
	assert_int_equal(mfa_challenge_open(&out, &other_ring, bytes(text), "vpn"), MFA_ERR_CRYPTO);
	assert_int_equal(mfa_challenge_seal(text, &in, &old_ring, "vpn"), MFA_OK);
	assert_int_equal(mfa_challenge_open(&out, &ring, bytes(text), "vpn"), MFA_OK);
}

/** What a State of this ring for "a" begins with */
static size_t put_head(char text[static MFA_STATE_TEXT_MAX + 1])
{
	struct mfa_challenge const in = sample(0);

	assert_int_equal(mfa_challenge_seal(text, &in, &ring, "a"), MFA_OK);
	return strlen(MFA_STATE_PREFIX) + MFA_STATE_TAG_LEN;
}

static void a_box_for_another_purpose_is_no_state(void **state)
{
	uint8_t plain[64] = {0}, box[sizeof(plain) + MFA_SEAL_OVERHEAD];
	char text[MFA_STATE_TEXT_MAX + 1];
	size_t const head = put_head(text);
	struct mfa_challenge out;

	(void)state;
	for (unsigned purpose = 0; purpose < MFA_PURPOSE_COUNT; purpose++) {
		assert_int_equal(mfa_seal(box, sizeof(box), ring.key[0].derived[purpose],
					  bytes("a"), raw(plain, sizeof(plain))),
				 MFA_OK);
		assert_int_equal(
			mfa_base64url_encode(text + head, sizeof(text) - head, box, sizeof(box)),
			MFA_OK);
		assert_int_equal(mfa_challenge_open(&out, &ring, bytes(text), "a"),
				 purpose == MFA_PURPOSE_STATE ? MFA_OK : MFA_ERR_CRYPTO);
	}
}

/* The ring's owner could seal a State that is too short to be one. */
static void a_short_box_is_refused_although_it_opens(void **state)
{
	uint8_t plain[54] = {0}, box[sizeof(plain) + MFA_SEAL_OVERHEAD];
	char text[MFA_STATE_TEXT_MAX + 1];
	size_t const head = put_head(text);
	struct mfa_challenge out;

	(void)state;
	for (size_t n = 0; n <= sizeof(plain); n++) {
		assert_int_equal(mfa_seal(box, sizeof(box), ring.key[0].derived[MFA_PURPOSE_STATE],
					  bytes("a"), raw(plain, n)),
				 MFA_OK);
		assert_int_equal(mfa_base64url_encode(text + head, sizeof(text) - head, box,
						      n + MFA_SEAL_OVERHEAD),
				 MFA_OK);
		assert_int_equal(mfa_challenge_open(&out, &ring, bytes(text), "a"),
				 n < 54 ? MFA_ERR_FORMAT : MFA_OK);
	}
}

static void a_state_says_whose_it_is(void **state)
{
	struct mfa_challenge const in = sample(0);
	char text[MFA_STATE_TEXT_MAX + 1];

	(void)state;
	assert_int_equal(mfa_challenge_seal(text, &in, &ring, "vpn"), MFA_OK);
	assert_false(mfa_challenge_is_ours(bytes(text), &other_ring, "vpn"));
	assert_int_equal(mfa_challenge_seal(text, &in, &old_ring, "vpn"), MFA_OK);
	assert_true(mfa_challenge_is_ours(bytes(text), &old_ring, "vpn"));
	assert_true(mfa_challenge_is_ours(bytes(text), &ring, "vpn")); /* its second key */
	assert_false(mfa_challenge_is_ours(bytes(text), &old_ring, "wifi"));
	assert_false(mfa_challenge_is_ours(raw(text, 8), &ring, "vpn")); /* nothing after the tag */
	text[4] ^= 1;
	assert_false(mfa_challenge_is_ours(bytes(text), &old_ring, "vpn"));
	assert_true(mfa_challenge_has_form(bytes(text)));
}

static void what_others_sent_is_not_ours(void **state)
{
	static char const *const theirs[] = {
		"", "p", "pm1", "pm1.", "PM1.AAAA", "pm2.AAAA", "\x01\x02\x03\x04\x05\x06\x07\x08"};
	static char noise[300];
	struct mfa_challenge out;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(theirs); i++) {
		assert_false(mfa_challenge_has_form(bytes(theirs[i])));
		assert_false(mfa_challenge_is_ours(bytes(theirs[i]), &ring, "a"));
		assert_int_equal(mfa_challenge_open(&out, &ring, bytes(theirs[i]), "a"),
				 MFA_ERR_FORMAT);
	}
	assert_false(mfa_challenge_has_form(raw(NULL, 0)));
	assert_true(mfa_challenge_has_form(bytes("pm1.A")));
	assert_false(mfa_challenge_is_ours(bytes("pm1.A"), &ring, "a"));
	memset(noise, 'A', sizeof(noise));
	memcpy(noise, "pm1.", 4);
	for (size_t n = 5; n < sizeof(noise); n++)
		assert_int_not_equal(mfa_challenge_open(&out, &ring, raw(noise, n), "a"), MFA_OK);
}

static void hashes_tell_users_and_servers_apart(void **state)
{
	uint8_t one[MFA_CHALLENGE_HASH], two[MFA_CHALLENGE_HASH];

	(void)state;
	assert_int_equal(mfa_challenge_hash(one, bytes("abc")), MFA_OK);
	assert_memory_equal(one, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);
	assert_int_equal(mfa_challenge_hash(two, bytes("abd")), MFA_OK);
	assert_memory_not_equal(one, two, sizeof(one));
	assert_int_equal(mfa_challenge_hash(two, raw(NULL, 0)), MFA_OK);
}

int main(void)
{
	static struct CMUnitTest const tests[] = {
		cmocka_unit_test(a_login_comes_back_whole),
		cmocka_unit_test(every_time_and_attempt_comes_back),
		cmocka_unit_test(a_state_is_printable_and_fits),
		cmocka_unit_test(more_than_fits_is_refused),
		cmocka_unit_test(every_altered_character_is_noticed),
		cmocka_unit_test(only_the_same_context_and_a_key_of_the_ring_open_it),
		cmocka_unit_test(a_box_for_another_purpose_is_no_state),
		cmocka_unit_test(a_short_box_is_refused_although_it_opens),
		cmocka_unit_test(a_state_says_whose_it_is),
		cmocka_unit_test(what_others_sent_is_not_ours),
		cmocka_unit_test(hashes_tell_users_and_servers_apart),
	};

	return cmocka_run_group_tests(tests, read_rings, NULL);
}
