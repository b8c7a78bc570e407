"""The curves of one run: where they are on each x axis, and smoothed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.centred_mean import GrowingMean
from clr_tui.engine.analysis.logged import LoggedColumn
from clr_tui.engine.analysis.metric_names import read_name
from clr_tui.engine.analysis.run_columns import EPOCH, Columns
from clr_tui.tui.text.chart_options import WEIGHTS

XAxis = Literal["step", "epoch", "time", "lr"]
X_AXES: tuple[XAxis, ...] = ("step", "epoch", "time", "lr")
_PART = 0.1
"""Share of a curve that smoothing mixes at most: a curve of ten epochs is shown as it is."""


class RunCurves:
    """The curves of a run or of a trial; remembers what smoothing has computed.

    Args:
        name: to show; empty for a run that is shown alone.
        columns: its values; may grow, or be replaced.
    """

    def __init__(self, name: str, columns: Columns) -> None:
        self.name = name
        self.columns = columns
        self._means: dict[str, GrowingMean] = {}

    def has(self, axis: XAxis) -> bool:
        """Whether its values have a place on this axis."""
        if axis == "step":
            return True
        if axis == "time":
            return math.isfinite(self.start)
        return (self._epochs() if axis == "epoch" else self._rates()) is not None

    @property
    def start(self) -> float:
        """Time of the first value; NaN if unknown."""
        firsts = [self.columns.column(name).at[:1] for name in self.columns.names]
        known = np.concatenate(firsts) if firsts else np.empty(0)
        return float(np.nanmin(known)) if np.isfinite(known).any() else np.nan

    def x(self, column: LoggedColumn, axis: XAxis) -> Floats:
        """Where the values of a column are: steps, epochs, seconds from the start, or rates.

        NaN where that is unknown. Shape (n,).
        """
        if axis == "time":
            return column.at - self.start
        if axis == "step" or (axis == "epoch" and column.x == EPOCH):
            return column.step.astype(np.float64)
        found = self._epochs() if axis == "epoch" else self._rates()
        if found is None:
            return np.full(len(column.step), np.nan)
        return _epochs_at(column.step, found) if axis == "epoch" else _latest(column.step, found)

    def ends(self, name: str, axis: XAxis) -> Floats:
        """The least and the greatest x of a name; without the unknown ones, so maybe empty."""
        column = self.columns.column(name)
        if axis != "lr" and len(column.step) > 2:
            first_last = np.array([0, -1])
            column = replace(
                column,
                step=column.step[first_last],
                value=column.value[first_last],
                at=column.at[first_last],
            )
        places = self.x(column, axis)
        return places[np.isfinite(places)]

    def smoothed(self, name: str, weight: float) -> tuple[Floats, bool]:
        """The values of a name, and whether they are smoothed; short curves are less."""
        values = self.columns.column(name).value
        weight = smoothing_of(len(values), weight)
        if weight == 1:
            return values, False
        mean = self._means.get(name)
        if mean is None or mean.alpha != weight:
            mean = self._means[name] = GrowingMean(weight)
        return mean.of(values), True

    def _epochs(self) -> LoggedColumn | None:
        """The column of epochs, if it says how long they are."""
        columns = (self.columns.column(name) for name in self.columns.names if _is_epoch(name))
        found = next(columns, None)
        if found is None:
            return None
        known = np.isfinite(found.value)
        begins = np.flatnonzero(known)[np.diff(found.value[known], prepend=-np.inf) > 0]
        if len(begins) < 2:
            return None
        return replace(
            found, step=found.step[begins], value=found.value[begins], at=found.at[begins]
        )

    def _rates(self) -> LoggedColumn | None:
        rates = (name for name in self.columns.names if read_name(name).sort == "lr")
        return next((self.columns.column(name) for name in rates), None)


def smoothing_of(count: int, weight: float) -> float:
    """The weight of a new value for a curve of `count` values: less smoothing for a short one."""
    if weight == 1 or count * _PART <= 1:
        return 1.0
    least = max(weight, 1 / (count * _PART))
    return min(known for known in (*WEIGHTS, weight) if known >= least)


def _is_epoch(name: str) -> bool:
    return name.casefold().removeprefix("train/") == EPOCH


def _epochs_at(step: Ints, begins: LoggedColumn) -> Floats:
    """Epochs at steps, between those at which epochs begin; the last one is as long as before."""
    at, epoch = begins.step.astype(np.float64), begins.value
    found = np.interp(step, at, epoch)
    slopes = (epoch[1] - epoch[0]) / (at[1] - at[0]), (epoch[-1] - epoch[-2]) / (at[-1] - at[-2])
    before, after = step < at[0], step > at[-1]
    found[before] = epoch[0] + slopes[0] * (step[before] - at[0])
    found[after] = epoch[-1] + slopes[1] * (step[after] - at[-1])
    return np.asarray(found)


def _latest(step: Ints, column: LoggedColumn) -> Floats:
    """The last value of a column at or before each step; NaN before the first."""
    index = np.searchsorted(column.step, step, side="right") - 1
    return np.where(index >= 0, column.value[np.maximum(index, 0)], np.nan)
