"""What the columns of a CSV are, from its header."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from clr_tui.engine.analysis.foreign.foreign_log import Mapping
from clr_tui.engine.analysis.foreign.mapped import place_of
from clr_tui.engine.analysis.foreign.step_counter import (
    EPOCH_NAMES,
    ROW,
    Counting,
    counting_name,
    unit_of,
)
from clr_tui.engine.analysis.foreign.unix_times import TIME_NAMES
from clr_tui.engine.analysis.foreign.word_column import WORD_NAMES
from clr_tui.engine.analysis.recordings.csv_table import NUMBER, delimiter_of

BY_NAME = Counting()
INDEX_NAMES = frozenset({"", "unnamed: 0", "index"})
"""Of a column that counts rows, as pandas writes it."""


@dataclass(frozen=True)
class Layout:
    """The columns of a CSV; places count from 0."""

    names: list[str]
    """Unique."""
    delimiter: str
    x: int | None = None
    """The column that counts; None: rows are counted."""
    unit: str = ROW
    """What is counted."""
    epoch: int | None = None
    """Another column, of epochs."""
    at: int | None = None
    """Unix times."""
    word: int | None = None
    """A column whose words may name the other columns of their row."""
    shown: list[int] = field(default_factory=list)
    has_header: bool = True
    is_keras: bool = False
    """A second fit with other metrics adds rows of other columns below the same header."""


def layout_of(header: str, mapping: Mapping, counting: Counting = BY_NAME) -> Layout:
    """Finds out what the columns are.

    Args:
        header: the line.
        mapping: which columns to take, where their names do not say it.
        counting: what counts the steps, if the log was read before.

    Raises:
        UserError: a column of the mapping is not there.
    """
    delimiter = delimiter_of(header)
    cells = next(csv.reader([header], delimiter=delimiter, skipinitialspace=delimiter == " "), [])
    cells = [cell.strip() for cell in cells]
    if all(NUMBER.fullmatch(cell) for cell in cells):
        return _without_header(cells, delimiter, mapping, counting)
    return _layout(_unique(cells), delimiter, mapping, counting)


def _without_header(
    cells: list[str], delimiter: str, mapping: Mapping, counting: Counting
) -> Layout:
    """Of a file that begins with numbers: its first column counts if it begins with 0 or 1."""
    names = [f"column {i}" for i in range(1, len(cells) + 1)]
    if not mapping.x and len(cells) > 1 and float(cells[0].replace(",", ".")) in (0, 1):
        mapping = Mapping(x=names[0], y=mapping.y)
    return replace(_layout(names, delimiter, mapping, counting), has_header=False)


def _layout(names: list[str], delimiter: str, mapping: Mapping, counting: Counting) -> Layout:
    x = _x_of(names, mapping) if counting.name is not None else None
    unit = unit_of(None if x is None else names[x])
    at, word = _place(names, TIME_NAMES), _place(names, WORD_NAMES)
    others = {x, at, word} | {i for i, name in enumerate(names) if name.casefold() in INDEX_NAMES}
    if mapping.y:
        uncounted = [mapping.x] if mapping.x and x is None else []
        shown = [place_of(name, names) for name in (*uncounted, *mapping.y)]
    else:
        shown = [i for i in range(len(names)) if i not in others]
    epoch = _place(names, EPOCH_NAMES)
    epoch = None if epoch == x or unit == ROW else epoch
    word = None if word in (x, *shown) else word
    return Layout(names, delimiter, x, unit, epoch, at, word, shown, is_keras=is_keras(names))


def is_keras(names: Sequence[str]) -> bool:
    """Whether columns are those of Keras: "epoch", then the others sorted."""
    is_sorted = [*names[1:]] == sorted(names[1:])
    return len(names) > 2 and names[0] == "epoch" and "loss" in names and is_sorted


def _x_of(names: list[str], mapping: Mapping) -> int | None:
    if mapping.x:
        return place_of(mapping.x, names)
    name = counting_name(names)
    return None if name is None else names.index(name)


def _place(names: list[str], known: frozenset[str]) -> int | None:
    return next((i for i, name in enumerate(names) if name.casefold() in known), None)


def _unique(cells: list[str]) -> list[str]:
    """The names, each one that came before with a number behind it."""
    seen: Counter[str] = Counter()
    names = []
    for cell in cells:
        seen[cell] += 1
        names.append(cell if seen[cell] == 1 else f"{cell} {seen[cell]}")
    return names
