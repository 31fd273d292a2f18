# SPDX-License-Identifier: GPL-2.0-or-later
"""Appliances as their documentation describes them. None of them was tried: each is played by a NAS of ours.

docs/appliances has a page for each, which names the documents. What they leave open is played in the way
that is hardest for the server: no Calling-Station-Id in the second packet, no text of a reject shown.
"""
from dataclasses import dataclass, field

from .client import Client, pap
from .story import Way


@dataclass
class Appliance(Way):
    """One family.

    attributes  what it sends along
    tries       how often it sends a packet that is not answered
    signs       it sends a Message-Authenticator, and drops a reply that does not begin with one
    """

    name: str
    mode: str = "challenge"
    told: bool = False
    retries: bool = True
    empty: bool = True
    tries: int = 3
    signs: bool = True
    attributes: dict = field(default_factory=dict)
    port: int = 0

    def at(self, port):
        self.port = port
        return self

    def login(self, user, *typed):
        first = {"NAS-Port-Type": 5, **self.attributes}
        second = {name: value for name, value in first.items() if name != "Calling-Station-Id"}
        with Client(self.port, nas=self.attributes.get("NAS-Identifier", "appliance"),
                    message_authenticator=self.signs) as client:
            reply, shown = self._ask(client, pap(user.uid, typed[0]), first), []
            for word in typed[1:]:
                if not reply.challenged:
                    break
                shown.append(reply.message)
                reply = self._ask(client, pap(user.uid, word, reply.state), second)
        shown += [reply.message] if self.told or reply.challenged else []
        return reply.accepted, "\n".join(shown)

    def _ask(self, client, attributes, more):
        """Send the packet as often as it may be sent; every answer must be the same."""
        packet = client.packet([*attributes, *more.items()])
        replies = [client.receive(client.send(packet)) for _ in range(self.tries)]
        assert len({reply.code for reply in replies}) == 1, replies
        for reply in replies:
            assert not self.signs or reply.attributes[0][0] == "Message-Authenticator", reply
        return replies[0]


APPLIANCES = {
    "fortigate": Appliance("FortiGate, SSL VPN", tries=2, attributes={"NAS-Identifier": "fortigate"}),
    "fortigate-ipsec": Appliance("FortiGate, IPsec", mode="append", retries=False, tries=2,
                                 attributes={"NAS-Identifier": "fortigate-ipsec"}),
    "asa": Appliance("Cisco ASA, AnyConnect", told=True, attributes={"Calling-Station-Id": "198.51.100.7"}),
    "globalprotect": Appliance("Palo Alto GlobalProtect", attributes={"NAS-Identifier": "auth-profile"}),
    "netscaler": Appliance("Citrix NetScaler Gateway"),
    "horizon": Appliance("VMware Horizon", attributes={"NAS-Identifier": "horizon"}),
    "mikrotik": Appliance("MikroTik RouterOS, PPP", mode="append", retries=False,
                          attributes={"Service-Type": 2, "Framed-Protocol": 1, "Calling-Station-Id": "198.51.100.7"}),
    "pfsense": Appliance("pfSense and OPNsense, OpenVPN", mode="append", retries=False, signs=False,
                         attributes={"NAS-Identifier": "openvpn"}),
    "unifi": Appliance("UniFi gateway, VPN", mode="append", retries=False, attributes={"NAS-Identifier": "unifi"}),
    "ivanti": Appliance("Juniper and Ivanti Connect Secure", tries=2, attributes={"NAS-Identifier": "ivanti"}),
    "check-point": Appliance("Check Point Remote Access", signs=False),
    "nps": Appliance("Windows RRAS, or NPS as a proxy", attributes={"Proxy-State": b"\xfe\x80nps", "Service-Type": 2}),
}
# What a site has to say about them: which cannot be challenged.
POLICY = """
	if (&NAS-Identifier =~ /^(fortigate-ipsec|openvpn|unifi)$/) {
		update control {
			&Peruser-MFA-Mode := append
		}
	}
	if (&Framed-Protocol == PPP) {
		update control {
			&Peruser-MFA-Mode := append
		}
	}
"""
