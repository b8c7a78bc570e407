"""Lines of text in pieces with roles, for side panels and message rows."""

from __future__ import annotations

import textwrap

from clr_tui.tui.charts.chart import Role
from clr_tui.tui.text.clean import plain

Piece = tuple[str, Role]
Line = tuple[Piece, ...]
BLANK: Line = ()
"""A separator line, left out if rows are scarce."""
LABEL_WIDTH = 10


def row(label: str, value: str, role: Role = "text", after: str = "") -> Line:
    """Make a line of a muted label in its own column, a value, and a muted note apart from it."""
    pieces: list[Piece] = [(label.ljust(LABEL_WIDTH), "muted"), (value, role)]
    if after:
        apart = value.endswith(" ") or after.startswith(" ")
        pieces.append((after if apart else f" {after}", "muted"))
    return tuple(pieces)


def heading(text: str, after: str = "") -> Line:
    """Make the heading of the lines below it."""
    return ((text, "text"), (after, "muted")) if after else ((text, "text"),)


def wrap_line(text: str, width: int, role: Role = "muted", indent: str = "") -> list[Line]:
    """Wrap `text`, made safe, into lines of `width` cells."""
    # Not at hyphens: run ids, paths and options are read and copied as one word.
    words = textwrap.wrap(
        plain(text), max(width, 8), subsequent_indent=indent, break_on_hyphens=False
    )
    return [((line, role),) for line in words]


def truncate_lines(lines: list[Line], height: int, width: int) -> list[Line]:
    """Return the first `height` lines, with an ellipsis at the end if there are more."""
    if len(lines) <= height or height < 1:
        return lines[: max(height, 0)]
    *pieces, (text, role) = lines[height - 1]
    room = width - sum(len(piece) for piece, _ in pieces) - len(" …")
    return [*lines[: height - 1], (*pieces, (f"{text[:room]} …", role))]


def drop_lines_to_fit(lines: list[Line], height: int) -> list[Line]:
    """Drop lines until they fit in `height` rows: blank ones first, then the last ones."""
    spare = len(lines) - height
    kept: list[Line] = []
    # From the end, so that groups at the top stay apart longest.
    for line in reversed(lines):
        if spare > 0 and not line:
            spare -= 1
        else:
            kept.append(line)
    return kept[::-1][: max(height, 0)]
