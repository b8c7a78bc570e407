"""Recognises a range test among the values of a log."""

from __future__ import annotations

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints, finite_or_none
from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING, Mapping
from clr_tui.engine.analysis.foreign.mapped import same_name
from clr_tui.engine.analysis.logged import LoggedColumn, LoggedColumns
from clr_tui.engine.analysis.metric_names import MetricName, read_name
from clr_tui.engine.analysis.recordings.sweep_run import Sweep, run_of_sweeps
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import RunConfig

_FEWEST = 3
_LEAST_RISE = 10.0
"""The last rate divided by the first."""
_MAX_DEVIATION = 0.02
"""Of the logarithms of the rates from a line, as a share of their range."""


def range_test_of(
    columns: LoggedColumns, name: str, created: float, mapping: Mapping = NO_MAPPING
) -> tuple[RunConfig, list[ev.AnyEvent]] | None:
    """Makes a range test of a log in which the learning rate rises exponentially, step by step.

    The loss is that of the training, of single steps rather than epochs. Rates of 0 at the start
    are left out with a note.

    Args:
        columns: the values of the log.
        name: the name of the run.
        created: when it was made, Unix time in seconds.
        mapping: `x` names the learning rate and `y` first the loss, if given; the rate may then
            rise in any way.

    Returns:
        None if it is no range test.
    """
    rate = same_name(mapping.x, columns.names) if mapping.x else None
    loss = same_name(mapping.y[0], columns.names) if mapping.y else None
    if rate is not None and loss is not None:
        found = _aligned(columns.column(rate), columns.column(loss))
        return _run(found, name, created) if found is not None and _rises(found[1]) else None
    if mapping != NO_MAPPING:
        return None
    names = [read_name(one) for one in columns.names]
    losses = _losses(names)
    for one in names:
        if one.sort == "lr" and losses and _rises_exponentially(columns.column(one.name)):
            found = _best_aligned(columns, one, losses)
            return None if found is None else _run(found, name, created)
    return None


def _losses(names: list[MetricName]) -> list[MetricName]:
    """The losses of the training, the likeliest first."""
    found = [n for n in names if n.sort == "loss" and n.part in ("", "train") and n.each != "epoch"]
    return sorted(found, key=lambda n: n.quantity.casefold() not in ("loss", "losses"))


def _rises(lr: Floats) -> bool:
    """Whether the rates rise from above 0, behind any zeros at the start."""
    positive = lr[int(np.argmax(lr != 0)) :]
    return bool(len(positive) >= _FEWEST and positive[0] > 0 and (np.diff(positive) > 0).all())


def _rises_exponentially(column: LoggedColumn) -> bool:
    start = int(np.argmax(column.value != 0))
    lr, step = column.value[start:], column.step[start:]
    if not _rises(lr) or lr[-1] < _LEAST_RISE * lr[0]:
        return False
    logs = np.log(lr)
    straight = np.interp(step, [step[0], step[-1]], [logs[0], logs[-1]])
    return bool(np.abs(logs - straight).max() <= _MAX_DEVIATION * (logs[-1] - logs[0]))


def _best_aligned(
    columns: LoggedColumns, rate: MetricName, losses: list[MetricName]
) -> tuple[Ints, Floats, Floats] | None:
    """With the first of the losses that fits."""
    lr = columns.column(rate.name)
    aligned = (_aligned(lr, columns.column(loss.name)) for loss in losses)
    return next((found for found in aligned if found is not None), None)


def _aligned(lr: LoggedColumn, loss: LoggedColumn) -> tuple[Ints, Floats, Floats] | None:
    """The steps, rates and losses, NaN where there is none; None if half of the steps have none."""
    step, of_lr, of_loss = np.intersect1d(lr.step, loss.step, True, return_indices=True)
    if len(step) < _FEWEST or 2 * len(step) <= len(lr.step):
        return None
    losses = np.full(len(lr.step), np.nan)
    losses[of_lr] = loss.value[of_loss]
    return lr.step, lr.value, losses


def _run(
    found: tuple[Ints, Floats, Floats], name: str, created: float
) -> tuple[RunConfig, list[ev.AnyEvent]]:
    step, lr, loss = found
    zeros = int(np.argmax(lr > 0))
    sweep = Sweep(
        step=step[zeros:].tolist(),
        lr=lr[zeros:].tolist(),
        loss=[finite_or_none(value) for value in loss[zeros:].tolist()],
    )
    return run_of_sweeps(name, created, {0: sweep}, zeros)
