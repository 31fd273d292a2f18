#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The module exports one symbol, the one that FreeRADIUS looks up, and loads no
# library but those of core: all of them end up in the server.
#
#	tools/check_exports.sh MODULE.so
set -eu
rc=0

got=$(nm -D --defined-only "$1" | awk '{ print $3 }' | tr '\n' ' ')
if [ "$got" != 'rlm_peruser_mfa ' ]; then
	echo "check_exports: $1 exports: $got" >&2
	rc=1
fi
extra=$(objdump -p "$1" | awk '$1 == "NEEDED" { print $2 }' |
	grep -vE '^(libldap|liblber|liboath|libcrypto|libcurl|libjansson|libc|ld-linux[-a-z0-9_]*)[-.0-9]*\.so\.' | tr '\n' ' ') || true
if [ -n "$extra" ]; then
	echo "check_exports: $1 also loads: $extra" >&2
	rc=1
fi
exit $rc
