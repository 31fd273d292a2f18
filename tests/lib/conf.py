# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes single items of a FreeRADIUS configuration file and leaves the rest as it is shipped."""
import re

_SECTION = re.compile(r"^\s*([A-Za-z_][\w-]*)(?:\s+[^#{}]+?)?\s*\{\s*(?:#.*)?$")
_CLOSE = re.compile(r"^\s*\}\s*(?:#.*)?$")
_ITEM = re.compile(r"^(\s*)([\w-]+)\s*[:+]?=\s*(.*)$")


def _walk(lines):
    """Yield (index, path of the section that the line is in, line)."""
    path = []
    for index, line in enumerate(lines):
        if _CLOSE.match(line):
            yield index, tuple(path), line
            path.pop()
            continue
        yield index, tuple(path), line
        opened = _SECTION.match(line)
        if opened and not line.lstrip().startswith("#"):
            path.append(opened[1])


def quoted(value):
    """The value as configuration text: numbers and yes or no as they are, all else in quotes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def edit(text, items):
    """Set items, {"section.item": value}; None takes an item away. What is not there yet is added to its section."""
    for name, value in items.items():
        text = _set(text, name.split("."), value)
    return text


def _set(text, name, value):
    *section, item = name
    lines = text.split("\n")
    found = [index for index, path, line in _walk(lines)
             if path == tuple(section) and (match := _ITEM.match(line)) and match[2] == item]
    if found:
        for index in reversed(found[1:]):
            del lines[index]
        lines[found[0]:found[0] + 1] = [] if value is None else [f"\t{item} = {quoted(value)}"]
    elif value is not None:
        lines = _insert(lines, section, f"\t{item} = {quoted(value)}")
    return "\n".join(lines)


def _insert(lines, section, line):
    """Add a line at the end of a section, and the section itself where it is missing."""
    if not section:
        return lines + [line]
    for index, path, text in _walk(lines):
        if path == tuple(section) and _CLOSE.match(text):
            return lines[:index] + [line] + lines[index:]
    return _insert(lines, section[:-1], f"{section[-1]} {{\n{line}\n}}")


def insert(text, section, *, first="", last=""):
    """Put text at the start or the end of a section, named by its path from the top: "server.authorize"."""
    lines = text.split("\n")
    wanted = tuple(section.split("."))
    start = end = None
    for index, path, line in _walk(lines):
        opened = _SECTION.match(line)
        if opened and path == wanted[:-1] and opened[1] == wanted[-1] and start is None:
            start = index
        if path == wanted and _CLOSE.match(line) and end is None:
            end = index
    if start is None:
        raise KeyError(f"no section {section}")
    return "\n".join(lines[:start + 1] + [first] * bool(first) + lines[start + 1:end] + [last] * bool(last)
                     + lines[end:])
