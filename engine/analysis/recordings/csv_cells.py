"""CSV (RFC 4180, lines end in CR LF) that is safe to open in a spreadsheet and to print.

A text may come from anyone's log. One that a spreadsheet would read as a formula gets a leading
apostrophe, and characters that control a terminal or the direction of writing are written as
escapes, such as `\\x1b`. `original` restores the text.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import chain

Cell = str | int | float | None
"""A text, a number (written in full), or None for an empty field."""

_FORMULA = re.compile("'*[-=+@\uff0d\uff1d\uff0b\uff20]")
"""How a formula starts, and how a marked one does: that gets one more apostrophe."""
_ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
# If semicolons separate cells, a formula may start after one.
_TO_ESCAPE = re.compile(rf"(?={_ESCAPE.pattern})\\|;(?=\s*{_FORMULA.pattern})|[^ -~]")
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Writes the rows below their header. All texts are made safe; floats must be finite."""
    text = io.StringIO()
    safe = ([_safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    csv.writer(text).writerows(chain([map(_safe, header)], safe))
    return text.getvalue()


def original(text: str) -> str:
    """Restores a text that `to_csv` made safe; other texts are unchanged."""
    if text.startswith("'") and _FORMULA.match(text):
        text = text[1:]
    return _ESCAPE.sub(_unescaped, text)


def _safe(text: str) -> str:
    marked = f"'{text}" if _FORMULA.match(text) else text
    return _TO_ESCAPE.sub(_escaped, marked)


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    if not _needs_escape(char):
        return char
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _unescaped(match: re.Match[str]) -> str:
    code = int(match[0][2:], 16)
    return chr(code) if code <= 0x10FFFF and _needs_escape(chr(code)) else match[0]


def _needs_escape(char: str) -> bool:
    return char in "\\;" or unicodedata.category(char) in _UNSAFE
