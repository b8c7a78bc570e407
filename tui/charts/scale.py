"""Between real units and the fraction of an axis, 0 at its low end and 1 at its high end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Limits = tuple[float, float]
"""Of an axis, or of what is drawn: the least and the greatest value."""
LARGEST = 1e300
"""Beyond it a value counts as not finite: differences of such values overflow."""
LEAST = 1e-300
"""Below it a value has no place on a log axis."""


@dataclass(frozen=True)
class Scale:
    """An axis from `lo` to `hi`, real units, `lo < hi`, both positive where it is logarithmic."""

    lo: float
    hi: float
    log: bool = False

    def fraction(self, values: Any) -> Floats:
        """Where `values` lie, any shape; NaN for what has no place: not finite, or log of <= 0."""
        array = np.asarray(values, dtype=np.float64)
        known = valid(array, self.log)
        if self.log:
            start, span = np.log10(self.lo), np.log10(self.hi) - np.log10(self.lo)
            places = (np.log10(np.where(known, array, 1.0)) - start) / span
        else:
            places = (np.where(known, array, 0.0) - self.lo) / (self.hi - self.lo)
        return np.where(known, places, np.nan)

    def edges(self, count: int) -> Floats:
        """`count + 1` values, real units, that cut the axis into `count` equal parts."""
        if self.log:
            cuts = 10 ** np.linspace(np.log10(self.lo), np.log10(self.hi), count + 1)
            cuts[0], cuts[-1] = self.lo, self.hi
            return np.maximum.accumulate(cuts)
        return np.linspace(self.lo, self.hi, count + 1)

    def cell(self, value: float, count: int) -> int | None:
        """Which of `count` parts `value` falls into; None outside of the axis."""
        place = float(self.fraction(value))
        if not 0 <= place <= 1:
            return None
        return min(int(place * count), count - 1)


def valid(values: Floats, log: bool) -> Any:
    """Which values have a place on an axis: bool, of the shape of `values`."""
    if log:
        return (values >= LEAST) & (values <= LARGEST)
    return np.abs(values) <= LARGEST
