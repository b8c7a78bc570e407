"""What a program printed, as the lines that a terminal would show."""

from __future__ import annotations

import re
from functools import lru_cache

from rich.cells import chop_cells

from clr_tui.tui.text.clean import plain

MAX_LINES = 2000
MAX_LINE_LENGTH = 4000
"""Characters. A program may print megabytes without a line end."""
_MOVES = re.compile(r"(\r|\n|\x1b\[\d*A)")
_TORN = re.compile(r"\x1b(\[\d{0,3})?\Z")
"""The start of a code whose rest is in the next piece."""


class PrintedLines:
    """The last `MAX_LINES` lines of an output that arrives in pieces.

    Progress bars overwrite themselves: a carriage return lets the next text replace the line, and
    the code for "cursor up", with which tqdm draws nested bars, goes back to an earlier line. All
    other control characters stay in the lines; `shown_rows` makes them visible.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forgets everything."""
        self._lines = [""]
        self._row = 0
        self._replaces = False
        """Whether the next text replaces the current line instead of continuing it."""
        self._torn = ""
        self.dropped = 0
        """Lines that are no longer kept."""

    def feed(self, text: str) -> None:
        """Takes the next piece."""
        text = self._torn + text
        torn = _TORN.search(text)
        self._torn = torn[0] if torn else ""
        for part in _MOVES.split(text[: len(text) - len(self._torn)]):
            if part == "\r":
                self._replaces = True
            elif part == "\n":
                self._down()
            elif part.startswith("\x1b[") and _MOVES.fullmatch(part):
                self._row = max(self._row - int(part[2:-1] or 1), 0)
                self._replaces = True
            elif part:
                self._write(part)

    def _write(self, text: str) -> None:
        before = "" if self._replaces else self._lines[self._row]
        self._replaces = False
        line = before + text
        if len(line) > MAX_LINE_LENGTH:
            line = line[: MAX_LINE_LENGTH - 1] + "…"
        self._lines[self._row] = line

    def _down(self) -> None:
        self._row += 1
        self._replaces = True
        if self._row == len(self._lines):
            self._lines.append("")
        if (over := len(self._lines) - MAX_LINES) > 0:
            del self._lines[:over]
            self._row -= over
            self.dropped += over

    @property
    def lines(self) -> list[str]:
        """The lines, without empty ones at the end."""
        end = len(self._lines)
        while end and not self._lines[end - 1].strip():
            end -= 1
        return self._lines[:end]


@lru_cache(maxsize=2 * MAX_LINES)
def shown_rows(line: str, width: int) -> tuple[str, ...]:
    """Wraps a line to rows of at most `width` cells, made safe to show; at least one row."""
    safe = plain(line.expandtabs())
    return tuple(chop_cells(safe.rstrip(), max(width, 2))) or ("",)
