"""Logs that are one JSON value: torch-lr-finder's history, that of Keras, a list of objects."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from itertools import zip_longest
from pathlib import Path
from typing import Any

from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.run_names import run_name
from clr_tui.engine.analysis.foreign.whole_log import Content, WholeLog

_BEGINNING = re.compile(rb'\s*(?:\[\s*\{\s*"|\{\s*"[^"\\]*"\s*:\s*(?:\{\s*"[^"\\]*"\s*:\s*)?\[)')
"""A list of objects, or an object whose first value is a list, perhaps one level deeper."""


def open_json_table(path: Path, mapping: Mapping) -> list[ForeignLog]:
    """Opens a file with lists of values by name, or with a list of objects, as one run."""
    return [WholeLog(path, run_name(path), "JSON", lambda: path, _content_of, mapping)]


def is_json_table(path: Path, head: bytes) -> bool:
    """Whether the first bytes are those of such a file."""
    return _BEGINNING.match(head.removeprefix(BOM_UTF8)) is not None


def _content_of(value: Any) -> Content:
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return Content(value, {})
    if isinstance(value, dict):
        inner = next((v for v in value.values() if isinstance(v, dict)), value)
        lists = {key: v for key, v in inner.items() if isinstance(v, list)}
        if lists:
            rows = zip_longest(*lists.values())
            return Content([dict(zip(lists, row, strict=True)) for row in rows], {})
    raise ValueError("no table")
