"""Puts the tests' helpers on the path: importing this module is all."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]

sys.path[:0] = [str(TESTS), str(TESTS / "analysis")]
