/* SPDX-License-Identifier: GPL-2.0-or-later */
/** @file tests/bench/logins.h
 * @brief Logins at a RADIUS server, many at a time: one thread, one socket.
 */
#ifndef BENCH_LOGINS_H
#define BENCH_LOGINS_H

#include "tests/bench/radius.h"
#include "tests/bench/samples.h"
#include "tests/bench/users.h"

#define BENCH_OUTSTANDING_MAX 128u //!< Logins at a time: fewer than a socket has identifiers.
#define BENCH_NS_PER_S	      INT64_C(1000000000)

/** What a login consists of */
enum bench_mode {
	BENCH_MODE_PASSWORD,  //!< A password, accepted.
	BENCH_MODE_CHALLENGE, //!< A password, a challenge, a code, accepted.
	BENCH_MODE_APPEND,    //!< Password and code in one, accepted.
	BENCH_MODE_WRONG,     //!< A password, a challenge, a wrong code.
	BENCH_MODE_ABANDON,   //!< A password, a challenge, no more.
	BENCH_MODE_COUNT
};

/** One login under way */
struct bench_slot {
	enum {
		BENCH_SLOT_IDLE,
		BENCH_SLOT_FIRST,  //!< The password was sent.
		BENCH_SLOT_HELD,   //!< A challenge came; the code waits for the others of a race.
		BENCH_SLOT_SECOND, //!< The code was sent.
	} phase;
	size_t user;
	char code[BENCH_CODE_SIZE];
	uint8_t state[BENCH_STATE_MAX];
	size_t state_len;
	struct bench_packet request;
	int64_t start_ns, sent_ns;
};

/** A run; large, so it lives on the heap */
struct bench_load {
	/* what to do */
	enum bench_mode mode;
	char const *separator;	 //!< Between password and code.
	uint32_t outstanding;	 //!< Logins at a time.
	uint32_t count, seconds; //!< End after so many.
	uint32_t timeout_s;	 //!< Until an answer counts as lost.
	uint32_t race;		 //!< Copies of one code at a time.
	/* with what */
	int sock; //!< Connected, with a time limit for receiving.
	struct bench_radius radius;
	struct bench_users users;
	/* how it goes */
	struct bench_slot slot[BENCH_OUTSTANDING_MAX];
	struct bench_slot *by_ident[256];
	uint8_t next_ident;
	bool hold; //!< Stop before the second packet.
	uint32_t busy, started;
	struct bench_samples samples;
	uint64_t good;	     //!< Logins that ended as they should.
	uint64_t unexpected; //!< Ended by another answer.
	uint64_t lost;	     //!< Not answered in time.
	uint64_t forged;     //!< Answers to nothing that was asked.
	uint64_t accepted;   //!< Ended by an Access-Accept.
	bool out_of_codes;   //!< Ended early: every user's codes are used up.
};

/** Log in until count or seconds are over and every answer is there or lost
 *
 * @return false on an error of our own, after having said so on standard error.
 */
bool bench_load_run(struct bench_load *load);

/** One code in many logins at once, count times: each time one of them may be accepted
 *
 * @return as bench_load_run().
 */
bool bench_load_race(struct bench_load *load);

#endif /* BENCH_LOGINS_H */
