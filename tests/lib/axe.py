# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person finds on the page in a browser, and what axe-core finds."""
import functools
import subprocess

from . import ROOT
from .browser import DESKTOP, PHONE

NAME, VERSION = "axe-core", "4.14.1"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """\
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: {type: "tag", values: arguments[0]}, resultTypes: ["violations", "incomplete"]})
	.then((found) => done(found), (error) => done({error: String(error)}));
"""


@functools.cache
def source():
    """The script; fetched once, by name and version."""
    path = ROOT / f"build/dl/{NAME}-{VERSION}.js"
    done = subprocess.run(["sh", ROOT / "tools/npm_package.sh", NAME, VERSION, "axe.min.js", path],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return path.read_text()


def problems(browser):
    """A line for each thing that axe-core objects to, or cannot decide: here, then in the other size and mode."""
    browser.driver.execute_script(source())
    size, dark, lines = browser.size, browser.dark, []
    for at, mode in ((DESKTOP if size == PHONE else PHONE, not dark), (size, dark)):
        found = browser.resize(at).paint(mode).driver.execute_async_script(RUN, TAGS)
        assert "error" not in found, found
        where = f"{at[0]} {'dark' if mode else 'light'}"
        lines += [f"{where}: {rule['id']}: {node['html'][:200]} {node.get('failureSummary')}"
                  for kind in ("violations", "incomplete") for rule in found[kind] for node in rule["nodes"]]
        lines += [f"{where}: scrolls sideways"] * (browser.overflow() > 0)
    return lines


def look(browser, heading, *texts, status=200):
    """The page has this heading and these texts, in the browser's language, and is fit for everybody."""
    browser.shot(heading.replace(" ", "-"))
    assert browser.heading == browser.word(heading), browser.text
    for text in texts:
        assert browser.word(text) in browser.text, browser.text
    assert browser.status == status
    assert len(browser.all("h1")) == 1 and browser.heading in browser.driver.title
    assert browser.one("html").get_attribute("lang") == browser.language
    found = browser.complaints() + problems(browser)
    assert not found, "\n".join(found)
