"""Narrows, moves and follows the part of an x axis that charts show.

Charts that share an x axis share the part. Each function takes the whole axis and the part shown,
and returns the next part, which never leaves the whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from clr_tui.tui.charts.axis_limits import x_scale
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.charts.scale import MAX_VALUE, Scale, valid

_STRIDES = 8
"""Strides in which a followed part moves along its own width: each of them repaints the chart."""


def shared_x(charts: Iterable[Chart]) -> Scale | None:
    """Returns the x axis that contains those of all charts, of one kind; None without any."""
    found = [x for x in map(x_scale, charts) if x is not None]
    if not found:
        return None
    return Scale(min(x.lo for x in found), max(x.hi for x in found), found[0].log)


def resized(whole: Scale, shown: Scale, factor: float, about: float | None = None) -> Scale:
    """Narrows or widens the part shown.

    Args:
        whole: all of the axis.
        shown: the part of it.
        factor: the new width as a multiple of the present one.
        about: the x that keeps its place, such as the cursor's; the middle if it is None or
            outside.
    """
    start, end = whole.fraction([shown.lo, shown.hi]).tolist()
    middle = (start + end) / 2
    at = float(whole.fraction(about)) if about is not None else middle
    if not start <= at <= end:
        at = middle
    return _part(whole, at - factor * (at - start), at + factor * (end - at))


def moved(whole: Scale, shown: Scale, share: float) -> Scale:
    """Moves the part shown by a share of its own width, to the right if that is positive."""
    start, end = whole.fraction([shown.lo, shown.hi]).tolist()
    by = share * (end - start)
    return _part(whole, start + by, end + by)


def containing(whole: Scale, shown: Scale, x: float) -> Scale:
    """Moves the part shown just as far as `x` is in it, with a quarter of its width to spare."""
    if shown.lo <= x <= shown.hi:
        return shown
    place = float(shown.fraction(x))
    return moved(whole, shown, place - 0.75 if place > 1 else place - 0.25)


def newest_part(whole: Scale, newest: float, span: float) -> Scale:
    """Returns the part of length `span` (see `Scale.span`) that ends at or soon after `newest`.

    It moves on by an eighth of its length at once, since every move repaints all curves.
    """
    width = span / whole.span
    end = float(whole.fraction(newest))
    stride = width / _STRIDES
    end = math.ceil(end / stride - 1e-9) * stride
    return _part(whole, end - width, end)


def is_whole(whole: Scale, shown: Scale) -> bool:
    """Whether the part shown is all of the axis."""
    return shown.lo <= whole.lo and shown.hi >= whole.hi


def newest_x(charts: Iterable[Chart]) -> float | None:
    """Returns the greatest x of all curves except a schedule's future; None if there is none."""
    ends = []
    for chart in charts:
        for series in chart.series:
            if series.colour == "lr-ahead":
                continue
            last = int(np.searchsorted(series.places, MAX_VALUE, side="right")) - 1
            if last >= 0 and valid(series.places[last], chart.x.log):
                ends.append(float(series.places[last]))
    return max(ends, default=None)


def most_points(charts: Iterable[Chart], shown: Scale) -> int:
    """Returns the number of points within a part of x, of the curve that has the most there."""
    ends = shown.lo, np.nextafter(shown.hi, np.inf)
    counts = [
        int(np.diff(np.searchsorted(series.places, ends))[0])
        for chart in charts
        for series in chart.series
    ]
    return max(counts, default=0)


def zoomed(chart: Chart, shown: Scale) -> Chart:
    """Returns the chart with this part of its x axis, and a y axis that fits what is in it."""
    return replace(chart, x=replace(chart.x, lo=shown.lo, hi=shown.hi), zoomed=True)


def _part(whole: Scale, start: float, end: float) -> Scale:
    """Returns the part between two fractions, moved into the axis if it leaves it."""
    width = min(end - start, 1.0)
    if start <= 0:
        return whole.part(0, 1 if width == 1 else width)
    return whole.part(1 - width, 1) if end >= 1 else whole.part(start, end)
