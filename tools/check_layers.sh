#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Dependencies point downward only: rlm_peruser_mfa, enroll and admin know core,
# core knows none of them, and none of the three knows another.
#
#	tools/check_layers.sh FOLDER...
set -eu
rc=0

deny() { # deny <folder> <regex of what stands behind #include < or "> <why>
	if grep -rnE --include='*.[ch]' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" "$1"; then
		echo "check_layers: $1: $3" >&2
		rc=1
	fi
}

only() { # only <folder> <regex of an include> <regex of the files that may> <why>
	if grep -rnE --include='*.[ch]' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" "$1" | grep -vE "^$3:"; then
		echo "check_layers: $1: $4" >&2
		rc=1
	fi
}

for folder; do
	case $folder in
	core)
		deny core 'freeradius|talloc\.h|fcgi|syslog\.h|qrencode|pskc|libxml|seccomp' 'core knows no host program'
		only core 'jansson|curl/' 'core/(etcd|ledger)[a-z_]*\.[ch]' 'JSON and HTTP belong to the ledger'
		deny core '(\.\./)*(rlm_peruser_mfa|enroll|admin)/' 'core is below its callers'
		;;
	rlm_peruser_mfa)
		deny rlm_peruser_mfa '(\.\./)*(enroll|admin)/' 'the module knows core alone'
		deny rlm_peruser_mfa 'confuse|fcgi|jansson|qrencode|pskc|libxml|seccomp|liboath|openssl/(evp|hmac|kdf)' 'the module is glue'
		;;
	enroll)
		deny enroll '(\.\./)*(rlm_peruser_mfa|admin)/|freeradius' 'the page knows core alone'
		;;
	admin)
		deny admin '(\.\./)*(rlm_peruser_mfa|enroll)/|freeradius|fcgi' 'the command line knows core alone'
		;;
	esac
done
exit $rc
