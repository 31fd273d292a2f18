# SPDX-License-Identifier: GPL-2.0-or-later
"""Our module and its peers, each in the smallest site that does a complete login."""
import os
from pathlib import Path

from lib.pam import private
from lib.radius_server import TEMPLATES, FreeRadius
from lib.slapd import FREERADIUS_DN, PEOPLE

from cores import OTHERS, on
from directory_load import PEERS_SECRET, PEERS_STEP

THREADS = 16
PEERS = Path(__file__).parent / "peers"
PAM_SERVICE = "mfa-bench"
FLAGS = ("Enabled", "Required-From")
RECORD = (*FLAGS, "Secret", "Failures")

SITE = """\
server bench {
listen {
	type = auth
	ipaddr = 127.0.0.1
	port = @PORT@
}
authorize {
%(authorize)s
}
authenticate {
%(authenticate)s
}
post-auth {
%(post_auth)s
}
}
"""
BIND = """\
	ldap
	if ((ok || updated) && &User-Password) {
		update control {
			&Auth-Type := LDAP
		}
	}
"""
LDAP = """\
	Auth-Type LDAP {
		ldap
	}
"""
SPLIT = """\
	if (&User-Password =~ /^(.*)([0-9]{6})$/) {
		update request {
			&TOTP-Password := "%{2}"
			&User-Password := "%{1}"
		}
	}
"""
CHALLENGE = """\
	Auth-Type LDAP {
		ldap
		if (ok) {
			update session-state {
				&TOTP-Secret := &control:TOTP-Secret
				&LDAP-UserDN := &control:LDAP-UserDN
			}
			update reply {
				&Reply-Message := "Enter the 6-digit code: "
			}
			update control {
				&Response-Packet-Type := Access-Challenge
			}
			handled
		}
	}
"""
ANSWER = """\
	if (&State) {
		update control {
			&TOTP-Secret := &session-state:TOTP-Secret
			&LDAP-UserDN := &session-state:LDAP-UserDN
			&Auth-Type := totp
		}
		update request {
			&TOTP-Password := &User-Password
		}
		ok
	}
	else {
%s
	}
""" % BIND
PAM = """\
	Auth-Type LDAP {
		ldap
		if (ok) {
			update request {
				&User-Password := "%{TOTP-Password}"
			}
			pam
		}
	}
"""
REPLAY = """\
	Auth-Type totp {
		totp
		if (ok) {
			update request {
				&Tmp-Integer-0 := "%%{expr:%%l / 30}"
				&Tmp-Integer-1 := "%%{ldap:ldap:///%%{control:LDAP-UserDN}?%s?base}"
			}
			if (&Tmp-Integer-1 >= &Tmp-Integer-0) {
				reject
			}
		}
	}
""" % PEERS_STEP
TOTP_SECRET = f"\t\tcontrol:TOTP-Secret := '{PEERS_SECRET}'\n"
MODULES = {"totp": "expr {\n}\ntotp {\n}\nalways handled {\n\trcode = handled\n}\n"}
WRITE_STEP = """\
ldap ldap_step {
	server = "@LDAP_URI@"
	identity = "@LDAP_DN@"
	password = "@LDAP_PASSWORD@"
	base_dn = "%s"
	user {
		base_dn = "${..base_dn}"
		filter = "(uid=%%{User-Name})"
	}
	post-auth {
		update {
			%s := "%%{Tmp-Integer-0}"
		}
	}
	options {
		chase_referrals = no
		res_timeout = 3
		srv_timelimit = 3
		net_timeout = 1
	}
	pool {
		start = 0
		min = 0
		max = @THREADS@
		spare = 1
		uses = 0
		retry_delay = 1
		lifetime = 0
		idle_timeout = 600
	}
}
""" % (PEOPLE, PEERS_STEP)


def script_module(kind):
    """rlm_perl or rlm_python3 with a script of the folder peers."""
    if kind == "perl":
        return f'perl {{\n\tfilename = "{PEERS}/peer.pl"\n}}\n'
    functions = "".join(f"\tmod_{name} = ${{.module}}\n\tfunc_{name} = {name}\n"
                        for name in ("instantiate", "authorize", "authenticate"))
    return (f'python3 {{\n\tpython_path = "{PEERS}:/etc/freeradius/3.0/mods-config/python3:'
            f'/usr/lib/python3.11:/usr/lib/python3.11/lib-dynload:/usr/lib/python3/dist-packages"\n'
            f"\tmodule = peer\n{functions}}}\n")


def scripted(kind):
    return {"authorize": f"\t{kind}\n", "authenticate": f"\tAuth-Type {kind} {{\n\t\t{kind}\n\t}}\n", "post_auth": ""}


