"""The curves of one run: where they are on each x axis, and smoothed."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.centred_mean import GrowingMean
from clr_tui.engine.analysis.growing import GrowingFloats, GrowingMax, SharedFloats
from clr_tui.engine.analysis.logged import LoggedColumn
from clr_tui.engine.analysis.metric_names import read_name
from clr_tui.engine.analysis.run_columns import EPOCH, Columns
from clr_tui.tui.text.chart_options import WEIGHTS

XAxis = Literal["step", "epoch", "time", "lr"]
X_AXES: tuple[XAxis, ...] = ("step", "epoch", "time", "lr")
_PART = 0.1
"""Share of a curve that smoothing mixes at most: a curve of ten epochs is shown as it is."""
_LONG = 1 << 19
"""Values from which on means of neighbours are smoothed: charts have a few hundred columns."""


class Smoothed(NamedTuple):
    """A smoothed curve: `values` are at the places `first::every` of the column."""

    values: Floats
    first: int
    every: int
    weight: float
    """Of a new value; 1 if the values are as they were logged."""


class RunCurves:
    """The curves of a run or of a trial; remembers what was computed of those that grow.

    Args:
        name: to show; empty for a run that is shown alone.
        columns: its values; may grow, or be replaced.
        since: Unix time from which time is counted; None: that of the first value.
    """

    def __init__(self, name: str, columns: Columns, since: float | None = None) -> None:
        self.name = name
        self.columns = columns
        self.since = since
        self._steps = SharedFloats(_floats)
        self._times = math.nan, SharedFloats(_floats)
        """The start, and the seconds since then."""
        self._epoch_places: dict[str, tuple[LoggedColumn, GrowingFloats]] = {}
        self._scaled: dict[str, tuple[float, GrowingFloats]] = {}
        self._highest: defaultdict[str, GrowingMax] = defaultdict(GrowingMax)
        self._means: dict[str, tuple[int, GrowingFloats, GrowingMean]] = {}

    def has(self, axis: XAxis) -> bool:
        """Whether its values have a place on this axis."""
        if axis == "step":
            return True
        if axis == "time":
            return math.isfinite(self.start())
        if axis == "lr":
            return self._rates() is not None
        counts_epochs = (self.columns.column(name).x == EPOCH for name in self.columns.names)
        return self._epochs() is not None or any(counts_epochs)

    def start(self) -> float:
        """The time from which time is counted; NaN if no time of a value is known."""
        firsts = [self.columns.column(name).at[:1] for name in self.columns.names]
        known = np.concatenate(firsts) if firsts else np.empty(0)
        if not np.isfinite(known).any():
            return math.nan
        return float(np.nanmin(known)) if self.since is None else self.since

    def places(self, axis: XAxis) -> Callable[[str], Floats]:
        """Returns what says where the values of a name are, shape (n,), NaN where unknown.

        These are steps, epochs, seconds from the start, or rates; they must not be written to.
        """
        if axis == "step":
            return self._at_steps
        if axis == "time":
            return partial(self._at_times, self.start())
        found = self._epochs() if axis == "epoch" else self._rates()
        return partial(self._at_epochs if axis == "epoch" else self._at_rates, found)

    def ends(self, axis: XAxis) -> Callable[[str], Floats]:
        """Returns what says the least and the greatest place of a name, if any is known."""
        if axis == "lr":
            places = self.places(axis)
            return lambda name: _finite(places(name))
        epochs = self._epochs() if axis == "epoch" else None
        start = self.start() if axis == "time" else math.nan

        def first_and_last(name: str) -> Floats:
            column = self.columns.column(name)
            if axis == "time":
                return _finite(column.at[[0, -1]] - start)
            step = column.step[[0, -1]]
            if axis == "step" or column.x == EPOCH:
                return step.astype(np.float64)
            return np.empty(0) if epochs is None else _interpolated(step, epochs)

        return first_and_last

    def values(self, name: str, unit: float = 1.0) -> Floats:
        """The values of a name times `unit`, which must not be written to; shape (n,)."""
        values = self.columns.column(name).value
        if unit == 1:
            return values
        known = self._scaled.get(name)
        if known is None or known[0] != unit:
            known = self._scaled[name] = unit, GrowingFloats(lambda part: unit * part)
        return known[1].of(values)

    def highest(self, name: str) -> float:
        """The greatest value of a name; NaN if none is finite."""
        return self._highest[name].of(self.columns.column(name).value)

    def smoothed(self, name: str, weight: float) -> Smoothed:
        """The values of a name, smoothed: short curves less, and very long ones by parts."""
        values = self.columns.column(name).value
        weight = smoothing_of(len(values), weight)
        if weight == 1:
            return Smoothed(values, 0, 1, 1.0)
        every = _neighbours(len(values), weight)
        known = self._means.get(name)
        of_part = 1 - (1 - weight) ** every
        if known is None or known[0] != every or known[2].alpha != of_part:
            means = GrowingFloats(_means_of)
            known = self._means[name] = every, means, GrowingMean(of_part)
        if every == 1:
            return Smoothed(known[2].of(values), 0, 1, weight)
        whole = len(values) // every * every
        parts = known[1].of(values[:whole].reshape(-1, every))
        return Smoothed(known[2].of(parts), every // 2, every, weight)

    def _at_steps(self, name: str) -> Floats:
        return self._steps.of(name, self.columns.column(name).step)

    def _at_times(self, start: float, name: str) -> Floats:
        if self._times[0] != start:
            self._times = start, SharedFloats(lambda at: at - start)
        return self._times[1].of(name, self.columns.column(name).at)

    def _at_epochs(self, epochs: LoggedColumn | None, name: str) -> Floats:
        column = self.columns.column(name)
        if column.x == EPOCH:
            return self._at_steps(name)
        if epochs is None:
            return np.full(len(column.step), np.nan)
        known = self._epoch_places.get(name)
        made = GrowingFloats(lambda steps: _interpolated(steps, self._epoch_places[name][0]))
        self._epoch_places[name] = epochs, made if known is None else known[1]
        # What was the last epoch's length may have been a guess.
        kept = int(np.searchsorted(column.step, epochs.step[-2]))
        return self._epoch_places[name][1].of(column.step, kept)

    def _at_rates(self, rates: LoggedColumn | None, name: str) -> Floats:
        step = self.columns.column(name).step
        if rates is None:
            return np.full(len(step), np.nan)
        if len(step) == len(rates.step) and np.array_equal(step, rates.step):
            return rates.value
        index = np.searchsorted(rates.step, step, side="right") - 1
        return np.where(index >= 0, rates.value[np.maximum(index, 0)], np.nan)

    def _epochs(self) -> LoggedColumn | None:
        """The steps at which another epoch is logged; None unless there are two."""
        columns = (self.columns.column(name) for name in self.columns.names if _is_epoch(name))
        found = next(columns, None)
        if found is None or len(found.value) < 2:
            return None
        known = np.isfinite(found.value)
        begins = np.flatnonzero(known)[np.diff(found.value[known], prepend=-np.inf) > 0]
        if len(begins) < 2:
            return None
        return LoggedColumn(found.step[begins], found.value[begins], found.at[begins], found.x)

    def _rates(self) -> LoggedColumn | None:
        rates = (name for name in self.columns.names if read_name(name).sort == "lr")
        return next((self.columns.column(name) for name in rates), None)


def smoothing_of(count: int, weight: float) -> float:
    """The weight of a new value for a curve of `count` values: less smoothing for a short one."""
    if weight == 1 or count * _PART <= 1:
        return 1.0
    least = max(weight, 1 / (count * _PART))
    return min(known for known in (*WEIGHTS, weight) if known >= least)


def _neighbours(count: int, weight: float) -> int:
    """How many neighbours are taken together before smoothing: a power of two."""
    if count < _LONG:
        return 1
    return 1 << max((count // _LONG).bit_length() - 1, int(0.25 / weight).bit_length() - 1, 0)


def _means_of(parts: Floats) -> Floats:
    """The mean of the finite values of each part; NaN for a part without any."""
    finite = np.isfinite(parts)
    if finite.all():
        return np.asarray(parts.mean(axis=1))
    count = finite.sum(axis=1)
    total = np.where(finite, parts, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _floats(steps: Ints) -> Floats:
    return steps.astype(np.float64)


def _finite(places: Floats) -> Floats:
    places = places[np.isfinite(places)]
    return np.array([places.min(), places.max()]) if len(places) else places


def _is_epoch(name: str) -> bool:
    return name.casefold().removeprefix("train/") == EPOCH


def _interpolated(step: Ints, begins: LoggedColumn) -> Floats:
    """Epochs at steps, between those at which epochs begin; the last one is as long as before."""
    at, epoch = begins.step.astype(np.float64), begins.value
    found = np.interp(step, at, epoch)
    first, last = np.searchsorted(step, [begins.step[0], begins.step[-1] + 1])
    slopes = (epoch[1] - epoch[0]) / (at[1] - at[0]), (epoch[-1] - epoch[-2]) / (at[-1] - at[-2])
    found[:first] = epoch[0] + slopes[0] * (step[:first] - at[0])
    found[last:] = epoch[-1] + slopes[1] * (step[last:] - at[-1])
    return found
