/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/logins.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/** A free identifier: fewer logins are outstanding than there are */
static uint8_t take_ident(struct bench_load *load, struct bench_slot *slot)
{
	while (load->by_ident[load->next_ident]) load->next_ident++;
	load->by_ident[load->next_ident] = slot;
	return load->next_ident++;
}

static bool send_packet(struct bench_load *load, struct bench_slot *slot, char const *password)
{
	struct bench_user const *user = &load->users.list[slot->user];
	uint8_t const ident = take_ident(load, slot);

	if (!bench_radius_request(&slot->request, &load->radius, ident, user->name, password,
				  (struct mfa_bytes){slot->state, slot->state_len})) {
		fprintf(stderr, "user '%s' does not fit into a packet\n", user->name);
		return false;
	}
	slot->sent_ns = bench_now_ns();
	if (send(load->sock, slot->request.data, slot->request.len, 0) >= 0) return true;
	fprintf(stderr, "send: %s\n", strerrordesc_np(errno));
	return false;
}

static bool send_first(struct bench_load *load, struct bench_slot *slot)
{
	char const *password = load->users.list[slot->user].password;
	char both[BENCH_PASSWORD_MAX + 1];

	slot->phase = BENCH_SLOT_FIRST;
	slot->state_len = 0;
	slot->start_ns = bench_now_ns();
	load->busy++;
	if (load->mode != BENCH_MODE_APPEND) return send_packet(load, slot, password);
	if (snprintf(both, sizeof(both), "%s%s%s", password, load->separator, slot->code) >=
	    (int)sizeof(both)) {
		return false;
	}
	return send_packet(load, slot, both);
}

static bool send_second(struct bench_load *load, struct bench_slot *slot)
{
	if (load->mode == BENCH_MODE_WRONG &&
	    !bench_users_wrong_code(slot->code, &load->users, slot->user, time(NULL))) {
		return false;
	}
	slot->phase = BENCH_SLOT_SECOND;
	return send_packet(load, slot, slot->code);
}

/** Choose whom a slot logs in next; false when nobody has a code left */
static bool choose_user(struct bench_load *load, struct bench_slot *slot)
{
	if (load->mode == BENCH_MODE_CHALLENGE || load->mode == BENCH_MODE_APPEND)
		return bench_users_next_code(&slot->user, slot->code, &load->users, time(NULL));
	slot->user = bench_users_next(&load->users);
	return true;
}

static void end_login(struct bench_load *load, struct bench_slot *slot)
{
	slot->phase = BENCH_SLOT_IDLE;
	load->busy--;
}

/** Whether the last answer of a login is the one that it should be */
static bool is_expected(enum bench_mode mode, enum bench_code code)
{
	switch (mode) {
	case BENCH_MODE_ABANDON: return code == BENCH_CHALLENGE;
	case BENCH_MODE_WRONG: return code == BENCH_CHALLENGE || code == BENCH_REJECT;
	case BENCH_MODE_PASSWORD:
	case BENCH_MODE_CHALLENGE:
	case BENCH_MODE_APPEND:
	case BENCH_MODE_COUNT: break;
	}
	return code == BENCH_ACCEPT;
}

/** Go on with a login after an answer to it; false on an error of our own */
static bool go_on(struct bench_load *load, struct bench_slot *slot, enum bench_code code,
		  struct mfa_bytes state)
{
	bool const wants_more =
		slot->phase == BENCH_SLOT_FIRST &&
		(load->mode == BENCH_MODE_CHALLENGE || load->mode == BENCH_MODE_WRONG);

	if (wants_more && code == BENCH_CHALLENGE && state.len <= sizeof(slot->state)) {
		memcpy(slot->state, state.data, state.len);
		slot->state_len = state.len;
		if (!load->hold) return send_second(load, slot);
		slot->phase = BENCH_SLOT_HELD;
		return true;
	}
	load->accepted += code == BENCH_ACCEPT ? 1 : 0;
	if (!wants_more && is_expected(load->mode, code)) {
		load->good++;
		if (!bench_samples_add(&load->samples, bench_now_ns() - slot->start_ns))
			return false;
	} else {
		load->unexpected++;
	}
	end_login(load, slot);
	return true;
}

