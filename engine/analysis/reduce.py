"""Reduces long series to what can be drawn, without losing a spike or a gap."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints

_PASSES = 4
"""A series that goes back and forth more often than this is drawn as its envelope."""


def reduce_columns(
    x: Floats, y: Floats, columns: int, lo: float, hi: float
) -> tuple[Floats, Floats]:
    """Keeps the lowest and highest point in each of `columns` equal parts of `lo` to `hi`.

    Points keep their order. A column with gaps (values of `y` that are not finite) keeps its first
    and last gap as NaN, so that a line breaks there: at most four points per column, two without a
    gap. Points outside `lo` to `hi` are dropped. A series of at most two points per column is
    returned whole.

    `x` need not be sorted (loss against a cyclical rate goes back and forth): each pass through a
    column counts as its own column, up to four passes on average. Beyond that the result is the
    envelope: the extremes of each column over all passes, from left to right.

    Args:
        x: as drawn (take logarithms first), shape (n,).
        y: as drawn, shape (n,).
        columns: at least 1.

    Returns:
        `x` and `y` of the points kept, shape (m,); m is at most 4 * `columns` for a sorted series.
    """
    rising = bool(np.all(x[1:] >= x[:-1]))
    if rising:
        inside = slice(*np.searchsorted(x, [lo, np.nextafter(hi, np.inf)]))
        x, y = x[inside], y[inside]
    else:
        within = (x >= lo) & (x <= hi)
        x, y = x[within], y[within]
    if len(x) > 2 * columns:
        order, edges = _groups(x, columns, lo, hi, rising)
        if order is not None:
            x, y = x[order], y[order]
        kept = [k for a, b in pairwise(edges) if a < b for k in _keep(y, a, b)]
        x, y = x[kept], y[kept]
    return x, np.where(np.isfinite(y), y, np.nan)


def _groups(
    x: Floats, columns: int, lo: float, hi: float, rising: bool
) -> tuple[Ints | None, list[int]]:
    """Where each group of points starts, and the order to put them in first, if any."""
    if hi <= lo:
        return None, [0, len(x)]
    if rising:
        ends = lo + (hi - lo) * np.arange(1, columns) / columns
        return None, [0, *np.searchsorted(x, ends).tolist(), len(x)]
    column = np.minimum((x - lo) * (columns / (hi - lo)), columns - 1)
    column = column.astype(np.min_scalar_type(columns))  # short integers sort in linear time
    order = None
    starts = np.flatnonzero(column[1:] != column[:-1]) + 1
    if len(starts) >= _PASSES * columns:
        order = np.argsort(column, kind="stable")
        column = column[order]
        starts = np.flatnonzero(column[1:] != column[:-1]) + 1
    return order, [0, *starts.tolist(), len(x)]


def _keep(y: Floats, start: int, end: int) -> list[int]:
    """The indices of a group's extremes and of its first and last gap, in order."""
    part = y[start:end]
    low, high = int(part.argmin()), int(part.argmax())  # the first NaN, if any
    kept = {low, high}
    if not (math.isfinite(part[low]) and math.isfinite(part[high])):
        finite = np.isfinite(part)
        gaps, points = np.flatnonzero(~finite), np.flatnonzero(finite)
        kept = {int(gaps[0]), int(gaps[-1])}
        if len(points):
            kept |= {int(points[part[points].argmin()]), int(points[part[points].argmax()])}
    return [start + k for k in sorted(kept)]
