"""What a terminal shows, cell by cell, and the shortest text that changes it.

Textual repaints whole screens and regions: opening a run costs some 90 KB, most of it cells that
show what they showed before, and a full colour for each piece of text. `ShownCells` sends only
cells that change, and of their style only what differs from the cell before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len

RESET = "\x1b[0m"
_GAP = 4
"""Unchanged cells between two changed ones that are sent again: a jump over them takes as much."""
_CONTINUED = ""
"""In the second cell of a wide character."""
_OVER_BLANKS = frozenset({"4", "7", "9", "21", "51", "52", "53"})
"""Attributes that a blank shows: underlined, reversed, struck through, framed, overlined."""


class Piece(NamedTuple):
    """Text in one style at a place on the screen."""

    x: int
    y: int
    text: str
    codes: str
    """The parameters of its SGR sequence; empty for the terminal's default."""
    linked: str = ""
    """The sequences that draw it with a link; empty without one."""


Cell = tuple[str, str]
"""A character and the parameters of its style; a plain tuple, since there are 7,000 on a screen."""


class ShownCells:
    """The cells of one terminal, as far as they are known."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, Cell]] = {}

    def update(self, pieces: Iterable[Piece]) -> str:
        """Returns the sequences that show `pieces`; empty if the terminal shows them already."""
        changed: dict[int, set[int]] = {}
        parts: list[str] = []
        for piece in pieces:
            row, differing = self._rows.setdefault(piece.y, {}), changed.setdefault(piece.y, set())
            if piece.linked:  # more than a style: not compared, and unknown from now on
                parts.append(_move(piece.x, piece.y) + piece.linked)
                for x, _ in _cells(piece):
                    row.pop(x, None)
                continue
            for x, cell in _cells(piece):
                if row.get(x) != cell:
                    row[x] = cell
                    differing.add(x)
        runs = [run for y, cells in sorted(changed.items()) for run in self._runs(y, cells)]
        if runs:
            parts.append(min(_in_order(runs), _by_style(runs), key=len))
        return "".join(parts) + RESET if parts else ""

    def _runs(self, y: int, changed: set[int]) -> Iterator[Piece]:
        """Yields what to send of a row: adjacent cells of one style, left to right.

        A blank is in the style of the cell before it if it looks the same in that.
        """
        row = self._rows[y]
        start, end, text, codes = 0, -1, "", ""
        for x in _with_gaps(changed, row):
            char, own = row[x]
            if not char:
                continue
            if x != end or (own != codes and not (char == " " and own == _blank_codes(codes))):
                if text:
                    yield Piece(start, y, text, codes)
                start, text, codes = x, "", own
            text += char
            end = x + _width(char)
        if text:
            yield Piece(start, y, text, codes)


def _with_gaps(changed: set[int], row: Mapping[int, Cell]) -> list[int]:
    """Returns the columns to send: those that changed, and short gaps between them.

    With wide characters, about which terminals may disagree, all from the first to the last.
    """
    columns = sorted(changed)
    wide = any(_width(row[x][0]) != 1 for x in columns)
    found: list[int] = []
    for x in columns:
        if found and x > found[-1] + 1:
            gap = range(found[-1] + 1, x)
            if (wide or len(gap) <= _GAP) and all(between in row for between in gap):
                found += gap
        found.append(x)
    return found


@lru_cache(maxsize=4096)
def _width(char: str) -> int:
    return cell_len(char)


def _cells(piece: Piece) -> list[tuple[int, Cell]]:
    """Returns the columns of a piece and what is in them."""
    x, _, text, codes, _ = piece
    blank = " ", _blank_codes(codes)
    cells: list[tuple[int, Cell]] = []
    for char in text:
        cells.append((x, blank if char == " " else (char, codes)))
        end = x + _width(char)
        if end > x + 1:
            cells.append((x + 1, (_CONTINUED, codes)))
        x = end
    return cells


def _in_order(runs: Sequence[Piece]) -> str:
    """Draws from left to right and top to bottom, and sends what changes of the style."""
    parts: list[str] = []
    style, end = _Style(), (-1, -1)
    for run in runs:
        if (run.x, run.y) != end:
            parts.append(_move(run.x, run.y))
        wanted = _style(run.codes)
        parts.append(style.to(wanted))
        style = wanted
        parts.append(run.text)
        end = run.x + cell_len(run.text), run.y
    return "".join(parts)


def _by_style(runs: Sequence[Piece]) -> str:
    """Draws style by style, and sends each once."""
    groups: dict[str, list[str]] = {}
    for run in runs:
        groups.setdefault(run.codes, []).append(_move(run.x, run.y) + run.text)
    parts: list[str] = []
    style = _Style()
    for codes, texts in groups.items():
        parts += [style.to(_style(codes)), *texts]
        style = _style(codes)
    return "".join(parts)


class _Style(NamedTuple):
    """The parts of an SGR sequence; empty colours are the terminal's default."""

    attributes: frozenset[str] = frozenset()
    colour: str = ""
    background: str = ""

    def to(self, other: _Style) -> str:
        """Returns the sequence that changes this style into another."""
        codes = sorted(other.attributes - self.attributes)
        before = self
        if self.attributes - other.attributes:
            codes, before = ["0", *sorted(other.attributes)], _Style()
        if other.colour != before.colour:
            codes.append(other.colour or "39")
        if other.background != before.background:
            codes.append(other.background or "49")
        return f"\x1b[{';'.join(codes)}m" if codes else ""


@lru_cache(maxsize=1024)
def _style(codes: str) -> _Style:
    attributes, colours, rest = set(), {"3": "", "4": ""}, codes.split(";") if codes else []
    while rest:
        code, *rest = rest
        if code in ("38", "48"):
            size = 4 if rest[:1] == ["2"] else 2
            colours[code[0]] = ";".join([code, *rest[:size]])
            rest = rest[size:]
        elif len(code) > 1 and code[:-1] in ("3", "9", "4", "10"):
            default = code in ("39", "49")
            colours["3" if code[:-1] in ("3", "9") else "4"] = "" if default else code
        else:
            attributes.add(code)
    return _Style(frozenset(attributes), colours["3"], colours["4"])


@lru_cache(maxsize=1024)
def _blank_codes(codes: str) -> str:
    """The parameters of a style as far as a blank shows them."""
    style = _style(codes)
    if style.attributes & _OVER_BLANKS:
        return codes
    return style.background


def _move(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"
