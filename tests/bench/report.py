# SPDX-License-Identifier: GPL-2.0-or-later
"""Medians, paired ratios, a table in Markdown and bars in SVG."""
import platform
import statistics
import subprocess
from html import escape

from cores import described
from lib import ROOT

BAR, LABEL, WIDTH = 22, 330, 860


def median(values):
    return statistics.median(values) if values else float("nan")


def paired(above, below, key="rate"):
    """Median, smallest and largest of the ratios of one round each."""
    ratios = [a[key] / b[key] for a, b in zip(above, below) if b[key]]
    return (median(ratios), min(ratios), max(ratios)) if ratios else None


def cpu(result, process):
    return result["cpu_us"].get(process, 0.0)


def table(rows):
    """rows: (name, results of each round)."""
    lines = ["| login | logins/s (smallest to largest) | p50 · p95 · p99 ms | CPU µs RADIUS · slapd | operations a login |",
             "|---|---|---|---|---|"]
    for name, results in rows:
        rates = [r["rate"] for r in results]
        times = " · ".join(f"{median([r[f'p{p}_us'] for r in results]) / 1000:.1f}" for p in (50, 95, 99))
        radius, slapd = (median([cpu(r, name_) for r in results]) for name_ in ("radius", "slapd"))
        operations = " + ".join(f"{median([r['operations'][o] for r in results]):.2f}{o}" for o in "SBM")
        lines.append(f"| {name} | {median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f}) | {times} | "
                     f"{radius:.0f} · {slapd:.0f} | {operations} |")
    return "\n".join(lines) + "\n"


def _judge(ratio, least, most):
    """What is to be reached, and whether it is."""
    if least is None and most is None:
        return "–", "–"
    reached = ratio >= least if most is None else ratio <= most
    return f"≥ {least:g}" if most is None else f"≤ {most:g}", "yes" if reached else "no"


def ratios(results, wanted):
    """wanted: (what, row above, row below, at least or None, at most or None, of which number)."""
    lines = ["| ratio of one round, median | smallest to largest | to reach | reached |", "|---|---|---|---|"]
    for what, above, below, least, most, value in wanted:
        if above not in results or below not in results:
            lines.append(f"| {what}: not measured | – | – | – |")
            continue
        pairs = [[value(r) for r in results[name]] for name in (above, below)]
        found = [a / b for a, b in zip(*pairs) if b]
        target, reached = _judge(median(found), least, most)
        lines.append(f"| {what}: **{median(found):.2f}** | {min(found):.2f} to {max(found):.2f} | {target} | {reached} |")
    return "\n".join(lines) + "\n"


def bars(title, rows):
    """A bar a row: the median, and a line from the smallest to the largest rate."""
    top = max(max(r["rate"] for r in results) for _, results in rows)
    scale = (WIDTH - LABEL - 90) / top
    height = 50 + BAR * len(rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" '
           f'font-size="13"><rect width="100%" height="100%" fill="white"/>'
           f'<text x="10" y="24" font-size="16">{escape(title)}</text>']
    for number, (name, results) in enumerate(rows):
        rates = [r["rate"] for r in results]
        y = 40 + BAR * number
        colour = "#2c7fb8" if name.startswith("ours") else "#999999"
        out.append(f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
                   f'<rect x="{LABEL}" y="{y + 2}" width="{median(rates) * scale:.1f}" height="{BAR - 6}" fill="{colour}"/>'
                   f'<line x1="{LABEL + min(rates) * scale:.1f}" x2="{LABEL + max(rates) * scale:.1f}" y1="{y + 10}" '
                   f'y2="{y + 10}" stroke="black"/>'
                   f'<text x="{LABEL + max(rates) * scale + 6:.1f}" y="{y + 14}">{median(rates):,.0f}</text>')
    return "\n".join(out) + "\n</svg>\n"


def _output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine():
    """What was measured on what."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        lines = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    versions = " · ".join(f"{name} {_output('dpkg-query', '-W', '-f', '${Version}', name)}"
                          for name in ("freeradius", "slapd", "libldap-2.5-0", "libssl3"))
    return (f"{len(lines)} × {lines[0] if lines else platform.machine()} ({described()}), {platform.system()} {platform.release()}; "
            f"{versions}; commit {_output('git', 'rev-parse', '--short', 'HEAD')}\n")
