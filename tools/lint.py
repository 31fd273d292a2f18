#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every static check of the tree.  Run by `make lint`; `tools/lint.py NAME...` runs some of them."""

import collections
import concurrent.futures
import glob
import hashlib
import os
import re
import shlex
import subprocess
import sys

os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CC = os.environ.get("CC", "gcc")
CFLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-I.", "-Ibuild/release/include", "-isystem", "/usr/include/libxml2"]
JOBS = int(os.environ.get("LINT_JOBS", "0")) or os.cpu_count() or 1
MODULE = "build/release/rlm_peruser_mfa.so"
PROGRAMS = ["build/release/peruser-mfa", "build/release/peruser-mfa-enroll"]
TIDY_CACHE = os.environ.get("TIDY_CACHE", "build/lint/tidy")


def tree():
    """The files of the project: what git knows or would add."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(git, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        names = [os.path.relpath(os.path.join(folder, name)) for folder, _, found in os.walk(".") for name in found]
        names = [name for name in names if not name.startswith(("build/", ".git/"))]
    return sorted(name for name in set(names) if name and os.path.isfile(name))


FILES = tree()
C_FILES = [f for f in FILES if f.endswith((".c", ".h"))]
SOURCES = [f for f in C_FILES if f.endswith(".c")]
HEADERS = [f for f in C_FILES if f.endswith(".h")]


def run(*command, stdin=None):
    """Run one command; '' when it succeeded, else all that it wrote."""
    try:
        done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
    except OSError as error:
        return f"{error}\n"
    return "" if done.returncode == 0 else done.stdout or f"{command[0]}: exit status {done.returncode}\n"


def server_flags():
    """What the module is compiled with, as the Makefile has it."""
    given = os.environ.get("FR_CFLAGS")
    return shlex.split(given if given is not None else subprocess.getoutput("make -s show-FR_CFLAGS"))


FR_CFLAGS = server_flags()


def flags(name):
    return (FR_CFLAGS if name.startswith("rlm_peruser_mfa/") else []) + CFLAGS


def digest(names):
    total = hashlib.sha256()
    for name in names:
        with open(name, "rb") as file:
            total.update(name.encode() + b"\0" + hashlib.sha256(file.read()).digest())
    return total


def included(name, seen):
    """The file and all headers of the project that it reads, at any depth."""
    if name in seen:
        return seen
    seen.add(name)
    with open(name, encoding="utf-8") as file:
        for header in re.findall(r'^#include "([^"]+)"', file.read(), re.MULTILINE):
            for found in (header, os.path.join(os.path.dirname(name), header)):
                if os.path.isfile(found):
                    included(found, seen)
    return seen


def tidy(name, shared):
    """clang-tidy on one file; a pass is remembered until the file, what it includes or the settings change."""
    key = shared.copy()
    key.update(digest(sorted(included(name, set()))).digest() + repr(flags(name)).encode())
    stamp = os.path.join(TIDY_CACHE, name.replace("/", "__") + "." + key.hexdigest()[:32])
    if os.path.exists(stamp):
        return ""
    problems = run("clang-tidy", "--quiet", name, "--", *flags(name))
    if not problems:
        with open(stamp, "w", encoding="ascii"):
            pass
    return problems


def tidy_tasks():
    os.makedirs(TIDY_CACHE, exist_ok=True)
    shared = digest([name for name in FILES if name.endswith(".clang-tidy")])
    return [lambda name=name: tidy(name, shared) for name in SOURCES]


def format_tasks():
    return [lambda: run("clang-format", "-n", "-Werror", *C_FILES)] if C_FILES else []


def cppcheck(folder):
    """cppcheck on one folder; the module makes no sense to it without the macros of the server."""
    cache = f"build/lint/cppcheck/{folder.replace('/', '__')}"
    os.makedirs(cache, exist_ok=True)
    include = [f"--include=build/include/freeradius/{name}.h" for name in ("autoconf", "build")]
    more = ["-DNDEBUG", "-D__linux__", "-Ibuild/include", *include] if folder == "rlm_peruser_mfa" else []
    return run("cppcheck", "-q", "--enable=warning,style,performance,portability", "--std=c11", "--inline-suppr",
               "--error-exitcode=1", f"--cppcheck-build-dir={cache}", "--suppressions-list=tools/cppcheck.txt",
               "-I.", "-Ibuild/release/include", *more, *[name for name in SOURCES if os.path.dirname(name) == folder])


def cppcheck_tasks():
    return [lambda folder=folder: cppcheck(folder) for folder in sorted({os.path.dirname(name) for name in SOURCES})]


def header_tasks():
    def alone(name):
        return run(CC, *flags(name), "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-xc", "-",
                   stdin=f'#include "{name}"\n')
    return [lambda name=name: alone(name) for name in HEADERS]


def per_folder(script, *folders):
    found = [folder for folder in folders if any(f.startswith(folder + "/") for f in C_FILES)]
    return [lambda: run("sh", script, *found)] if found else []


def exports_tasks():
    return [lambda: run("sh", "tools/check_exports.sh", MODULE)] if os.path.exists(MODULE) else []


def hardening_tasks():
    built = [name for name in [MODULE, *PROGRAMS] if os.path.exists(name)]
    return [lambda: run("sh", "tools/check_hardening.sh", *built)] if built else []


def of_names(command, names):
    return [lambda: run(*command, *names)] if names else []


def is_script(name):
    with open(name, "rb") as file:
        first = file.readline()
    return name.endswith((".sh", ".bash")) or (first.startswith(b"#!") and first.rstrip().endswith((b"/sh", b"bash")))


def is_man_page(name):
    return name.rpartition(".")[2] in "12345678" and name.startswith("docs/") and "." in name


# Where the items of each configuration file are in the code, and how a row of the table begins.
ROW = r'\{(?:NULL|"([a-z]+)"), "([a-z_]+)",\s*MFA_CONFIG_'
MODULE_ROW = r'\{()"([a-z_]+)",\s*AT\('
ITEMS = {
    "peruser_mfa.conf.5": ("core/config.c", ROW), "enroll.conf.5": ("enroll/settings.c", ROW),
    "admin.conf.5": ("admin/session.c", ROW), "peruser-mfa.8": ("admin/setup/answer.c", ROW),
    "rlm_peruser_mfa.5": ("rlm_peruser_mfa/config.c", MODULE_ROW),
}
ELSEWHERE = {"key_ring"}   # the module takes it from the file that it includes


def items_without_page():
    """Items that the code has and no man page explains; those of section 5 are made from configuration files."""
    problems = ""
    for page, (source, row) in ITEMS.items():
        path = next(filter(os.path.exists, [f"docs/man/{page}"]), f"build/release/man/{page}")
        if not os.path.exists(path):
            return f"{path} was not made: run make\n"
        with open(source, encoding="utf-8") as code, open(path, encoding="utf-8") as text:
            explained = set(re.findall(r"^\.It Cm (\S+)", text.read(), re.MULTILINE))
            last = {name.rpartition(".")[2] for name in explained}
            for section, name in re.findall(row, code.read()):
                known = last if row is MODULE_ROW else explained
                full = f"{section}.{name}" if section else name
                if full not in known and not (row is MODULE_ROW and name in ELSEWHERE):
                    problems += f"{source}: '{full}' is not explained ({page})\n"
    return problems


CHECKS = collections.OrderedDict([
    ("format", format_tasks),
    ("clang-tidy", tidy_tasks),
    ("cppcheck", cppcheck_tasks),
    ("layers", lambda: per_folder("tools/check_layers.sh", "core", "rlm_peruser_mfa", "enroll", "admin")),
    ("banned calls", lambda: per_folder("tools/check_banned.sh", "core", "rlm_peruser_mfa", "enroll", "admin")),
    ("sizes", lambda: per_folder("tools/check_sizes.sh", "core", "rlm_peruser_mfa", "enroll", "admin", "tests")),
    ("circles", lambda: [lambda: run("/usr/bin/python3", "tools/check_circles.py", "core", "rlm_peruser_mfa", "enroll",
                                     "admin")]),
    ("attributes", lambda: [lambda: run("/usr/bin/python3", "tools/check_attrs.py")]),
    ("exports", exports_tasks),
    ("hardening", hardening_tasks),
    ("headers", header_tasks),
    ("licence lines", lambda: of_names(["sh", "tools/check_spdx.sh"], FILES)),
    ("words", lambda: of_names(["sh", "tools/check_words.sh"], FILES)),
    ("translations", lambda: of_names(["sh", "tools/check_po.sh", "enroll"], [f for f in FILES if f.endswith(".po")])),
    ("shellcheck", lambda: of_names(["shellcheck", "-x"], [f for f in FILES if is_script(f)])),
    ("pyflakes", lambda: of_names(["/usr/bin/python3", "-m", "pyflakes"], [f for f in FILES if f.endswith(".py")])),
    ("man pages", lambda: of_names(["mandoc", "-Tlint", "-Wwarning"],
                                   [f for f in FILES if is_man_page(f)] + glob.glob("build/release/man/*.[1-8]"))),
    ("items", lambda: [items_without_page]),
])


def checks(names=None):
    """Run the checks; yield (name, problems) in their order, leaving out those that have nothing to look at."""
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        running = [(name, [pool.submit(task) for task in CHECKS[name]()]) for name in names or CHECKS]
        for name, tasks in running:
            if tasks:
                yield name, "".join(task.result() for task in tasks)


def main():
    unknown = [name for name in sys.argv[1:] if name not in CHECKS]
    if unknown:
        print(f"lint: no check {unknown[0]!r}; there are: {', '.join(CHECKS)}", file=sys.stderr)
        return 2
    failed = 0
    for name, problems in checks(sys.argv[1:]):
        print(f"lint: {name}: {'FAILED' if problems else 'ok'}", flush=True)
        if problems:
            failed += 1
            print(problems.rstrip(), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
