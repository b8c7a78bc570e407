"""Recognises a comparison among the logs of several runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clr_tui.engine.analysis.arrays import finite_or_none
from clr_tui.engine.analysis.logged import LoggedColumns
from clr_tui.engine.analysis.metric_names import read_name
from clr_tui.engine.analysis.recordings.curve_run import CurveRow, CurveTrial, run_of_curves
from clr_tui.engine.log import events as ev
from clr_tui.engine.metrics import ACCURACY, LOSS
from clr_tui.engine.settings.config import MAX_TRIALS, RunConfig

_SEED = re.compile(
    r"(?:^|[-_ /])(?:seed|s|run|rep|repeat|trial|version|v|fold|r)?[-_= ]?(\d+)(?=$|[-_ /])", re.I
)
"""The part of a run's name that tells it from others of its group."""
_ACCURACIES = frozenset({"acc", "accuracy"})


class LoggedValues(NamedTuple):
    """The values of a run."""

    name: str
    columns: LoggedColumns


def comparison_of(
    runs: Sequence[LoggedValues], name: str, created: float
) -> tuple[RunConfig, list[ev.AnyEvent]] | None:
    """Makes a comparison of several runs of several groups.

    Groups are told by names: `adam_seed0`, `adam_seed1`, `sgd/run-1`, `sgd/run-2`. Runs are
    compared by what they measured on the validation data, once an epoch; accuracy comes first.

    Args:
        runs: the runs.
        name: the name of the comparison.
        created: when it was made, Unix time in seconds.

    Returns:
        None if there are no two groups of at least two runs each, or nothing to compare them by.
    """
    groups: dict[str, dict[int, LoggedColumns]] = {}
    for run in runs:
        group, seed = group_and_seed(run.name)
        if seed is None or seed in groups.setdefault(group, {}):
            return None
        groups[group][seed] = run.columns
    if len(groups) < 2 or min(map(len, groups.values())) < 2 or len(runs) > MAX_TRIALS:
        return None
    trials = [
        CurveTrial(entry, group, seed, rows=_rows(columns))
        for entry, (group, of_seed) in enumerate(groups.items())
        for seed, columns in sorted(of_seed.items())
    ]
    if any(not any(row.validation for row in trial.rows) for trial in trials):
        return None
    return run_of_curves(name, created, trials)


def group_and_seed(name: str) -> tuple[str, int | None]:
    """The name of a run's group, and its number in it; None if it has no number."""
    found = [*_SEED.finditer(name)]
    if not found:
        return name, None
    last = found[-1]
    rest = name[: last.start()] + name[last.end() :]
    return rest.strip("-_ /") or "runs", int(last[1])


def _rows(columns: LoggedColumns) -> list[CurveRow]:
    """The validations of a run, each as one epoch, with the training values of the time."""
    validation, train = _by_metric(columns, "val"), _by_metric(columns, "train")
    steps = [columns.column(one).step for one in validation.values()]
    if not steps:
        return []
    at = np.unique(np.concatenate(steps))
    return [
        CurveRow(epoch, _values(columns, train, step), _values(columns, validation, step))
        for epoch, step in enumerate(at.tolist(), start=1)
    ]


def _by_metric(columns: LoggedColumns, part: str) -> dict[str, str]:
    """The names of columns by those of metrics, accuracy first and the loss last."""
    found: dict[str, str] = {}
    for one in map(read_name, columns.names):
        if one.part == part and one.sort in ("loss", "metric"):
            metric = one.quantity.casefold()
            if metric in _ACCURACIES:
                share = not (columns.column(one.name).value > 1).any()
                metric = ACCURACY.name if share else "acc"  # in percent: a number like others
            if metric not in found or one.each == "epoch":
                found[metric] = one.name
    order = {ACCURACY.name: 0, "acc": 0, LOSS.name: 2}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], 1)))


def _values(columns: LoggedColumns, names: dict[str, str], step: int) -> dict[str, float | None]:
    """The values at a step, by metric."""
    values: dict[str, float | None] = {}
    for metric, name in names.items():
        column = columns.column(name)
        place = int(np.searchsorted(column.step, step))
        there = place < len(column.step) and column.step[place] == step
        values[metric] = finite_or_none(float(column.value[place])) if there else None
    return values
