#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Dependencies point downward only:  rlm_peruser_mfa, enroll, admin -> core.
set -eu
rc=0
deny() { # deny <dir> <regex> <why>
	if grep -rnE --include='*.[ch]' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" "$1"; then
		echo "check_layers: $1: $3" >&2; rc=1
	fi
}
deny core 'freeradius|talloc\.h|fcgi|syslog\.h|rlm_peruser_mfa/|enroll/|admin/' 'core knows no host program'
exit $rc
