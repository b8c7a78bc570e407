"""Parses a CSV of logged values piece by piece."""

from __future__ import annotations

import csv
import math
from codecs import BOM_UTF8
from collections.abc import Sequence

import numpy as np

from clr_tui.engine.analysis.arrays import Bools, Floats, Ints
from clr_tui.engine.analysis.foreign.csv_cell import has_value, number_in
from clr_tui.engine.analysis.foreign.csv_layout import Layout, layout_of
from clr_tui.engine.analysis.foreign.csv_numbers import Cells, numbers_in
from clr_tui.engine.analysis.foreign.csv_texts import take_out
from clr_tui.engine.analysis.foreign.foreign_log import Mapping
from clr_tui.engine.analysis.foreign.logged_rows import LoggedRows
from clr_tui.engine.analysis.foreign.step_counter import ROW, CountAnew, Counting, StepCounter
from clr_tui.engine.analysis.foreign.unix_times import unix_times
from clr_tui.engine.analysis.foreign.word_column import by_words
from clr_tui.engine.analysis.recordings.csv_table import DECIMAL_COMMA, split_header
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.regular import WESTERN
from clr_tui.engine.words import many

_PIECE = 1 << 17
"""Bytes that are parsed at a time, so that they stay in the cache."""
_FEW = 32
"""Lines that are parsed one by one if they are not all numbers."""
_MAX_TEXTS = 5
"""Columns with text that are named."""
_MAX_WORDS = 64
"""Different words that name values."""


class CsvParser:
    """Turns the lines of a CSV, given in pieces, into events.

    A header that stands again begins a part; another header gives other names to the columns below
    it.

    Args:
        mapping: which columns to take.
        counting: what counts the steps, if the log was read before.
    """

    def __init__(self, mapping: Mapping, counting: Counting) -> None:
        self._mapping = mapping
        self._counting = counting
        self._head = b""
        """Lines read before the header was found."""
        self._layout: Layout | None = None
        """None before the header was found."""
        self._counter = StepCounter(ROW)
        self._rows = LoggedRows()
        if counting.because:
            self._rows.say(counting.because, "info")
        self._texts: set[str] = set()
        """Columns with text."""
        self._words: set[str] = set()
        self._row = 0
        """Rows so far, without headers."""

    def take_batch(self, time: float) -> Batch:
        """Returns the events of what was fed since the last call; they get this Unix time."""
        return self._rows.take_batch(self._counter.unit, time)

    def is_whole(self, line: bytes) -> bool:
        """Whether a last line without a newline looks complete: it has as many cells as others."""
        layout = self._layout
        return layout is not None and len(cells_of(line, layout.delimiter)) >= len(layout.names)

    def feed(self, piece: bytes) -> None:
        """Parses whole lines, given without the last newline.

        Raises:
            CountAnew: the column taken for steps does not count them.
            UserError: a column of the mapping is not there.
        """
        if self._layout is None:
            piece = self._below_header(piece)
        start = 0
        while start < len(piece):
            end = piece.find(b"\n", start + _PIECE)
            end = len(piece) if end < 0 else end
            self._parse(piece[start:end])
            start = end + 1

    def _below_header(self, piece: bytes) -> bytes:
        """Finds the header; returns the lines below it, none if it is not there yet."""
        self._head += (piece if self._head else piece.removeprefix(BOM_UTF8)) + b"\n"
        if (split := split_header(self._head)) is None:
            return b""
        header, below = split
        self._head = b""
        layout = layout_of(header, self._mapping, self._counting)
        name = "" if layout.x is None else layout.names[layout.x]
        self._layout, self._counter = layout, StepCounter(layout.unit, name)
        text = below if layout.has_header else header.rstrip("\r\n") + "\n" + below
        return text.encode().removesuffix(b"\n")

    def _parse(self, text: bytes) -> None:
        layout = self._layout
        assert layout is not None
        if self._parse_at_once(text, layout):
            return
        lines = text.split(b"\n")
        if len(lines) > _FEW:
            middle = len(lines) // 2
            self._parse(b"\n".join(lines[:middle]))
            self._parse(b"\n".join(lines[middle:]))
        else:
            self._parse_each(lines)

    def _parse_at_once(self, text: bytes, layout: Layout) -> bool:
        """Parses lines that are all alike; False if they are not."""
        columns, delimiter = len(layout.names), layout.delimiter.encode()
        cells = numbers_in(text, columns, delimiter) if layout.word is None else None
        if cells is not None:
            self._add(cells)
            return True
        taken = take_out(text, columns, delimiter, layout.x, layout.word)
        cells = None if taken is None else numbers_in(taken.text, columns, b",")
        if taken is None or cells is None:
            return False
        taken.put_into(cells)
        for column, row in taken.texts.items():
            if column in layout.shown and layout.names[column] not in self._texts:
                cells_of_row = cells_of(text.split(b"\n")[row], layout.delimiter)
                self._say_text(layout.names[column], cells_of_row[column], self._row + row + 1)
        self._add(cells, [self._known_word(word, layout) for word in taken.words])
        return True

    def _parse_each(self, lines: list[bytes]) -> None:
        rows = _RowCells()
        for line in lines:
            layout = self._layout
            assert layout is not None
            cells = cells_of(line, layout.delimiter)
            if not any(cells) or cells[0].startswith("#"):
                continue
            if _is_header(cells, layout):
                self._add(rows.cells(len(layout.names)), rows.words)
                rows = _RowCells()
                self._begin_part(line)
            elif not self._take_row(cells, layout, rows):
                self._rows.unreadable += 1
        assert self._layout is not None
        self._add(rows.cells(len(self._layout.names)), rows.words)

    def _begin_part(self, line: bytes) -> None:
        """Begins the part below a header."""
        assert self._layout is not None
        header = line.decode(errors=WESTERN)
        layout = layout_of(header, self._mapping, self._counting)
        if layout.unit != self._layout.unit:
            row = self._row + 1
            because = f"the header above row {row} counts something else: rows are counted"
            raise CountAnew(Counting(None, because))
        self._layout = layout
        self._counter.start_part()

    def _take_row(self, cells: list[str], layout: Layout, rows: _RowCells) -> bool:
        """Adds a row; False if its step is no number, or its cells are not those of the header.

        A row may end early, as hand-made ones do.
        """
        row = self._row + len(rows.words) + 1
        short = layout.is_keras and len(cells) < len(layout.names)
        if short or any(cells[len(layout.names) :]):
            self._rows.say(
                f"row {row} has {many(len(cells), 'cell')}, and the header {len(layout.names)}: "
                "which belongs to which is not known, and such rows are left out"
            )
            return False
        value, logged = [math.nan] * len(layout.names), [False] * len(layout.names)
        for place, cell in enumerate(cells[: len(layout.names)]):
            try:
                number = None if place == layout.word else number_in(cell)
            except ValueError:
                if place == layout.x:
                    return False
                if place in layout.shown:
                    self._say_text(layout.names[place], cell, row)
                continue
            if number is not None:
                value[place], logged[place] = number, True
        has_word = layout.word is not None and layout.word < len(cells)
        word = cells[layout.word] if has_word and layout.word is not None else ""
        rows.words.append(self._known_word(word, layout))
        rows.value.append(value)
        rows.logged.append(logged)
        return True

    def _known_word(self, word: str, layout: Layout) -> str:
        """The word, or none if there were too many others before."""
        if word not in self._words:
            if len(self._words) >= _MAX_WORDS:
                name = "" if layout.word is None else layout.names[layout.word]
                self._rows.say(
                    f"'{name}' has more than {_MAX_WORDS} words: the others are left out"
                )
                return ""
            self._words.add(word)
        return word

    def _say_text(self, name: str, cell: str, row: int) -> None:
        if name in self._texts:
            return
        self._texts.add(name)
        if len(self._texts) <= _MAX_TEXTS:
            self._rows.say(f"'{name}' holds text, such as {cell[:30]!r} in row {row}: left out")
        else:
            self._rows.say("more columns hold text, and are left out")

    def _add(self, cells: Cells, words: Sequence[str] | None = None) -> None:
        layout, value, logged = self._layout, cells.value, cells.logged
        assert layout is not None
        count = len(value)
        if not count:
            return
        columns = _columns(value, logged, layout)
        by_word = layout.word is not None and words is not None
        x = np.full(count, np.nan) if layout.x is None else value[:, layout.x]
        epoch = None if layout.epoch is None or by_word else value[:, layout.epoch]
        step = self._counter.steps(x, epoch)
        at = None if layout.at is None else unix_times(value[:, layout.at])
        self._rows.add(step, at, by_words(columns, words) if by_word and words else columns)
        self._row += count
        if self._counter.counts_on:
            self._rows.say(self._counter.counts_on, "info")
        if self._counter.went_back and not by_word:
            self._rows.say(self._counter.went_back)


