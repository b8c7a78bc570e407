"""The extremes of a line in each dot column.

A million values are 8 MB, and scanning them is limited by memory bandwidth, so it is done once: the
axis takes its range from the same extremes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clr_tui.tui.charts.scale import Floats, Scale, valid

Ints = npt.NDArray[np.int64]

_PART = 1 << 16
"""Values scanned for the minimum, then for the maximum, while they are in the CPU's cache."""


@dataclass(frozen=True)
class Columns:
    """A line's points by dot column of an x axis."""

    cuts: Ints
    """Indices into the line's x: column i has the points from cuts[i] up to cuts[i + 1]."""
    low: Floats
    """Minimum of each column's y that is valid on its axis; NaN for none."""
    high: Floats
    """Maximum, by the same rule."""

    @classmethod
    def of(cls, xs: Floats, ys: Floats, x: Scale, count: int, *, log: bool) -> Columns:
        """Divides a line over ascending x into columns.

        Args:
            xs: shape (n,), never falling.
            ys: shape (n,).
            x: the axis, divided into `count` columns.
            log: whether the y axis is logarithmic.
        """
        edges = x.edges(count)
        cuts = np.searchsorted(xs, edges, side="left")
        cuts[-1] = np.searchsorted(xs, edges[-1], side="right")
        return cls(cuts, *_extremes(ys, cuts, log))


def middles(xs: Floats, x: Scale, count: int) -> Ints:
    """Returns the index in ascending `xs` of each column's middle, shape (count,)."""
    return np.searchsorted(xs, x.edges(2 * count)[1::2], side="left")


def _extremes(ys: Floats, cuts: Ints, log: bool) -> tuple[Floats, Floats]:
    low = np.full(len(cuts) - 1, np.nan)
    high = low.copy()
    filled = np.flatnonzero(np.diff(cuts) > 0)
    if not len(filled):
        return low, high
    begins, end = cuts[filled], int(cuts[-1])
    parts = np.searchsorted(begins, np.arange(begins[0], end, _PART), side="left")
    for first, last in zip(parts, [*parts[1:], len(filled)], strict=True):
        if first < last:
            part = ys[begins[first] : begins[last] if last < len(filled) else end]
            places = begins[first:last] - begins[first]
            # One NaN makes the whole column NaN, which marks it.
            low[filled[first:last]] = np.minimum.reduceat(part, places)
            high[filled[first:last]] = np.maximum.reduceat(part, places)
    sound = valid(low, log) & valid(high, log)
    # Only columns with a gap are filtered value by value.
    for column in filled[~sound[filled]]:
        part = ys[cuts[column] : cuts[column + 1]]
        part = part[valid(part, log)]
        low[column], high[column] = (part.min(), part.max()) if len(part) else (np.nan, np.nan)
    return low, high
