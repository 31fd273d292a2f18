# SPDX-License-Identifier: GPL-2.0-or-later
"""A small cluster under load and faults: does a code count once, and does everybody get in?

Two FreeRADIUS, each reading at the directory server next to it, a provider and its replica, and
three members of etcd, in a network of their own.  Workers log people in, race one code at both
servers, and send codes again that were used.  Meanwhile something breaks every few seconds, chosen
by a seed.  What was asked and answered goes to a file, which judge.py reads.
"""
import argparse
import itertools
import json
import os
import random
import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib.client import NoAnswer, pap  # noqa: E402
from lib.etcd import Etcd  # noqa: E402
from lib.radius_server import FreeRadius  # noqa: E402
from lib.ring import Ring  # noqa: E402
from lib.slapd import Slapd, person  # noqa: E402
from lib.totp import Device  # noqa: E402

WORKERS, HOLD_S, HEAL_S = 3, 4, 4
RETRANSMIT_S = (2, 3)   # after 2 s the same server again, after 5 s the other one


def iptables(action, *rule):
    subprocess.run(["iptables", action, "INPUT", "-p", "tcp", *rule, "-j", "DROP"], check=True)


def exchange(client, packet, patience_s):
    """Send and wait; None when no answer came. A port that nobody listens at is silence to a NAS."""
    end = time.monotonic() + patience_s
    try:
        return client.receive(client.send(packet), patience_s)
    except (NoAnswer, ConnectionRefusedError):
        time.sleep(max(0, end - time.monotonic()))
        return None


class Fault:
    """One thing that breaks, and is made whole again."""

    def __init__(self, kind, name, server):
        self.kind, self.name, self.server = kind, name, server

    def __str__(self):
        return f"{self.kind} {self.name}"

    def begin(self):
        if self.kind in ("deaf", "dumb"):   # a partition in one direction
            iptables("-A", "--dport" if self.kind == "deaf" else "--sport", str(self.server.port))
        elif self.kind == "hup":
            self.server.hup()
        else:
            getattr(self.server, self.kind)()

    def end(self):
        if self.kind in ("deaf", "dumb"):
            iptables("-D", "--dport" if self.kind == "deaf" else "--sport", str(self.server.port))
        elif self.kind == "kill":
            self.server.start()
        elif self.kind == "sigstop":
            self.server.sigcont()


class Run:
    def __init__(self, history, rng):
        self.history, self.rng, self.lock = history, rng, threading.Lock()
        self.over, self.numbers, self.fault = threading.Event(), itertools.count(), ""
        self.device, self.password = Device(), secrets.token_urlsafe(9)

    def write(self, **event):
        with self.lock:
            self.history.write(json.dumps({"t": round(time.time(), 3), "fault": self.fault, **event}) + "\n")
            self.history.flush()

    def users(self, count):
        return [person(f"c{number}", self.password, peruserMfaEnabled="TRUE", peruserMfaSecret=self.device.secret)
                for number in range(count)]

    # ---- a NAS

    def ask(self, servers, attributes):
        """As a NAS does: the same packet again, then another server; None when nobody answered."""
        with servers[0].client() as first, servers[1].client() as second:
            packet = first.packet(attributes)
            for patience in RETRANSMIT_S:
                reply = exchange(first, packet, patience)
                if reply is not None:
                    return reply
            return exchange(second, second.packet(attributes), 6)

    def challenge(self, servers, uid):
        reply = self.ask(servers, pap(uid, self.password))
        return reply if reply is not None and reply.challenged else None

    def answer(self, kind, servers, uid, challenge, code):
        reply = self.ask(servers, pap(uid, code, challenge.state))
        accepted = reply is not None and reply.accepted
        why = "" if accepted else "no answer" if reply is None else f"{reply.result} {reply.message or ''}"
        self.write(kind=kind, user=uid, code=code, login=challenge.state.hex()[-24:], accepted=accepted, why=why)
        return accepted

    # ---- what people and attackers do

    def honest(self, servers, uid):
        challenge, code = self.ask(servers, pap(uid, self.password)), self.device.code()
        if challenge is None or not challenge.challenged:
            self.write(kind="honest", user=uid, code="", login="", accepted=False, why=f"no challenge: {challenge}")
        elif self.answer("honest", servers, uid, challenge, code):
            again = self.challenge(servers[::-1], uid)
            if again is not None:
                self.answer("replay", servers[::-1], uid, again, code)

    def race(self, servers, uid):
        challenges = [self.challenge(order, uid) for order in (servers, servers[::-1])]
        if None in challenges:
            return
        code = self.device.code()
        threads = [threading.Thread(target=self.answer, args=("race", order, uid, challenge, code))
                   for order, challenge in zip((servers, servers[::-1]), challenges)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def work(self, servers, count):
        while not self.over.is_set():
            number = next(self.numbers)
            if number >= count:
                return
            order = list(servers)
            random.shuffle(order)
            (self.race if number % 2 else self.honest)(order, f"c{number}")

    # ---- what breaks

    def break_things(self, parts, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(HEAL_S)
            names = self.rng.sample(sorted(parts), self.rng.choice((1, 1, 2)))
            faults = []
            for name in names:
                kinds = ["kill", "sigstop"] + (["hup"] if name.startswith("radius") else ["deaf", "dumb"])
                faults.append(Fault(self.rng.choice(kinds), name, parts[name]))
            self.write(kind="fault", what=[str(fault) for fault in faults])
            self.fault = " + ".join(map(str, faults))
            for fault in faults:
                fault.begin()
            time.sleep(HOLD_S)
            for fault in faults:
                fault.end()
            self.write(kind="healed")
            self.fault += " (after)"
            time.sleep(1)
            self.fault = ""
        self.over.set()


def play(seconds, seed, path):
    count = int(seconds * 60)
    with open(path, "w", encoding="utf-8") as history:
        run, ring = Run(history, random.Random(seed)), Ring()
        with Slapd(run.users(count), syncprov=True) as provider, Slapd(provider=provider) as replica, Etcd() as etcd:
            replica.wait_synced(120)
            servers = []
            try:
                for near, far in ((provider, replica), (replica, provider)):
                    uris = f"{near.uri} {far.uri}"
                    servers.append(FreeRadius(near, ring=ring, threads=8, ldap_uri=uris, settings={
                        **etcd.settings(), "ldap.uri": uris, "ldap.write_uri": ""}))
                parts = {"provider": provider, "replica": replica, "radius-0": servers[0], "radius-1": servers[1],
                         **{f"etcd-{member.number}": member for member in etcd.members}}
                workers = [threading.Thread(target=run.work, args=(servers, count)) for _ in range(WORKERS)]
                for worker in workers:
                    worker.start()
                run.break_things(parts, seconds)
                for worker in workers:
                    worker.join()
            finally:
                for server in servers:
                    server.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--history", default="build/chaos.history")
    args = parser.parse_args()
    if "MFA_CHAOS_NETWORK" not in os.environ:   # a network of our own, which goes when we do
        os.environ["MFA_CHAOS_NETWORK"] = "own"
        os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    seed = args.seed if args.seed is not None else secrets.randbelow(1 << 32)
    print(f"chaos: seed {seed}, {args.seconds} s", flush=True)
    Path(args.history).parent.mkdir(parents=True, exist_ok=True)
    play(args.seconds, seed, args.history)
    return subprocess.run([sys.executable, str(HERE / "judge.py"), args.history], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
