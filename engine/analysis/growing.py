"""What is computed from a column that only grows, without computing all of it each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clr_tui.engine.analysis.arrays import Floats

Column = NDArray[Any]


class Growth:
    """Notices whether a column is the one that was seen before, with more rows.

    That is so for views of one buffer whose rows do not change. The last view is kept, so that no
    other buffer can take its place in memory.
    """

    def __init__(self) -> None:
        self._seen: Column = np.empty(0)

    def is_of(self, column: Column) -> bool:
        """Whether `column` is the one that was seen before, with as many rows at least."""
        before = self._seen
        same = column.ctypes.data == before.ctypes.data and column.strides == before.strides
        return same and len(column) >= len(before)

    def seen(self, column: Column) -> int:
        """How many rows of `column` were seen before; 0 if it is another one."""
        count = len(self._seen) if self.is_of(column) else 0
        self._seen = column
        return count


class GrowingFloats:
    """Floats that are made of a column row by row.

    Args:
        make: makes those of some rows, of the same length.
    """

    def __init__(self, make: Callable[[Any], Floats]) -> None:
        self._make = make
        self._growth = Growth()
        self._floats: Floats = np.empty(0)

    def is_of(self, column: Column) -> bool:
        """Whether it has made those of this column."""
        return self._growth.is_of(column)

    def of(self, column: Column, kept: int | None = None) -> Floats:
        """Returns the floats of all rows, which must not be written to.

        Args:
            column: shape (n,).
            kept: how many rows hold as they were made before; None: all that were seen.
        """
        seen, count = self._growth.seen(column), len(column)
        start = seen if kept is None else min(seen, kept)
        if count > len(self._floats) or start == 0:
            larger = np.empty(max(count, 2 * start))
            larger[:start] = self._floats[:start]
            self._floats = larger
        self._floats[start:count] = self._make(column[start:])
        return self._floats[:count]


class SharedFloats:
    """Floats that are made of the columns of several names, once for names that share a buffer.

    Args:
        make: as for `GrowingFloats`.
    """

    def __init__(self, make: Callable[[Any], Floats]) -> None:
        self._make = make
        self._known: dict[str, GrowingFloats] = {}

    def of(self, name: str, column: Column) -> Floats:
        """Returns the floats of the column of a name, which must not be written to."""
        known = self._known.get(name)
        if known is None or not known.is_of(column):
            others = (other for other in self._known.values() if other.is_of(column))
            known = self._known[name] = next(others, None) or GrowingFloats(self._make)
        return known.of(column)


class GrowingMax:
    """The greatest finite value of a column."""

    def __init__(self) -> None:
        self._growth = Growth()
        self._most = np.nan

    def of(self, column: Floats) -> float:
        """Returns it; NaN if no value is finite."""
        seen = self._growth.seen(column)
        if seen == 0:
            self._most = np.nan
        if seen < len(column):
            self._most = float(np.fmax(self._most, np.fmax.reduce(column[seen:])))
        return self._most
