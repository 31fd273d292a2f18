# SPDX-License-Identifier: GPL-2.0-or-later
"""The site that we ship, as shipped but for its address, and what FreeRADIUS's own configuration brings to it."""
from . import ROOT

SITE = ROOT / "raddb/sites-available/peruser_mfa"
STOCK_MODULES = """\
always handled {
	rcode = handled
}
preprocess {
}
attr_filter attr_filter.access_reject {
	key = "%{User-Name}"
	filename = ${modconfdir}/attr_filter/access_reject
}
"""
STOCK_POLICY = """\
filter_username {
	if (&User-Name && (&User-Name =~ / /)) {
		reject
	}
}
"""
STOCK_FILTER = """\
DEFAULT
	EAP-Message =* ANY,
	State =* ANY,
	Message-Authenticator =* ANY,
	Error-Cause =* ANY,
	Reply-Message =* ANY,
	MS-CHAP-Error =* ANY,
	Proxy-State =* ANY
"""


def on_loopback(site, port):
    """The text of a shipped site, which listens on all addresses, for one port of the loopback."""
    site = site.replace("ipaddr = *", "ipaddr = 127.0.0.1").replace("ipv6addr = ::", "ipv6addr = ::1")
    return site.replace("port = 1812", f"port = {port}")


def shipped_site():
    """Files for FreeRadius(more=...): the site takes the place of the one for tests."""
    return {
        "sites-enabled/test": on_loopback(SITE.read_text(), "@PORT@"),
        "mods-enabled/stock": STOCK_MODULES,
        "policy.d/stock": STOCK_POLICY,
        "mods-config/attr_filter/access_reject": STOCK_FILTER,
    }
