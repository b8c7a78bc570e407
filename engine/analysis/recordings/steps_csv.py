"""Writes a run as CSV: floats in full, empty fields for what is not measured or not finite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np

from clr_tui.engine.analysis.arrays import finite_or_none
from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.analysis.recordings.csv_cells import Cell, to_csv
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.metrics import LOSS

TRIAL_COLUMNS = ("optimizer", "seed", "role")


def steps_csv(history: RunHistory) -> str:
    """Writes one row per step: trial, step, epoch, lr, loss, the metrics by name, seconds.

    Steps count from 0, epochs from 1. The loss is that of the batch, not smoothed; shares are 0 to
    1; seconds count training in the trial. A comparison has three more columns in front:
    optimizer, seed, role (`train`, or `sweep` to tune a rate). If an optimizer finds its own rate,
    `effective_lr` is the one in effect.
    """
    named = JOB_KINDS[history.config.kind].named_trials
    names = [metric.name for metric in history.metrics]
    effective = any(np.isfinite(trial.effective_lr).any() for trial in history.trials.values())
    rates = ("lr", "effective_lr") if effective else ("lr",)
    header = ("trial", "step", "epoch", *rates, "loss", *names, "seconds")
    rows = (
        (trial.label, trial.seed, trial.role, *row) if named else row
        for trial in history.trials.values()
        for row in _step_rows(trial, rates, names)
    )
    return to_csv((*TRIAL_COLUMNS, *header) if named else header, rows)


def _step_rows(
    trial: TrialHistory, rates: Sequence[str], names: Sequence[str]
) -> Iterable[tuple[Cell, ...]]:
    steps, length = trial.step.tolist(), trial.steps_per_epoch
    epochs = [step // length + 1 if length else None for step in steps]
    moved = (trial.lr, trial.effective_lr)[: len(rates)]
    columns = (*moved, trial.loss, *map(trial.metric, names), trial.seconds)
    numbers = (map(finite_or_none, column.tolist()) for column in columns)
    return zip(repeat(trial.trial, len(steps)), steps, epochs, *numbers, strict=True)


def epochs_csv(history: RunHistory) -> str:
    """Writes one row per epoch: loss and metrics (shares 0 to 1), the rate at its end, seconds."""
    names = [LOSS.name, *(metric.name for metric in history.metrics)]
    parts = (f"{part}_{name}" for part in ("train", "validation") for name in names)
    rows = (row for trial in history.trials.values() for row in _epoch_rows(trial, names))
    return to_csv(("trial", "epoch", "step", "lr", *parts, "seconds"), rows)


def _epoch_rows(trial: TrialHistory, names: Sequence[str]) -> Iterable[tuple[Cell, ...]]:
    validations = trial.validations()
    for epoch in trial.epochs:
        validation = validations.get(epoch.epoch)
        numbers = (
            validation.lr if validation else None,
            *map(epoch.train_value, names),
            *(validation.value(name) if validation else None for name in names),
            epoch.seconds,
        )
        yield trial.trial, epoch.epoch, epoch.step, *map(finite_or_none, numbers)
