# SPDX-License-Identifier: GPL-2.0-or-later
"""A user's authenticator app, played by oathtool."""
import base64
import os
import random
import subprocess
import time


def new_secret(size=20):
    """A random base32 secret without padding."""
    return base64.b32encode(os.urandom(size)).decode().rstrip("=")


class Device:
    """One device: a secret and how it counts. offset is in time steps, from now."""

    def __init__(self, secret=None, *, algorithm="SHA1", digits=6, period=30):
        self.secret = secret or new_secret()
        self.algorithm, self.digits, self.period = algorithm, digits, period

    def uri(self, label="Example:phone", **changes):
        """The otpauth URI, as an app or another system would export it."""
        items = {"secret": self.secret, "algorithm": self.algorithm, "digits": self.digits, "period": self.period,
                 **changes}
        query = "&".join(f"{name}={value}" for name, value in items.items() if value is not None)
        return f"otpauth://totp/{label}?{query}"

    def step(self, offset=0, now=None):
        return int(time.time() if now is None else now) // self.period + offset

    def code(self, offset=0, now=None):
        """The code of the step that is offset steps from now."""
        return self.codes(offset, 1, now)[0]

    def codes(self, first_offset, count, now=None):
        """Codes of consecutive steps, by one run of oathtool."""
        start = self.step(first_offset, now) * self.period
        out = subprocess.run(
            ["oathtool", f"--totp={self.algorithm.lower()}", "--base32", f"--digits={self.digits}",
             f"--time-step-size={self.period}s", f"--now=@{start}", f"--window={count - 1}", "-"],
            input=self.secret, text=True, capture_output=True, check=True).stdout
        return out.split()

    def wrong(self, but_not=()):
        """A code of the right shape that is no code of the next or last ten steps."""
        taken = {*self.codes(-10, 21), *but_not}
        while True:
            code = f"{random.randrange(10 ** self.digits):0{self.digits}}"
            if code not in taken:
                return code

    def settle(self, seconds=4):
        """Wait out the end of a time step, where less than seconds of it are left."""
        left = self.period - time.time() % self.period
        if left < seconds:
            time.sleep(left + 0.05)
        return self
