#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Lay out a complete set of FreeRADIUS headers for a module under DIR/freeradius.
#
#	[FREERADIUS_SRC=tree-or-tarball] tools/freeradius_headers.sh DIR DOWNLOADS
#
# Debian's libfreeradius-dev lacks headers that its own radiusd.h includes.  They
# are taken from FREERADIUS_SRC, else from the source package of the very version
# that is installed, which is kept in DOWNLOADS and fetched once.  The machine's
# own apt configuration and lists stay as they are.
set -eu

include=$1 downloads=$2
installed=${FREERADIUS_INCLUDE:-/usr/include}/freeradius
entry_points='radiusd.h modules.h rad_assert.h modcall.h'
tmp=''
trap '[ -z "$tmp" ] || rm -rf "$tmp"' EXIT
trap 'exit 130' HUP INT TERM

say() { printf 'freeradius headers: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Names of the headers that folder $1 includes, from the entry points down, and lacks.
lacking() {
	todo=$entry_points seen=' '
	while [ -n "$todo" ]; do
		next=''
		for h in $todo; do
			case $seen in *" $h "*) continue ;; esac
			seen="$seen$h "
			if [ ! -e "$1/$h" ]; then
				printf '%s\n' "$h"
				continue
			fi
			next="$next $(sed -n 's|^[[:space:]]*#[[:space:]]*include[[:space:]]*<freeradius/\([^>]*\)>.*|\1|p' "$1/$h" | tr '\n' ' ')"
		done
		todo=$(printf '%s' "$next" | tr -s ' ')
		[ "$todo" != ' ' ] || todo=''
	done
}

# Debian's version of the server, or of the headers when the server is not installed.
package_version() {
	for package in freeradius libfreeradius-dev; do
		dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$package" 2>/dev/null |
			sed -n 's/^installed //p'
	done | head -n 1
}

# Each binary source of this machine that offers the server, as a source of source packages.
derive_sources() {
	sites=$(apt-cache policy libfreeradius-dev | awk '$1 ~ /^-?[0-9]+$/ && $2 ~ /:/ { sub(/\/$/, "", $2); print $2 }' | sort -u | tr '\n' ' ')
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$f" ] || continue
		awk -v sites="$sites" '
			$1 == "deb" {
				n = split(sites, s, " "); keep = (n == 0)
				for (i = 1; i <= n; i++) if (index($0, s[i])) keep = 1
				if (keep) { sub(/deb/, "deb-src"); print }
			}' "$f"
	done >"$tmp/sources.d/derived.list"
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -r "$f" ] || continue
		awk -v sites="$sites" '
			function flush(   i, n, s, keep) {
				n = split(sites, s, " "); keep = (n == 0)
				for (i = 1; i <= n; i++) if (index(stanza, s[i])) keep = 1
				if (keep && binary) printf "%s\n", stanza
				stanza = ""; binary = 0
			}
			/^#/ { next }
			/^[[:space:]]*$/ { flush(); next }
			/^[[:space:]]/ { if (!intypes) stanza = stanza $0 "\n"; else if (/(^|[[:space:]])deb([[:space:]]|$)/) binary = 1; next }
			{ intypes = 0 }
			tolower($1) == "types:" { intypes = 1; binary = ($0 ~ /[[:space:]]deb([[:space:]]|$)/); $0 = "Types: deb-src" }
			{ stanza = stanza $0 "\n" }
			END { flush() }' "$f"
	done >"$tmp/sources.d/derived.sources"
	[ -s "$tmp/sources.d/derived.list" ] || [ -s "$tmp/sources.d/derived.sources" ] ||
		die 'no apt source of this machine offers libfreeradius-dev; give FREERADIUS_SRC=<source tree or tarball>'
}

# Fetch the source package of version $1 into the downloads folder; print the tarball's path.
tarball() {
	upstream=$(printf '%s' "${1%-*}" | sed 's/^[0-9]*://')
	found=$downloads/freeradius_$upstream.orig.tar.xz
	if [ ! -s "$found" ]; then
		mkdir -p "$tmp/sources.d" "$tmp/lists/partial" "$tmp/cache" "$tmp/source" "$downloads"
		derive_sources
		say "fetching the source package freeradius $1"
		set -- "$1" -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$tmp/sources.d" \
			-o Dir::State::Lists="$tmp/lists" -o Dir::Cache="$tmp/cache" \
			-o APT::Sandbox::User= -o Debug::NoLocking=true
		version=$1
		shift
		{
			apt-get "$@" update &&
				(cd "$tmp/source" && apt-get "$@" source --download-only "freeradius=$version")
		} >&2 || die "cannot fetch the source package freeradius $version: check the network and the proxy that apt uses," \
			'run "apt-get update && apt-get upgrade", or give FREERADIUS_SRC=<source tree or tarball>'
		cp "$tmp/source/freeradius_$upstream.orig.tar.xz" "$found.part"
		mv "$found.part" "$found"
	fi
	printf '%s\n' "$found"
}

# Folder with the headers of a source tree or tarball $1.
source_headers() {
	if [ -f "$1" ]; then
		mkdir -p "$tmp/tree"
		tar -xf "$1" -C "$tmp/tree" --strip-components=1 --wildcards '*/src/include/*.h' '*/VERSION' ||
			die "cannot unpack $1"
		set -- "$tmp/tree"
	fi
	[ -f "$1/src/include/radiusd.h" ] || die "$1 is no FreeRADIUS source"
	have=$(head -n 1 "$1/VERSION")
	[ "$have" = "$server" ] || die "$1 is FreeRADIUS $have, installed is $server: they must be the same"
	printf '%s\n' "$1/src/include"
}

[ -f "$installed/radiusd.h" ] || die "no $installed/radiusd.h: install libfreeradius-dev"
server=$(sed -n 's/^#[[:space:]]*define[[:space:]]*RADIUSD_VERSION_STRING[[:space:]]*"\(.*\)"/\1/p' "$installed"/features.h "$installed"/autoconf.h | head -n 1)
tmp=$(mktemp -d)
mkdir -p "$tmp/out"
cp "$installed"/*.h "$tmp/out/"
need=$(lacking "$tmp/out")
if [ -n "$need" ]; then
	version=$(package_version)
	[ -n "$server" ] || server=$(printf '%s' "$version" | sed 's/^[0-9]*://; s/[+~-].*//')
	if [ -n "${FREERADIUS_SRC:-}" ]; then
		from=$FREERADIUS_SRC
	else
		[ -n "$version" ] || die 'libfreeradius-dev is not installed as a package; give FREERADIUS_SRC=<source tree or tarball>'
		from=$(tarball "$version")
	fi
	from=$(source_headers "$from")
	for pass in 1 2 3; do # what was missing may include more that is missing
		for h in $need; do
			[ -f "$from/$h" ] || die "$from has no $h"
			sed 's|<freeradius-devel/|<freeradius/|' "$from/$h" >"$tmp/out/$h"
		done
		need=$(lacking "$tmp/out")
		[ -n "$need" ] || break
	done
	[ -z "$need" ] || die "still missing after pass $pass: $need"
fi
mkdir -p "$include"
rm -rf "$include/freeradius"
mv "$tmp/out" "$include/freeradius"
