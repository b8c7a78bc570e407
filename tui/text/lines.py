"""Lines of text whose parts have meaning: what side panels and message rows show."""

from __future__ import annotations

import textwrap

from clr_tui.tui.charts.chart import Role
from clr_tui.tui.text.clean import plain

Piece = tuple[str, Role]
Line = tuple[Piece, ...]
BLANK: Line = ()
"""A line that only keeps things apart: where rows are short it is left out."""
LABEL_WIDTH = 10


def row(label: str, value: str, role: Role = "text", after: str = "") -> Line:
    """`label` quietly, in a column of its own, then its value and what is to be said of it."""
    pieces: list[Piece] = [(label.ljust(LABEL_WIDTH), "muted"), (value, role)]
    if after:
        pieces.append((after, "muted"))
    return tuple(pieces)


def heading(text: str, after: str = "") -> Line:
    """A line that names what stands under it."""
    return ((text, "text"), (after, "muted")) if after else ((text, "text"),)


def wrapped(text: str, width: int, role: Role = "muted", indent: str = "") -> list[Line]:
    """`text`, made safe, over as many lines of `width` cells as it takes."""
    # Not at hyphens: the name of a run, a path, an option are read and copied as one word.
    words = textwrap.wrap(
        plain(text), max(width, 8), subsequent_indent=indent, break_on_hyphens=False
    )
    return [((line, role),) for line in words]


def cut(lines: list[Line], height: int, width: int) -> list[Line]:
    """The first `height` lines; where there are more, dots at their end say so."""
    if len(lines) <= height or height < 1:
        return lines[: max(height, 0)]
    *pieces, (text, role) = lines[height - 1]
    room = width - sum(len(piece) for piece, _ in pieces) - len(" …")
    return [*lines[: height - 1], (*pieces, (f"{text[:room]} …", role))]


def fitted(lines: list[Line], height: int) -> list[Line]:
    """As many of the lines as `height` rows hold: blank ones go first, then the last ones."""
    spare = len(lines) - height
    kept: list[Line] = []
    # From the end, so that groups at the top stay apart longest.
    for line in reversed(lines):
        if spare > 0 and not line:
            spare -= 1
        else:
            kept.append(line)
    return kept[::-1][: max(height, 0)]