/** Take one answer off the socket; false on an error of our own */
static bool receive(struct bench_load *load)
{
	struct bench_packet reply;
	ssize_t const n = recv(load->sock, reply.data, sizeof(reply.data), 0);
	struct mfa_bytes state;
	struct bench_slot *slot;
	enum bench_code code;

	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR) return true;
		fprintf(stderr, "receive: %s\n", strerrordesc_np(errno));
		return false;
	}
	reply.len = (size_t)n;
	slot = reply.len >= BENCH_HEADER_SIZE ? load->by_ident[reply.data[1]] : NULL;
	if (!slot) {
		load->forged++;
		return true;
	}
	code = bench_radius_check(&state, &load->radius, &slot->request, &reply);
	if (code == BENCH_NOTHING) {
		load->forged++;
		return true;
	}
	load->by_ident[slot->request.data[1]] = NULL;
	return go_on(load, slot, code, state);
}

/** Give up what was not answered in time */
static void expire(struct bench_load *load)
{
	int64_t const oldest = bench_now_ns() - load->timeout_s * BENCH_NS_PER_S;

	for (size_t i = 0; i < BENCH_OUTSTANDING_MAX; i++) {
		struct bench_slot *slot = &load->slot[i];

		if ((slot->phase != BENCH_SLOT_FIRST && slot->phase != BENCH_SLOT_SECOND) ||
		    slot->sent_ns > oldest)
			continue;
		load->by_ident[slot->request.data[1]] = NULL;
		load->lost++;
		end_login(load, slot);
	}
}

/** Start logins until as many are outstanding as there should be */
static bool fill(struct bench_load *load)
{
	for (size_t i = 0; i < load->outstanding && load->started < load->count; i++) {
		if (load->slot[i].phase != BENCH_SLOT_IDLE) continue;
		if (!choose_user(load, &load->slot[i])) {
			load->out_of_codes = true;
			load->count = load->started;
			return true;
		}
		load->started++;
		if (!send_first(load, &load->slot[i])) return false;
	}
	return true;
}

bool bench_load_run(struct bench_load *load)
{
	int64_t const end_ns = bench_now_ns() + load->seconds * BENCH_NS_PER_S;
	int64_t next_look_ns = 0;

	do {
		int64_t const now_ns = bench_now_ns();

		if (now_ns >= end_ns) load->count = load->started;
		if (!fill(load)) return false;
		if (load->busy > 0 && !receive(load)) return false;
		if (now_ns < next_look_ns) continue;
		next_look_ns = now_ns + BENCH_NS_PER_S / 10;
		expire(load);
	} while (load->busy > 0 || load->started < load->count);
	return true;
}

/** Whether a copy of a race is still on its way */
static bool any_in(struct bench_load const *load, bool second)
{
	for (size_t i = 0; i < load->race; i++) {
		if (load->slot[i].phase == BENCH_SLOT_FIRST ||
		    (second && load->slot[i].phase == BENCH_SLOT_SECOND))
			return true;
	}
	return false;
}

static bool wait_while(struct bench_load *load, bool second)
{
	while (any_in(load, second)) {
		if (!receive(load)) return false;
		expire(load);
	}
	return true;
}

/** One code, in as many logins at once as wanted: one of them may be accepted */
static bool race_once(struct bench_load *load)
{
	struct bench_slot *first = &load->slot[0];

	if (!choose_user(load, first)) {
		load->out_of_codes = true;
		return true;
	}
	load->hold = true;
	for (size_t i = 0; i < load->race; i++) {
		load->slot[i].user = first->user;
		memcpy(load->slot[i].code, first->code, sizeof(first->code));
		if (!send_first(load, &load->slot[i])) return false;
	}
	if (!wait_while(load, false)) return false;
	load->hold = false;
	for (size_t i = 0; i < load->race; i++) {
		if (load->slot[i].phase == BENCH_SLOT_HELD && !send_second(load, &load->slot[i]))
			return false;
	}
	return wait_while(load, true);
}

bool bench_load_race(struct bench_load *load)
{
	int64_t const end_ns = bench_now_ns() + load->seconds * BENCH_NS_PER_S;

	for (; load->started < load->count && !load->out_of_codes; load->started++) {
		if (bench_now_ns() >= end_ns) break;
		if (!race_once(load)) return false;
	}
	return true;
}
