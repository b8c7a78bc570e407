"""Loss against learning rate in a range test, over all seeds."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from clr_tui.engine.analysis.arrays import Bools, Floats, Ints
from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.analysis.smoothing import smooth
from clr_tui.engine.analysis.sweep.best_rate import BestRate, best_rate
from clr_tui.engine.metrics import Metric
from clr_tui.engine.settings.config import SMOOTHING, SUBSET_SAMPLES, RangeTest

CutShort = Literal["stopped", "failed", "lost"]


@dataclass(frozen=True)
class Curve:
    """Loss against learning rate. Arrays of shape (n,) share one grid: the steps of the sweep."""

    lr: Floats
    """Increasing."""
    loss: Floats
    """The median over seeds of the raw losses; NaN where not finite."""
    smoothed: Floats
    """The median over seeds of the smoothed losses."""
    low: Floats
    """The minimum over seeds of the smoothed losses; with one seed, equal to `smoothed`."""
    high: Floats
    """Their maximum."""
    seeds: tuple[Floats, ...]
    """The smoothed losses of each seed, NaN after its end."""
    raw: tuple[Floats, ...]
    """The raw ones."""
    ended: tuple[bool, ...]
    """Which of the seeds have completed their sweep and count in the median."""
    smoothing: float
    """The weight of a new loss in `smoothed`; 1: no smoothing."""
    end_lr: float | None
    """Where the sweep is planned to end, if known."""
    diverged: bool
    """Whether at least half of the sweeps ended early: the loss grew too far or was not finite."""
    running: bool
    cut_short: CutShort | None
    """How the run ended before any sweep completed; None if one did or still can."""
    metric: Metric
    """The primary one."""
    metric_lr: Floats
    """Learning rates at which it was measured on the validation subset, increasing; shape (m,)."""
    metric_values: Floats
    """The median over seeds; shape (m,)."""
    metric_samples: int | None
    """Validation samples that it was measured on; None if unknown."""

    @cached_property
    def best_rate(self) -> BestRate | None:
        """What the raw losses say about the best max_lr; None without finite losses."""
        counted = [raw for raw, ended in zip(self.raw, self.ended, strict=True) if ended]
        return best_rate(self.lr, counted or list(self.raw))


def curve_of(history: RunHistory, smoothing: float = SMOOTHING) -> Curve:
    """Builds the curve of a range test so far. Arrays are empty before the first step.

    The median and the band are over the seeds whose sweeps are complete, or over all while none
    is, so that a running sweep does not change the existing median. After its end, a sweep that
    diverged counts as worse than any loss: the median does not improve as bad sweeps drop out.

    Args:
        smoothing: the weight of a new loss; 1: no smoothing.
    """
    return history.cached(_build_curve, smoothing)  # for chart, panel and report


def _build_curve(history: RunHistory, smoothing: float) -> Curve:
    trials = [t for t in history.trials.values() if len(t)]
    asked = history.config.asked(RangeTest)
    grid, lr = _grid(trials)
    done = tuple(t.outcome == "done" or (t.outcome is not None and t.has_diverged) for t in trials)
    counted = [i for i in range(len(trials)) if done[i] or not any(done)]
    raw = every = _table(trials, grid, [t.loss for t in trials])
    smoothed = _table(trials, grid, [smooth(t.loss, smoothing) for t in trials])
    beyond = np.array([_past_divergence(t, grid) for t in trials]).reshape(len(trials), len(grid))
    if not _is_rising(lr):  # the log is damaged
        rising = _longest_rise(lr)
        lr, raw, smoothed, beyond = (
            lr[rising],
            raw[:, rising],
            smoothed[:, rising],
            beyond[:, rising],
        )
        every = raw
    if len(counted) < len(trials):
        raw, medians, beyond = raw[counted], smoothed[counted], beyond[counted]
    else:
        medians = smoothed  # a copy of a long sweep takes long
    low, high = _band(medians)
    metric_lr, metric_values = _measured(trials, history.primary)
    broken_off: CutShort | None = None
    if history.finished is not None and not any(done):
        broken_off = "failed" if history.finished.outcome == "failed" else "stopped"
    return Curve(
        lr=lr,
        loss=_median(raw, beyond),
        smoothed=_median(medians, beyond),
        low=low,
        high=high,
        seeds=tuple(smoothed),
        raw=tuple(every),
        ended=done,
        smoothing=smoothing,
        end_lr=asked.end_lr,
        diverged=2 * sum(trials[i].has_diverged for i in counted) >= max(1, len(counted)),
        running=history.finished is None,
        cut_short=broken_off,
        metric=history.primary,
        metric_lr=metric_lr,
        metric_values=metric_values,
        metric_samples=_subset_samples(history),
    )


def _grid(trials: list[TrialHistory]) -> tuple[Ints, Floats]:
    """The steps that any sweep made, and their rates: all sweeps of a run share one schedule."""
    if not trials:
        return np.empty(0, np.int64), np.empty(0)
    if len(trials) == 1:
        return trials[0].step, trials[0].lr
    steps, first = np.unique(np.concatenate([t.step for t in trials]), return_index=True)
    return steps, np.concatenate([t.lr for t in trials])[first]


def _is_rising(lr: Floats) -> bool:
    """Whether rates are above 0 and each is above the one before."""
    return not len(lr) or bool(lr[0] > 0 and np.all(lr[1:] > lr[:-1]))


def _longest_rise(lr: Floats) -> Ints:
    """The places of the longest sequence of rates that rises; those beside it are damaged."""
    tops: list[float] = []  # the lowest last rate of a sequence of each length, and its place
    places: list[int] = []
    before = np.full(len(lr), -1)
    for place in np.flatnonzero(np.isfinite(lr) & (lr > 0)).tolist():
        rate = float(lr[place])
        length = bisect_left(tops, rate)
        tops[length : length + 1] = [rate]
        places[length : length + 1] = [place]
        before[place] = places[length - 1] if length else -1
    rise = []
    place = places[-1] if places else -1
    while place >= 0:
        rise.append(place)
        place = int(before[place])
    return np.array(rise[::-1], dtype=np.int64)


def _table(trials: list[TrialHistory], grid: Ints, columns: list[Floats]) -> Floats:
    """One row per sweep, NaN where it has no value; shape (seeds, n)."""
    if len(trials) == 1:
        return columns[0][np.newaxis]
    table = np.full((len(trials), len(grid)), np.nan)
    for row, trial, column in zip(table, trials, columns, strict=True):
        row[np.searchsorted(grid, trial.step)] = column
    return table


def _past_divergence(trial: TrialHistory, grid: Ints) -> Bools:
    """The steps at which a sweep has no loss because it diverged; shape (n,)."""
    over = int(trial.step[-1]) + 1
    if trial.non_finite:
        over = min(over, trial.non_finite.step)
    return np.asarray(grid >= over) & trial.has_diverged


def _median(table: Floats, beyond: Bools) -> Floats:
    """The median of the known values of each column; NaN if there are none or it is not finite."""
    if not table.size:
        return np.full(table.shape[1], np.nan)
    if len(table) == 1:  # not copied if every value counts: a sweep may have a million steps
        counts = np.isfinite(table[0]) & ~beyond[0]
        return table[0] if counts.all() else np.where(counts, table[0], np.nan)
    ranked = np.sort(np.where(beyond, np.inf, table), axis=0)  # NaN comes last
    known = np.sum(~np.isnan(ranked), axis=0)
    at = np.arange(table.shape[1])
    lower = ranked[np.maximum(known - 1, 0) // 2, at]
    upper = ranked[np.minimum(known // 2, len(table) - 1), at]
    middle = np.where(known % 2 == 1, lower, (lower + upper) / 2)
    return np.where(np.isfinite(middle) & (known > 0), middle, np.nan)


def _band(table: Floats) -> tuple[Floats, Floats]:
    if len(table) == 1:
        return table[0], table[0]
    low = np.fmin.reduce(table, axis=0, initial=np.nan)
    high = np.fmax.reduce(table, axis=0, initial=np.nan)
    return np.asarray(low), np.asarray(high)


def _subset_samples(history: RunHistory) -> int | None:
    held_out = history.task.validation if history.task else 0
    return min(held_out, SUBSET_SAMPLES) if held_out else None


def _measured(trials: list[TrialHistory], metric: Metric) -> tuple[Floats, Floats]:
    """The median over seeds of a metric on the validation subset, by learning rate."""
    by_lr: dict[float, list[float]] = {}
    for trial in trials:
        for e in trial.evaluations:
            value = e.value(metric.name)
            if e.part == "subset" and e.lr is not None and e.lr > 0 and value is not None:
                by_lr.setdefault(e.lr, []).append(value)
    lrs = sorted(by_lr)
    return np.array(lrs), np.array([float(np.median(by_lr[lr])) for lr in lrs])
