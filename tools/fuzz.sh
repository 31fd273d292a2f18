#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run every fuzzer for FUZZ_SECONDS, from its committed corpus on.  New inputs go
# to NEW/<target>, crashes to build/crash.
#
#	FUZZ_SECONDS=n tools/fuzz.sh BINARIES NEW
set -eu
rc=0

mkdir -p build/crash
for fuzzer in "$1"/fuzz_*; do
	[ -x "$fuzzer" ] || continue
	name=${fuzzer##*/}
	corpus=tests/fuzz/corpus/${name#fuzz_}
	[ -d "$corpus" ] || corpus=tests/fuzz/corpus/$name
	mkdir -p "$2/$name"
	set -- "$1" "$2" "$fuzzer" -max_total_time="$FUZZ_SECONDS" -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="build/crash/$name-"
	[ ! -f "tests/fuzz/$name.dict" ] || set -- "$@" -dict="tests/fuzz/$name.dict"
	set -- "$@" "$2/$name"
	[ ! -d "$corpus" ] || set -- "$@" "$corpus"
	echo "fuzz: $name, $FUZZ_SECONDS s"
	binaries=$1 new=$2
	shift 2
	"$@" || { echo "fuzz: $name FAILED, see build/crash/$name-*" >&2; rc=1; }
	set -- "$binaries" "$new"
done
exit $rc
