#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# From the packages to the first challenge, and back, as an administrator types it; run
# by test_packages.sh in a system of its own that has slapd with 2,000 users and
# FreeRADIUS, whose site "default" asks it for passwords.
#
#	tools/first_challenge.sh prepare | story
set -eu

raddb=/etc/freeradius/3.0
suffix=dc=example,dc=org

prepare() {
	debconf-set-selections <<-'END'
		slapd slapd/domain string example.org
		slapd shared/organization string Example
		slapd slapd/password1 password admin-password
		slapd slapd/password2 password admin-password
	END
	apt-get -qq -y --no-install-recommends install slapd ldap-utils freeradius freeradius-ldap freeradius-utils \
		apache2 ssl-cert spawn-fcgi curl
	a2ensite -q default-ssl
	apt-get -qq -y --no-install-recommends install --download-only /debs/*.deb
	{
		printf 'dn: ou=people,%s\nobjectClass: organizationalUnit\nou: people\n\n' $suffix
		awk -v suffix=$suffix 'BEGIN { for (i = 1; i <= 2000; i++)
			printf "dn: uid=user%d,ou=people,%s\nobjectClass: inetOrgPerson\nuid: user%d\ncn: u\nsn: u\nuserPassword: password-%d\n\n",
				i, suffix, i, i }'
	} >/tmp/users.ldif
	slapadd -q -n1 -l /tmp/users.ldif
	chown -R openldap:openldap /var/lib/ldap
	sed -i -e "s/server = 'localhost'/server = '127.0.0.1'/" -e "s/dc=example,dc=com/$suffix/" \
		-e "0,/#\?[[:space:]]*identity = /s/#\?[[:space:]]*identity = .*/identity = 'cn=admin,$suffix'/" \
		-e "0,/#\?[[:space:]]*password = /s/#\?[[:space:]]*password = .*/password = 'admin-password'/" \
		-e "s/base_dn = 'dc=example,dc=org'/base_dn = '$suffix'/" $raddb/mods-available/ldap
	ln -s ../mods-available/ldap $raddb/mods-enabled/ldap
	printf 'admin-password' >/srv/admin.password
	chmod 600 /srv/admin.password
}

start() {
	freeradius -l stdout -f >/tmp/radius.log 2>&1 &
	radius=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		! grep -q Ready /tmp/radius.log || return 0
		sleep 1
	done
	tail /tmp/radius.log
	return 1
}

restart() {
	kill "$radius"
	wait "$radius" || true
	start
}

answer_to() { # answer_to N
	radtest "user$1" "password-$1" 127.0.0.1 0 testing123 2>&1 | sed -n 's/^Received \([^ ]*\).*/\1/p' | head -n 1
}

expect() { # expect N ANSWER
	got=$(answer_to "$1")
	[ "$got" = "$2" ] || { echo "user$1: $got, not $2"; tail -n 20 /tmp/radius.log; exit 1; }
}

story() {
	mkdir -p /run/slapd && chown openldap:openldap /run/slapd
	slapd -h 'ldap:/// ldapi:///' -u openldap -g openldap
	before=$(cat $raddb/sites-available/default | sha256sum)
	start
	expect 1 Access-Accept
	expect 2000 Access-Accept

	apt-get -qq -y --no-install-recommends install /debs/*.deb			# 1
	printf 'base_dn = "ou=people,%s"\nweb_server = apache\n' $suffix >/srv/answers	# 2
	peruser-mfa setup --answers /srv/answers -y /srv/admin.password --dry-run	# 3
	[ ! -e $raddb/mods-enabled/peruser_mfa ]
	peruser-mfa setup --answers /srv/answers -y /srv/admin.password		# 4
	restart										# 5
	peruser-mfa enroll user2 --no-confirm -y /srv/admin.password -D cn=admin,$suffix >/dev/null	# 6
	expect 2 Access-Challenge							# 7
	expect 1 Access-Accept

	# What the systemd units do here: the page, and the web server that setup has told of it.
	install -d -o peruser-mfa -g peruser-mfa -m 700 /var/lib/peruser-mfa
	usermod -a -G freerad peruser-mfa
	spawn-fcgi -s /run/peruser-mfa-enroll.sock -M 0600 -U www-data -G www-data -P /run/page.pid \
		-u peruser-mfa -g peruser-mfa -- /usr/lib/peruser-mfa/peruser-mfa-enroll -n 1
	apache2ctl start
	curl -sk --retry 5 --retry-connrefused https://127.0.0.1/mfa/ | grep -q '<form'
	apache2ctl stop
	kill "$(cat /run/page.pid)"

	# A second run changes nothing.
	find /etc -type f ! -path '*/slapd.d/*' -exec sha256sum {} + | sort >/tmp/once
	peruser-mfa setup --answers /srv/answers -y /srv/admin.password
	find /etc -type f ! -path '*/slapd.d/*' -exec sha256sum {} + | sort >/tmp/twice
	cmp /tmp/once /tmp/twice
	if grep -rq admin-password /etc/peruser-mfa $raddb/mods-config/peruser_mfa; then exit 1; fi

	peruser-mfa setup --undo --answers /srv/answers -y /srv/admin.password
	[ "$before" = "$(cat $raddb/sites-available/default | sha256sum)" ]
	[ ! -e $raddb/mods-enabled/peruser_mfa ]
	[ -z "$(find /etc/apache2 -name '*peruser*' -o -name proxy_fcgi.load -path '*enabled*')" ]
	[ -z "$(ldapsearch -x -LLL -b $suffix '(cn=radius)' dn)" ]
	apt-get -qq -y purge peruser-mfa freeradius-peruser-mfa peruser-mfa-enroll
	restart
	expect 1 Access-Accept
	expect 2 Access-Accept
	expect 2000 Access-Accept
	kill "$radius"
	kill "$(cat /run/slapd/slapd.pid)"
}

"$1"
