"""The steps of a log's rows, from its column of steps or epochs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints

STEP_NAMES = {
    "step": "step",
    "steps": "step",
    "_step": "step",
    "global_step": "step",
    "global step": "step",
    "trainer/global_step": "step",
    "train_step": "step",
    "iteration": "iteration",
    "iterations": "iteration",
    "iter": "iteration",
    "iters": "iteration",
    "n_iter": "iteration",
    "it": "iteration",
    "batch": "step",
    "epoch": "epoch",
    "epochs": "epoch",
    "train/epoch": "epoch",
}
"""What columns of these names count, in lower case; the first that a log has is taken."""
EPOCH_NAMES = frozenset(name for name, unit in STEP_NAMES.items() if unit == "epoch")
ROW = "row"
"""What is counted if no column counts."""
_MAX_STEP = 2.0**62


class Counting(NamedTuple):
    """What counts the steps of a log, as far as its names do not say it."""

    name: str | None = ""
    """Of the column; empty: the one that `counting_name` finds; None: rows are counted."""
    because: str = ""
    """A sentence that says why."""
    instead_of: str = ""
    """The column that does not count."""


class CountAnew(Exception):  # noqa: N818 - no error, but a finding
    """Something else counts the steps of the log than it seemed, so that it must be read again."""

    def __init__(self, counting: Counting) -> None:
        super().__init__(counting.because)
        self.counting = counting


def rank_of(name: str | None) -> int:
    """The place of a name among those that may count steps; None, for rows, is behind all."""
    known = [*STEP_NAMES]
    return (
        len(known) if name is None or name.casefold() not in known else known.index(name.casefold())
    )


def counting_name(names: Iterable[str]) -> str | None:
    """The one of these names that counts steps, iterations or epochs; None if none does."""
    folded = {name.casefold(): name for name in reversed([*names])}
    return next((folded[name] for name in STEP_NAMES if name in folded), None)


def unit_of(name: str | None) -> str:
    """What a column of this name counts: steps if it is not known; rows without a column."""
    return ROW if name is None else STEP_NAMES.get(name.casefold(), "step")


class StepCounter:
    """Turns the values of a column of steps into steps, chunk by chunk.

    A row without a value has the step of the row before it, and 0 at the start. After `start_part`
    steps that begin again count on from the last one. Rows count from 1 in what it says about them.

    Args:
        unit: what is counted, such as "epoch"; `ROW` to count rows from 0.
        name: the column's.
    """

    def __init__(self, unit: str, name: str = "") -> None:
        self.unit = unit
        self._name = name
        self.went_back = ""
        """A sentence on the first time that the steps went back; else empty."""
        self.counts_on = ""
        """A sentence on the first part that counts on; else empty."""
        self._rows = 0
        self._first: float | None = None
        self._last = 0.0
        self._last_epoch = -np.inf
        self._offset = 0.0
        self._begins = False
        """Whether the next row begins a part."""

    def start_part(self) -> None:
        """Says that the next row begins another part of the log, below a header of its own."""
        self._begins = self._first is not None

    def steps(self, x: Floats, epoch: Floats | None = None) -> Ints:
        """The steps of the next rows.

        Args:
            x: their values in the column of steps, NaN where there is none.
            epoch: their epochs if another column has them, NaN where there is none.

        Raises:
            CountAnew: the values are not whole numbers, or they begin again in each epoch.
        """
        count = len(x)
        if self.unit == ROW:
            self._rows += count
            return np.arange(self._rows - count, self._rows)
        known = x[~np.isnan(x)]
        if len(known) and not (known == np.floor(known)).all():
            raise self._no_count("has fractions")
        if len(known) and np.abs(known).max() > _MAX_STEP:
            raise self._no_count("has numbers beyond any count of steps")
        if len(known):
            self._begin(float(known[0]))
        filled = _filled(x + self._offset, self._last)
        self._check_order(filled, epoch)
        self._rows += count
        if count:
            self._last = float(filled[-1])
        return filled.astype(np.int64)

    def _no_count(self, why: str) -> CountAnew:
        return CountAnew(
            Counting(None, f"'{self._name}' {why}: rows are counted instead", self._name)
        )

    def _begin(self, x: float) -> None:
        """Takes notice of the first value of a chunk, which may begin a part."""
        if self._first is None:
            self._first = x
        elif self._begins and x <= self._first:
            self._offset = self._last + 1 - x
            self.counts_on = self.counts_on or (
                f"the header stands again above row {self._rows + 1}, and the {self.unit}s begin "
                f"again: they count on from {self._last + 1:.0f}"
            )
        self._begins = False

    def _check_order(self, step: Floats, epoch: Floats | None) -> None:
        change = np.diff(step, prepend=self._last if self._rows else step[:1])
        back = np.flatnonzero(change < 0)
        if epoch is not None and len(epoch):
            filled = _filled(epoch, self._last_epoch)
            before_each = np.insert(filled[:-1], 0, self._last_epoch)
            self._last_epoch = float(filled[-1])
            if (filled[back] > before_each[back]).any():
                raise self._no_count("begins again in each epoch")
        if len(back) and not self.went_back:
            at, before = int(back[0]), step[back[0]] - change[back[0]]
            self.went_back = (
                f"in row {self._rows + at + 1} the {self.unit}s go back from {before:.0f} to "
                f"{step[at]:.0f}: of two values at one {self.unit} the later is shown"
            )


def _filled(values: Floats, before: float) -> Floats:
    """The values, each NaN replaced by the one before it; those at the start by `before`."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    source = np.where(missing, -1, np.arange(len(values)))
    source = np.maximum.accumulate(source)
    return np.where(source < 0, before, values[source])