OURS = {"authorize": "\tperuser_mfa {\n\t\tok = return\n\t}\n" + BIND, "authenticate": "\tperuser_mfa\n" + LDAP,
        "post_auth": "\tperuser_mfa\n"}
SITES = {
    "plain": {"authorize": BIND, "authenticate": LDAP, "post_auth": ""},
    "ours": OURS,
    "totp": {"authorize": ANSWER, "authenticate": CHALLENGE + "\tAuth-Type totp {\n\t\ttotp\n\t}\n", "post_auth": ""},
    "totp_append": {"authorize": SPLIT + BIND, "post_auth": "",
                    "authenticate": "\tAuth-Type LDAP {\n\t\tldap\n\t\tif (ok) {\n\t\t\ttotp\n\t\t}\n\t}\n"},
    "unlang": {"authorize": ANSWER, "authenticate": CHALLENGE + REPLAY,
               "post_auth": "\tif (&State) {\n\t\tldap_step\n\t}\n"},
    "pam": {"authorize": SPLIT + BIND, "authenticate": PAM, "post_auth": ""},
    "perl": scripted("perl"),
    "python3": scripted("python3"),
}
SITES["otp"] = SITES["plain"]
# The password checked by our module, the record kept until the answer: no rlm_ldap at all.
SITES["fast"] = {"authorize": "\tperuser_mfa\n", "authenticate": "\tperuser_mfa\n", "post_auth": "\tperuser_mfa\n"}
QUIET = {"log_success": "no"}   # as its peers, and as the server itself by default
SEARCHED = {**QUIET, "bind_users": "yes", "challenge.cache": 4096}
# Users are named alike, and each server is told so: it asks for an entry by its DN.
USER_DN = f"uid=%{{User-Name}},{PEOPLE}"
FAST = {**SEARCHED, "user_dn": USER_DN}


def mapped(names):
    """What rlm_ldap's update section must hold, so that our module need not ask by itself."""
    lines = [f"\t\tcontrol:Peruser-MFA-{name} += 'peruserMfa{name.replace('-', '')}'\n" for name in names]
    return "".join(lines) + ("\t\tcontrol:Peruser-MFA-Entry-Id := 'entryUUID'\n"
                             "\t\tcontrol:Peruser-MFA-Object-Class += 'objectClass'\n")


def google_authenticator(folder, persons):
    """A folder for /etc/pam.d with a service that keeps a file a user, written anew at each login."""
    services, secrets = folder / "pam.d", folder / "google_authenticator"
    services.mkdir()
    secrets.mkdir(mode=0o700)
    for person in persons:
        file = secrets / person.uid
        file.write_text(f'{person.secret}\n" WINDOW_SIZE 3\n" DISALLOW_REUSE\n" TOTP_AUTH\n')
        file.chmod(0o400)
    (services / PAM_SERVICE).write_text(
        f"auth required pam_google_authenticator.so user=root secret={secrets}/${{USER}}\naccount required pam_permit.so\n")
    return services


class Site(FreeRadius):
    """One server; what it logs is what a production server logs."""

    name = "bench-radius"

    def __init__(self, directory, site, *, update="", module=False, more=None, instance=None, settings=None,
                 pam_services=None):
        parts = SITES[site]
        config = (TEMPLATES / "radiusd.conf").read_text().replace("auth = yes", "auth = no")
        files = {"radiusd.conf": config, "sites-enabled/test": SITE % parts, **(more or {})}
        if "totp" in site or site == "unlang":
            files["mods-enabled/totp"] = MODULES["totp"]
            update += TOTP_SECRET
        if site == "unlang":
            files["mods-enabled/ldap_step"] = WRITE_STEP
        if site in ("perl", "python3"):
            files[f"mods-enabled/{site}"] = script_module(site)
        if site == "pam":
            files["mods-enabled/pam"] = f"pam {{\n\tpam_auth = {PAM_SERVICE}\n}}\n"
        super().__init__(directory, update=update, more=files, module=module, echo=False, debug=0,
                         threads=THREADS, instance=instance, settings=settings,
                         under=private({"/etc/pam.d": pam_services}, []) if pam_services else ())

    def command(self):
        return on(OTHERS) + super().command()

    def _words(self):
        """Peers do not need to read the password's hash: the directory checks it."""
        return {**super()._words(), "LDAP_UPDATE": self.update, "LDAP_USER_BASE": USER_DN, "LDAP_SCOPE": "base"}

    def environment(self):
        """What the scripts need to know."""
        return {**os.environ, "BENCH_URI": self.slapd.uri, "BENCH_DN": FREERADIUS_DN, "BENCH_BASE": PEOPLE,
                "BENCH_PASSWORD": self.slapd.passwords[FREERADIUS_DN]}
