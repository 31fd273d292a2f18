#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The project speaks of itself alone: no path of the machine it was written on,
# no package registry, no number of a tracker, no tool that somebody wrote it with.
# Each pattern has a letter in brackets, so that this file does not match itself.
#
#	tools/check_words.sh FILE...
set -eu
rc=0

deny() { # deny <why> <grep options> <regex> <files>
	why=$1 how=$2 what=$3
	shift 3
	if grep "-InE$how" -e "$what" -- /dev/null "$@"; then
		echo "check_words: $why"
		rc=1
	elif [ $? -ne 1 ]; then
		rc=1
	fi
}

deny 'a path of one machine' '' '(^|[^[:alnum:]_.$}])/(wor[k]|roo[t]|hom[e])/' "$@"
deny 'a package registry' i '(de[b]|securit[y]|snapsho[t])\.debian\.org|registr[y]\.npmjs|pyp[i]\.org|pythonhoste[d]|crate[s]\.io|prox[y]\.golang|docke[r]\.io|ghc[r]\.io|artifactor[y]' "$@"
deny 'a number of a tracker' i '\b(issu[e]|ticke[t]|pull reques[t]|[P]R) *#?[0-9]+\b' "$@"
deny 'a tool that somebody used' iw 'claud[e]|anthropi[c]|chatgp[t]|open[a]i|copilo[t]|gpt-?[0-9]+|codeiu[m]|LL[M]s?|A[I][- ](generate[d]|assistan[t]|too[l])|language mode[l]' "$@"
deny 'unfinished' w 'TOD[O]|FIXM[E]|XX[X]' "$@"

# Words that a reader has to translate.  A quotation of a log line is not looked at.
pages=$(printf '%s\n' "$@" | grep -E '^(README\.md|docs/.*(\.md|\.[1-8]))$' || true)
for page in $pages; do
	# shellcheck disable=SC2016 # these are the backquotes of the page
	found=$(sed -e 's/`[^`]*`//g' -e 's/"no code behind the password"//g' "$page" |
		grep -nE '\b[Ss](tand|tood)s? in (a|an|the|LDAP)\b|behind the password|\bone a (device|user|line|row|key)\b|\b[Mm]en[d](s|ed)?\b|[Tt]o look before you' || true)
	[ -z "$found" ] || { echo "$found" | sed "s|^|$page:|"; echo 'check_words: not plain English'; rc=1; }
done
exit $rc
