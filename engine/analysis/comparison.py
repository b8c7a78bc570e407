"""A comparison as its log tells it: entries, their trials, and curves over the seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.runs.events import Evaluated, RateChosen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Quantity = Literal["accuracy", "loss"]
CurvePart = Literal["train", "validation"]
XScale = Literal["epoch", "step", "seconds"]
TrialState = Literal["waiting", "running", "done", "stopped", "failed"]


@dataclass(frozen=True)
class SeedCurve:
    """One trial: arrays of shape (n,), one entry a finished epoch."""

    trial: int
    seed: int
    state: TrialState
    reason: str
    """Why it failed or was stopped, a sentence."""
    total_epochs: int | None
    epoch: Ints
    """From 1, rising; an epoch whose line was lost is missing."""
    step: Ints
    """Steps done at its end."""
    seconds: Floats
    """Since the trial began, validation included; NaN where not known."""
    train_accuracy: Floats
    """0 to 1; NaN where not known; likewise the next three."""
    train_loss: Floats
    validation_accuracy: Floats
    validation_loss: Floats
    test_last: Evaluated | None
    """The test part measured with the model of the last epoch, and of the best on validation."""
    test_best: Evaluated | None

    def values(self, quantity: Quantity, part: CurvePart) -> Floats:
        """One of the four curves."""
        curve: Floats = getattr(self, f"{part}_{quantity}")
        return curve

    def x(self, scale: XScale) -> Floats:
        """Where its values stand on the x axis."""
        place: Floats = getattr(self, scale)
        return place.astype(np.float64)


@dataclass(frozen=True)
class EntryCurves:
    """One optimizer of the comparison."""

    entry: int
    label: str
    rate: RateChosen | None
    """None until it is known, and of imported curves."""
    trials: tuple[SeedCurve, ...]
    """In the order of their seeds; those that wait are among them, their arrays empty."""


@dataclass(frozen=True)
class MeanCurve:
    """The mean over seeds; arrays of shape (n,)."""

    x: Floats
    mean: Floats
    low: Floats
    """The 95% t-interval of the mean; NaN where there are fewer than two seeds, or no spread."""
    high: Floats
    seeds: Ints
    """How many seeds each mean is of."""


def comparison_of(history: RunHistory) -> tuple[EntryCurves, ...]:
    """The entries, in the order in which they were asked for. Memoised for each history version.

    Entries come from the run's configuration where there is one, else from the log's trials.
    Sweeps are left out.
    """
    raise NotImplementedError


def mean_curve(
    entry: EntryCurves, quantity: Quantity, part: CurvePart, scale: XScale = "epoch"
) -> MeanCurve:
    """The mean of an entry's trials, epoch by epoch, over those that reached the epoch.

    By seconds, the x of an epoch is the mean of its trials' seconds. A value that is not finite
    in any of the trials leaves the mean of that epoch NaN. An epoch is there as soon as one trial
    reached it while trials run, so that the line moves; `seeds` tells how many.
    """
    raise NotImplementedError
