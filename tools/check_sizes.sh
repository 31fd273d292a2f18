#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A source file holds one subject: at most 500 lines, a header at most 250.
set -eu
rc=0
for f in $(find "$@" -name '*.[ch]'); do
	n=$(wc -l < "$f"); max=500; case $f in *.h) max=250;; esac
	[ "$n" -le "$max" ] || { echo "check_sizes: $f: $n lines, at most $max" >&2; rc=1; }
done
exit $rc
