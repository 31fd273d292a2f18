# SPDX-License-Identifier: GPL-2.0-or-later
"""What bash completes for peruser-mfa, typed at a terminal, against what --help says."""
import os
import pty
import re
import select
import subprocess
import time

import pytest

from lib import ROOT

PROGRAM = ROOT / "build/release/peruser-mfa"
SCRIPT = ROOT / "admin/completion/peruser-mfa.bash"
INSERT_ALL = "\x1b*"   # readline: put in every completion that there is
FILES = ["key file.txt", "keys.xml"]
RC = f"""PS1= PS2= PROMPT_COMMAND=
bind 'set enable-bracketed-paste off'
. '{SCRIPT}'
peruser-mfa() {{ printf '<%s>' "$@"; printf '<end>\\n'; }}
stty -echo
"""


class Bash:
    """An interactive shell in a folder, which shows the words of the command in place of running it."""

    def __init__(self, folder, rc):
        rc.write_text(RC)
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--rcfile", str(rc), "-i"], stdin=slave, stdout=slave, stderr=slave,
            cwd=folder, start_new_session=True,
            env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "dumb", "HOME": str(folder), "INPUTRC": "/dev/null"})
        os.close(slave)
        self.seen = ""
        os.write(self.master, b"printf '<%s>\\n' ready\n")
        self._wait("<ready>")

    def _wait(self, mark, timeout_s=30):
        end = time.monotonic() + timeout_s
        while mark not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65536).decode()
        seen, self.seen = self.seen.split(mark, 1)
        return seen

    def words(self, line, key=INSERT_ALL):
        """The command's words when a key is pressed behind what was typed, and Enter."""
        os.write(self.master, f"peruser-mfa {line}{key}\n".encode())
        return re.findall(r"<([^<>]*)>", self._wait("<end>"))

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture(scope="module")
def bash(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shell")
    for name in FILES:
        (folder / name).write_text("")
    shell = Bash(folder, tmp_path_factory.mktemp("rc") / "rc")
    yield shell
    shell.close()


def options(*command):
    """Name, letter, argument and text of each option as --help shows them."""
    shown = subprocess.run([PROGRAM, *command, "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  (?:-(\w), |    )--([\w-]+) ?([A-Z|]*)  *(.*)$", shown, re.MULTILINE)


def commands():
    shown = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  (\w+) +[A-Z]", shown, re.MULTILINE)


def test_subcommands(bash):
    assert sorted(bash.words("")) == sorted(commands()) and len(commands()) == 24
    assert bash.words("sta", "\t") == ["status"]
    assert sorted(bash.words("-j re")) == ["-j", "recovery", "rekey", "report", "require", "reset", "resume"]


@pytest.mark.parametrize("command", commands())
def test_options_and_what_follows_them(bash, command):
    known, common = options(command), options()
    assert sorted(bash.words(f"{command} --")) == sorted([command, *(f"--{name}" for _, name, _, _ in known)])
    for letter, name, argument, text in known if command == "status" else [row for row in known if row not in common]:
        if not argument:
            continue
        expected = []
        if "FILE" in argument:
            expected = FILES
        elif name in ("state", "format", "algorithm"):
            expected = re.findall(r"\w+", re.split(r"[;:]", text)[0].replace(" or ", " "))
        elif name == "mechanism":
            expected = [argument]
        for option in (f"--{name}", *([f"-{letter}"] if letter else [])):
            found = bash.words(f"{command} {option} ")
            assert found[:2] == [command, option] and sorted(found[2:]) == sorted(expected)
    assert bash.words(f"{command} --conf", "\t") == [command, "--config"]


def test_files(bash):
    assert bash.words("import key\\ ", "\t") == ["import", "key file.txt"]
    assert bash.words("-c keys", "\t") == ["-c", "keys.xml"]
    assert bash.words("invite --users-file=keys", "\t") == ["invite", "--users-file=keys.xml"]
    assert bash.words("list --state=sus", "\t") == ["list", "--state=suspended"]
    assert bash.words("status key", "\t") == ["status", "key"], "a user is no file"
