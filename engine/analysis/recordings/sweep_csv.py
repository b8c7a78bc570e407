"""Reads a CSV of a range test as the events of a run."""

from __future__ import annotations

import math
from pathlib import Path

from clr_tui.engine.analysis.recordings.csv_table import Table, number, open_csv
from clr_tui.engine.analysis.recordings.sweep_run import Sweep, run_of_sweeps
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.words import listed

_NAMES = {
    "trial": ("trial",),
    "step": ("step", "steps", "iteration", "iterations", "iter", "batch", "", "unnamed: 0"),
    "lr": ("lr", "lrs", "learning_rate", "learning rate", "learning-rate"),
    "loss": ("loss", "losses"),
}
"""The names of each column, the first of them that is there; pandas gives an index none."""


def columns_of_sweep(header: list[str]) -> dict[str, int]:
    """The places of those of `trial`, `step`, `lr` and `loss` that are there, under any name."""
    found = {}
    for column, names in _NAMES.items():
        place = next((header.index(name) for name in names if name in header), None)
        if place is not None:
            found[column] = place
    return found


def read_csv(path: Path) -> tuple[RunConfig, list[ev.AnyEvent]]:
    """Reads a CSV with the columns `lr` and `loss` as a finished range test.

    Columns are in any order, among others, and may have the names that others give them
    (`_NAMES`). Without a step, rows count from 0; with a `trial`, each is a sweep of its own.

    Losses that are empty or not finite are gaps. They are smoothed like those of our own runs,
    unless their noise shows that they were smoothed before (`share_of_new`): then
    `range_test.smoothing` is 1. Who wrote the file does not matter. Rates of 0 at the start, before
    a warm-up, are left out with a note.

    Raises:
        UserError: a column is missing, or a line has something else than numbers, or a rate that
            is not above 0 or not increasing. Names the line.
    """
    with open_csv(path) as table:
        columns = columns_of_sweep(table.header)
        missing = [name for name in ("lr", "loss") if name not in columns]
        if missing:
            there = listed([repr(name) for name in table.header])
            raise UserError(
                f"'{path}' has no column '{missing[0]}': a range test as CSV has lr and loss, "
                f"this file has {there[:100]}"
            )
        sweeps, zeros = _sweeps(path, table, columns)
    if not sweeps:
        what = "steps with a learning rate above 0" if zeros else "steps"
        raise UserError(f"'{path}' has a header but no {what}")
    return run_of_sweeps(path.stem, path.stat().st_mtime, sweeps, zeros)


def _sweeps(path: Path, table: Table, columns: dict[str, int]) -> tuple[dict[int, Sweep], int]:
    """The sweeps by trial, and the number of rows left out at their start, with a rate of 0."""
    trial, step = columns.get("trial"), columns.get("step")
    sweeps: dict[int, Sweep] = {}
    zeros = 0
    for line, row in table.rows:
        try:
            key = int(row[trial]) if trial is not None else 0
            sweep = sweeps.get(key, Sweep())
            at = int(float(row[step])) if step is not None else len(sweep.lr)
            lr, loss = float(row[columns["lr"]]), number(row[columns["loss"]])
        except (ValueError, IndexError, OverflowError):
            raise UserError(
                f"line {line} of '{path}' is not step, lr, loss in numbers: {','.join(row)[:60]!r}"
            ) from None
        if lr == 0 and not sweep.lr:
            zeros += 1
            continue
        _check(path, line, sweep, at, lr)
        sweeps[key] = sweep
        sweep.step.append(at)
        sweep.lr.append(lr)
        sweep.loss.append(loss)
    return sweeps, zeros


def _check(path: Path, line: int, sweep: Sweep, step: int, lr: float) -> None:
    if not (math.isfinite(lr) and lr > 0):
        raise UserError(f"line {line} of '{path}' has the learning rate {lr}: it must be above 0")
    if sweep.lr and lr <= sweep.lr[-1]:
        raise UserError(
            f"'{path}' is not a range test: its learning rate does not increase at line {line}"
        )
    if step <= (sweep.step[-1] if sweep.step else -1):
        raise UserError(f"'{path}' is not a range test: its step does not increase at line {line}")
