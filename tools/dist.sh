#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Pack the sources into DIR/peruser-mfa-VERSION.tar.xz: the files that git knows, as
# they are now, or in a tree without git all but build/.  Two runs give equal bytes:
# the time of each file is SOURCE_DATE_EPOCH, else that of the last commit, else
# that of the file VERSION.
#
#	tools/dist.sh DIR
set -eu

out=$1
version=$(cat VERSION)
name=peruser-mfa-$version
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' HUP INT TERM

files() {
	if [ -e .git ] && command -v git >/dev/null; then
		git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard
	else
		find . -name .git -prune -o -path ./build -prune -o -name __pycache__ -prune -o -type f -printf '%P\0'
	fi
}

epoch=${SOURCE_DATE_EPOCH:-$(git -c safe.directory="$PWD" log -1 --format=%ct 2>/dev/null || stat -c %Y VERSION)}
mkdir -p "$out"
files | LC_ALL=C sort -z >"$tmp/files"
tar --create --file="$tmp/tar" --no-recursion --sort=name --mtime="@$epoch" \
	--owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=gnu --transform="s|^|$name/|" \
	--null --files-from="$tmp/files"
xz -9 -T1 "$tmp/tar"
mv "$tmp/tar.xz" "$out/$name.tar.xz"
printf 'dist: %s\n' "$out/$name.tar.xz"
