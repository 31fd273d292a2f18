#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Change one place of the code at random, and see whether a test notices; the survivors are printed.

    tools/mutants.py PART [COUNT] [SEED] [FILE...]

PART is core, which its unit tests judge, or module, page or command, which the end-to-end
tests named in E2E below judge.  A change that does not compile, or that the compiler turns
into the same code, is drawn again.  tests/mutants.txt lists changes that break no promise,
each with the reason.  The exit status is 1 when fewer than PASS percent are noticed.
"""

import glob
import os
import random
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(ROOT, "build/mutants")
FOLDER = {"core": "core", "module": "rlm_peruser_mfa", "page": "enroll", "command": "admin"}
PASS = {"core": 95, "module": 85, "page": 85, "command": 85}
UNIT_TIMEOUT_S, E2E_TIMEOUT_S = 60, 300
# Unit programs that start a directory take longer, so they come last.
SLOW = ("test_bind", "test_outage", "test_store", "test_login", "test_odds", "test_model")
E2E = {
    "module": ["test_answers.py", "test_login.py", "test_append.py", "test_remember.py", "test_account.py"],
    "page": ["test_enroll.py", "test_enroll_attacks.py", "test_enroll_throttle.py", "test_enroll_time.py"],
    "command": ["test_admin_states.py", "test_admin_words.py", "test_admin_devices.py", "test_admin_import.py"],
}
SWAPS = [(r"<=", "<"), (r"(?<![<-])<(?![<=])", "<="), (r">=", ">"), (r"(?<![>-])>(?![>=])", ">="), (r"==", "!="),
         (r"!=", "=="), (r"&&", "||"), (r"\|\|", "&&"), (r"(?<=[\w\])] )\+(?= )", "-"), (r"(?<=[\w\])] )-(?= )", "+"),
         (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"\b0\b", "1"), (r"\b1\b", "0"), (r"\b([2-9]|[1-9]\d+)\b", "{}+1"),
         (r"\+\+", "--"), (r"\|=", "="), (r"\breturn MFA_OK;", "return MFA_ERR_INTERNAL;"), (r"(?<=\()!(?=\w)", ""),
         (r"(?<= )!(?=\w)", "")]
STATEMENT = re.compile(r"^\t+(?:\(void\))?[\w>.\[\]*-]+(?:\(.*\)| [|&+-]?= .*|\+\+|--);$")


def code_lines(text):
    """Numbers of the lines within functions, without comments and preprocessor lines."""
    inside = comment = False
    for number, line in enumerate(text.split("\n")):
        if line.startswith("{"):
            inside = True
        elif line.startswith("}"):
            inside = False
        bare = line.strip()
        comment = comment or bare.startswith("/*")
        if inside and not comment and not bare.startswith("#"):
            yield number, line
        if "*/" in bare:
            comment = False


def mutants_of(path):
    """All changes of one file: (line number, old line, new line)."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for number, line in code_lines(text):
        strings = [found.span() for found in re.finditer(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|/\*.*?\*/', line)]
        for pattern, other in SWAPS:
            for found in re.finditer(pattern, line):
                if any(start <= found.start() < end for start, end in strings):
                    continue
                yield number, line, line[:found.start()] + other.format(found[0]) + line[found.end():]
        if STATEMENT.match(line):
            yield number, line, re.match(r"\t*", line)[0] + ";"


def run(command, timeout_s, **options):
    """Whether a command ends well, and what it said; too slow is not well."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False,
                              **options)
    except subprocess.TimeoutExpired:
        return False, "too slow"
    return done.returncode == 0, done.stdout + done.stderr


def flags():
    ok, text = run(["make", "-s", "-C", ROOT, "show-ALL_CFLAGS", "show-CORE_LIBS", "show-ALL_LIBS"], 60)
    if not ok:
        raise SystemExit(text)
    lines = text.strip().split("\n")[-3:]
    compile_flags = [word for word in lines[0].split() if not word.startswith(("-MM", "-MP", "-O", "-g", "-W"))]
    return compile_flags + ["-O1", "-w", "-fPIC"], lines[1].split(), lines[2].split()


class Core:
    """core as a shared library, with which each unit program is linked once."""

    def __init__(self):
        self.cflags, self.core_libs, self.all_libs = flags()
        self.folder = os.path.join(WORK, "core")
        os.makedirs(self.folder, exist_ok=True)
        self.objects = {}
        for source in sorted(glob.glob("core/*.c")):
            self.objects[source] = self.compile(source, os.path.basename(source)[:-2] + ".o")
        self.link()
        self.programs = self.link_programs()

    def compile(self, source, name):
        target = os.path.join(self.folder, name)
        ok, text = run(["gcc", *self.cflags, "-I", ROOT, "-c", source, "-o", target], 60)
        if not ok:
            raise ValueError(text)
        return target

    def link(self, **other):
        objects = [other.get(source.replace("/", "_").replace(".", "_"), target) for source, target in self.objects.items()]
        ok, text = run(["gcc", "-shared", *objects, *self.core_libs, "-o", os.path.join(self.folder, "libmfacore.so")], 60)
        if not ok:
            raise ValueError(text)

    def link_programs(self):
        names = sorted(os.path.basename(path)[:-2] for path in glob.glob("tests/unit/test_*.c"))
        wanted = [name for name in names if not name.startswith(("test_admin", "test_enroll_"))]
        for name in wanted:
            ok, text = run(["gcc", *self.cflags, f"tests/unit/{name}.c", "-L", self.folder, "-lmfacore",
                            f"-Wl,-rpath,{self.folder}", "-lcmocka", *self.all_libs, "-lpthread", "-o",
                            os.path.join(self.folder, name)], 120)
            if not ok:
                raise SystemExit(text)
        return sorted(wanted, key=lambda name: (name in SLOW, name))

    def is_same(self, source, changed):
        """Whether the compiler makes the same code of it."""
        with open(self.objects[source], "rb") as one, open(changed, "rb") as two:
            return one.read() == two.read()

    def judge(self, source, text):
        """The unit program that notices a change, "" when none does, None when there is no change."""
        path = os.path.join(self.folder, os.path.basename(source))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            changed = self.compile(path, "mutant.o")
        except ValueError:
            return None
        if self.is_same(source, changed):
            return None
        self.link(**{source.replace("/", "_").replace(".", "_"): changed})
        own = "test_" + os.path.basename(source)[:-2]
        for name in sorted(self.programs, key=lambda name: name != own):
            if not run([os.path.join(self.folder, name)], UNIT_TIMEOUT_S)[0]:
                return name
        return ""

    def check(self):
        self.link()
        bad = [name for name in self.programs if not run([os.path.join(self.folder, name)], UNIT_TIMEOUT_S)[0]]
        if bad:
            raise SystemExit(f"fails without any change: {', '.join(bad)}")


class Whole:
    """The module or a program in a copy of the tree, judged by end-to-end tests."""

    def __init__(self, part):
        self.part, self.tree = part, os.path.join(WORK, "tree")
        shutil.rmtree(self.tree, ignore_errors=True)
        shutil.copytree(ROOT, self.tree, symlinks=True, ignore=lambda folder, names: [
            name for name in names if name in (".git", "mutants") or (folder.endswith("build") and name in ("test", "fuzz"))])
        self.make()

    def make(self):
        builds = ["release", "asan"] if self.part == "command" else ["release"]
        return all(run(["make", "-s", f"V={build}", "all", "preloads"], 600, cwd=self.tree)[0] for build in builds)

    def check(self):
        if not self.make():
            raise SystemExit("the copy of the tree cannot be built")

    def judge(self, source, text):
        path = os.path.join(self.tree, source)
        with open(path, encoding="utf-8") as file:
            before = file.read()
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            if not self.make():
                return None
            for name in E2E[self.part]:
                if not run(["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
                            f"tests/e2e/{name}"], E2E_TIMEOUT_S, cwd=self.tree)[0]:
                    return name
            return ""
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(before)


def equivalents():
    """Changes that break no promise: (file, old line, new line)."""
    known = set()
    with open("tests/mutants.txt", encoding="utf-8") as file:
        for line in file:
            parts = [part.strip() for part in line.rstrip("\n").split(" | ")]
            if len(parts) == 4 and not line.startswith("#"):
                known.add(tuple(parts[:3]))
    return known


def main():
    arguments = sys.argv[1:]
    if not arguments or arguments[0] not in FOLDER:
        raise SystemExit(__doc__)
    part, count = arguments[0], int(arguments[1]) if len(arguments) > 1 else 100
    seed = arguments[2] if len(arguments) > 2 else "1"
    os.chdir(ROOT)
    files = arguments[3:] or sorted(glob.glob(f"{FOLDER[part]}/**/*.c", recursive=True))
    known, judge = equivalents(), Core() if part == "core" else Whole(part)
    judge.check()
    chance = random.Random(seed)
    every = [(path, *mutant) for path in files for mutant in mutants_of(path)]
    chance.shuffle(every)
    noticed, survivors, same = 0, [], 0
    for path, number, old, new in every:
        if noticed + len(survivors) >= count:
            break
        if (path, old.strip(), new.strip()) in known:
            same += 1
            continue
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        lines[number] = new
        by = judge.judge(path, "\n".join(lines))
        if by is None:
            continue
        if by:
            noticed += 1
        else:
            survivors.append((path, number, old, new))
            print(f"survived: {path}:{number + 1}\n\t- {old.strip()}\n\t+ {new.strip()}", flush=True)
    tried = noticed + len(survivors)
    percent = 100 * noticed / tried if tried else 0
    print(f"{part}: seed {seed}, {tried} changes, {noticed} noticed ({percent:.1f} %), {same} known to break nothing")
    return 0 if percent >= PASS[part] else 1


if __name__ == "__main__":
    sys.exit(main())
