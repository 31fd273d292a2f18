#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Calls that a reviewer would have to think about every time.  A line may say why: "banned-ok: ...".
set -eu
ban='strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|sscanf|alloca|system|popen|mktemp|tmpnam|rand|srand|random|bzero|memcmp'
if grep -rnE --include='*.[ch]' "(^|[^[:alnum:]_])($ban)[[:space:]]*\(" "$@" | grep -v 'banned-ok:'; then
	echo "check_banned: use the replacement listed in docs/style.md" >&2; exit 1
fi
