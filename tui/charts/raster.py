"""Rasterises series into braille dots, eight per cell.

plotext does not draw these lines for two reasons. Six series of 320 columns take it 57 ms (a Python
loop over every dot), over twice the budget of a frame; and it assigns each cell to one series, so
that a curve cuts holes into the one below. This works by column: a million ascending points are
divided by binary search in real units, so that logarithms are taken only of each column's extremes.
A line that turns back (loss against a cyclical rate) is reduced by `reduce_columns`, then drawn
segment by segment.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clr_tui.engine.analysis.reduce import reduce_columns
from clr_tui.tui.charts.chart import Area, Series
from clr_tui.tui.charts.columns import middles
from clr_tui.tui.charts.scale import MAX_VALUE, MIN_VALUE, Floats, Scale, valid

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a braille cell, four rows of two."""


def series_mask(series: Series, x: Scale, y: Scale, columns: int, rows: int) -> Mask:
    """Returns the dots of a line, shape (rows, columns), row 0 at the top."""
    if not series.ascending:
        known = valid(series.x, x.log)
        return _path_mask(series.x[known], series.y[known], x, y, columns, rows)
    # Points invalid on the x axis are at the ends; their y may be anything.
    start = int(np.searchsorted(series.x, MIN_VALUE if x.log else -MAX_VALUE, side="left"))
    end = int(np.searchsorted(series.x, MAX_VALUE, side="right"))
    return _between(*_line_rows(series, slice(start, end), x, y, columns, rows), rows)


def area_mask(area: Area, x: Scale, y: Scale, columns: int, rows: int) -> Mask:
    """Returns the dots between the two curves of an area, shape (rows, columns).

    A band is read only at the middle of each dot column: it has no spikes to lose, and a million
    points then cost nothing.
    """
    cuts = middles(area.x, x, columns)
    at = (np.arange(columns) + 0.5) / columns
    lows, highs = (_crossings(area.x, edge, at, cuts, x, y) for edge in (area.low, area.high))
    top, bottom = _row(np.fmax(lows, highs), rows), _row(np.fmin(lows, highs), rows)
    nothing = np.isnan(lows) | np.isnan(highs)
    top[nothing], bottom[nothing] = rows + 1, -2
    return _between(top, bottom, rows)


def dots_mask(xs: Floats, ys: Floats, x: Scale, y: Scale, columns: int, rows: int) -> Mask:
    """Returns one dot per point, shape (rows, columns)."""
    mask = np.zeros((rows, columns), dtype=np.bool_)
    across, up = x.fraction(xs), y.fraction(ys)
    inside = (across >= 0) & (across <= 1) & (up >= 0) & (up <= 1)
    column = np.minimum((across[inside] * columns).astype(np.int64), columns - 1)
    mask[_row(up[inside], rows), column] = True
    return mask


def braille(mask: Mask) -> npt.NDArray[np.int32]:
    """Packs dots, shape (4 h, 2 w), into the bits of h x w braille cells (add U+2800)."""
    bits = np.zeros((mask.shape[0] // 4, mask.shape[1] // 2), dtype=np.int32)
    for row, pair in enumerate(_DOTS):
        for column, bit in enumerate(pair):
            bits += mask[row::4, column::2] * np.int32(bit)
    return bits


def _path_mask(xs: Floats, ys: Floats, x: Scale, y: Scale, columns: int, rows: int) -> Mask:
    """Returns the dots of a line that turns back."""
    across, up = reduce_columns(x.fraction(xs), y.fraction(ys), columns, 0.0, 1.0)
    # Far outside the chart a line would have many dots that are never seen.
    across, up = across * columns, np.clip(up, -1.0, 2.0) * rows
    whole = np.isfinite(up[1:]) & np.isfinite(up[:-1])
    reach = np.maximum(np.abs(np.diff(across)), np.abs(np.diff(up)))
    dots = np.where(whole, np.ceil(np.nan_to_num(reach)), 0).astype(np.int64) + 1
    segment = np.repeat(np.arange(len(dots)), dots)
    along = (np.arange(len(segment)) - np.repeat(np.cumsum(dots) - dots, dots)) / dots[segment]
    ahead = np.where(whole, np.diff(across), 0.0), np.where(whole, np.diff(up), 0.0)
    lines = across[segment] + along * ahead[0][segment], up[segment] + along * ahead[1][segment]
    unit_x, unit_y = Scale(0.0, columns), Scale(0.0, rows)
    mask = dots_mask(*lines, unit_x, unit_y, columns, rows)
    return mask | dots_mask(across, up, unit_x, unit_y, columns, rows)


def _row(places: Floats, rows: int) -> Ints:
    """Converts fractions of the y axis to dot rows; -1 above the top, `rows` below the bottom.

    Rounds from below, as `Scale.cell` does, so that a curve at a tick is in the tick's row.
    """
    up = np.floor(np.clip(np.nan_to_num(places, nan=2.0) * rows, -1, rows)).astype(np.int64)
    up[places == 1] = rows - 1
    return rows - 1 - up


def _between(top: Ints, bottom: Ints, rows: int) -> Mask:
    index = np.arange(rows)[:, None]
    mask: Mask = (index >= top) & (index <= bottom)
    return mask


def _line_rows(
    series: Series, known: slice, x: Scale, y: Scale, columns: int, rows: int
) -> tuple[Ints, Ints]:
    """Returns the rows that a line over ascending x covers in each dot column: (top, bottom).

    `known` is the slice of points valid on the x axis. A column covers the range of its points. Two
    columns meet in the row where the line crosses the edge between them, which belongs to the right
    one; sharing no row keeps the line thin. For the same reason points between a column's two
    crossings do not count.
    """
    xs, ys = series.x[known], series.y[known]
    found = series.columns(x, columns, log=y.log)
    cuts = found.cuts - known.start
    low, high = y.fraction(found.low), y.fraction(found.high)
    crossing = _crossings(xs, ys, np.linspace(0.0, 1.0, columns + 1), cuts, x, y)
    left, right = crossing[:-1], crossing[1:]
    high = np.where(high <= np.maximum(left, right), np.nan, high)
    low = np.where(low >= np.minimum(left, right), np.nan, low)
    highest, lowest = np.fmax(high, left), np.fmin(low, left)
    nothing = np.isnan(highest)
    top, bottom = _row(highest, rows), _row(lowest, rows)
    to = _row(right, rows)
    joined = ~np.isnan(right)
    # A column that the line enters only at its right end has no row to start from.
    top = np.where(joined, np.where(nothing, to, np.minimum(top, to + 1)), top)
    bottom = np.where(joined, np.where(nothing, to, np.maximum(bottom, to - 1)), bottom)
    nothing &= ~joined
    return np.where(nothing, rows + 1, top), np.where(nothing, -2, bottom)


def _crossings(xs: Floats, ys: Floats, at: Floats, cuts: Ints, x: Scale, y: Scale) -> Floats:
    """Returns y fractions of a line at x fractions `at`, with next points `cuts`; NaN if none."""
    after = np.clip(cuts, 1, max(len(xs) - 1, 1))
    if len(xs) < 2:
        return np.full(len(at), np.nan)
    x0, x1 = x.fraction(xs[after - 1]), x.fraction(xs[after])
    y0, y1 = y.fraction(ys[after - 1]), y.fraction(ys[after])
    span = x1 - x0
    share = np.clip(np.where(span > 0, (at - x0) / np.where(span > 0, span, 1.0), 0.0), 0.0, 1.0)
    outside = (cuts < 1) | (cuts > len(xs) - 1)
    return np.where(outside, np.nan, y0 + share * (y1 - y0))
