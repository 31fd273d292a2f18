#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Build the Debian packages in fresh Debian systems; install, upgrade, remove and purge
# them there beside the packaged FreeRADIUS.
#
#	tools/test_packages.sh [SUITE]...
#
# What cannot be had is skipped with its reason.  The last line is
# "N passed, N failed, N skipped".
set -eu

# shellcheck source=tools/chroot.sh
. tools/chroot.sh
log=build/test-packages
raddb=/etc/freeradius/3.0
ours=$raddb/mods-config/peruser_mfa
passed=0 failed=0 skipped=0
trap chroot_drop EXIT
trap 'exit 130' HUP INT TERM

skip() { echo "skipped: $1: $2"; skipped=$((skipped + 1)); }

step() { # step NAME SHELL-COMMAND [chroot_alone]: run it in the chroot
	file=$log/$(echo "$1" | tr ' /' '__').log
	if ${3:-chroot_run} sh -ec "$2" >"$file" 2>&1; then
		echo "ok: $1"
		passed=$((passed + 1))
	else
		echo "FAILED: $1"
		tail -n 15 "$file"
		failed=$((failed + 1))
		return 1
	fi
}

build() { # build SUITE: packages go to $log/SUITE
	chroot_make "$1" || return 1
	mkdir -p "$chroot/src"
	sh tools/dist.sh "$chroot/src" >/dev/null
	tar -C "$chroot/src" -xf "$chroot"/src/*.tar.xz --strip-components=1
	step "$1 build" 'apt-get -qq -y --no-install-recommends install make
		cd /src && sh tools/install_packages.sh build package && sh tools/deb.sh build/deb' || return 1
	step "$1 lintian" 'cd /src && lintian --fail-on error,warning build/deb/*.changes' || true
	# shellcheck disable=SC2016 # the shell in there expands it
	step "$1 second build is equal" 'cd /src && sh tools/deb.sh build/again
		for package in build/deb/*.deb; do cmp "$package" "build/again/${package##*/}"; done' || true
	mkdir -p "$log/$1"
	cp "$chroot"/src/build/deb/*.deb "$log/$1/"
	chroot_drop
}

works='freeradius -Cx -l stdout >/tmp/check.log || { tail /tmp/check.log; false; }
	timeout 5 freeradius -f -l stdout >/tmp/radius.log || true
	grep -q Ready /tmp/radius.log || { tail /tmp/radius.log; false; }'
# The three lines of the README, in the packaged site.
enable="ln -s ../mods-available/peruser_mfa $raddb/mods-enabled/
	sed -i -E 's/^(authorize|authenticate|post-auth) \{/&\n\tperuser_mfa/' $raddb/sites-available/default"

try() { # try SUITE
	chroot_make "$1" || return 1
	mkdir -p "$chroot/debs"
	cp "$log/$1"/*.deb "$chroot/debs/"
	rm -f "$chroot"/debs/*dbgsym*
	step "$1 install" 'apt-get -qq -y --no-install-recommends install freeradius /debs/*.deb' || return 0
	step "$1 the server works with the module installed" "$works" chroot_alone || true
	step "$1 key ring" "test \"\$(stat -c '%U:%G %a' $ours/peruser_mfa.keys)\" = 'root:freerad 640'
		peruser-mfa keys --ring-only
		runuser -u freerad -- cat $ours/peruser_mfa.keys >/dev/null
		! runuser -u nobody -- cat $ours/peruser_mfa.keys" chroot_alone || true
	step "$1 configuration files" "for file in $raddb/mods-available/peruser_mfa $raddb/policy.d/peruser_mfa $ours/peruser_mfa.conf \
			$ours/admin.conf /etc/peruser-mfa/enroll.conf; do
			cat /var/lib/dpkg/info/*peruser-mfa*.conffiles | grep -qx \$file
			test \"\$(stat -c %a \$file)\" = 640
		done" chroot_alone || true
	step "$1 the server works with the module in use" "$enable; $works; grep -q rlm_peruser_mfa /tmp/radius.log" chroot_alone || true
	step "$1 upgrade" "echo '# ours' >>$raddb/mods-available/peruser_mfa
		sha256sum $ours/peruser_mfa.keys >/tmp/ring
		mkdir /new; for package in /debs/*.deb; do
			dpkg-deb -R \$package /tmp/package
			sed -i 's/0\.[0-9.]*-1/&+new/g' /tmp/package/DEBIAN/control
			echo '# newer' >/tmp/newer
			test ! -f /tmp/package$raddb/mods-available/peruser_mfa || cat /tmp/newer >>/tmp/package$raddb/mods-available/peruser_mfa
			dpkg-deb -b /tmp/package /new/ && rm -r /tmp/package
		done
		apt-get -qq -y -o Dpkg::Options::=--force-confold install /new/*.deb
		grep -qx '# ours' $raddb/mods-available/peruser_mfa && sha256sum -c /tmp/ring
		test \"\$(stat -c '%U:%G %a' $raddb/mods-available/peruser_mfa)\" = 'root:freerad 640'
		$works" chroot_alone || true
	step "$1 removal is refused where it would stop the server" "cp -a $raddb/sites-available/default /tmp/site
		sed -i 's/^authorize {/&\n\tredundant {\n\t\tperuser_mfa\n\t}/' $raddb/sites-available/default
		freeradius -C; cp -a $raddb/sites-available/default /tmp/odd
		! apt-get -qq -y remove freeradius-peruser-mfa
		cmp $raddb/sites-available/default /tmp/odd && test -L $raddb/mods-enabled/peruser_mfa
		apt-get -qq -y install /new/freeradius-peruser*.deb
		$works
		cat /tmp/site >$raddb/sites-available/default" chroot_alone || true
	step "$1 removal" "apt-get -qq -y remove freeradius-peruser-mfa; $works; ! grep rlm_peruser_mfa /tmp/radius.log" chroot_alone || true
	step "$1 purge" "apt-get -qq -y purge freeradius-peruser-mfa peruser-mfa peruser-mfa-enroll; $works
		test -z \"\$(find /etc /usr /var/lib -name '*peruser*mfa*' ! -path '/var/lib/dpkg/*' ! -path '/var/lib/apt/*')\"
		test \"\$(stat -c '%U:%G %a' /var/backups/peruser_mfa.keys)\" = 'root:root 600'" chroot_alone || true
	chroot_drop
}

first_challenge() { # first_challenge SUITE
	chroot_make "$1" || return 1
	mkdir -p "$chroot/debs"
	cp "$log/$1"/*.deb tools/first_challenge.sh "$chroot/debs/"
	rm -f "$chroot"/debs/*dbgsym*
	step "$1 slapd with 2,000 users" 'sh /debs/first_challenge.sh prepare' || return 0
	step "$1 first challenge, and back" 'sh /debs/first_challenge.sh story' chroot_alone || true
	chroot_drop
}

mkdir -p "$log"
if ! reason=$(chroot_possible); then
	skip 'all packages' "$reason"
else
	[ $# -gt 0 ] || set -- bookworm trixie
	for suite; do
		if [ -z "${PACKAGES_BUILT:-}" ]; then
			build "$suite" || { chroot_drop; skip "$suite" 'no packages'; continue; }
		fi
		first_challenge "$suite" || true
		try "$suite" || skip "$suite" 'no such system from this mirror'
		chroot_drop
	done
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
