#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Calls that a reviewer would have to think about every time: unbounded, not
# thread-safe, predictable, or (memcmp) able to leak a secret by the time taken.
# A line may say why it is right there: "banned-ok: ...".
#
#	tools/check_banned.sh FOLDER...
set -eu
rc=0

ban() { # ban <what to use instead> <functions>
	why=$1
	shift
	names=$(printf '%s|' "$@")
	# shellcheck disable=SC2086 # a list of names
	if grep -nE "(^|[^[:alnum:]_])(${names%|})[[:space:]]*\(" $files /dev/null | grep -vE 'banned-ok:|:[[:space:]]*\*[[:space:]]'; then
		echo "check_banned: use $why" >&2
		rc=1
	fi
}

files=$(find "$@" -name '*.[ch]')
[ -n "$files" ] || exit 0
ban 'snprintf and look at its result' strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets
ban 'strtol and its relatives, and look at all that they report' atoi atol atoll atof sscanf fscanf scanf
ban 'strtok_r, gmtime_r, localtime_r' strtok gmtime localtime ctime asctime strerror
ban 'RAND_bytes' rand srand random srandom drand48 rand_r
ban 'fork and exec with a fixed path' system popen
ban 'mkstemp' mktemp tmpnam tempnam
ban 'a fixed array or malloc' alloca
ban 'OPENSSL_cleanse for secrets, memset for the rest' bzero
ban 'CRYPTO_memcmp' memcmp bcmp
case " $* " in
*' core '*)
	files=$(find core -name '*.[ch]')
	ban 'the time that the caller passes' time gettimeofday
	ban 'the log that the caller passes' printf vprintf puts putchar perror syslog
	if grep -rnwE --include='*.[ch]' 'std(in|out|err)' core; then
		echo 'check_banned: core has no terminal' >&2
		rc=1
	fi
	ban 'an error code: core never ends the program' exit _exit abort
	;;
esac
case " $* " in
*' enroll '*)
	# One clock for a request, read where it arrives.
	files=$(find enroll -name '*.[ch]' ! -path enroll/worker.c)
	[ -z "$files" ] || ban 'web->now_s' time gettimeofday
	;;
esac
exit $rc
