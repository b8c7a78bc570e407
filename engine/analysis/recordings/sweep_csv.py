"""Reads a CSV of a range test as the events of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from clr_tui.engine.analysis.recordings.csv_table import Table, number, open_csv
from clr_tui.engine.analysis.sweep.noise import share_of_new
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import SMOOTHING, RangeTest, RunConfig, TaskConfig
from clr_tui.engine.words import listed, many, was

STEPS_PER_SECOND = 10.0
"""The replay speed of an imported sweep, which has no times."""
_NAMES = {
    "trial": ("trial",),
    "step": ("step", "steps", "iteration", "iterations", "iter", "batch", "", "unnamed: 0"),
    "lr": ("lr", "lrs", "learning_rate", "learning rate", "learning-rate"),
    "loss": ("loss", "losses"),
}
"""The names of each column, the first of them that is there; pandas gives an index none."""
_CHUNK = 4
_MAX_CHUNKS = 250
"""A sweep has at most about this many chunks, unless they would be shorter than `_CHUNK`."""


@dataclass
class _Sweep:
    """The columns of one trial."""

    step: list[int] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    loss: list[float | None] = field(default_factory=list)


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
    lr = next(iter(sweeps.values())).lr
    config = RunConfig(
        id=path.stem,
        created=path.stat().st_mtime,
        version="",
        task=TaskConfig(data=path.stem, model=""),
        job=RangeTest(
            start_lr=lr[0],
            end_lr=_planned_end(lr),
            steps=len(lr),
            seeds=len(sweeps),
            smoothing=_smoothing(sweeps),
        ),
    )
    return config, list(_events(config, sweeps, zeros))


def _smoothing(sweeps: dict[int, _Sweep]) -> float:
    """1 for losses that look as if they were smoothed as ours are, else the usual weight."""
    losses = [np.array(sweep.loss, np.float64) for sweep in sweeps.values()]
    new = share_of_new([loss[np.isfinite(loss)] for loss in losses])
    return SMOOTHING if new > SMOOTHING else 1.0


def _planned_end(lr: list[float]) -> float:
    """The planned end: step N of `start * (end / start)^(i / N)`, if the last step is N - 1."""
    return lr[-1] * lr[-1] / lr[-2] if len(lr) > 1 else lr[-1]


def _sweeps(path: Path, table: Table, columns: dict[str, int]) -> tuple[dict[int, _Sweep], int]:
    """The sweeps by trial, and the number of rows left out at their start, with a rate of 0."""
    trial, step = columns.get("trial"), columns.get("step")
    sweeps: dict[int, _Sweep] = {}
    zeros = 0
    for line, row in table.rows:
        try:
            key = int(row[trial]) if trial is not None else 0
            sweep = sweeps.get(key, _Sweep())
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


def _check(path: Path, line: int, sweep: _Sweep, step: int, lr: float) -> None:
    if not (math.isfinite(lr) and lr > 0):
        raise UserError(f"line {line} of '{path}' has the learning rate {lr}: it must be above 0")
    if sweep.lr and lr <= sweep.lr[-1]:
        raise UserError(
            f"'{path}' is not a range test: its learning rate does not increase at line {line}"
        )
    if step <= (sweep.step[-1] if sweep.step else -1):
        raise UserError(f"'{path}' is not a range test: its step does not increase at line {line}")


def _events(config: RunConfig, sweeps: dict[int, _Sweep], zeros: int) -> Iterator[ev.AnyEvent]:
    now = 0.0
    yield ev.RunStarted(time=now, run=config.id, kind=config.kind)
    if zeros:
        text = f"{many(zeros, 'step')} with a learning rate of 0 {was(zeros)} left out"
        yield ev.Note(time=now, level="info", text=text)
    for trial, sweep in sweeps.items():
        n = len(sweep.step)
        yield ev.TrialStarted(time=now, trial=trial, seed=trial, total_steps=n, steps_per_epoch=0)
        chunk = max(_CHUNK, n // _MAX_CHUNKS)
        start = now
        for i in range(0, n, chunk):
            part = slice(i, i + chunk)
            now = start + min(i + chunk, n) / STEPS_PER_SECOND
            yield ev.Steps(
                time=now,
                trial=trial,
                step=sweep.step[part],
                lr=sweep.lr[part],
                loss=sweep.loss[part],
            )
        if sweep.loss[-1] is None:  # an earlier gap is just a gap
            at = n - 1
            while at and sweep.loss[at - 1] is None:
                at -= 1
            yield ev.NonFinite(time=now, trial=trial, step=sweep.step[at], lr=sweep.lr[at])
        yield ev.TrialFinished(time=now, trial=trial, outcome="done", step=n)
    yield ev.RunFinished(time=now, outcome="done")
