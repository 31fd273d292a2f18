# SPDX-License-Identifier: GPL-2.0-or-later
"""Become a program under the filter of system calls of the shipped service: filtered.py PROGRAM ARGUMENT..."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib.web_server import Filter  # noqa: E402

keep = Filter()
for fd in range(3, 3 + int(os.environ.get("LISTEN_FDS", "0"))):
    os.set_inheritable(fd, True)
keep()
os.execv(sys.argv[1], sys.argv[1:])
