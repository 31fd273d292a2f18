#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Install what is missing of the package groups named (see tools/packages.txt).
#
#	tools/install_packages.sh GROUP...
#
# Nothing is asked for, downloaded or changed when all is there, so it needs no
# root then.  INSTALL_PACKAGES=no only says what is missing.
set -eu

here=$(dirname "$0")
list=$here/packages.txt

say() { printf 'packages: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The lines of the groups named, each once, without spaces: "a" or "a|b".
wanted() {
	for group; do
		grep -qxF "[$group]" "$list" || die "no group [$group] in $list"
	done
	awk -v groups=" $* " '
		/^#/ || NF == 0 { next }
		/^\[/ { name = substr($0, 2, length($0) - 2); take = index(groups, " " name " "); next }
		{ gsub(/[[:space:]]/, "") }
		take && !seen[$0]++' "$list"
}

# Those of the lines named of which nothing is installed.
missing() {
	# shellcheck disable=SC2046 # a list of names
	dpkg-query -W -f '${Package} ${db:Status-Status}\n' $(printf '%s\n' "$@" | tr '|' '\n') 2>/dev/null |
		awk -v lines="$*" '
			function installed(line,   n, i, name) {
				n = split(line, name, "|")
				for (i = 1; i <= n; i++) if (name[i] in have) return 1
				return 0
			}
			$2 == "installed" { have[$1] = 1 }
			END { n = split(lines, want, " "); for (i = 1; i <= n; i++) if (!installed(want[i])) print want[i] }'
}

# Whether apt can install package $1 now.
known() {
	case $(apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p') in
	'' | '(none)') return 1 ;;
	esac
}

# The package that each line means here; a line of which apt knows none stays as it is.
chosen() {
	for line; do
		found=$line
		for package in $(printf '%s\n' "$line" | tr '|' ' '); do
			if [ "$package" = - ]; then
				found=''
			elif known "$package"; then
				found=$package
			else
				continue
			fi
			break
		done
		[ -z "$found" ] || printf '%s\n' "$found"
	done
}

# Those of the packages named that apt cannot install now.
unknown() {
	for package; do
		known "$package" || printf '%s\n' "$package"
	done
}

update_lists() {
	say 'reading the package lists again (apt-get update)'
	apt-get -qq -o DPkg::Lock::Timeout=600 update ||
		die "apt-get update failed: is the network reachable, and does apt need a proxy" \
			"(Acquire::http::Proxy in /etc/apt/apt.conf.d, or http_proxy in the environment)?"
}

fetch() { # shellcheck disable=SC2086 # a list of names
	apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=600 install --download-only $1 >"$log" 2>&1
}

# Servers that are installed for a test must not start serving on this machine.
forbid_service_start() {
	policy=/usr/sbin/policy-rc.d
	[ ! -e "$policy" ] || return 0
	ours=$policy
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
}

cleanup() {
	[ -z "$ours" ] || rm -f "$ours"
	[ -z "$log" ] || rm -f "$log"
}

explain_failure() {
	grep -E '^(E|W|Err|dpkg):?' "$log" >&2 || tail -n 15 "$log" >&2
	# shellcheck disable=SC2086 # a list of names
	say "not installed: $(missing $1 | tr '\n' ' ')"
	die 'try "apt-get update"; check the network, the proxy that apt uses, and the free space, then run this again'
}

[ $# -gt 0 ] || die "usage: $0 GROUP..."
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	say "this is no Debian system; install the equivalent of: $(wanted "$@" | tr '\n' ' ')"
	exit 0
fi
# shellcheck disable=SC2046 # a list of names
need=$(missing $(wanted "$@") | tr '\n' ' ')
[ -n "$need" ] || exit 0
[ "${INSTALL_PACKAGES:-yes}" != no ] || die "missing: $need"
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || die "missing: $need; install them as root, or install sudo"
	say "missing: $need; installing with sudo"
	exec sudo sh "$0" "$@"
fi

# Two at once would take each other's policy away, see below.
exec 9<"$list"
flock 9
# shellcheck disable=SC2046 # a list of names
need=$(missing $(wanted "$@") | tr '\n' ' ')
[ -n "$need" ] || exit 0

ours='' log=''
trap cleanup EXIT
trap 'exit 130' HUP INT TERM
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
say "installing $need"
# shellcheck disable=SC2086 # a list of names
choose() { chosen $need | tr '\n' ' '; }
# shellcheck disable=SC2046,SC2086
[ -z "$(unknown $(choose))" ] || update_lists
need=$(choose)
[ -n "$need" ] || exit 0
# shellcheck disable=SC2086
absent=$(unknown $need | tr '\n' ' ')
[ -z "$absent" ] || die "apt knows no package $absent; is main of Debian 11, 12 or 13 among its sources?"
if ! fetch "$need"; then
	update_lists # the lists may name versions that the mirror has replaced
	fetch "$need" || explain_failure "$need"
fi
forbid_service_start
# shellcheck disable=SC2086
apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=600 install $need >"$log" 2>&1 || explain_failure "$need"
# shellcheck disable=SC2086
left=$(missing $need | tr '\n' ' ')
[ -z "$left" ] || die "apt-get succeeded, yet these are missing: $left"