def _columns(value: Floats, logged: Bools, layout: Layout) -> dict[str, tuple[Ints, Floats]]:
    """The columns to show by name: the rows that have a value, and the values."""
    everywhere, all_whole = np.arange(len(value)), logged.all()
    columns = {}
    for place in layout.shown:
        whole = all_whole or logged[:, place].all()
        rows = everywhere if whole else np.flatnonzero(logged[:, place])
        columns[layout.names[place]] = rows, value[:, place] if whole else value[rows, place]
    return columns


def cells_of(line: bytes, delimiter: str) -> list[str]:
    """The cells of a line, with decimal points; a quote that is not closed counts as nothing."""
    text = line.decode(errors=WESTERN)
    if text.count('"') % 2:
        text = text.replace('"', "")
    try:
        cells = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:  # a cell of more than 131,072 characters
        cells = text.split(delimiter)
    if delimiter == " ":
        cells = [cell for cell in cells if cell]
    if delimiter != ",":
        cells = [c.replace(",", ".") if DECIMAL_COMMA.fullmatch(c) else c for c in cells]
    return [cell.strip() for cell in cells]


def _is_header(cells: list[str], layout: Layout) -> bool:
    """Whether the line is a header: the same one, or another one that names the steps."""
    if not layout.has_header:
        return False
    if cells == layout.names[: len(cells)]:
        return True
    return (
        layout.x is not None and layout.names[layout.x] in cells and not any(map(has_value, cells))
    )


class _RowCells:
    """The cells of rows that are parsed one by one."""

    def __init__(self) -> None:
        self.value: list[list[float]] = []
        self.logged: list[list[bool]] = []
        self.words: list[str] = []

    def cells(self, columns: int) -> Cells:
        """The numbers in them."""
        shape = len(self.value), columns
        value, logged = np.array(self.value, np.float64), np.array(self.logged, np.bool_)
        return Cells(value.reshape(shape), logged.reshape(shape))
