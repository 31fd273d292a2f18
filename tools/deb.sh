#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Build the Debian packages into OUT, in a clean folder, from the files that git knows.
#
#	tools/deb.sh OUT
#
# Two builds give equal packages: the times in them are that of debian/changelog.
set -eu

mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l packaging/debian/changelog -S Timestamp)
export SOURCE_DATE_EPOCH
sh tools/dist.sh "$work" >/dev/null
mkdir "$work/peruser-mfa"
tar -C "$work/peruser-mfa" -xf "$work"/peruser-mfa-*.tar.xz --strip-components=1
cp -r "$work/peruser-mfa/packaging/debian" "$work/peruser-mfa/debian"
mkdir -p "$work/peruser-mfa/build"
[ ! -d build/dl ] || ln -s "$PWD/build/dl" "$work/peruser-mfa/build/dl"
if ! (cd "$work/peruser-mfa" && dpkg-buildpackage -us -uc -b -j"$(nproc)") >"$out/build.log" 2>&1; then
	tail -n 30 "$out/build.log" >&2
	exit 1
fi
rm -f "$out"/*.deb "$out"/*.changes "$out"/*.buildinfo
mv "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out/"
for package in "$out"/*.deb; do printf 'deb: %s\n' "$package"; done
