"""A run's numbers as CSV, floats given in full.

What was not measured, or is not finite, is an empty field.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import repeat

from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.analysis.recordings.csv_cells import Cell, to_csv
from clr_tui.engine.kinds import JOB_KINDS

STEP_COLUMNS = ("trial", "step", "epoch", "lr", "loss", "accuracy", "seconds")
WHOSE_COLUMNS = ("optimizer", "seed", "role")
EPOCH_COLUMNS = (
    "trial",
    "epoch",
    "step",
    "lr",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "seconds",
)


def steps_csv(history: RunHistory) -> str:
    """One row a step: trial, step, epoch, lr, loss, accuracy, seconds.

    Steps count from 0, epochs from 1; the loss is the raw one of the batch, accuracies are 0 to
    1, seconds are those of training in the trial. Those of a comparison begin with three columns
    more: optimizer, seed, role (`train`, or `sweep` where a rate was tuned).
    """
    trials = history.trials.values()
    if not JOB_KINDS[history.config.kind].named_trials:
        return to_csv(STEP_COLUMNS, (row for trial in trials for row in _step_rows(trial)))
    return to_csv(
        (*WHOSE_COLUMNS, *STEP_COLUMNS),
        (
            (trial.label, trial.seed, trial.role, *row)
            for trial in trials
            for row in _step_rows(trial)
        ),
    )


def _step_rows(trial: TrialHistory) -> Iterable[tuple[Cell, ...]]:
    steps, length = trial.step.tolist(), trial.steps_per_epoch
    epochs = [step // length + 1 if length else None for step in steps]
    columns = (trial.lr, trial.loss, trial.accuracy, trial.seconds)
    numbers = ([_finite(v) for v in column.tolist()] for column in columns)
    return zip(repeat(trial.trial, len(steps)), steps, epochs, *numbers, strict=True)


def epochs_csv(history: RunHistory) -> str:
    """One row an epoch of training: losses, accuracies (0 to 1), the rate at its end, seconds."""
    rows = (row for trial in history.trials.values() for row in _epoch_rows(trial))
    return to_csv(EPOCH_COLUMNS, rows)


def _epoch_rows(trial: TrialHistory) -> Iterable[tuple[Cell, ...]]:
    validations = trial.validations()
    for epoch in trial.epochs:
        validation = validations.get(epoch.epoch)
        numbers = (
            validation.lr if validation else None,
            epoch.train_loss,
            epoch.train_accuracy,
            validation.loss if validation else None,
            validation.accuracy if validation else None,
            epoch.seconds,
        )
        yield trial.trial, epoch.epoch, epoch.step, *map(_finite, numbers)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
