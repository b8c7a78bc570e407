"""Rows of cells: a drawn chart before colours are chosen.

A `Row` is a tuple of spans, each a text and its ink; together they are exactly as wide as the
chart. An ink names a role, which the palette turns into a style.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len

from clr_tui.tui.charts.chart import Role

Weight = Literal["normal", "faint", "strong"]

ROLES: tuple[Role, ...] = get_args(Role)
_WEIGHTS: tuple[Weight, ...] = get_args(Weight)
_ROLE_CODE: dict[str, int] = {role: code for code, role in enumerate(ROLES)}
_TINT_UNIT = 64
_WEIGHT_UNIT = 64 * 64
_SPACE = 0x20
_WIDE = 1 << 24
"""Added to the code point in the first cell of a wide character."""
_CONTINUED = 0
"""The second cell of a wide character."""
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Ink(NamedTuple):
    """How a cell is drawn: its role, the role that tints its background, and its weight."""

    role: Role = "text"
    tint: Role | None = None
    weight: Weight = "normal"


class Span(NamedTuple):
    """Adjacent cells with the same ink."""

    text: str
    ink: Ink


Row = tuple[Span, ...]


def clean(text: str) -> str:
    """Makes `text` safe to print on one line: replaces controls, composes or drops marks."""
    composed = unicodedata.normalize("NFC", text)
    safe = (c if c.isprintable() else _REPLACEMENT for c in composed)
    return "".join(c for c in safe if cell_len(c) > 0)


def to_text(rows: Sequence[Row]) -> str:
    """Joins rows into lines without escape codes, trailing blanks or a final newline."""
    return "\n".join("".join(span.text for span in row).rstrip() for row in rows)


class Grid:
    """A canvas: `codes` are code points, `inks` encoded inks, both of shape (height, width)."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.codes: npt.NDArray[np.int32] = np.full((height, width), _SPACE, dtype=np.int32)
        self.inks: npt.NDArray[np.int32] = np.zeros((height, width), dtype=np.int32)

    @staticmethod
    def ink_code(role: Role, weight: Weight = "normal") -> int:
        """Encodes an untinted ink."""
        return _ROLE_CODE[role] + _WEIGHT_UNIT * _WEIGHTS.index(weight)

    def put(self, row: int, column: int, text: str, role: Role, weight: Weight = "normal") -> None:
        """Writes `text`, cleaned and clipped to the grid; keeps the tints."""
        if not 0 <= row < self.height:
            return
        ink = self.ink_code(role, weight)
        if not (text.isprintable() and cell_len(text) == len(text)):
            text = clean(text)
            if cell_len(text) != len(text):
                self._put_wide(row, column, text, ink)
                return
        text = text[max(0, -column) : max(0, self.width - column)]
        cells = slice(max(0, column), max(0, column) + len(text))
        self.codes[row, cells] = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
        self._write_ink(row, cells, ink)

    def _put_wide(self, row: int, column: int, text: str, ink: int) -> None:
        for c in text:
            size = cell_len(c)
            if column >= 0 and column + size <= self.width:
                self.codes[row, column] = ord(c) + (_WIDE if size > 1 else 0)
                self.codes[row, column + 1 : column + size] = _CONTINUED
                self._write_ink(row, slice(column, column + size), ink)
            column += size

    def _write_ink(self, row: int, cells: slice, ink: int) -> None:
        tint = self.inks[row, cells] // _TINT_UNIT % _TINT_UNIT
        self.inks[row, cells] = ink + tint * _TINT_UNIT

    def paint(
        self,
        rows: slice,
        columns: slice,
        codes: npt.NDArray[np.int32],
        where: npt.NDArray[np.bool_],
        ink: int,
    ) -> None:
        """Writes `codes` where `where` is true; keeps the tints."""
        self.codes[rows, columns][where] = codes[where]
        inks = self.inks[rows, columns]
        inks[where] = ink + inks[where] // _TINT_UNIT % _TINT_UNIT * _TINT_UNIT

    def tint(self, rows: slice, columns: slice, where: npt.NDArray[np.bool_], role: Role) -> None:
        """Tints the background where `where` is true."""
        inks = self.inks[rows, columns]
        tint = inks[where] // _TINT_UNIT % _TINT_UNIT
        inks[where] += (_ROLE_CODE[role] + 1 - tint) * _TINT_UNIT

    def blank(self, row: int, start: int, end: int) -> bool:
        """Whether the cells of `row` from `start` up to `end` are blank."""
        return self.holds_only(" ", row, start, end)

    def holds_only(self, characters: str, row: int, start: int, end: int) -> bool:
        """Whether each of these cells holds one of `characters`."""
        inside = 0 <= row < self.height and start >= 0 and end <= self.width
        codes = [ord(c) for c in characters]
        return inside and bool(np.isin(self.codes[row, start:end], codes).all())

    def rows(self) -> list[Row]:
        """Returns all cells as rows of spans."""
        return [_row(*cells) for cells in zip(*self._visible(), strict=True)]

    def row(self, y: int) -> Row:
        """Returns row `y` as spans."""
        codes, inks = self._visible(slice(y, y + 1))
        return _row(codes[0], inks[0])

    def _visible(
        self, rows: slice = slice(None)
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Returns code points, and inks that mark where spans end."""
        codes, inks = self.codes[rows], self.inks[rows]
        tints = inks // _TINT_UNIT % _TINT_UNIT
        # Untinted blanks look the same in any ink: the ink of the cell before saves a span.
        blank = (codes == _SPACE) & (tints == 0)
        before = np.maximum.accumulate(np.where(blank, 0, np.arange(self.width)), axis=1)
        untinted = inks - tints * _TINT_UNIT
        found = np.where(blank, np.take_along_axis(untinted, before, axis=1), inks)
        return _whole(codes), found

    def seen(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Returns code points and visible inks: for a blank, only the tint."""
        tints = self.inks // _TINT_UNIT % _TINT_UNIT * _TINT_UNIT
        return _whole(self.codes), np.where(self.codes == _SPACE, tints, self.inks)


def _whole(codes: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Returns code points, with blanks for half-overwritten wide characters."""
    first, second = codes >= _WIDE, codes == _CONTINUED
    if not (first.any() or second.any()):
        return codes
    followed = np.zeros_like(first)
    followed[..., :-1] = second[..., 1:]
    led = np.zeros_like(first)
    led[..., 1:] = first[..., :-1]
    broken = (first & ~followed) | (second & ~led)
    return np.where(broken, np.int32(_SPACE), codes % _WIDE)


def _row(codes: npt.NDArray[np.int32], inks: npt.NDArray[np.int32]) -> Row:
    if not len(codes):
        return ()
    text = codes.astype("<u4").tobytes().decode("utf-32-le")
    starts = [0, *(np.flatnonzero(np.diff(inks)) + 1).tolist(), len(codes)]
    return tuple(
        Span(text[start:end].replace("\0", ""), _ink(int(inks[start])))
        for start, end in pairwise(starts)
    )


@lru_cache(maxsize=256)
def _ink(code: int) -> Ink:
    tint = code // _TINT_UNIT % _TINT_UNIT
    return Ink(
        ROLES[code % _TINT_UNIT],
        ROLES[tint - 1] if tint else None,
        _WEIGHTS[code // _WEIGHT_UNIT],
    )


def changed_spans(old: Grid, new: Grid) -> list[tuple[int, int, int]]:
    """Returns the spans, (row, start, end), in which two grids of the same size differ."""
    (codes, inks), (new_codes, new_inks) = old.seen(), new.seen()
    differs = np.zeros((new.height, new.width + 2), dtype=np.bool_)
    # To a terminal a wide character is one unit, with the ink of its first half.
    tail = (codes == _CONTINUED) & (new_codes == _CONTINUED)
    differs[:, 1:-1] = ((codes != new_codes) | (inks != new_inks)) & ~tail
    second = np.zeros_like(differs)
    second[:, 1:-1] = (codes == _CONTINUED) | (new_codes == _CONTINUED)
    differs[:, 1:] |= differs[:, :-1] & second[:, 1:]
    rows, edges = np.nonzero(differs[:, 1:] != differs[:, :-1])
    return list(zip(rows[::2].tolist(), edges[::2].tolist(), edges[1::2].tolist(), strict=True))
