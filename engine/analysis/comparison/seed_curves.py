"""The curves of a comparison: by entry and trial, and means over the seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

import numpy as np

from clr_tui.engine.analysis.arrays import Bools, Floats, Ints, finite_or_none
from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.analysis.statistics import interval_factor
from clr_tui.engine.log.events import EpochFinished, Evaluated, RateChosen, TrialStarted
from clr_tui.engine.log.state import ENDED, State
from clr_tui.engine.metrics import LOSS, Metric
from clr_tui.engine.policies import whole_cycle_epochs
from clr_tui.engine.settings.config import Compare

CurvePart = Literal["train", "validation"]
XScale = Literal["epoch", "step", "seconds"]

NEVER_STARTED = "the run ended before it started"
CUT_SHORT = "the run ended before it did"
_MAX_ENTRIES = 1000
"""A limit, since a damaged log may name any entry."""
_EXACT_INTS = range(2**53)
"""Possible numbers of epochs and steps: a damaged log may contain any."""


@dataclass(frozen=True)
class SeedCurve:
    """One trial: arrays of shape (n,), one value per finished epoch."""

    trial: int
    seed: int
    state: State
    reason: str
    """A sentence on why it failed or was stopped."""
    total_epochs: int | None
    epoch: Ints
    """From 1, increasing; an epoch whose line was lost is missing."""
    step: Ints
    """Steps done at the end of the epoch."""
    seconds: Floats
    """Since the start of the trial, validation included; NaN if unknown."""
    train: dict[str, Floats]
    """The loss and the metrics by name, NaN if unknown."""
    validation: dict[str, Floats]
    test_last: Evaluated | None
    """The model of the last epoch, evaluated on the test part."""
    test_best: Evaluated | None
    """The same for the model that was best on validation."""
    diverged: bool = False
    """Whether its loss became not finite."""

    def values(self, name: str, part: CurvePart) -> Floats:
        """The curve of the loss or a metric; all NaN if it was never measured."""
        curves = self.train if part == "train" else self.validation
        return curves[name] if name in curves else np.full(len(self.epoch), np.nan)

    def x(self, scale: XScale) -> Floats:
        """The x of its values."""
        place: Floats = getattr(self, scale)
        return place.astype(np.float64)


@dataclass(frozen=True)
class EntryCurves:
    """One optimizer of the comparison."""

    entry: int
    label: str
    rate: RateChosen | None
    """None until it is known, and for imported curves."""
    trials: tuple[SeedCurve, ...]
    """In the order of their seeds; waiting trials are included, with empty arrays."""


@dataclass(frozen=True)
class MeanCurve:
    """The mean over seeds; arrays of shape (n,)."""

    x: Floats
    mean: Floats
    low: Floats
    """The 95% t-interval of the mean; NaN for fewer than two seeds or no spread."""
    high: Floats
    seeds: Ints
    """The number of seeds in each mean."""


def entry_curves(history: RunHistory) -> tuple[EntryCurves, ...]:
    """Builds the curves of the entries in the configuration's order, without sweeps.

    Once the run is over, unfinished trials are `stopped`.
    """
    return history.cached(_build_entries)


def _build_entries(history: RunHistory) -> tuple[EntryCurves, ...]:
    compare = history.config.asked(Compare)
    planned = planned_epochs(compare)
    labels = [e.label for e in compare.entries]
    by_seed: list[dict[int, SeedCurve]] = [{} for _ in labels]  # by entry, then by seed
    for trial in history.trials.values():
        place = _entry_and_seed(history, trial, labels)
        if place is not None:
            entry, seed = place
            by_seed[entry][seed] = trial.cached(_curve_of, seed, planned)
    for entry, seeds in enumerate(by_seed):
        for i in range(compare.seeds if compare.paired else 0):  # imported curves are complete
            seed = history.config.task.seed + i
            if seed not in seeds:
                blank = _curve_of(TrialHistory(compare.trial_number(entry, i)), seed, planned)
                seeds[seed] = replace(blank, state="waiting")
    curves = [tuple(seeds[s] for s in sorted(seeds)) for seeds in by_seed]
    if history.finished:
        curves = [tuple(map(of_run_that_is_over, trials)) for trials in curves]
    return tuple(
        EntryCurves(entry, label, history.rates.get(entry), trials)
        for entry, (label, trials) in enumerate(zip(labels, curves, strict=True))
    )


def entry_labels(trials: Iterable[TrialHistory | TrialStarted]) -> list[str]:
    """The labels of the entries in a log, by their number or in order of appearance."""
    labels: dict[int, str] = {}
    for trial in trials:
        if trial.label and trial.label not in labels.values() and len(labels) < _MAX_ENTRIES:
            entry = trial.entry
            if entry is None or entry in labels or not 0 <= entry < _MAX_ENTRIES:
                entry = max(labels, default=-1) + 1
            labels[entry] = trial.label
    return [labels.get(i, f"entry {i + 1}") for i in range(max(labels, default=-1) + 1)]


def _entry_and_seed(
    history: RunHistory, trial: TrialHistory, labels: list[str]
) -> tuple[int, int] | None:
    """Entry and seed of a trial; None for a sweep, or if unknown.

    Trainings are numbered entry by entry, so the number identifies one whose first line was lost.
    """
    if trial.role == "sweep":
        return None
    if trial.entry is not None and 0 <= trial.entry < len(labels):
        return trial.entry, trial.seed
    if trial.label in labels:
        return labels.index(trial.label), trial.seed
    config = history.config
    entry, i = config.asked(Compare).entry_and_seed(trial.trial)
    return (entry, config.task.seed + i) if 0 <= entry < len(labels) else None


def of_run_that_is_over(trial: SeedCurve) -> SeedCurve:
    """The trial as it was when its run ended."""
    if trial.state in ENDED:
        return trial
    reason = NEVER_STARTED if trial.state == "waiting" else CUT_SHORT
    return replace(trial, state="stopped", reason=reason)


def are_tested(history: RunHistory, curves: Iterable[EntryCurves]) -> bool:
    """Whether trials are, or will be, evaluated on a test part at their end."""
    trials = [t for e in curves for t in e.trials]
    to_be = history.task is not None and history.task.test > 0
    return any(t.test_last for t in trials) or (to_be and all(t.state != "done" for t in trials))


def final_value(trial: SeedCurve, metric: Metric, *, tested: bool) -> float | None:
    """A metric of the model of the last epoch, on the test part or on validation.

    None if it was not measured or is not finite.
    """
    if tested:
        return finite_or_none(trial.test_last.value(metric.name)) if trial.test_last else None
    values = trial.values(metric.name, "validation")
    return finite_or_none(float(values[-1])) if len(values) else None


def planned_epochs(compare: Compare) -> int:
    """The length of each trial."""
    if not compare.whole_cycles:
        return compare.epochs
    step_size = compare.step_size_epochs
    return max(
        [whole_cycle_epochs(e.policy, compare.epochs, step_size) for e in compare.entries],
        default=compare.epochs,
    )


def _curve_of(trial: TrialHistory, seed: int, planned: int) -> SeedCurve:
    epochs = _without_repeats(trial.epochs)
    validations = trial.validations()
    measured = [validations.get(e.epoch) for e in epochs]
    tests = {e.checkpoint or "last": e for e in trial.evaluations if e.part == "test"}
    return SeedCurve(
        trial=trial.trial,
        seed=seed,
        state=trial.outcome or ("waiting" if trial.interrupted else "running"),
        reason=trial.reason,
        total_epochs=planned if trial.total_epochs is None else trial.total_epochs,
        epoch=np.array([e.epoch for e in epochs], np.int64),
        step=np.array([e.step for e in epochs], np.int64),
        seconds=_seconds_since_start(epochs),
        train={
            name: _column([e.train_value(name) for e in epochs])
            for name in _names(e.train_metrics for e in epochs)
        },
        validation={
            name: _column([v.value(name) if v else None for v in measured])
            for name in _names(v.metrics for v in measured if v)
        },
        test_last=tests.get("last"),
        test_best=tests.get("best"),
        diverged=trial.has_diverged,
    )


def _names(measured: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys([LOSS.name, *chain.from_iterable(measured)]))


def _without_repeats(epochs: list[EpochFinished]) -> list[EpochFinished]:
    """Drops what a damaged log may repeat."""
    kept: list[EpochFinished] = []
    for e in epochs:
        before = kept[-1].epoch if kept else 0
        if before < e.epoch and e.epoch in _EXACT_INTS and e.step in _EXACT_INTS:
            kept.append(e)
    return kept


def _seconds_since_start(epochs: list[EpochFinished]) -> Floats:
    """Seconds until the end of each epoch; NaN after an epoch that was lost."""
    numbers = np.array([e.epoch for e in epochs], np.int64)
    lost = numbers != np.arange(1, len(epochs) + 1)
    seconds: Floats = np.cumsum(_column([e.seconds for e in epochs]))
    return np.where(lost, np.nan, seconds)


def _column(values: list[float | None]) -> Floats:
    return np.array(values, np.float64)  # None becomes NaN


def mean_curve(
    entry: EntryCurves, name: str, part: CurvePart, scale: XScale = "epoch"
) -> MeanCurve:
    """The mean loss or metric of an entry's trials, over those that reached each epoch.

    On the scale of seconds, the x of an epoch is the mean of its trials' seconds, but never below
    that of an earlier epoch (a fast trial may be ahead). The mean of an epoch is NaN if any trial's
    value is not finite. An epoch appears as soon as one trial reaches it, so that the line moves
    while trials run; `seeds` counts them.
    """
    trials = [t for t in entry.trials if len(t.epoch)]
    epochs = np.unique(np.concatenate([t.epoch for t in trials] or [np.empty(0, np.int64)]))
    reached = np.zeros((len(trials), len(epochs)), np.bool_)
    values, places = np.zeros(reached.shape), np.zeros(reached.shape)
    for i, trial in enumerate(trials):
        at = np.searchsorted(epochs, trial.epoch)
        reached[i, at] = True
        values[i, at] = trial.values(name, part)
        places[i, at] = trial.x(scale)
    n = np.asarray(reached.sum(axis=0), np.int64)
    with np.errstate(all="ignore"):
        mean = np.where(np.isfinite(values).all(axis=0), values.sum(axis=0) / n, np.nan)
        half = _half_widths(values, reached, mean, n)
        x = places.sum(axis=0) / n
    x = np.where(np.isfinite(x), np.fmax.accumulate(x), np.nan) if len(x) else x
    return MeanCurve(x=x, mean=mean, low=mean - half, high=mean + half, seeds=n)


def _half_widths(values: Floats, reached: Bools, mean: Floats, n: Ints) -> Floats:
    """For the 95% intervals; NaN for fewer than two seeds, or if all values are identical."""
    if not values.size:
        return np.full(mean.shape, np.nan)
    squares = np.where(reached, (values - mean) ** 2, 0.0).sum(axis=0)
    sd = np.sqrt(squares / (n - 1))
    high = np.where(reached, values, -np.inf).max(axis=0)
    low = np.where(reached, values, np.inf).min(axis=0)
    half: Floats = np.where(high > low, sd * interval_factor(n), np.nan)
    return half
