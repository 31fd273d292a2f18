#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lines and branches of core the unit tests do not run, by gcov.

    tools/coverage.py [FILE...]     FILE: only these, core/text.c
"""

import glob
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import mutants  # noqa: E402

WORK = os.path.join(ROOT, "build/coverage")


def main():
    os.chdir(ROOT)
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    cflags, core_libs, all_libs = mutants.flags()
    cflags = [word for word in cflags if word != "-O1"] + ["-O0", "--coverage"]
    for source in glob.glob("core/*.c"):
        target = os.path.join(WORK, os.path.basename(source)[:-2] + ".o")
        subprocess.run(["gcc", *cflags, "-c", source, "-o", target], check=True)
    objects = sorted(glob.glob(f"{WORK}/*.o"))
    for path in sorted(glob.glob("tests/unit/test_*.c")):
        name = os.path.basename(path)[:-2]
        if name.startswith(("test_admin", "test_enroll_")):
            continue
        program = os.path.join(WORK, name)
        subprocess.run(["gcc", *[word for word in cflags if word != "--coverage"], path, *objects, "--coverage", "-lcmocka",
                        *core_libs, *all_libs, "-lpthread", "-o", program], check=True)
        done = subprocess.run([program], capture_output=True, check=False)
        print(f"coverage: {name}: {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
    only = [word for name in sys.argv[1:] for word in ("--filter", name)] or ["--filter", "core/"]
    return subprocess.run(["gcovr", "--root", ROOT, "--object-directory", WORK, "--branches", "--exclude-throw-branches",
                           *only, WORK], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
