# SPDX-License-Identifier: GPL-2.0-or-later
"""A second factor in rlm_python3, in the usual shape: search, bind, challenge; then the code,
with one modify that takes the last step away and adds the new one."""
import base64
import hashlib
import hmac
import os
import threading
import time

import ldap
import ldap.dn
import radiusd

KEY = os.urandom(32)
held = threading.local()


def connection(name):
    """A connection a thread: one of the service account, and one to bind users on."""
    handle = getattr(held, name, None)
    if handle is None:
        handle = ldap.initialize(os.environ["BENCH_URI"])
        if name == "service":
            handle.simple_bind_s(os.environ["BENCH_DN"], os.environ["BENCH_PASSWORD"])
        setattr(held, name, handle)
    return handle


def find(user):
    found = connection("service").search_s(
        f"uid={ldap.dn.escape_dn_chars(user)},{os.environ['BENCH_BASE']}", ldap.SCOPE_BASE,
        attrlist=["description", "employeeNumber"])
    return found[0] if len(found) == 1 else None


def totp(secret, step):
    mac = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = mac[19] & 15
    return f"{(int.from_bytes(mac[offset:offset + 4], 'big') & 0x7fffffff) % 1000000:06}"


def check_code(dn, entry, code):
    now, last = int(time.time()) // 30, entry["employeeNumber"][0]
    for step in range(now - 1, now + 2):
        if step <= int(last) or not hmac.compare_digest(totp(entry["description"][0], step), code):
            continue
        try:
            connection("service").modify_s(dn, [(ldap.MOD_DELETE, "employeeNumber", [last]),
                                                (ldap.MOD_ADD, "employeeNumber", [str(step).encode()])])
        except ldap.LDAPError:
            break
        return radiusd.RLM_MODULE_OK
    return radiusd.RLM_MODULE_REJECT


def instantiate(_):
    return 0


def authorize(_):
    return radiusd.RLM_MODULE_OK, (), (("Auth-Type", "python3"),)


def authenticate(request):
    items = dict(request)
    user = items["User-Name"]
    found = find(user)
    if not found:
        return radiusd.RLM_MODULE_REJECT
    state = hmac.new(KEY, user.encode(), hashlib.sha256).hexdigest()
    given = items.get("State")
    if given:
        if not hmac.compare_digest(given, "0x" + state.encode().hex()):
            return radiusd.RLM_MODULE_REJECT
        return check_code(*found, items["User-Password"])
    try:
        connection("user").simple_bind_s(found[0], items["User-Password"])
    except ldap.LDAPError:
        return radiusd.RLM_MODULE_REJECT
    return (radiusd.RLM_MODULE_HANDLED,
            (("State", "0x" + state.encode().hex()), ("Reply-Message", "Enter the 6-digit code: ")),
            (("Response-Packet-Type", "Access-Challenge"),))
