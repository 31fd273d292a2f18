#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fetch one version of an npm package, once, without running anything of it, and
# keep one file of it.
#
#	tools/npm_package.sh NAME VERSION FILE OUT
#
# npm is taken as the machine is set up for it; where there is none, Debian's.
set -eu

name=$1 version=$2 file=$3 out=$4
tmp=''
trap '[ -z "$tmp" ] || rm -rf "$tmp"' EXIT
trap 'exit 130' HUP INT TERM

die() { printf 'npm: %s\n' "$*" >&2; exit 1; }

[ ! -s "$out" ] || exit 0
command -v npm >/dev/null || sh "$(dirname "$0")/install_packages.sh" npm
tmp=$(mktemp -d)
npm pack --loglevel=error --pack-destination "$tmp" "$name@$version" >"$tmp/log" 2>&1 || {
	cat "$tmp/log" >&2
	die "$name $version was not fetched; is the registry that npm is set up for reachable (npm config get registry)?"
}
tar -xzf "$tmp/$name-$version.tgz" -C "$tmp" "package/$file" || die "$name $version has no file $file"
mkdir -p "$(dirname "$out")"
touch "$tmp/package/$file"
mv "$tmp/package/$file" "$out"
