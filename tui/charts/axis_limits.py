"""The limits of a chart's axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from clr_tui.tui.charts.chart import Area, Axis, Chart, Series
from clr_tui.tui.charts.columns import middles
from clr_tui.tui.charts.scale import Floats, Limits, Scale, valid
from clr_tui.tui.charts.ticks import rounded_limits

GUTTER = 6
"""Minimum cells for y tick labels: stacked charts line up, and changing labels do not move them."""
MIN_WIDTH_FOR_GUTTER = 40
BAND_ROOM = 0.1
"""How far bands may widen the y axis at each end, as a fraction of the curves' range."""
_SAMPLE = 8192
_COLUMNS = 256
"""Columns in which the bands of a zoomed chart are read if its width is unknown."""


def scales(chart: Chart, width: int | None = None) -> tuple[Scale | None, Scale | None]:
    """Returns the x and y axes; None for one without limits and data. `width` is in cells."""
    y = chart.y
    if chart.zoomed:
        # Its own limits are for all of x: `y_range` has taken of them what holds for the part.
        y = replace(y, lo=None, hi=None)
    return x_scale(chart), _scale(y, y_range(chart, width))


def x_scale(chart: Chart) -> Scale | None:
    """Returns the x axis; None without limits and data."""
    return _scale(chart.x, x_range(chart))


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
    """Returns the y axis's own limits, or the range of the data.

    Faint series count without their outermost percent on each side: the spikes of a raw curve may
    be cut off, but must not flatten the smoothed curve. Nor may a band: it widens the range of the
    curves by `BAND_ROOM` at most.

    In a zoomed chart only what is in the x range counts, and the axis's own limits only cut off
    what they cut off without the zoom.

    Args:
        chart: the chart.
        width: the expected width, in cells. Lines are then scanned by dot column, which drawing
            reuses; the result is the same. Bands are read at the middle of each column, as they
            are drawn. None reads every value.
    """
    axis = chart.y
    if axis.lo is not None and axis.hi is not None and not chart.zoomed:
        return axis.lo, axis.hi
    has_columns = width is not None and width >= MIN_WIDTH_FOR_GUTTER
    x = x_scale(chart) if has_columns or chart.zoomed else None
    columns = 2 * (width - 1 - GUTTER) if has_columns and width is not None else 0
    reach = _seen if chart.zoomed else _reach
    loud = _union([reach(s, x, columns, axis.log) for s in chart.series if not s.faint])
    quiet = [
        _ends(_trimmed(_within(s, x).y if chart.zoomed else s.y, axis.log), axis.log)
        for s in chart.series
        if s.faint
    ]
    curves = _union([loud, *quiet])
    if chart.zoomed:
        curves = _cut_to_own(curves, loud, axis)
    bands = _union([_span(area, x, columns, axis.log) for area in chart.areas])
    span = with_bands(curves, bands, log=axis.log)
    lines = _ends(np.array([line.y for line in chart.hlines]), axis.log)
    span = with_bands(span, lines, log=axis.log) if chart.zoomed else _union([span, lines])
    if span is None or chart.zoomed:
        return span
    lo, hi = span
    return lo if axis.lo is None else axis.lo, hi if axis.hi is None else axis.hi


def with_bands(curves: Limits | None, bands: Limits | None, *, log: bool = False) -> Limits | None:
    """Widens the range of the curves by that of their bands, at each end by `BAND_ROOM` at most.

    Without curves, or if all their values are equal, the bands have all the room they need.
    """
    if curves is None or bands is None or not curves[0] < curves[1]:
        return _union([curves, bands])
    scale = Scale(*curves, log)
    least, most = scale.value(-BAND_ROOM), scale.value(1 + BAND_ROOM)
    return min(curves[0], max(bands[0], least)), max(curves[1], min(bands[1], most))


def _cut_to_own(curves: Limits | None, loud: Limits | None, axis: Axis) -> Limits | None:
    """Cuts off what is beyond the axis's own limits, unless all lines are."""
    if curves is None:
        return None
    lo, hi = curves
    inner = loud or curves
    if axis.lo is not None and inner[1] > axis.lo:
        lo = max(lo, axis.lo)
    if axis.hi is not None and inner[0] < axis.hi:
        hi = min(hi, axis.hi)
    return (lo, hi) if lo <= hi else curves


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


def _seen(series: Series, x: Scale | None, columns: int, log: bool) -> Limits | None:
    """Returns the range of y of what a series shows within the x axis."""
    if x is None:
        return _ends(series.y, log)
    if series.kind != "line" or not series.ascending:
        return _ends(_within(series, x).y, log)
    if columns:
        found = series.columns(x, columns, log=log)
        parts = [found.low, found.high]
    else:
        parts = [_within(series, x).y]
    return _union([_ends(part, log) for part in [*parts, _at_edges(series, x, log)]])


def _within(series: Series, x: Scale | None) -> Series:
    """Returns the points of a series within the x axis."""
    if x is None:
        return series
    if series.ascending:
        part = slice(*np.searchsorted(series.x, (x.lo, np.nextafter(x.hi, np.inf))).tolist())
        return replace(series, x=series.x[part], y=series.y[part])
    inside = (series.x >= x.lo) & (series.x <= x.hi)
    return replace(series, x=series.x[inside], y=series.y[inside])


def _at_edges(series: Series, x: Scale, log: bool) -> Floats:
    """Returns y where a line over ascending x enters and leaves the axis, if it does."""
    edges = np.array([x.lo, x.hi])
    after = np.searchsorted(series.x, edges)
    crossed = (after > 0) & (after < len(series.x))
    edges, after = edges[crossed], after[crossed]
    before = after - 1
    start, end = x.fraction(series.x[before]), x.fraction(series.x[after])
    known = np.isfinite(start) & np.isfinite(end) & (end > start)
    share = (x.fraction(edges) - start)[known] / (end - start)[known]
    low, high = series.y[before][known], series.y[after][known]
    sound = valid(low, log) & valid(high, log)
    share, low, high = share[sound], low[sound], high[sound]
    return np.asarray(low * (high / low) ** share if log else low + share * (high - low))


def _span(area: Area, x: Scale | None, columns: int, log: bool) -> Limits | None:
    """Returns the range of the points between which a band is drawn."""
    if x is None:
        return _union([_ends(area.low, log), _ends(area.high, log)])
    after = middles(area.x, x, columns or _COLUMNS)
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
