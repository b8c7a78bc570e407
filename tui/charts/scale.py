"""Conversion of real units to fractions of an axis, 0 at its low end and 1 at its high end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Limits = tuple[float, float]
"""The minimum and maximum of an axis or of data."""
MAX_VALUE = 1e300
"""Values beyond it count as not finite, because their differences overflow."""
MIN_VALUE = 1e-300
"""Smallest value on a log axis."""


@dataclass(frozen=True)
class Scale:
    """An axis from `lo` to `hi` in real units; `lo < hi`, both positive if it is logarithmic."""

    lo: float
    hi: float
    log: bool = False

    def fraction(self, values: Any) -> Floats:
        """Converts `values` of any shape; NaN for invalid ones: not finite, or <= 0 if log."""
        array = np.asarray(values, dtype=np.float64)
        known = valid(array, self.log)
        if self.log:
            start, span = np.log10(self.lo), np.log10(self.hi) - np.log10(self.lo)
            places = (np.log10(np.where(known, array, 1.0)) - start) / span
        else:
            places = (np.where(known, array, 0.0) - self.lo) / (self.hi - self.lo)
        return np.where(known, places, np.nan)

    @property
    def span(self) -> float:
        """The length of the axis: the difference of its limits, decades if it is logarithmic."""
        if self.log:
            return float(np.log10(self.hi) - np.log10(self.lo))
        return self.hi - self.lo

    def value(self, fraction: float) -> float:
        """Converts a fraction of the axis to real units; it may lie outside 0 to 1."""
        if self.log:
            return float(10 ** (np.log10(self.lo) + fraction * self.span))
        return self.lo + fraction * (self.hi - self.lo)

    def part(self, start: float, end: float) -> Scale:
        """Returns the part of the axis between two fractions; its own ends stay exact."""
        lo = self.lo if start <= 0 else max(self.value(start), self.lo)
        hi = self.hi if end >= 1 else min(self.value(end), self.hi)
        return Scale(lo, hi, self.log)

    def edges(self, count: int) -> Floats:
        """Returns the `count + 1` edges, in real units, of `count` equal parts of the axis."""
        if self.log:
            cuts = 10 ** np.linspace(np.log10(self.lo), np.log10(self.hi), count + 1)
            cuts[0], cuts[-1] = self.lo, self.hi
            return np.maximum.accumulate(cuts)
        return np.linspace(self.lo, self.hi, count + 1)

    def cell(self, value: float, count: int) -> int | None:
        """Returns which of `count` parts `value` falls into; None outside the axis."""
        place = float(self.fraction(value))
        if not 0 <= place <= 1:
            return None
        return min(int(place * count), count - 1)


def valid(values: Floats, log: bool) -> Any:
    """Returns which values an axis can show: bool, of the shape of `values`."""
    if log:
        return (values >= MIN_VALUE) & (values <= MAX_VALUE)
    return np.abs(values) <= MAX_VALUE
