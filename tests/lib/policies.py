# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules of a site's policy, written for the programs and judged by an oracle of its own."""
import dataclasses
import ipaddress
import time

from .conf import quoted


@dataclasses.dataclass
class Rule:
    """One `policy NAME { }`. group is the key of a group in the world that the oracle is given."""
    name: str
    mfa: str = "required"
    group: str = None
    nested: bool = False
    filter: tuple = None            # (attribute, value)
    nas: tuple = ()
    network: tuple = ()
    from_s: int = None              # seconds since the epoch
    report_only: bool = False
    more: dict = dataclasses.field(default_factory=dict)

    def text(self, group_dn):
        items = {"mfa": self.mfa, **self.more}
        if self.group:
            items["group"] = group_dn(self.group)
        if self.nested:
            items["nested"] = True
        if self.filter:
            items["filter"] = "({}={})".format(*self.filter)
        if self.nas:
            items["nas"] = " ".join(self.nas)
        if self.network:
            items["network"] = " ".join(self.network)
        if self.from_s is not None:
            items["from"] = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(self.from_s))
        if self.report_only:
            items["report_only"] = True
        return f"\npolicy {self.name} {{\n" + "".join(f"\t{name} = {quoted(value)}\n" for name, value in
                                                      items.items()) + "}\n"


def written(rules, group_dn):
    return "".join(rule.text(group_dn) for rule in rules)


def is_in(address, networks):
    return address is not None and any(
        ipaddress.ip_address(address).version == ipaddress.ip_network(network).version
        and ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in networks)


def is_member(user, group, nested, groups):
    """groups: {key: (users, groups within it)}; groups may be in each other."""
    reached = {group}
    while nested:
        more = {inner for key in reached for inner in groups[key][1]}
        if more <= reached:
            break
        reached |= more
    return any(user in groups[key][0] for key in reached)


def judge(rules, user, attributes, groups, *, nas=None, address=None, now_s=None):
    """(name of the rule that decides or None, "required" | "later" | "optional" | "skip").

    nas None: there is no login, and rules about logins do not count.
    """
    now_s = time.time() if now_s is None else now_s
    for rule in rules:
        if (rule.nas or rule.network) and nas is None:
            continue
        if rule.nas and nas not in rule.nas and not is_in("127.0.0.1", [n for n in rule.nas if "." in n]):
            continue
        if rule.network and not is_in(address, rule.network):
            continue
        if rule.group and not is_member(user, rule.group, rule.nested, groups):
            continue
        if rule.filter and attributes.get(rule.filter[0]) != rule.filter[1]:
            continue
        if rule.report_only:
            continue
        if rule.mfa == "required" and rule.from_s is not None and rule.from_s > now_s:
            return rule.name, "later"
        return rule.name, rule.mfa
    return None, "optional"
