# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ring files, and what the key ring seals."""
import base64
import os


def new_key():
    return base64.b64encode(os.urandom(32)).decode()


def write_ring(path, keys, mode=0o640):
    """keys: pairs of id and base64 text, the first one seals."""
    path.write_text("".join(f"{key_id} {key}\n" for key_id, key in keys))
    path.chmod(mode)
    return path


def new_ring(path, *ids):
    """A ring of fresh keys; returns its pairs."""
    keys = [(key_id, new_key()) for key_id in ids or ("k1",)]
    write_ring(path, keys)
    return keys
