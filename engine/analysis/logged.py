"""Columns of the values that somebody's own loop logged, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.log.events import Logged

_LEAST_ROOM = 64
"""Rows to reserve at first; a log may have hundreds of names."""


@dataclass(frozen=True)
class LoggedColumn:
    """The values of one name; read-only arrays of shape (n,)."""

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
    that was resumed. Names that are always logged together share a table, so that a step costs its
    number and its time once.
    """

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}

    @property
    def names(self) -> list[str]:
        """In the order of their first values."""
        return list(self._tables)

    @property
    def overtaken(self) -> int:
        """Values that later ones of the same step replaced."""
        tables = {id(table): table for table in self._tables.values()}.values()
        for table in tables:
            table.sort()
        return sum(table.overtaken * len(table.names) for table in tables)

    def append(self, event: Logged) -> bool:
        """Appends a chunk; False, and no change, if its columns have unequal lengths."""
        count = len(event.step)
        times = event.at if len(event.at) else np.broadcast_to(np.nan, count)
        if any(len(column) != count for column in (times, *event.values.values())):
            return False
        if count == 0:
            return True
        step, at = np.asarray(event.step, np.int64), np.asarray(times, np.float64)
        for table in self._tables_of(event.values, event.x):
            table.append(step, at, event.values)
        return True

    def _tables_of(self, names: Iterable[str], x: str) -> list[_Table]:
        """The tables that hold exactly these names, made or divided as needed."""
        new = [name for name in names if name not in self._tables]
        if new:
            table = _Table(new, x)
            self._tables.update(dict.fromkeys(new, table))
        given = set(names)
        tables = {id(self._tables[name]): self._tables[name] for name in names}
        for table in tables.values():
            if not given.issuperset(table.names):
                others = [name for name in table.names if name not in given]
                rest = table.split_off(others)
                self._tables.update(dict.fromkeys(others, rest))
        return list(tables.values())

    def column(self, name: str) -> LoggedColumn:
        """The values of a name, by step; raises KeyError if it was never logged."""
        return self._tables[name].column(name)


class _Table:
    """Rows of names that are always logged together, in buffers that grow by doubling.

    Columns are views that keep their values: rows are only added behind them.
    """

    def __init__(self, names: Iterable[str], x: str) -> None:
        self.x = x
        self.overtaken = 0
        self._length = 0
        self._rises = True
        self._step: Ints = np.empty(0, np.int64)
        self._at: Floats = np.empty(0)
        self._values: dict[str, Floats] = {name: np.empty(0) for name in names}

    @property
    def names(self) -> list[str]:
        return list(self._values)

    def append(self, step: Ints, at: Floats, values: dict[str, Any]) -> None:
        start, end = self._length, self._length + len(step)
        if end > len(self._step):
            self._enlarge(max(end, 2 * len(self._step), _LEAST_ROOM))
        self._step[start:end], self._at[start:end] = step, at
        for name, column in self._values.items():
            column[start:end] = _floats(values[name])
        self._length = end
        self._rises &= _rises(self._step[max(start - 1, 0) : end])

    def _enlarge(self, room: int) -> None:
        self._step = _enlarged(self._step, self._length, room)
        self._at = _enlarged(self._at, self._length, room)
        self._values = {
            name: _enlarged(column, self._length, room) for name, column in self._values.items()
        }

    def split_off(self, names: Iterable[str]) -> _Table:
        """Moves these names to a table of their own, which is returned."""
        other = _Table((), self.x)
        other.overtaken, other._length, other._rises = self.overtaken, self._length, self._rises
        other._step, other._at = self._step[: self._length], self._at[: self._length]
        other._values = {name: self._values.pop(name)[: self._length] for name in names}
        return other

    def sort(self) -> None:
        """Brings the rows into the order of their steps; of equal steps the last one holds."""
        if self._rises:
            return
        step = self._step[: self._length]
        order = np.argsort(step, kind="stable")
        in_order = step[order]
        kept = order[np.append(in_order[1:] != in_order[:-1], True)]
        self.overtaken += self._length - len(kept)
        self._length, self._rises = len(kept), True
        self._step, self._at = step[kept], self._at[kept]
        self._values = {name: column[kept] for name, column in self._values.items()}

    def column(self, name: str) -> LoggedColumn:
        self.sort()
        step, value, at = (
            _read_only(column[: self._length])
            for column in (self._step, self._values[name], self._at)
        )
        return LoggedColumn(step, value, at, self.x)


def _floats(values: Sequence[float | None] | Floats) -> Floats:
    """None, and what is not finite, becomes NaN."""
    numbers = np.asarray(values, np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _rises(step: Ints) -> bool:
    return bool((step[1:] > step[:-1]).all())


def _enlarged(column: NDArray[Any], used: int, room: int) -> NDArray[Any]:
    larger = np.empty(room, column.dtype)
    larger[:used] = column[:used]
    return larger


def _read_only(view: NDArray[Any]) -> NDArray[Any]:
    view.flags.writeable = False
    return view
