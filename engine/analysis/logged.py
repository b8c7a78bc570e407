"""Columns of the values that somebody's own loop logged, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.log.events import Logged


@dataclass(frozen=True)
class LoggedColumn:
    """The values of one name; arrays of shape (n,)."""

    step: Ints
    """Strictly increasing."""
    value: Floats
    """NaN where not finite."""
    at: Floats
    """Unix time in seconds, NaN where unknown."""
    x: str
    """What `step` counts, such as "step" or "epoch"."""


class LoggedColumns:
    """The values of a run by name, as they were logged.

    A step that is logged again has a new value: the later one holds, as in the log of a training
    that was resumed.
    """

    def __init__(self) -> None:
        self._chunks: dict[str, list[tuple[Ints, Floats, Floats]]] = {}
        self._x: dict[str, str] = {}
        self._overtaken: dict[str, int] = {}

    @property
    def names(self) -> list[str]:
        """In the order of their first values."""
        return list(self._chunks)

    @property
    def overtaken(self) -> int:
        """Values that others of the same step replaced, as far as columns were asked for."""
        return sum(self._overtaken.values())

    def append(self, event: Logged) -> bool:
        """Appends a chunk; False, and no change, if its columns have unequal lengths."""
        count = len(event.step)
        times = event.at if len(event.at) else np.full(count, np.nan)
        if any(len(column) != count for column in (times, *event.values.values())):
            return False
        if count == 0:
            return True
        step, at = np.asarray(event.step, np.int64), np.asarray(times, np.float64)
        for name, values in event.values.items():
            # None becomes NaN.
            self._chunks.setdefault(name, []).append((step, _floats(values), at))
            self._x.setdefault(name, event.x)
        return True

    def column(self, name: str) -> LoggedColumn:
        """The values of a name, by step; raises KeyError if it was never logged."""
        chunks = self._chunks[name]
        if len(chunks) > 1 or not _rises(chunks[0][0]):
            merged = _merged(chunks)
            lost = sum(len(step) for step, _, _ in chunks) - len(merged[0])
            self._overtaken[name] = self._overtaken.get(name, 0) + lost
            chunks[:] = [merged]
        step, value, at = chunks[0]
        return LoggedColumn(step, value, at, self._x[name])


def _floats(values: Sequence[float | None] | Floats) -> Floats:
    numbers = np.asarray(values, np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _rises(step: Ints) -> bool:
    return bool((step[1:] > step[:-1]).all())


def _merged(chunks: list[tuple[Ints, Floats, Floats]]) -> tuple[Ints, Floats, Floats]:
    """The chunks as one whose steps rise; of equal steps the last one holds."""
    step, value, at = (np.concatenate(column) for column in zip(*chunks, strict=True))
    if _rises(step):
        return step, value, at
    order = np.argsort(step, kind="stable")
    sorted_steps = step[order]
    last = np.append(sorted_steps[1:] != sorted_steps[:-1], True)
    kept = order[last]
    return step[kept], value[kept], at[kept]
