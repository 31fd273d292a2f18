# SPDX-License-Identifier: GPL-2.0-or-later
"""Real servers and clients for the tests, the demo and the benchmark."""
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
