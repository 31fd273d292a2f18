#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A source file holds one subject: at most 500 lines, a header at most 250.
#
#	tools/check_sizes.sh FOLDER...
set -eu

find "$@" -name '*.[ch]' -exec awk '
	FNR == 1 { max = FILENAME ~ /\.h$/ ? 250 : 500 }
	FNR == max + 1 { printf "check_sizes: %s has more than %d lines\n", FILENAME, max; rc = 1 }
	END { exit rc }' {} +
