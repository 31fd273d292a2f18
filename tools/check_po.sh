#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each translation has every text of the sources, none by guess (fuzzy), and no
# text that the sources have no more.
#
#	tools/check_po.sh SOURCES FILE.po...
set -eu
rc=0

sources=$1
shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
: >"$tmp/html.h"
[ ! -d "$sources/html" ] || LC_ALL=C.UTF-8 awk -f tools/html.awk "$sources"/html/*.html >"$tmp/html.h"
xgettext --from-code=UTF-8 --keyword=_ --keyword=ngettext:1,2 --no-location -o "$tmp/texts.pot" "$sources"/*.c "$tmp/html.h"
for po; do
	msgfmt --check-format -o "$tmp/mo" "$po" || rc=1
	msgmerge --quiet --no-fuzzy-matching -o "$tmp/merged" "$po" "$tmp/texts.pot"
	for kind in untranslated only-fuzzy only-obsolete; do
		msgattrib "--$kind" --no-wrap --force-po -o "$tmp/found" "$tmp/merged"
		grep -E '^(#~ )?msgid "[^"]' "$tmp/found" >"$tmp/texts" || continue
		echo "check_po: $po: $kind:"
		cat "$tmp/texts"
		rc=1
	done
done
exit $rc
