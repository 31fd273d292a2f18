/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol of a login with a code, for spin: two RADIUS servers, a NAS that repeats a packet
 * and changes servers, an intruder with the same password and the same code, a directory whose
 * answers get lost, an administrator, and clocks that jump.  Each step has the name of the
 * function in core/ that does it.  tests/model/check.py says how it is run.
 *
 * What must hold, in every order:
 *   1. A code is accepted for one login at most; that login may hear it more than once.
 *   2. After a reset no code of the old phone is accepted: neither when the use of the code is
 *	written, nor when it is read that it was written.
 *   3. The login of an honest user ends.  It ends with an accept unless the administrator, a
 *	clock, the lock or the intruder came between.
 */

#ifndef TRIES
#define TRIES 4 /* MFA_UPDATE_TRIES, cut down */
#endif
#ifndef REPEATS
#define REPEATS 1 /* times that a NAS sends a packet again */
#endif
#ifndef STEPS
#define STEPS 2 /* time steps that a clock can show, from 1 */
#endif
#ifndef ADMIN_ACTS
#define ADMIN_ACTS 2
#endif
#ifndef JUMPS
#define JUMPS 1
#endif
#ifndef ASSERTS
#define ASSERTS 1 /* the directory has the assertion control (RFC 4528) */
#endif
#ifndef BREAK
#define BREAK 0 /* 1 to 5: a rule that is left out, for spin to find */
#endif

#define LOCK_AT	 2 /* wrong codes */
#define NOBODY	 9
#define HONEST	 0 /* the two logins; the number is the login's nonce */
#define INTRUDER 1

mtype = {ACCEPT, REJECT, UNAVAILABLE, OK, CONFLICT, BROKEN};

typedef record {
	bool flag;	   /* peruserMfaEnabled */
	byte secret;   /* peruserMfaSecret: which phone; 0: none */
	byte step;     /* peruserMfaLastUse: the step, 0: never used ... */
	byte nonce;    /* ... and the login that used it */
	byte failures; /* peruserMfaFailures */
};

record directory;
byte now[2];   /* the clocks of the servers */
byte phone[2]; /* what each login types: a code of this phone ... */
byte code[2];  /* ... for this step */

chan packets[2] = [1] of {byte};     /* to a server: the login, as its State says */
chan answers[2] = [2] of {byte};     /* to the NAS of a login: 1 accept, 0 any other answer */

/* What the properties need, and nobody in the protocol knows */
byte dead;		 /* phones up to this one were reset */
byte accepted_for[3 * 4]; /* by phone and step: the login that got in, plus 1 */
bool disturbed;		 /* an honest login may fail now */
byte losses = 1;	 /* answers of the directory that still get lost */
byte drops = (REPEATS > 0); /* answers to the NAS that still get lost */
byte ended;

/* ---- core/conn.c */

inline mfa_conn_read(entry)
{
	d_step {
		entry.flag = directory.flag;
		entry.secret = directory.secret;
		entry.step = directory.step;
		entry.nonce = directory.nonce;
		entry.failures = directory.failures;
		dead_then = dead;
	}
}

#if BREAK == 2
#define values_are_as_read(entry) (true)
#else
#define values_are_as_read(entry)                                                                  \
	(directory.step == entry.step && directory.nonce == entry.nonce &&                         \
	 directory.failures == entry.failures)
#endif
#if ASSERTS
#define assertion_holds(entry)                                                                     \
	(directory.flag == entry.flag && directory.secret == entry.secret)
#else
#define assertion_holds(entry) (true)
#endif

/* Delete the old values, add the new ones: all or nothing.  The answer may get lost. */
inline mfa_conn_modify(rc, entry, next, verdict, login)
{
	if
	:: values_are_as_read(entry) && assertion_holds(entry) ->
		directory.step = next.step;
		directory.nonce = next.nonce;
		directory.failures = next.failures;
		dead_then = dead;
		disturbed = disturbed || login == INTRUDER && verdict == ACCEPT ||
			    next.failures >= LOCK_AT;
		rc = OK;
		if
		:: losses > 0 -> losses--; rc = BROKEN
		:: true
		fi
	:: else -> rc = CONFLICT
	fi
}

/* What a server knows of an entry is wiped after each request. */
inline mfa_entry_clear(entry)
{
	entry.flag = false;
	entry.secret = 0;
	entry.step = 0;
	entry.nonce = 0;
	entry.failures = 0
}

/* ---- core/verdict.c */

#define in_window(c, t)  ((c) <= (t) + 1 && (t) <= (c) + 1)
#if BREAK == 1
#define is_fresh(c, entry) ((c) >= entry.step)
#else
#define is_fresh(c, entry) ((c) > entry.step)
#endif
#if BREAK == 4
#define is_repeated(l, entry) (false)
#else
#define is_repeated(l, entry) (code[l] == entry.step && (l) == entry.nonce)
#endif

