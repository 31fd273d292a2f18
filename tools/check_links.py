#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each link of a built site within itself leads to a file, and to a place in it that exists.

    tools/check_links.py FOLDER
"""
import html.parser
import os
import sys
import urllib.parse


class Page(html.parser.HTMLParser):
    """The links and the named places of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places = [], {""}
        with open(path, encoding="utf-8") as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.places.add(found.get("id") or found.get("name") or "")
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])


def main():
    root = sys.argv[1]
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names if name.endswith(".html")]
    pages = {os.path.normpath(path): Page(path) for path in paths if os.path.basename(path) != "404.html"}
    broken = 0
    for path, page in pages.items():
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(path), parts.path)) if parts.path else path
            if target in pages and parts.fragment not in pages[target].places or not os.path.exists(target):
                print(f"{path}: no such place: {link}")
                broken += 1
    return 1 if broken or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
