"""The frame of a chart: axis lines, tick marks and tick labels, drawn by plotext.

Ticks are given in cells, because plotext rounds values to the nearest cell while the dots of curves
lie within cells. Frames are cached, so they cost nothing while the limits stay the same.
"""

from __future__ import annotations

from functools import lru_cache

import plotext

Ticks = tuple[tuple[int, str], ...]
"""Pairs of a cell, counted from the left or bottom of the data area, and a label."""


@lru_cache(maxsize=64)
def y_axis(height: int, ticks: Ticks) -> tuple[str, ...]:
    """Returns `height` rows from the top: right-aligned tick label and axis line."""
    widest = max((len(label) for _, label in ticks), default=0)
    return tuple(row[:-1] for row in _drawn(1, height, (), ticks, widest)[:height])


@lru_cache(maxsize=64)
def x_axis(width: int, ticks: Ticks, margin: int) -> tuple[str, ...]:
    """Returns the axis line and any row of labels, both from `margin` cells left of the corner."""
    return _drawn(width, 1, ticks, ((0, ""),), margin)[1:]


def _drawn(width: int, height: int, x: Ticks, y: Ticks, margin: int) -> tuple[str, ...]:
    """Returns the rows of a frame around `width` x `height` blank cells."""
    plotext.clear_figure()  # plotext has one global figure
    plotext.theme("clear")
    plotext.limit_size(False, False)
    plotext.plot_size(margin + 1 + width, height + 1 + bool(x))
    plotext.xlim(0, max(width - 1, 1))
    plotext.ylim(0, max(height - 1, 1))
    plotext.xaxes(True, False)
    plotext.yaxes(True, False)
    plotext.xticks([cell for cell, _ in x], [label for _, label in x])
    plotext.yticks([cell for cell, _ in y], [label.rjust(margin) for _, label in y])
    plotext.scatter([0], [0], marker=" ")  # without data there are no axes
    return tuple(plotext.uncolorize(plotext.build()).splitlines())
