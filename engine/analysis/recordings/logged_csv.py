"""Writes the values of a logged run as CSV: a row for each step, a column for each name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, finite_or_none
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.logged import LoggedColumn
from clr_tui.engine.analysis.recordings.csv_cells import Cell, to_csv

TIME = "wall_time"
"""The column of Unix times in seconds, which TensorBoard and others call so too."""


def logged_csv(history: RunHistory) -> str:
    """Writes one row for each step: the step, the values by name, and when they were logged.

    Numbers are written in full; what was not logged at a step, or is not finite, is empty. Values
    that were logged by epoch and others by step have a column each for the one and the other, and
    rows of their own. The times are left out where the log has none.
    """
    columns = {name: history.logged.column(name) for name in history.logged.names}
    counted = list(dict.fromkeys(column.x for column in columns.values()))
    timed = any(np.isfinite(column.at).any() for column in columns.values())
    header = [*dict.fromkeys([*counted, *columns]), *([TIME] if timed else [])]
    rows = (row for x in counted for row in _rows(columns, counted, x, timed))
    return to_csv(header, rows)


def _rows(
    columns: dict[str, LoggedColumn], counted: list[str], x: str, timed: bool
) -> Iterator[list[Cell]]:
    own = {name: column for name, column in columns.items() if column.x == x}
    steps = np.unique(np.concatenate([column.step for column in own.values()]))
    places = {name: np.searchsorted(steps, column.step) for name, column in own.items()}
    cells: list[list[Cell]] = []
    for name in dict.fromkeys([*counted, *columns]):
        spread = np.full(len(steps), np.nan)
        if name in own:
            spread[places[name]] = own[name].value
        cells.append(list(steps.tolist()) if name == x else _cells(spread))
    if timed:
        at = np.full(len(steps), np.nan)
        for name, column in own.items():
            at[places[name]] = np.fmax(at[places[name]], column.at)
        cells.append(_cells(at))
    return (list(row) for row in zip(*cells, strict=True))


def _cells(values: Floats) -> list[Cell]:
    return [finite_or_none(value) for value in values.tolist()]
