#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Build the documentation as a site.  mkdocs and check_links.py look at the links within it; a link that
# leads out of docs/ is checked here and becomes the name of the file.
#
#	tools/html.sh FOLDER
set -eu
rm -rf build/docs
mkdir -p build/docs
cp -r docs/. build/docs
rm -rf build/docs/man
sed -e 's|](docs/|](|g' README.md >build/docs/index.md
find build/docs -name '*.md' | while IFS= read -r page; do
	awk -v folder="$(dirname "${page#build/docs}")" '{
		line = $0
		while (match(line, /\]\((\.\.\/)*[A-Za-z][A-Za-z0-9_.\/-]*\)/)) {
			target = substr(line, RSTART + 2, RLENGTH - 3)
			printf "%s", substr(line, 1, RSTART)
			line = substr(line, RSTART + RLENGTH)
			plain = target; sub(/^(\.\.\/)+/, "", plain)
			inside = "test -e build/docs" folder "/" target
			outside = "test -e " plain
			if (system(inside) == 0) printf "(%s)", target
			else if (system(outside) != 0) {
				print FILENAME ": no such file: " target >"/dev/stderr"
				exit 1
			}
		}
		print line
	}' "$page" >"$page.new" || exit 1
	mv "$page.new" "$page"
done
mkdocs build -q -s -d "$1"
/usr/bin/python3 tools/check_links.py "$1"
