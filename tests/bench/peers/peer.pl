# SPDX-License-Identifier: GPL-2.0-or-later
# A second factor in rlm_perl, in the usual shape: search, bind, challenge; then the
# code, with one modify that takes the last step away and adds the new one.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha1 hmac_sha256_hex);
use Net::LDAP;

our (%RAD_REQUEST, %RAD_REPLY, %RAD_CHECK);
use constant { REJECT => 0, OK => 2, HANDLED => 3 };
my $key = join '', map { chr int rand 256 } 1 .. 32;
my ($service, $binder);

sub service {
	if (!$service) {
		$service = Net::LDAP->new($ENV{BENCH_URI}) or die;
		die if $service->bind($ENV{BENCH_DN}, password => $ENV{BENCH_PASSWORD})->code;
	}
	return $service;
}

sub find {
	my ($user) = @_;
	$user =~ s/([^A-Za-z0-9])/sprintf '\\%02x', ord $1/ge;
	my $found = service()->search(base => "uid=$user,$ENV{BENCH_BASE}", scope => 'base', filter => '(objectClass=*)',
		attrs => ['description', 'employeeNumber']);
	return $found->code || $found->count != 1 ? undef : $found->entry(0);
}

sub totp {
	my ($secret, $step) = @_;
	my $bits = join '', map { sprintf '%05b', index 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', $_ } split //, $secret;
	my $mac = hmac_sha1(pack('Q>', $step), pack 'B*', $bits);
	return sprintf '%06d', (unpack('N', substr $mac, ord(substr $mac, 19) & 15, 4) & 0x7fffffff) % 1000000;
}

sub check_code {
	my ($entry, $code) = @_;
	my $now = int(time / 30);
	my $last = $entry->get_value('employeeNumber');
	for my $step ($now - 1 .. $now + 1) {
		next unless $step > $last && totp($entry->get_value('description'), $step) eq $code;
		my $done = service()->modify($entry->dn, changes => [
			delete => [employeeNumber => $last], add => [employeeNumber => $step]]);
		return $done->code ? REJECT : OK;
	}
	return REJECT;
}

sub authorize {
	$RAD_CHECK{'Auth-Type'} = 'perl';
	return OK;
}

sub authenticate {
	my ($user, $password) = @RAD_REQUEST{'User-Name', 'User-Password'};
	my $entry = find($user) or return REJECT;
	my $state = hmac_sha256_hex($user, $key);
	if ($RAD_REQUEST{State}) {
		return REJECT unless $RAD_REQUEST{State} eq '0x' . unpack 'H*', $state;
		return check_code($entry, $password);
	}
	$binder ||= Net::LDAP->new($ENV{BENCH_URI}) or die;
	return REJECT if $binder->bind($entry->dn, password => $password)->code;
	$RAD_REPLY{State} = '0x' . unpack 'H*', $state;
	$RAD_REPLY{'Reply-Message'} = 'Enter the 6-digit code: ';
	$RAD_CHECK{'Response-Packet-Type'} = 'Access-Challenge';
	return HANDLED;
}
1;
