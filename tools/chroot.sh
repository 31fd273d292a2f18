# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2086 # chroot_env is words
#
# Fresh Debian systems for tests, to be read by other scripts:
#
#	chroot_possible			says why not, when it is not
#	chroot_make SUITE [ARCH]	a fresh system in $chroot
#	chroot_run COMMAND...		run there, with / as the working folder
#	chroot_alone COMMAND...		the same, without any network but loopback
#	chroot_drop			unmount and remove it
#
# debootstrap asks the mirror of this machine's own apt.  What it makes is kept in the
# folder CHROOT_BASES (build/dl) as debian-SUITE-ARCH.tar, and what apt fetches there in
# a folder beside it; the system itself is in a temporary folder.  No server is started
# in it by a package.  Nothing else of this machine is changed.

chroot='' chroot_kept=''
chroot_bases=${CHROOT_BASES:-$PWD/build/dl}
chroot_env="/usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
	LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy=$http_proxy}"

chroot_say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

chroot_possible() {
	if [ "$(id -u)" -ne 0 ]; then
		echo 'only root makes a system of its own'
	elif ! command -v debootstrap >/dev/null; then
		echo 'debootstrap is not installed'
	elif [ -z "$(chroot_mirror)" ]; then
		echo 'apt of this machine has no mirror of Debian'
	else
		return 0
	fi
	return 1
}

chroot_mirror() {
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format '$(REPO_URI) $(SITE) $(CODENAME)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
		awk '$3 !~ /-/ { print $1; exit }'
}

chroot_base() { # chroot_base SUITE ARCH: prints the path of the packed system
	packed=$chroot_bases/debian-$1-$2.tar
	if [ ! -s "$packed" ]; then
		fresh=$(mktemp -d)
		chroot_say "debootstrap $1 $2"
		if ! debootstrap --variant=minbase --arch="$2" --include=ca-certificates "$1" "$fresh" "$(chroot_mirror)" \
			>"$fresh.log" 2>&1; then
			tail -n 5 "$fresh.log" >&2
			rm -rf --one-file-system "$fresh" "$fresh.log"
			return 1
		fi
		mkdir -p "$chroot_bases"
		tar -C "$fresh" --exclude='./proc/*' --exclude='./sys/*' --exclude='./var/cache/apt/archives/*.deb' \
			-cf "$packed.part" .
		mv "$packed.part" "$packed"
		rm -rf --one-file-system "$fresh" "$fresh.log"
	fi
	printf '%s\n' "$packed"
}

chroot_make() {
	arch=${2:-$(dpkg --print-architecture)}
	packed=$(chroot_base "$1" "$arch") || return 1
	chroot=$(mktemp -d "${TMPDIR:-/tmp}/debian-$1.XXXXXX")
	tar -C "$chroot" -xf "$packed"
	chmod 755 "$chroot"
	printf 'deb %s %s main\n' "$(chroot_mirror)" "$1" >"$chroot/etc/apt/sources.list"
	cp /etc/resolv.conf /etc/hosts "$chroot/etc/"
	for file in /etc/apt/apt.conf.d/*proxy*; do
		[ ! -f "$file" ] || cp "$file" "$chroot/etc/apt/apt.conf.d/"
	done
	printf '#!/bin/sh\nexit 101\n' >"$chroot/usr/sbin/policy-rc.d"
	chmod 755 "$chroot/usr/sbin/policy-rc.d"
	echo force-unsafe-io >"$chroot/etc/dpkg/dpkg.cfg.d/unsafe"
	chroot_kept=${packed%.tar}.packages
	mkdir -p "$chroot_kept"
	chroot_copy_packages "$chroot_kept" "$chroot/var/cache/apt/archives"
	mount -t proc proc "$chroot/proc"
	mount --bind /dev "$chroot/dev"
	mount -t tmpfs tmpfs "$chroot/run"
	chroot_run apt-get -qq update
}

# Hard links where both are on one file system.
chroot_copy_packages() { # chroot_copy_packages FROM TO
	for file in "$1"/*.deb; do
		[ ! -f "$file" ] || [ -e "$2/${file##*/}" ] || ln "$file" "$2/" 2>/dev/null || cp "$file" "$2/"
	done
}

chroot_run() { chroot "$chroot" $chroot_env "$@"; }

# The same, in a network of its own that has loopback and nothing else.
# shellcheck disable=SC2016 # the shell in there expands it
chroot_alone() { unshare -n sh -c 'ip link set lo up && exec chroot "$@"' sh "$chroot" $chroot_env "$@"; }

# End what still runs there, unmount, remove.
chroot_drop() {
	[ -n "$chroot" ] || return 0
	for folder in /proc/[0-9]*; do
		[ "$(readlink "$folder/root" 2>/dev/null)" != "$chroot" ] || kill -9 "${folder#/proc/}" 2>/dev/null || true
	done
	for folder in run dev proc; do
		umount "$chroot/$folder" 2>/dev/null || umount -l "$chroot/$folder" 2>/dev/null || true
	done
	chroot_copy_packages "$chroot/var/cache/apt/archives" "$chroot_kept"
	rm -rf --one-file-system "$chroot"
	chroot=''
}
