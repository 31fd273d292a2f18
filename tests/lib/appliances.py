# SPDX-License-Identifier: GPL-2.0-or-later
"""Appliances as their documentation describes them. None of them was tried: each is played by a NAS of ours.

docs/appliances has a page for each, which names the documents. What they leave open is played in the way
that is hardest for the server: no Calling-Station-Id in the second packet, no text of a reject shown.

Retransmission is played with the appliance's own times, by the clock of the server: from the appliance's document
where it names them (FortiGate, GlobalProtect, Horizon), else as docs/appliances/README.md tells to set them.
"""
from dataclasses import dataclass, field

from .client import Client, pap
from .story import Way


@dataclass
class Appliance(Way):
    """One family.

    attributes  what it sends along
    tries       how often it sends a packet that is not answered, the first time included
    wait_s      seconds until it sends the packet again
    signs       it sends a Message-Authenticator, and drops a reply that does not begin with one
    """

    name: str
    mode: str = "challenge"
    told: bool = False
    retries: bool = True
    tries: int = 2
    wait_s: int = 5
    signs: bool = True
    attributes: dict = field(default_factory=dict)
    port: int = 0

    def at(self, port):
        self.port = port
        return self

    def client(self):
        return Client(self.port, nas=self.attributes.get("NAS-Identifier", "appliance"), message_authenticator=self.signs)

    def login(self, user, *typed):
        """One login in which no packet is lost."""
        return self._login(user, typed, self._ask)

    def login_with_losses(self, user, *typed, server):
        """One login in which only the answer to the last try of each packet arrives; a word may be a function of no argument."""
        return self._login(user, typed, lambda client, packet: self._ask_until_it_arrives(client, packet, server))

    def _login(self, user, typed, ask):
        first = {"NAS-Port-Type": 5, **self.attributes}
        second = {name: value for name, value in first.items() if name != "Calling-Station-Id"}
        with self.client() as client:
            reply, shown = ask(client, client.packet([*pap(user.uid, typed[0]), *first.items()])), []
            for word in typed[1:]:
                if not reply.challenged:
                    break
                shown.append(reply.message)
                word = word() if callable(word) else word
                reply = ask(client, client.packet([*pap(user.uid, word, reply.state), *second.items()]))
        shown += [reply.message] if self.told or reply.challenged else []
        return reply.accepted, "\n".join(shown)

    def _ask(self, client, packet):
        reply = client.receive(client.send(packet))
        assert not self.signs or reply.attributes[0][0] == "Message-Authenticator", reply
        return reply

    def _ask_until_it_arrives(self, client, packet, server):
        lost = []
        for _ in range(self.tries - 1):
            lost.append(self._ask(client, packet))
            server.settle()
            server.set_time(server.now_s + self.wait_s)
        reply = self._ask(client, packet)
        assert {one.code for one in lost} <= {reply.code}, (lost, reply)
        return reply


APPLIANCES = {
    "fortigate": Appliance("FortiGate, SSL VPN", attributes={"NAS-Identifier": "fortigate"}),
    "fortigate-ipsec": Appliance("FortiGate, IPsec", mode="append", retries=False,
                                 attributes={"NAS-Identifier": "fortigate-ipsec"}),
    "asa": Appliance("Cisco ASA, AnyConnect", told=True, attributes={"Calling-Station-Id": "198.51.100.7"}),
    "globalprotect": Appliance("Palo Alto GlobalProtect", tries=3, wait_s=3, attributes={"NAS-Identifier": "auth-profile"}),
    "netscaler": Appliance("Citrix NetScaler Gateway"),
    "horizon": Appliance("VMware Horizon", tries=3, attributes={"NAS-Identifier": "horizon"}),
    "mikrotik": Appliance("MikroTik RouterOS, PPP", mode="append", retries=False,
                          attributes={"Service-Type": 2, "Framed-Protocol": 1, "Calling-Station-Id": "198.51.100.7"}),
    "pfsense": Appliance("pfSense and OPNsense, OpenVPN", mode="append", retries=False, signs=False,
                         attributes={"NAS-Identifier": "openvpn"}),
    "unifi": Appliance("UniFi gateway, VPN", mode="append", retries=False, attributes={"NAS-Identifier": "unifi"}),
    "ivanti": Appliance("Juniper and Ivanti Connect Secure", attributes={"NAS-Identifier": "ivanti"}),
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
