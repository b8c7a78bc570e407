"""Which cells of a chart are for what, and between which limits its data lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clr_tui.tui.charts.chart import Area, Axis, Chart, Series
from clr_tui.tui.charts.columns import middles
from clr_tui.tui.charts.scale import Floats, Limits, Scale, valid
from clr_tui.tui.charts.ticks import Tick, stepped, ticks

GUTTER = 6
"""Cells for y tick labels, at least: charts under one another line up, and labels that change
their length do not move the data."""
_GUTTERED = 40
"""Cells of width from which on there is room for that."""
_LOW = 12
"""Rows below which a chart without an x label shows no numbers on that axis: it is one of several
over the same x."""
_COLUMNS_PER_TICK = 9
_COLUMNS_PER_DECADE = 7
_SAMPLE = 8192


@dataclass(frozen=True)
class Layout:
    """The rows and columns of a chart, all in cells; None for a row that has no place."""

    left: int
    top: int
    width: int
    height: int
    """Of the data area, its corner at (`left`, `top`)."""
    title: int | None
    axis: int | None
    tick_row: int | None
    label_row: int | None
    y_ticks: tuple[Tick, ...]

    @property
    def framed(self) -> bool:
        """Whether there are axes."""
        return self.axis is not None


def layout(chart: Chart, width: int, height: int, y: Scale | None) -> Layout:
    """Divides `width` x `height` cells, both at least 1; what is small goes without a frame."""
    names = [s.name for s in chart.series] + [area.name for area in chart.areas]
    named = bool(chart.title or chart.y.label or any(names))
    framed = width >= 16 and height >= 5
    title = 0 if named and height >= 4 else None
    top = 0 if title is None else 1
    low = height < _LOW
    numbered = framed and (not low or bool(chart.x.label or chart.vlines))
    labelled = framed and bool(chart.x.label) and height >= 16
    inner = height - top - framed - numbered - labelled
    y_ticks: tuple[Tick, ...] = ()
    left = 0
    if framed:
        if y is not None:
            y_ticks = tuple(
                ticks(y.lo, y.hi, log=y.log, most=max(2, inner // _rows_per_tick(inner)))
            )
        longest = max((len(tick.label) for tick in y_ticks), default=0)
        left = 1 + (max(GUTTER, longest) if width >= _GUTTERED else longest)
        if left > width // 2:
            y_ticks, left = (), 1
    axis = top + inner if framed else None
    return Layout(
        left=left,
        top=top,
        width=width - left,
        height=inner,
        title=title,
        axis=axis,
        tick_row=axis + 1 if axis is not None and numbered else None,
        label_row=axis + 2 if axis is not None and labelled else None,
        y_ticks=y_ticks,
    )


def _rows_per_tick(rows: int) -> int:
    return 2 if rows < 16 else 3 if rows < 24 else 4


def x_ticks(x: Scale, width: int) -> list[Tick]:
    """Ticks of the x axis over `width` cells."""
    each = _COLUMNS_PER_DECADE if x.log else _COLUMNS_PER_TICK
    return ticks(x.lo, x.hi, log=x.log, most=max(2, width // each))


def scales(chart: Chart, width: int | None = None) -> tuple[Scale | None, Scale | None]:
    """The chart's axes; None for one that has neither limits of its own nor anything on it.

    `width` in cells, as for `y_range`.
    """
    return _scale(chart.x, x_range(chart)), _scale(chart.y, y_range(chart, width))


def _scale(axis: Axis, found: Limits | None) -> Scale | None:
    lo, hi = _own(axis.lo, axis.log), _own(axis.hi, axis.log)
    if lo is None or hi is None:
        known = [limit for limit in (lo, hi, *(found or ())) if _own(limit, axis.log) is not None]
        if not known:
            return None
        wide = stepped(min(known), max(known), log=axis.log)
        lo, hi = wide[0] if lo is None else lo, wide[1] if hi is None else hi
    if not lo < hi or (not axis.log and hi - lo < 1e-13 * max(abs(lo), abs(hi))):
        lo, hi = stepped(lo, hi, log=axis.log)
    return Scale(lo, hi, axis.log)


def _own(limit: float | None, log: bool) -> float | None:
    """A limit that an axis states, unless no axis could have it."""
    if limit is None or not bool(valid(np.asarray(limit, np.float64), log)):
        return None
    return float(limit)


def x_range(chart: Chart) -> Limits | None:
    """From the least to the greatest x of all that is drawn; the axis's own limits if it has."""
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
    """Whether the ends of x are its extremes, and both have a place on the axis."""
    ascending = isinstance(drawn, Area) or drawn.ascending
    return ascending and bool(valid(drawn.x[[0, -1]], axis.log).all())


def y_range(chart: Chart, width: int | None = None) -> Limits | None:
    """From the least to the greatest y of all that is drawn; where the axis has limits, those.

    Faint series count without their outermost hundredths: a raw curve's spikes may be cut off,
    they must not press the smoothed curve flat.

    Args:
        chart: what is drawn.
        width: cells that it will most likely be drawn in. Lines are looked at by the columns that
            they will be drawn in then, and not again for that; their range is the same at any
            width. Bands, which are drawn as they stand in the middle of each column, are looked at
            there, within the x axis. None: at each value.
    """
    axis = chart.y
    if axis.lo is not None and axis.hi is not None:
        return axis.lo, axis.hi
    known = width is not None and width >= _GUTTERED
    x = _scale(chart.x, x_range(chart)) if known else None
    columns = 2 * (width - 1 - GUTTER) if width is not None else 0
    loud = [_reach(s, x, columns, axis.log) for s in chart.series if not s.faint]
    quiet = [_ends(_trimmed(s.y, axis.log), axis.log) for s in chart.series if s.faint]
    areas = [_span(area, x, columns, axis.log) for area in chart.areas]
    lines = _ends(np.array([line.y for line in chart.hlines]), axis.log)
    found = _union([*loud, *quiet, *areas, lines])
    if found is None:
        return None
    return axis.lo if axis.lo is not None else found[0], axis.hi if axis.hi is not None else found[
        1
    ]


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
    """From the least to the greatest y of a series, what lies beyond the x axis included."""
    if x is None or series.kind != "line" or not series.ascending:
        return _ends(series.y, log)
    found = series.columns(x, columns, log=log)
    before, after = series.y[: found.cuts[0]], series.y[found.cuts[-1] :]
    return _union([_ends(part, log) for part in (found.low, found.high, before, after)])


def _span(area: Area, x: Scale | None, columns: int, log: bool) -> Limits | None:
    """Of the points between which a band is drawn."""
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
