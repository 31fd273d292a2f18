#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is shipped has its protections on.
#
#	tools/check_hardening.sh BINARY...
set -eu
rc=0

complain() {
	echo "check_hardening: $*" >&2
	rc=1
}

for binary; do
	readelf -hW "$binary" | grep -q 'Type: *DYN' || complain "$binary is not position-independent"
	readelf -lW "$binary" | grep -q GNU_RELRO || complain "$binary has no read-only relocations"
	readelf -lW "$binary" | grep 'GNU_STACK' | grep -q 'E ' && complain "$binary has an executable stack"
	readelf -dW "$binary" | grep -qE '\(FLAGS.*NOW' || complain "$binary binds lazily"
	readelf -sW "$binary" | grep -q __stack_chk_fail || complain "$binary has no stack protector"
	readelf -dW "$binary" | grep -qE 'RPATH|RUNPATH' && complain "$binary has a library path of its own"
done
exit $rc
