#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run every test; the last line is "N passed, N failed".

    tools/run_tests.py [STEP...] [-- PYTEST ARGUMENT...]

The steps are build, lint, model, unit, tsan, fuzz and e2e.  All output goes to the
terminal in short and to build/test/*.log in full.  E2E_JOBS (2) is the number of
end-to-end files run at once.  E2E_TIMEOUT_S, E2E_TEST_TIMEOUT_S and UNIT_TIMEOUT_S are the
longest that all of them, one of them and one unit or fuzz program may take.
"""

import collections
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lint  # noqa: E402

OUT = "build/test"
E2E_JOBS = os.environ.get("E2E_JOBS", "2")
E2E_TIMEOUT_S = int(os.environ.get("E2E_TIMEOUT_S", "3000"))
E2E_TEST_TIMEOUT_S = int(os.environ.get("E2E_TEST_TIMEOUT_S", "300"))
UNIT_TIMEOUT_S = int(os.environ.get("UNIT_TIMEOUT_S", "300"))
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:strict_string_checks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1",
}

Result = collections.namedtuple("Result", "name status detail")


class Results:
    """What was found out so far."""

    def __init__(self):
        self.all = []

    def add(self, name, status, detail=""):
        self.all.append(Result(name, status, detail))
        if status == "failed":
            print(f"FAILED {name}", flush=True)

    def check(self, name, problems):
        self.add(name, "failed" if problems else "passed", problems)

    def count(self, status):
        return sum(result.status == status for result in self.all)

    def skipped_files(self):
        """Files of end-to-end tests of which nothing was run: what they promise is not tested here."""
        ran, names = set(), set()
        for result in self.all:
            name, separator, rest = result.name.partition("::")
            name = name or rest.rpartition(".")[2]   # skipped before its tests were known
            if separator:
                names.add(name)
                if result.status != "skipped":
                    ran.add(name)
        return sorted(names - ran)

    def report(self):
        for result in self.all:
            if result.status == "skipped":
                print(f"skipped: {result.name}: {result.detail}")
        failures = [result for result in self.all if result.status == "failed"]
        for result in failures:
            print(f"\n---- {result.name}\n{result.detail.rstrip()}")
        if failures:
            print("\nfailed:")
            for result in failures:
                print(f"  {result.name}")
        if not self.all:
            print("failed: nothing ran")
        for name in self.skipped_files():
            print(f"a whole file was skipped: {name}")
        skipped = self.count("skipped")
        print(f"{self.count('passed')} passed, {len(failures)} failed" + (f", {skipped} skipped" if skipped else ""))
        return 0 if self.count("passed") and not failures else 1


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", **more}


def run(command, log, timeout_s, live=False, **more):
    """Run a command with its output in a log file; return its exit status (None: too slow) and the output."""
    print_from = 0
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                   env=environment(**more), start_new_session=True)
        end = time.monotonic() + timeout_s
        try:
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
                print_from = show(log, print_from) if live else 0
        finally:
            status = process.poll()
            if status is None:
                stop(process)
    if live:
        show(log, print_from)
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    if status is None:
        text += f"\nstopped after {timeout_s} s\n"
    return status, text


def unrandomised():
    """A prefix that fixes the addresses of a program: some kernels spread them further than a sanitizer can follow."""
    prefix = ["setarch", "-R"]
    return prefix if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode == 0 else []


def stop(process):
    """End a process that takes too long, and what it started; first gently, so that it can clean up."""
    for sent, wait_s in ((signal.SIGINT, 20), (signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, sent)
            process.wait(wait_s)
            return
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def show(log, offset):
    with open(log, "rb") as file:
        file.seek(offset)
        text = file.read()
    sys.stdout.write(text.decode("utf-8", "replace"))
    sys.stdout.flush()
    return offset + len(text)


def tail(text, lines=60):
    return "\n".join(text.rstrip().split("\n")[-lines:])


def last_words(status, text):
    return f"exit status {status}\n{tail(text)}"


def sources(pattern):
    return sorted(os.path.splitext(os.path.basename(name))[0] for name in glob.glob(pattern))


def build(results, _):
    goals = [("release", ["all", "preloads", "bench-programs"]), ("asan", ["all", "unit"])]
    if sources("tests/unit/tsan_*.c"):
        goals.append(("tsan", ["tsan"]))
    if sources("tests/fuzz/fuzz_*.c"):
        goals.append(("fuzz", ["fuzzers"]))
    for variant, goal in goals:
        print(f"build: {variant}", flush=True)
        command = ["make", "-k", f"-j{os.cpu_count() or 1}", f"V={variant}", "WERROR=-Werror", *goal]
        status, text = run(command, f"{OUT}/build-{variant}.log", 1800)
        results.check(f"build {variant}", "" if status == 0 else last_words(status, text))


def static(results, _):
    for name, problems in lint.checks():
        print(f"lint: {name}: {'FAILED' if problems else 'ok'}", flush=True)
        results.check(f"lint {name}", problems)


TAP = re.compile(r"^(?P<no>not )?ok (?P<number>\d+) (?:-|(?P<skip># SKIP)) *(?P<name>\S*)(?P<rest>.*)$")


def tap(results, program, status, text):
    """Take over the results of one cmocka program."""
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)$", text, re.MULTILINE))
    seen, bad = 0, 0
    lines = text.split("\n")
    for i, line in enumerate(lines):
        match = TAP.match(line)
        if not match:
            continue
        name = f"{program}: {match['name']}"
        seen += match["number"] != "0"
        if match["skip"]:
            results.add(name, "skipped", "by the test itself")
        elif match["no"]:
            bad += 1
            results.add(name, "failed", "\n".join([line, *lines[i + 1:i + 30]]))
        else:
            results.add(name, "passed")
    if seen != planned or not seen:
        results.add(f"{program}: all tests run", "failed", f"{seen} of {planned} tests ran\n" + last_words(status, text))
    elif status != 0 and not bad:
        results.add(f"{program}: ends well", "failed", last_words(status, text))


def programs(results, step, names, folder):
    """Run the cmocka programs of one folder."""
    if not names:
        results.add(f"{step}: there are tests", "failed", f"no source for {folder}")
    for name in names:
        path = f"{folder}/{name}"
        if not os.path.exists(path):
            results.add(f"{step}: {name}", "failed", f"{path} was not built")
            continue
        before = len(results.all)
        with tempfile.TemporaryDirectory() as scratch:
            status, text = run([*unrandomised(), path], f"{OUT}/{name}.log", UNIT_TIMEOUT_S, CMOCKA_MESSAGE_OUTPUT="TAP",
                               TMPDIR=scratch, **SANITIZERS)
        tap(results, name, status, text)
        print(f"{step}: {name}: {len(results.all) - before} tests", flush=True)


def unit(results, _):
    programs(results, "unit", sources("tests/unit/test_*.c"), "build/asan/unit")


def model(results, _):
    """The protocol in spin, in its small form."""
    if not shutil.which("spin"):
        results.add("model", "skipped", "there is no spin")
        return
    sys.path.insert(0, "tests/model")
    import check
    for name, problem in check.checks():
        print(f"model: {name}: {'FAILED' if problem else 'ok'}", flush=True)
        results.check(f"model: {name}", problem)


def tsan(results, _):
    names = sources("tests/unit/tsan_*.c")
    if names:
        programs(results, "tsan", names, "build/tsan/unit")


def corpus_of(fuzzer):
    for folder in (f"tests/fuzz/corpus/{fuzzer[len('fuzz_'):]}", f"tests/fuzz/corpus/{fuzzer}"):
        if os.path.isdir(folder) and os.listdir(folder):
            return folder
    return None


def fuzz(results, _):
    """Each fuzzer reads its committed corpus once more."""
    fuzzers = sources("tests/fuzz/fuzz_*.c")
    if not fuzzers:
        results.add("fuzz: there are fuzzers", "failed", "no tests/fuzz/fuzz_*.c")
    used = set()
    for name in fuzzers:
        path, corpus = f"build/fuzz/fuzz/{name}", corpus_of(name)
        if not corpus or not os.path.exists(path):
            why = f"{path} was not built" if corpus else "its corpus is empty"
            results.add(f"fuzz: {name}", "failed", why)
            continue
        used.add(corpus)
        inputs = sorted(os.path.join(corpus, entry) for entry in os.listdir(corpus))
        status, text = run([*unrandomised(), path, "-timeout=20", "-rss_limit_mb=4096",
                            f"-artifact_prefix={OUT}/{name}-", *inputs],
                           f"{OUT}/{name}.log", UNIT_TIMEOUT_S, **SANITIZERS)
        print(f"fuzz: {name}: {len(inputs)} inputs", flush=True)
        results.check(f"fuzz: {name}", "" if status == 0 else last_words(status, text))
    for corpus in sorted(set(glob.glob("tests/fuzz/corpus/*")) - used):
        if not any(corpus == corpus_of(name) for name in fuzzers):
            results.add(f"fuzz: {corpus}", "failed", "a corpus without a fuzzer that reads it")


def e2e(results, more):
    """Real servers, by pytest."""
    report = f"{OUT}/e2e.xml"
    if os.path.exists(report):
        os.unlink(report)
    command = ["/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "-q", "--tb=short", "--color=no",
               "-o", "junit_family=xunit2", f"--junitxml={report}", f"--timeout={E2E_TEST_TIMEOUT_S}"]
    if E2E_JOBS not in ("0", "1"):
        command += ["-n", E2E_JOBS, "--dist", "loadfile"]
    with tempfile.TemporaryDirectory(prefix="peruser-mfa-", ignore_cleanup_errors=True) as scratch:
        os.chmod(scratch, 0o755)  # servers that run as another user look inside
        command.append(f"--basetemp={scratch}/pytest")
        status, text = run([*command, *(more or ["tests/e2e"])], f"{OUT}/e2e.log", E2E_TIMEOUT_S, live=True,
                           TMPDIR=scratch)
        results.check("e2e: no process is left", end_leftovers(scratch))
    before = results.count("failed")
    cases = 0
    if os.path.exists(report):
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            cases += 1
            take_case(results, case)
    if not cases or status not in (0, 1) or (status == 1 and results.count("failed") == before):
        results.add("e2e: all tests run", "failed", last_words(status, text))


def end_leftovers(scratch):
    """End each process that still has our temporary folder in its environment; say which they were."""
    wanted, found = f"TMPDIR={scratch}".encode(), ""
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            with open(f"{folder}/environ", "rb") as file:
                if wanted not in file.read().split(b"\0"):
                    continue
            with open(f"{folder}/cmdline", "rb") as file:
                found += f"{folder[6:]} {file.read().decode('utf-8', 'replace')}\n".replace("\0", " ")
            os.kill(int(folder[6:]), signal.SIGKILL)
        except OSError:
            continue
    return found


def take_case(results, case):
    name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
    bad = [child for child in case if child.tag in ("failure", "error")]
    skipped = [child for child in case if child.tag == "skipped"]
    if bad:
        results.add(name, "failed", "\n".join(child.text or child.get("message", "") for child in bad))
    elif skipped:
        results.add(name, "skipped", skipped[0].get("message", ""))
    else:
        results.add(name, "passed")


STEPS = collections.OrderedDict(
    [("build", build), ("lint", static), ("model", model), ("unit", unit), ("tsan", tsan), ("fuzz", fuzz), ("e2e", e2e)])


def main():
    arguments, more = sys.argv[1:], []
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):   # which who started us may have had ignored
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    if "--" in arguments:
        at = arguments.index("--")
        arguments, more = arguments[:at], arguments[at + 1:]
    unknown = [name for name in arguments if name not in STEPS]
    if unknown:
        print(f"run_tests: no step {unknown[0]!r}; there are: {' '.join(STEPS)}", file=sys.stderr)
        return 2
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    results, before = Results(), set(lint.tree())
    for name in arguments or STEPS:
        print(f"==== {name}", flush=True)
        try:
            STEPS[name](results, more)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            results.add(name, "failed", f"{type(error).__name__}: {error}")
    left = sorted(set(lint.tree()) - before)
    results.check("the tree is left as it was", "".join(f"new file {name}\n" for name in left))
    return results.report()


if __name__ == "__main__":
    sys.exit(main())
