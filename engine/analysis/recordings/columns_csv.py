"""The values of several runs as CSV: a line for each value."""

from __future__ import annotations

from collections.abc import Iterable

from clr_tui.engine.analysis.arrays import finite_or_none
from clr_tui.engine.analysis.recordings.csv_cells import to_csv
from clr_tui.engine.analysis.run_columns import Columns

HEADER = ["run", "name", "x", "step", "value"]
"""`x` is what steps count."""


def columns_csv(runs: Iterable[tuple[str, Columns]]) -> str:
    """Writes the values of named runs in full; a value that is not finite is empty."""
    rows = (
        [run, name, column.x, step, finite_or_none(value)]
        for run, columns in runs
        for name in columns.names
        for column in [columns.column(name)]
        for step, value in zip(column.step.tolist(), column.value.tolist(), strict=True)
    )
    return to_csv(HEADER, rows)
