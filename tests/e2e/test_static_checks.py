# SPDX-License-Identifier: GPL-2.0-or-later
"""Each check of tools/ finds the fault that it is there for, and leaves a clean file alone."""
import re
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
LICENCE = "/* SPDX-License-Identifier: GPL-2.0-or-later */\n"

# Words are put together here, so that the check for words does not find this file.
FAULTS = [
    ("layers", "core/x.c", '#include <fcgiapp.h>\n'),
    ("layers", "core/x.c", '#include <freeradius/radiusd.h>\n'),
    ("layers", "core/x.c", '# include "enroll/page.h"\n'),
    ("layers", "core/x.h", '#include "../admin/show.h"\n'),
    ("layers", "enroll/x.c", '#include "admin/show.h"\n'),
    ("layers", "enroll/x.c", '#include "rlm_peruser_mfa/state.h"\n'),
    ("layers", "admin/x.c", '#include "enroll/page.h"\n'),
    ("layers", "rlm_peruser_mfa/x.c", '#include "admin/show.h"\n'),
    ("banned", "enroll/x.c", 'strcpy(a, b);\n'),
    ("banned", "enroll/x.c", 'if (!memcmp(a, b, 6)) return;\n'),
    ("banned", "admin/x.c", 'n = atoi(text);\n'),
    ("banned", "core/x.c", 'now = time(NULL);\n'),
    ("banned", "enroll/x.c", 'now = time(NULL);\n'),
    ("banned", "core/x.c", 'fprintf(stderr, "x");\n'),
    ("banned", "core/x.c", '*p = memcmp(a, b, 6);\n'),
    ("banned", "core/x.c", '/* why */ system(a);\n'),
    ("sizes", "core/x.c", "\n" * 501),
    ("sizes", "core/x.h", "\n" * 251),
    ("spdx", "core/x.c", "#include <a.h>\n"),
    ("spdx", "core/x.c", "\n" + LICENCE),
    ("spdx", "tests/x.py", "#!/usr/bin/python3\nimport os\n"),
    ("words", "docs/x.md", "see /" + "work/x\n"),
    ("words", "docs/x.md", "cd /" + "home/me\n"),
    ("words", "docs/x.md", "http://deb." + "debian.org/\n"),
    ("words", "docs/x.md", "fixes issue" + " #12\n"),
    ("words", "docs/x.md", "written by Chat" + "GPT\n"),
    ("words", "docs/x.md", "TO" + "DO: more\n"),
    ("words", "docs/x.md", "one a " + "device\n"),
    ("words", "docs/x.md", "the code behind the " + "password\n"),
]
CLEAN = [
    ("layers", "enroll/x.c", '#include <fcgiapp.h>\n#include "core/record.h"\n#include "enroll/page.h"\n'),
    ("banned", "core/x.c", 'x_time(1);\nCRYPTO_memcmp(a, b, 6);\nstrftime(a, b);\n'),
    ("banned", "enroll/worker.c", 'now = time(NULL);\n'),
    ("banned", "core/x.c", 'memcmp(a, b, 4); /* banned-ok: both are public */\n'),
    ("banned", "core/x.h", '/** Format\n * as sprintf(3) does\n */\n'),
    ("sizes", "core/x.c", "\n" * 500),
    ("spdx", "core/x.c", LICENCE),
    ("spdx", "tests/x.py", "#!/usr/bin/python3\n# SPDX-License-Identifier: GPL-2.0-or-later\n"),
    ("words", "docs/x.md", "`no code behind the " + "password`\n"),
    ("words", "docs/x.md", "$HOME/work/x, in RFC 6238 section 5.2, and expr 12\n"),
]


