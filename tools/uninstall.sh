#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Remove what tools/install.sh put in place, but for the configuration.  The folders
# come in the environment, see Makefile.
#
# Nothing is removed while a configuration that FreeRADIUS reads names the module:
# the server would not start again.
set -eu

root=${DESTDIR:-}
users=''

for folder in mods-enabled sites-enabled; do
	for file in "$root$FR_CONFDIR/$folder"/*; do
		[ -f "$file" ] || continue
		! grep -Eq '^[^#]*peruser_mfa' "$file" || users="$users ${file#"$root"}"
	done
done
if [ -n "$users" ]; then
	{
		echo "uninstall: nothing was removed: FreeRADIUS would not start without the module, which is named in"
		for file in $users; do echo "uninstall:   $file"; done
		echo 'uninstall: remove the link in mods-enabled and the lines of the sites ("peruser-mfa setup --undo" does'
		echo 'uninstall: both where "peruser-mfa setup" made them), restart the server, and run this again'
	} >&2
	exit 1
fi

rm -f "$root$FR_LIBDIR/rlm_peruser_mfa.so" "$root$BINDIR/peruser-mfa" "$root$CGIDIR/peruser-mfa-enroll" \
	"$root$LOCALEDIR"/*/LC_MESSAGES/peruser-mfa-enroll.mo "$root$BASHDIR/peruser-mfa" \
	"$root$UNITDIR/peruser-mfa-enroll.service" "$root$UNITDIR/peruser-mfa-enroll.socket"
for page in peruser-mfa.8 peruser-mfa-enroll.8 rlm_peruser_mfa.5 peruser_mfa.conf.5 admin.conf.5 enroll.conf.5; do
	rm -f "$root$MANDIR/man${page##*.}/$page" "$root$MANDIR/man${page##*.}/peruser-mfa-$page"
done
rm -rf "$root$SHAREDIR" "$root$DOCDIR"
echo "uninstall: the configuration in $FR_CONFDIR and $PAGE_CONFDIR stays: remove it by hand"
