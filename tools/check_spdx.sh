#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every source file says its licence in the first line, or in the second when the
# first is for the kernel ("#!") or for an editor ("-*-").
#
#	tools/check_spdx.sh FILE...
set -eu
rc=0

for file; do
	case $file in
	tests/fuzz/corpus/* | *.md) continue ;;
	*.c | *.h | *.py | *.sh | *.js | *.css | *.map | Makefile | *.mk | .ci/run) ;;
	*.schema | *.ldif | *.conf | *.[1-8] | raddb/*) ;;
	*) continue ;;
	esac
	if ! head -n 2 "$file" | awk '
		NR == 1 || first ~ /^#!|-\*-/ { if (/SPDX-License-Identifier: GPL-2\.0-or-later/) found = 1 }
		NR == 1 { first = $0 }
		END { exit !found }'; then
		echo "check_spdx: $file: no \"SPDX-License-Identifier: GPL-2.0-or-later\" in its first line"
		rc=1
	fi
done
exit $rc