def check(name, folder, path, text):
    file = folder / path
    file.parent.mkdir(parents=True)
    file.write_text(text)
    argument = path if name in ("spdx", "words") else file.parent.relative_to(folder)
    return subprocess.run(["sh", TOOLS / f"check_{name}.sh", argument], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.mark.parametrize("name, path, text", FAULTS)
def test_a_fault_is_found(tmp_path, name, path, text):
    done = check(name, tmp_path, path, text)
    assert done.returncode == 1
    assert f"check_{name}:" in done.stdout and path in done.stdout


@pytest.mark.parametrize("name, path, text", CLEAN)
def test_a_clean_file_is_left_alone(tmp_path, name, path, text):
    done = check(name, tmp_path, path, text)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_file_that_cannot_be_read_is_no_pass(tmp_path):
    done = subprocess.run(["sh", TOOLS / "check_words.sh", tmp_path / "absent"], capture_output=True)
    assert done.returncode == 1


@pytest.mark.parametrize("po, fault", [
    ('msgid "One"\nmsgstr "Eins"\n', None),
    ('msgid "One"\nmsgstr ""\n', 'untranslated:\nmsgid "One"'),
    ('msgid "Two"\nmsgstr "Zwei"\n', 'untranslated:\nmsgid "One"'),
    ('#, fuzzy\nmsgid "One"\nmsgstr "Eins"\n', 'only-fuzzy:\nmsgid "One"'),
    ('msgid "One"\nmsgstr "Eins"\n\nmsgid "Two"\nmsgstr "Zwei"\n', 'only-obsolete:\n#~ msgid "Two"')])
def test_translations_are_complete_and_hold_nothing_else(tmp_path, po, fault):
    (tmp_path / "x.c").write_text('f(_("One"));\n')
    (tmp_path / "de.po").write_text(f'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n{po}')
    done = subprocess.run(["sh", TOOLS / "check_po.sh", ".", "de.po"], cwd=tmp_path, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == (1 if fault else 0) and (fault or "") in done.stdout


@pytest.mark.parametrize("last, status", [("c", 0), ("a", 1)])
def test_circles_of_includes(tmp_path, last, status):
    """a needs b, b needs c; and c needs a, or nothing but itself."""
    (tmp_path / "core").mkdir()
    for name, to in zip("abc", "bc" + last):
        (tmp_path / f"core/{name}.c").write_text(f'#include "core/{to}.h"\n')
    done = subprocess.run(["/usr/bin/python3", TOOLS / "check_circles.py", "core"], cwd=tmp_path, capture_output=True,
                          text=True)
    assert done.returncode == status, done
    assert ("core/a core/b core/c" in done.stdout) == (status == 1)


def test_each_row_of_the_threat_model_names_its_tests():
    """A claim in the column of what stops an attacker is one that a test shows."""
    root = TOOLS.parent
    there = {path.name for path in root.glob("tests/*/test_*")}
    table = (root / "docs/threat-model.md").read_text().split("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"test_\w+\.(?:py|c)", row[2])
        assert named and there.issuperset(named), row


# ---- the pages' HTML, and what may not be in it


def compile_html(folder, text):
    (folder / "x.html").write_text(f"<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n{text}\n")
    return subprocess.run(["awk", "-f", TOOLS / "html.awk", folder / "x.html"], text=True, capture_output=True)


@pytest.mark.parametrize("text,why", [
    ("<p>{name}</p>", "{name} is no parameter"),
    ("<!-- takes text name -->\n<p></p>", "parameter name is not used"),
    ("<!-- takes text name -->\n<p class={name}></p>", "{name} is outside quotes"),
    ("<!-- takes html name -->\n<p>{name}</p>", "no type html"),
    ("<!-- takes flag wrong -->\n<p>{wrong}</p>", "{wrong} is a flag"),
    ("<!-- takes flag wrong -->\n{?wrong}<p>", "{?wrong} is not closed"),
    ("<!-- takes flag wrong -->\n{?wrong}<p>{/right}", "{/right} closes nothing"),
    ("<p>Sign in</p>", "words that are not translated: Sign in"),
    ("<p>{_Sign in</p>", "{ without }")])
def test_html_that_is_refused(tmp_path, text, why):
    done = compile_html(tmp_path, text)
    assert done.returncode == 1 and why in done.stderr, done


def test_html_that_is_compiled(tmp_path):
    done = compile_html(tmp_path, '<!-- takes text name, bytes label, markup made, flag on, part rest -->\n'
                        '{?on}<p title="{name}">{label} {_Sign\n in}</p>{:}{made}{/on}{!rest}{!form: "/x"}')
    assert done.returncode == 0 and not done.stderr, done
    for line in ('mfa_out_text(&web->body, name);', 'mfa_out_bytes(&web->body, label);', '_("Sign in")',
                 'mfa_out_raw(&web->body, made.html);', 'rest(web);', 'mfa_layout_form(web, "/x");'):
        assert line in done.stdout, line
