"""The points of a line by dot column, and their extremes.

A million values are 8 MB, and looking at them takes as long as fetching them does: a chart asks
for the extremes of a line's columns, and its axis for those of the whole, which are in them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clr_tui.tui.charts.scale import Floats, Scale, valid

Ints = npt.NDArray[np.int64]

_PART = 1 << 16
"""Values that are looked at for the least, then for the greatest: they stay in the processor's
cache in between."""


@dataclass(frozen=True)
class Columns:
    """A line's points by dot column of an x axis."""

    cuts: Ints
    """Places in the line's x: column i has those from cuts[i] to before cuts[i + 1]."""
    low: Floats
    """The least y of each column that its axis has a place for, NaN where there is none."""
    high: Floats
    """Likewise the greatest."""

    @classmethod
    def of(cls, xs: Floats, ys: Floats, x: Scale, count: int, *, log: bool) -> Columns:
        """The columns of a line over ascending x.

        Args:
            xs: shape (n,), never falling.
            ys: shape (n,).
            x: the axis, which is cut into `count` columns.
            log: whether the y axis is logarithmic.
        """
        edges = x.edges(count)
        cuts = np.searchsorted(xs, edges, side="left")
        cuts[-1] = np.searchsorted(xs, edges[-1], side="right")
        return cls(cuts, *_extremes(ys, cuts, log))


def middles(xs: Floats, x: Scale, count: int) -> Ints:
    """Where, in `xs`, which never falls, the middle of each of `count` columns lies: before it are
    the values that are less; shape (count,)."""
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
            # A value that is NaN makes the whole column NaN, which tells of it.
            low[filled[first:last]] = np.minimum.reduceat(part, places)
            high[filled[first:last]] = np.maximum.reduceat(part, places)
    sound = valid(low, log) & valid(high, log)
    # Only columns that hold a gap are looked at value by value.
    for column in filled[~sound[filled]]:
        part = ys[cuts[column] : cuts[column + 1]]
        part = part[valid(part, log)]
        low[column], high[column] = (part.min(), part.max()) if len(part) else (np.nan, np.nan)
    return low, high
