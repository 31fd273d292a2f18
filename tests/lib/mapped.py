# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenLDAP at a site that keeps the record in attributes of its own: ours are not in its schema at all."""
import re
from pathlib import Path

from . import slapd_config
from .slapd import Slapd

SCHEMA = Path(__file__).with_name("site_schema.ldif")
# Setting, our name, the site's name.
MAPPING = (
    ("enabled", "peruserMfaEnabled", "siteOtpActive"),
    ("secret", "peruserMfaSecret", "siteOtpKey"),
    ("required_from", "peruserMfaRequiredFrom", "siteOtpFrom"),
    ("last_use", "peruserMfaLastUse", "siteOtpWatermark"),
    ("failures", "peruserMfaFailures", "siteOtpFailures"),
    ("recovery_code", "peruserMfaRecoveryCode", "siteOtpScratchCode"),
    ("voucher", "peruserMfaVoucher", "siteOtpTicket"),
    ("trusted_device", "peruserMfaTrustedDevice", "siteOtpDevice"),
)
SITE_NAME = {ours: theirs for _, ours, theirs in MAPPING}


def translate(text):
    """The site's names in place of ours."""
    return re.sub("peruserMfa[A-Z][A-Za-z]*", lambda found: SITE_NAME.get(found[0], "sitePerson"), text)


class MappedSlapd(Slapd):
    """Takes our names in tests, and uses the site's."""

    object_class = ""

    def __init__(self):
        super().__init__(schema=(SCHEMA,), access=None)
        try:
            self.ldapmodify_config(self.file(translate(slapd_config.ACCESS.read_text())))
        except BaseException:
            self.close()
            raise

    @property
    def settings(self):
        return {**super().settings, **{f"attribute.{setting}": theirs for setting, _, theirs in MAPPING}}

    @staticmethod
    def person(uid, password, **attributes):
        named = {SITE_NAME.get(name, name): values for name, values in attributes.items()}
        dn, entry = slapd_config.person(uid, password, **named)
        entry["objectClass"].append("sitePerson")
        return dn, entry

    def set(self, uid, **attributes):
        super().set(uid, **{SITE_NAME.get(name, name): values for name, values in attributes.items()})

    def get(self, uid, name=None):
        return super().get(uid, SITE_NAME.get(name, name))

    def ldapmodify(self, ldif, dn=None):
        super().ldapmodify(translate(ldif), dn)
