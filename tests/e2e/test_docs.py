# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands of the documentation, run out of its text, in order, with the output that it shows."""
import os
import re
import shutil
import subprocess

import pytest

from lib import ROOT, netns
from lib.overlay import Overlay

WHY_NOT = netns.refusal("-m", "-n", "-p", "--fork")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def blocks(page):
    """(kind, text) of each fenced block."""
    return FENCE.findall((ROOT / "docs" / page).read_text())


def shows(shown, output):
    """Whether the lines that the page shows are in the output, in this order; "..." is any text."""
    at = 0
    for line in shown.splitlines():
        found = re.compile(".*".join(map(re.escape, line.split("...")))).search(output, at)
        if not found:
            return False
        at = found.end()
    return True


def test_shown_text_is_looked_for_in_order():
    assert shows("a...c\nd\n", "x\nabc\nd\n") and not shows("d\nabc\n", "abc\nd\n") and not shows("x\n", "y\n")


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")
def test_quick_start_and_rollout_from_beginning_to_end():
    ran, output = 0, ""
    first = blocks("quick-start.md")
    again = [block for block in first if block[1].startswith("peruser-mfa setup --answers")]
    assert len(again) == 1 and "setup --undo" in first[-2][1]
    with Overlay() as system:
        for kind, text in [*first, *again, *blocks("rollout.md")]:
            if kind == "sh":
                status, output = system.run(text)
                ran += 1
                assert status == 0, f"{text}\n{output}"
            elif kind == "text":
                assert shows(text, output), f"the page shows\n{text}\nbut the commands say\n{output}"
    assert ran > 12


# ---- troubleshooting

# Functions that say something about a login, and files of core whose texts are not: configuration names its line, the rest is the command's.
SAYS = re.compile(r'\b(?:R?ERROR|R?WARN|R?INFO|peruser_report|mfa_diag_say|mfa_diag_set|refuse|accept_as)\s*'
                  r'\(((?:[^;"]|"(?:[^"\\]|\\.)*")*?)\);', re.S)
NOT_ABOUT_A_LOGIN = {"config.c", "config_file.c", "devices.c", "enrollment.c", "filter.c", "otpauth.c", "update.c"}
SOURCES = [*(ROOT / "core").glob("*.c"), *(ROOT / "rlm_peruser_mfa").glob("*.c")]
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
PLACE = re.compile(r"(?:%[-+#0-9.*]*[hlz]*[a-zA-Z])+")


def messages():
    """(file, text) of each message, with "..." for what is filled in."""
    for path in SOURCES:
        if path.name in NOT_ABOUT_A_LOGIN and path.parent.name == "core":
            continue
        for said in SAYS.findall(path.read_text()):
            text = LITERAL.search(re.sub(r'"\s*\n\s*"', "", said))
            if text and re.search("[a-z]{4}", PLACE.sub("", text[1])):
                yield path.name, PLACE.sub("...", text[1])


def test_every_message_of_a_login_has_a_row():
    rows = set(re.findall(r"^\| `(.*?)` \|", (ROOT / "docs/troubleshooting.md").read_text(), re.M))
    found = dict((text, name) for name, text in messages())
    assert len(found) > 70
    trivial = {"rlm_peruser_mfa: ...", "rlm_peruser_mfa: version "}
    missing = [f"{name}: {text}" for text, name in found.items() if text not in rows and text not in trivial]
    assert not missing, "\n".join(missing)
    sources = PLACE.sub("...", "".join(path.read_text() for path in SOURCES))
    assert not [row for row in rows if row not in found and row not in sources]


# ---- the site

def build_site(tree):
    return subprocess.run(["sh", "tools/html.sh", "build/html"], cwd=tree, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


@pytest.fixture
def tree(tmp_path):
    """The project with a copy of its documentation."""
    for name in os.listdir(ROOT):
        if name not in ("docs", "build", ".git"):
            (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    return tmp_path


def test_site_is_built_and_reads_without_scripts(tree):
    done = build_site(tree)
    assert done.returncode == 0, done.stdout
    page = (tree / "build/html/quick-start.html").read_text()
    assert 'href="rollout.html"' in page and "peruser-mfa setup --answers" in page
    assert (tree / "build/html/search/search_index.json").is_file()
    pages = {path.relative_to(tree / "build/docs").as_posix() for path in (tree / "build/docs").rglob("*.md")}
    listed = set(re.findall(r": (\S+\.md)$", (tree / "mkdocs.yml").read_text(), re.M))
    assert {page for page in pages if not page.startswith("appliances/")} <= listed, "a page is not in the navigation"


@pytest.mark.parametrize("link", ["nothing.md", "../raddb/nothing", "vpn.md#nothing"])
def test_link_that_leads_nowhere_fails(tree, link):
    page = tree / "docs/quick-start.md"
    page.write_text(page.read_text() + f"\nSee [there]({link}).\n")
    done = build_site(tree)
    assert done.returncode != 0 and "nothing" in done.stdout


# ---- one place for a procedure, one number for a limit

PAGES = {path.name: path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md"),
                                                  ROOT / "docs/appliances/README.md", ROOT / "raddb/mods-available/peruser_mfa"]}
LIMITS = {
    "the lifetime of a challenge": [r"(\d+) s, the lifetime of a challenge", r"`challenge\.lifetime` \| (\d+) s", r"#\t\tlifetime = (120|\d{2,3})$"],
    "a retransmission": [r"`append\.retransmission` seconds, (\d+) unless", r"#\t\tretransmission = (\d+)"],
    "the time limit of a NAS": [r"[Ss]et the time limit of a RADIUS packet to (\d+) s", r"[Ll]et a NAS wait (\d+) seconds", r"[Ss]et the client to (\d+) s"],
}


@pytest.mark.parametrize("limit", LIMITS)
def test_limit_has_one_number(limit):
    found = {(name, number) for name, text in PAGES.items() for pattern in LIMITS[limit]
             for number in re.findall(pattern, text, re.M)}
    assert len(found) > 1 and len({number for _, number in found}) == 1, found


@pytest.mark.parametrize("step", ["keygen --last", "keys first NEW", "setup --undo --answers"])
def test_procedure_is_described_once(step):
    assert len([name for name, text in PAGES.items() if step in text]) == 1
