"""The limits of a chart's axes."""

from __future__ import annotations

import numpy as np

from clr_tui.tui.charts.chart import Area, Axis, Chart, Series
from clr_tui.tui.charts.columns import middles
from clr_tui.tui.charts.scale import Floats, Limits, Scale, valid
from clr_tui.tui.charts.ticks import rounded_limits

GUTTER = 6
"""Minimum cells for y tick labels: stacked charts line up, and changing labels do not move them."""
MIN_WIDTH_FOR_GUTTER = 40
_SAMPLE = 8192


def scales(chart: Chart, width: int | None = None) -> tuple[Scale | None, Scale | None]:
    """Returns the x and y axes; None for one without limits and data. `width` is in cells."""
    return _scale(chart.x, x_range(chart)), _scale(chart.y, y_range(chart, width))


def _scale(axis: Axis, found: Limits | None) -> Scale | None:
    lo, hi = _valid_limit(axis.lo, axis.log), _valid_limit(axis.hi, axis.log)
    if lo is None or hi is None:
        known = [
            limit for limit in (lo, hi, *(found or ())) if _valid_limit(limit, axis.log) is not None
        ]
        if not known:
            return None
        wide = rounded_limits(min(known), max(known), log=axis.log)
        lo, hi = wide[0] if lo is None else lo, wide[1] if hi is None else hi
    if not lo < hi or (not axis.log and hi - lo < 1e-13 * max(abs(lo), abs(hi))):
        lo, hi = rounded_limits(lo, hi, log=axis.log)
    return Scale(lo, hi, axis.log)


def _valid_limit(limit: float | None, log: bool) -> float | None:
    """Returns an axis's own limit, or None if it is missing or invalid."""
    if limit is None or not bool(valid(np.asarray(limit, np.float64), log)):
        return None
    return float(limit)


def x_range(chart: Chart) -> Limits | None:
    """Returns the axis's own x limits, or the range of the data."""
    axis = chart.x
    if axis.lo is not None and axis.hi is not None:
        return axis.lo, axis.hi
    parts: list[Series | Area] = [*chart.series, *chart.areas]
    drawn = [
        _ends(one.x[[0, -1]] if len(one.x) and _whole(one, axis) else one.x, axis.log)
        for one in parts
    ]
    marks = np.array([mark.x for mark in chart.marks if mark.y is not None])
    return _union([*drawn, _ends(marks, axis.log)])


def _whole(drawn: Series | Area, axis: Axis) -> bool:
    """Whether the ends of x are its extremes, and valid on the axis."""
    ascending = isinstance(drawn, Area) or drawn.ascending
    return ascending and bool(valid(drawn.x[[0, -1]], axis.log).all())


def y_range(chart: Chart, width: int | None = None) -> Limits | None:
    """Returns the axis's own y limits, or the range of the data.

    Faint series count without their outermost percent on each side: the spikes of a raw curve may
    be cut off, but must not flatten the smoothed curve.

    Args:
        chart: the chart.
        width: the expected width, in cells. Lines are then scanned by dot column, which drawing
            reuses; the result is the same. Bands are read at the middle of each column, as they
            are drawn. None reads every value.
    """
    axis = chart.y
    if axis.lo is not None and axis.hi is not None:
        return axis.lo, axis.hi
    has_columns = width is not None and width >= MIN_WIDTH_FOR_GUTTER
    x = _scale(chart.x, x_range(chart)) if has_columns else None
    columns = 2 * (width - 1 - GUTTER) if width is not None else 0
    loud = [_reach(s, x, columns, axis.log) for s in chart.series if not s.faint]
    quiet = [_ends(_trimmed(s.y, axis.log), axis.log) for s in chart.series if s.faint]
    areas = [_span(area, x, columns, axis.log) for area in chart.areas]
    lines = _ends(np.array([line.y for line in chart.hlines]), axis.log)
    span = _union([*loud, *quiet, *areas, lines])
    if span is None:
        return None
    lo, hi = span
    return lo if axis.lo is None else axis.lo, hi if axis.hi is None else axis.hi


def _ends(values: Floats, log: bool) -> Limits | None:
    if not len(values):
        return None
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    if not (valid(low, log) and valid(high, log)):
        values = values[valid(values, log)]
        if not len(values):
            return None
        low, high = values.min(), values.max()
    return float(low), float(high)


def _reach(series: Series, x: Scale | None, columns: int, log: bool) -> Limits | None:
    """Returns the range of y of a series, including values beyond the x axis."""
    if x is None or series.kind != "line" or not series.ascending:
        return _ends(series.y, log)
    found = series.columns(x, columns, log=log)
    before, after = series.y[: found.cuts[0]], series.y[found.cuts[-1] :]
    return _union([_ends(part, log) for part in (found.low, found.high, before, after)])


def _span(area: Area, x: Scale | None, columns: int, log: bool) -> Limits | None:
    """Returns the range of the points between which a band is drawn."""
    if x is None:
        return _union([_ends(area.low, log), _ends(area.high, log)])
    after = middles(area.x, x, columns)
    after = after[(after > 0) & (after < len(area.x))]
    beside = np.concatenate((after - 1, after))
    return _union([_ends(area.low[beside], log), _ends(area.high[beside], log)])


def _trimmed(values: Floats, log: bool) -> Floats:
    sample = values[:: max(1, len(values) // _SAMPLE)]
    sample = sample[valid(sample, log)]
    return np.asarray(np.percentile(sample, [1, 99])) if len(sample) else sample


def _union(ranges: list[Limits | None]) -> Limits | None:
    known = [r for r in ranges if r is not None]
    return (min(lo for lo, _ in known), max(hi for _, hi in known)) if known else None
