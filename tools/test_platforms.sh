#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Build and test in fresh Debian systems, of this release and others.
#
#	tools/test_platforms.sh [SUITE | i386 | s390x]...
#
# Each suite: make with gcc and with clang, the unit tests, and the end-to-end tests
# named in PLATFORM_TESTS ("all": the whole of make demo and make test).  i386 and
# s390x: the unit tests of core, 32-bit and big-endian.  What cannot be had is
# skipped with its reason.  The last line is "N passed, N failed, N skipped".
set -eu

# shellcheck source=tools/chroot.sh
. tools/chroot.sh
tests=${PLATFORM_TESTS:-test_login test_append test_single_use test_hup test_config test_admin_states}
log=build/platforms
passed=0 failed=0 skipped=0
trap chroot_drop EXIT
trap 'exit 130' HUP INT TERM

skip() { echo "skipped: $1: $2"; skipped=$((skipped + 1)); }

step() { # step NAME COMMAND...: run it in the chroot, with its output in a log
	name=$1
	shift
	if chroot_run "$@" >"$log/$(echo "$name" | tr ' /' '__').log" 2>&1; then
		echo "ok: $name"
		passed=$((passed + 1))
	else
		echo "FAILED: $name"
		tail -n 15 "$log/$(echo "$name" | tr ' /' '__').log"
		failed=$((failed + 1))
		return 1
	fi
}

unpack() {
	sh tools/dist.sh "$chroot/src" >/dev/null
	tar -C "$chroot/src" -xf "$chroot"/src/*.tar.xz --strip-components=1
}

# shellcheck disable=SC2016 # the shell in there expands it
units='for test in build/*/unit/test_*; do [ -x "$test" ] || continue; "$test" || exit 1; done'

suite() {
	if ! chroot_make "$1"; then
		skip "$1" 'no such system from this mirror'
		return
	fi
	unpack
	step "$1 packages" apt-get -qq -y --no-install-recommends install make git || return 0
	if [ "$tests" = all ]; then
		step "$1 make demo" make -C /src demo || true
		step "$1 make test" make -C /src test || true
		return
	fi
	step "$1 gcc" make -C /src all unit preloads || return 0
	if step "$1 clang packages" sh /src/tools/install_packages.sh lint; then
		step "$1 clang" make -C /src CC=clang B=build/clang all || true
	fi
	step "$1 test packages" sh /src/tools/install_packages.sh demo test || return 0
	step "$1 unit tests" sh -c "cd /src && $units" || true
	for test in $tests; do
		step "$1 $test" sh -c "cd /src && /usr/bin/python3 -m pytest -p no:cacheprovider -q tests/e2e/$test.py" || true
	done
}

bits32() {
	if ! chroot_make bookworm i386; then
		skip i386 'no such system from this mirror'
	elif ! chroot_run true 2>/dev/null; then
		skip i386 'this kernel runs no 32-bit programs'
	else
		unpack
		step 'i386 packages' apt-get -qq -y --no-install-recommends install make || return 0
		step 'i386 gcc' make -C /src all unit || return 0
		step 'i386 unit tests' sh -c "cd /src && $units" || true
	fi
}

# Unit tests of core need these libraries and no others.
big_endian() {
	command -v qemu-s390x-static >/dev/null || { skip s390x 'qemu-user-static is not installed'; return; }
	chroot_make bookworm || { skip s390x 'no such system from this mirror'; return; }
	unpack
	chroot_run dpkg --add-architecture s390x
	chroot_run apt-get -qq update
	step 's390x packages' apt-get -qq -y --no-install-recommends install make gcc-s390x-linux-gnu libc6-dev-s390x-cross \
		libldap-dev:s390x liboath-dev:s390x libssl-dev:s390x libconfuse-dev:s390x libcmocka-dev:s390x || return 0
	cp "$(command -v qemu-s390x-static)" "$chroot/usr/bin/"
	# shellcheck disable=SC2016 # the shell in there expands it
	step 's390x gcc' sh -c 'cd /src && mkdir -p build && touch build/packages-build build/packages-test &&
		make CC=s390x-linux-gnu-gcc AR=s390x-linux-gnu-ar build/release/libmfacore.a && for name in '"$core_tests"'; do
		make CC=s390x-linux-gnu-gcc build/release/tests/unit/$name.o && mkdir -p build/release/unit &&
		s390x-linux-gnu-gcc build/release/tests/unit/$name.o build/release/libmfacore.a -lcmocka -lconfuse -lldap -llber \
			-loath -lcrypto -lpthread -o build/release/unit/$name || exit 1; done' || return 0
	# shellcheck disable=SC2016 # the shell in there expands it
	step 's390x unit tests' sh -c 'cd /src && for test in build/release/unit/test_*; do
		qemu-s390x-static -L / "$test" || exit 1; done' || true
}
core_tests='test_challenge test_code test_config test_entry test_hashed test_keyring test_otpauth test_record test_seal
	test_secret test_text test_totp test_verdict'

mkdir -p "$log"
if ! reason=$(chroot_possible); then
	skip 'all platforms' "$reason"
else
	[ $# -gt 0 ] || set -- bullseye bookworm trixie i386 s390x
	for platform; do
		case $platform in
		i386) bits32 ;;
		s390x) big_endian ;;
		*) suite "$platform" ;;
		esac
		chroot_drop
	done
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
