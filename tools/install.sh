#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Install what was built in BUILT.  The folders come in the environment, see Makefile.
#
#	tools/install.sh BUILT
#
# A configuration file that is there stays as it is: a newer one is put beside it
# under the name FILE.dist-new.  The dash matters: FreeRADIUS reads every file of
# policy.d whose name is made of letters, digits, dots and underscores.
#
# Configuration, units and man pages are written with Debian's folders; they are
# installed with those of this run.
set -eu
umask 022

built=$1
root=${DESTDIR:-}

say() { printf 'install: %s\n' "$*"; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' HUP INT TERM

# Where a folder as it is written in the sources becomes one of this run.
rule() { printf 's|%s|%s|g\n' "$1" "$(printf '%s' "$2" | sed 's/[&|\\]/\\&/g')"; }
{
	rule '/etc/freeradius/3\.0' "$FR_CONFDIR"
	rule '/usr/lib/freeradius\b' "$FR_LIBDIR"
	rule '/etc/peruser-mfa\b' "$PAGE_CONFDIR"
	rule '/usr/local/lib/cgi-bin' "$CGIDIR"
	rule '/usr/local/share/locale' "$LOCALEDIR"
	[ "$STATEDIR" = /var/lib/peruser-mfa ] || rule '^StateDirectory=.*' "ReadWritePaths=$STATEDIR"
	rule '/var/lib/peruser-mfa\b' "$STATEDIR"
} >"$tmp/rules"

# A copy of file $1 with the folders of this run; prints its path.
with_folders() {
	mkdir -p "$tmp/$(dirname "$1")"
	sed -f "$tmp/rules" "$1" >"$tmp/$1"
	printf '%s\n' "$tmp/$1"
}

put() { # put <mode> <file> <folder>
	mkdir -p "$root$3"
	install -m "$1" "$2" "$root$3/"
	say "$3/${2##*/}"
}

# Configuration is kept from other users, since it may hold passwords.
private() { # private <file> <group>
	chmod 640 "$1"
	if [ "$(id -u)" -eq 0 ] && [ -z "$root" ] && getent group "$2" >/dev/null; then
		chown "root:$2" "$1"
	fi
}

put_config() { # put_config <file> <folder> <group>
	name=$2/${1##*/}
	mkdir -p "$root$2"
	if [ ! -e "$root$name" ] && [ ! -L "$root$name" ]; then
		install -m 640 "$1" "$root$name"
		private "$root$name" "$3"
		say "$name"
	elif cmp -s "$1" "$root$name"; then
		say "$name is up to date"
	else
		install -m 640 "$1" "$root$name.dist-new"
		private "$root$name.dist-new" "$3"
		say "$name was there and stays; the new one is $name.dist-new"
	fi
}

files_of() { [ ! -d "$1" ] || find "$1" -type f ! -name '.*' | sort; }

put 644 "$built/rlm_peruser_mfa.so" "$FR_LIBDIR"
mkdir -p "$root$BASHDIR"
install -m 644 admin/completion/peruser-mfa.bash "$root$BASHDIR/peruser-mfa"
say "$BASHDIR/peruser-mfa"
[ ! -e "$built/peruser-mfa" ] || put 755 "$built/peruser-mfa" "$BINDIR"
[ ! -e "$built/peruser-mfa-enroll" ] || put 755 "$built/peruser-mfa-enroll" "$CGIDIR"

[ ! -e enroll/enroll.conf ] || put_config "$(with_folders enroll/enroll.conf)" "$PAGE_CONFDIR" peruser-mfa
files_of "$built/locale" | while IFS= read -r file; do
	put 644 "$file" "$LOCALEDIR/$(dirname "${file#"$built"/locale/}")"
done
files_of raddb | while IFS= read -r file; do
	case $file in *.md) continue ;; esac
	put_config "$(with_folders "$file")" "$FR_CONFDIR/$(dirname "${file#raddb/}")" freerad
done
files_of ldap-schema | while IFS= read -r file; do
	put 644 "$file" "$SHAREDIR/$(dirname "$file")"
done
# What "peruser-mfa setup" hands to a web server.
for file in apache-fastcgi.conf nginx.conf; do
	put 644 "$(with_folders "enroll/examples/$file")" "$SHAREDIR/web"
done
for file in README.md docs/*.md; do
	[ ! -f "$file" ] || put 644 "$file" "$DOCDIR"
done
files_of docs/appliances | while IFS= read -r file; do
	put 644 "$file" "$DOCDIR/appliances"
done
files_of docs/pictures | while IFS= read -r file; do
	put 644 "$file" "$DOCDIR/pictures"
done
files_of docs/monitoring | while IFS= read -r file; do
	put 644 "$file" "$DOCDIR/monitoring"
done
files_of enroll/examples | while IFS= read -r file; do
	put 644 "$(with_folders "$file")" "$DOCDIR/examples"
done
if [ "$SYSTEMD" = yes ]; then
	for file in enroll/examples/*.service enroll/examples/*.socket; do
		put 644 "$(with_folders "$file")" "$UNITDIR"
	done
fi
for file in "$built"/man/*.5; do
	name=${file##*/}
	case $name in admin.conf.5 | enroll.conf.5) name=peruser-mfa-$name ;; esac
	mkdir -p "$root$MANDIR/man5"
	sed -f "$tmp/rules" "$file" >"$tmp/page"
	install -m 644 "$tmp/page" "$root$MANDIR/man5/$name"
	say "$MANDIR/man5/$name"
done
files_of docs | while IFS= read -r file; do
	case $file in
	*.[1-8]) put 644 "$(with_folders "$file")" "$MANDIR/man${file##*.}" ;;
	esac
done
say "enable it: ln -s ../mods-available/peruser_mfa $FR_CONFDIR/mods-enabled/"
