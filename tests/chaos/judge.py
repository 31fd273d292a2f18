# SPDX-License-Identifier: GPL-2.0-or-later
"""Read what a run of chaos asked and was answered, and say which promises were broken.

Knows nothing of how the module works: a code of one user may be accepted in one login only.
"""
import collections
import json
import sys


def judge(lines):
    events = [json.loads(line) for line in lines]
    uses = collections.defaultdict(set)   # (user, code) -> logins that were accepted with it
    table = collections.defaultdict(collections.Counter)
    lost, rounds = [], 0
    for event in events:
        kind = event["kind"]
        if kind not in ("honest", "race", "replay"):
            continue
        rounds += 1
        row = table[event["fault"] or "nothing broken"]
        row["asked"] += 1
        row["accepted"] += event["accepted"]
        if event["accepted"]:
            uses[event["user"], event["code"]].add((event["login"], kind))
        elif kind == "honest":
            row["lost"] += 1
            lost.append(event)
    doubles = sum(len([login for login in logins if login[1] != "replay"]) > 1 for logins in uses.values())
    replays = sum(any(kind == "replay" for _, kind in logins) for logins in uses.values())
    return rounds, doubles, replays, lost, table


def single(fault):
    """Two things at once may cost logins; one may not."""
    return "+" not in fault


def main(path):
    with open(path, encoding="utf-8") as history:
        rounds, doubles, replays, lost, table = judge(history)
    print(f"{'what was broken':52} {'asked':>7} {'accepted':>9} {'lost':>5}")
    for fault, row in sorted(table.items()):
        print(f"{fault:52} {row['asked']:7} {row['accepted']:9} {row['lost']:5}")
    for event in lost:
        print(f"lost: {event['fault'] or 'nothing broken'}: {event['user']}: {event['why']}")
    bad = [event for event in lost if single(event["fault"])]
    print(f"chaos: {rounds} rounds, {doubles} double accepts, {replays} replays, {len(bad)} honest logins lost")
    return 1 if doubles or replays or bad or not rounds else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