inline mfa_decide(verdict, writes, entry, next, login, t)
{
	d_step {
		next.step = entry.step;
		next.nonce = entry.nonce;
		next.failures = entry.failures;
		verdict = REJECT;
		writes = false;
		if
		:: !entry.flag || entry.secret == 0 || entry.failures >= LOCK_AT -> skip
		:: else ->
			if
			:: phone[login] != entry.secret || !in_window(code[login], t) ->
				next.failures = entry.failures + 1;
				writes = true
			:: else ->
				if
				:: is_fresh(code[login], entry) ->
					next.step = code[login];
					next.nonce = login;
					next.failures = 0;
					verdict = ACCEPT;
					writes = true
				:: else ->
					if
					:: is_repeated(login, entry) -> verdict = ACCEPT
					:: else -> skip
					fi
				fi
			fi
		fi
	}
}

/* ---- core/update.c: without the assertion control, what was written is read again */

#if ASSERTS || BREAK == 3
#define must_recheck (false)
#else
#define must_recheck (true)
#endif

inline mfa_update_run(verdict, login, me)
{
	tries = 0;
	rc = CONFLICT;
	do
	:: rc != OK && tries < TRIES ->
		tries++;
		atomic {	/* nobody sees when a decision is made */
			mfa_conn_read(entry);
			mfa_decide(verdict, writes, entry, next, login, now[me]);
			rc = OK
		};
		if
		:: writes ->
			atomic {
				mfa_conn_modify(rc, entry, next, verdict, login);
				if
				:: rc == OK && must_recheck -> rc = CONFLICT
				:: else
				fi
			}
		:: else
		fi
	:: else -> break
	od;
	if
	:: rc != OK -> verdict = UNAVAILABLE
	:: else
	fi
}

/* ---- core/login.c, in rlm_peruser_mfa/challenge.c */

inline check_answer(login)
{
	d_step {
		at = phone[login] * 4 + code[login];
		assert(phone[login] > dead_then);
		assert(accepted_for[at] == 0 || accepted_for[at] == login + 1);
		accepted_for[at] = login + 1
	}
}

proctype server(byte me)
{
	record entry, next;
	mtype verdict, rc;
	byte login, tries, at, dead_then;
	bool writes;

end:	do
	:: packets[me]?login ->
		mfa_update_run(verdict, login, me);	/* mfa_login_run() */
		atomic {
			if
			:: verdict == ACCEPT -> check_answer(login)
			:: else
			fi;
			if
			:: drops > 0 -> drops--		/* the answer is lost */
			:: nfull(answers[login]) -> answers[login]!(verdict == ACCEPT)
			:: full(answers[login])		/* nobody listens any more */
			fi;
			d_step {
				mfa_entry_clear(entry);
				mfa_entry_clear(next);
				verdict = REJECT;
				rc = OK;
				login = 0;
				tries = 0;
				at = 0;
				dead_then = 0;
				writes = false
			}
		}
	od
}

/* ---- outside */

/* Sends a packet, and the same one again to this server or the other one */
proctype nas(byte login)
{
	byte sent, got;

	do
	:: sent <= REPEATS ->
		if
		:: nfull(packets[0]) -> packets[0]!login
		:: nfull(packets[1]) -> packets[1]!login
		fi;
		sent++;
		if
		:: answers[login]?got -> break
		:: sent <= REPEATS	/* it waited long enough */
		fi
	:: sent > REPEATS -> answers[login]?got; break
	od;
	if
	:: login == HONEST -> assert(got || disturbed || (BREAK == 5))
	:: else
	fi;
	ended++
}

/* The administrator's functions in core/enrollment.c and core/devices.c: each is one modify that
 * names what it was decided upon, so it is one step here. */

inline mfa_enrollment_suspend() { directory.flag = false }
inline mfa_enrollment_resume() { directory.flag = true }

inline mfa_enrollment_reset()
{
	dead = directory.secret;
	directory.secret = 0;
	directory.failures = 0
}

/* Last use stays: it counts for every phone */
inline mfa_devices_add() { directory.secret = dead + 1 }

proctype administrator()
{
	byte acts;

	do
	:: acts < ADMIN_ACTS ->
		atomic {
			disturbed = true;
			acts++;
			if
			:: directory.flag -> mfa_enrollment_suspend()
			:: !directory.flag && directory.secret > 0 -> mfa_enrollment_resume()
			:: directory.secret > 0 -> mfa_enrollment_reset()
			:: directory.secret == 0 -> mfa_devices_add()
			fi
		}
	:: break
	od
}

proctype clock()
{
	byte jumps;

	do
	:: jumps < JUMPS ->
		atomic {
			disturbed = true;
			jumps++;
			if
			:: now[0] = 1
			:: now[0] = STEPS + 1
			:: now[1] = 1
			:: now[1] = STEPS + 1
			fi
		}
	:: break
	od
}

init {
	atomic {
		directory.flag = true;
		directory.secret = 1;
		directory.nonce = NOBODY;
		now[0] = 1;
		now[1] = 1;
		phone[HONEST] = 1;
		phone[INTRUDER] = 1;
		code[HONEST] = 1;
		/* The intruder looked over the user's shoulder, or guesses. */
		if
		:: code[INTRUDER] = 1
		:: code[INTRUDER] = 2
		:: code[INTRUDER] = 3	/* out of the window: wrong */
		fi;
		run server(0);
		run server(1);
		run nas(HONEST);
		run nas(INTRUDER);
		run administrator();
		run clock()
	}
}

#ifdef LIVENESS
ltl honest_login_ends { <> (ended == 2) }
#endif
