#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make docs/clients.md of what the tests of the clients found.

    tools/client_table.py REPORT PAGE       REPORT is the XML that the end-to-end tests wrote

Nothing is written when a test failed or was not run in full.
"""
import os
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests"))
from lib.story import SCENARIOS  # noqa: E402

HEAD = """\
# Clients and what was tried with them

`make clients` plays these logins and writes this page. Every "tried" client is the program itself, as packaged in Debian 12.
A client that is "played from documentation" is an appliance that was not tried: our own NAS does what its documentation says. See
[appliances](appliances/README.md). [VPN servers and other clients](vpn.md) says how to set the clients up.

"Refused, with the reason" means that the user reads why. An empty cell: this client cannot do that.
"""


def read(report):
    """{client: (mode, how, {scenario: outcome})}, and what failed."""
    found, failed = {}, []
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        said = {one.get("name"): one.get("value") for one in case.iter("property")}
        if "client" not in said:
            continue
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{said['client']}: {said.get('scenario')}")
        how = "played from documentation" if "played" in said else "tried"
        _, _, outcomes = found.setdefault(said["client"], (said.get("mode", ""), how, {}))
        outcomes[said["scenario"]] = said.get("outcome", "")
    return found, failed


def table(found):
    rows = [("client", "how", "mode", *SCENARIOS), ("---",) * (3 + len(SCENARIOS))]
    for client, (mode, how, outcomes) in sorted(found.items(), key=lambda item: (item[1][1] != "tried", item[0].lower())):
        rows.append((client, how, mode, *(outcomes.get(scenario, "") for scenario in SCENARIOS)))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    found, failed = read(sys.argv[1])
    missing = [f"{client}: {scenario}" for client, (_, _, outcomes) in found.items() for scenario in SCENARIOS
               if scenario not in outcomes]
    if failed or missing or not found:
        print("client_table: " + "; ".join([*(f"failed: {one}" for one in failed), *(f"not run: {one}" for one in missing)]
                                           or ["no client in the report"]), file=sys.stderr)
        return 1
    with open(sys.argv[2], "w", encoding="utf-8") as page:
        page.write(f"{HEAD}\n{table(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
