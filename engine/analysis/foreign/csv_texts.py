"""Takes what is no number of JSON out of many lines of a CSV at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from clr_tui.engine.analysis.arrays import Bools, Ints
from clr_tui.engine.analysis.foreign.csv_cell import number_in
from clr_tui.engine.analysis.foreign.csv_numbers import Cells, ends_of_cells, with_commas
from clr_tui.engine.regular import WESTERN

_ODD = np.ones(256, np.bool_)
_ODD[list(b"0123456789+-.eE, \t\n")] = False
"""Bytes that no number of JSON has."""
_BEFORE_MINUS = np.zeros(256, np.bool_)
_BEFORE_MINUS[list(b"eE, \t\n")] = True
_MINUS = ord("-")


@dataclass
class TakenOut:
    """What was taken out of some lines."""

    text: bytes
    """The lines, with zeros in those cells; commas separate cells."""
    places: Ints
    """Those of the cells, row by row."""
    numbers: list[tuple[int, int, float]] = field(default_factory=list)
    """Rows and columns of cells, and the numbers in them, NaN where not finite."""
    words: list[str] = field(default_factory=list)
    """Those in the column of words, one a row."""
    texts: dict[int, int] = field(default_factory=dict)
    """By column, the first row with a text."""

    def put_into(self, cells: Cells) -> None:
        """Puts the numbers in place of the zeros."""
        cells.value.flat[self.places], cells.logged.flat[self.places] = np.nan, False
        for row, column, number in self.numbers:
            cells.value[row, column], cells.logged[row, column] = number, True


def take_out(
    text: bytes, columns: int, delimiter: bytes, x: int | None, word: int | None
) -> TakenOut | None:
    """Takes out the cells with something else than numbers of JSON.

    Args:
        text: whole lines without the last newline.
        columns: the cells in each line.
        delimiter: one byte.
        x: the column of steps.
        word: the column of words.

    Returns:
        None if a line is longer or shorter, has quotes, or a text for its step; without steps, if
        one has nothing but texts.
    """
    plain = with_commas(text, delimiter)
    found = None if b'"' in plain else ends_of_cells(plain, columns)
    if found is None:
        return None
    ends = np.append(found[0], len(plain))
    odd = _odd_cells(plain, ends)
    is_text = odd.reshape(-1, columns).all(1) if x is None else odd[x::columns]
    if is_text.any():  # it may be a header
        return None
    if word is not None:
        odd[word::columns] = True
    chosen = np.flatnonzero(odd)
    starts = np.append(0, ends[:-1] + 1)[chosen]
    taken = TakenOut(_with_zeros(plain, starts, ends[chosen]), chosen)
    places = zip(chosen.tolist(), starts.tolist(), ends[chosen].tolist(), strict=True)
    for place, start, end in places:
        row, column = divmod(place, columns)
        cell = plain[start:end].decode(errors=WESTERN).strip()
        if column == word:
            taken.words.append(cell)
            continue
        try:
            number = number_in(cell)
        except ValueError:
            taken.texts.setdefault(column, row)
        else:
            taken.numbers += [] if number is None else [(row, column, number)]
    return taken


def _odd_cells(plain: bytes, ends: Ints) -> Bools:
    """Which cells hold a byte that no number of JSON has, or a minus within."""
    raw = np.frombuffer(plain, np.uint8)
    minus = np.flatnonzero(raw == _MINUS)
    minus = minus[minus > 0]
    within = minus[~_BEFORE_MINUS[raw[minus - 1]]]
    odd = np.zeros(len(ends), np.bool_)
    odd[np.searchsorted(ends, np.append(np.flatnonzero(_ODD[raw]), within))] = True
    return odd


def _with_zeros(plain: bytes, starts: Ints, ends: Ints) -> bytes:
    """The text with a zero, and spaces, at these places; one that is empty remains so."""
    filled = starts < ends
    starts, ends = starts[filled], ends[filled]
    change = np.zeros(len(plain) + 1, np.int8)
    change[starts], change[ends] = 1, -1
    raw = np.frombuffer(plain, np.uint8).copy()
    raw[np.cumsum(change[:-1], dtype=np.int8) > 0] = ord(" ")
    raw[starts] = ord("0")
    return bytes(raw)
