"""The frame of a chart: axis lines, tick marks and tick labels, as plotext draws them.

Ticks are given in cells, the data are not drawn here: plotext puts a value in the nearest cell, the
dots of a curve lie within cells. An axis depends on whole cells and words only, so it is drawn once
and kept: while limits hold still a new frame of data costs nothing here.
"""

from __future__ import annotations

from functools import lru_cache

import plotext

Ticks = tuple[tuple[int, str], ...]
"""Each a cell of the data area, counted from its left or from its bottom, and a label."""


@lru_cache(maxsize=64)
def y_axis(height: int, ticks: Ticks) -> tuple[str, ...]:
    """`height` rows from the top: a tick label, right-aligned to the longest one, and the line."""
    widest = max((len(label) for _, label in ticks), default=0)
    return tuple(row[:-1] for row in _drawn(1, height, (), ticks, widest)[:height])


@lru_cache(maxsize=64)
def x_axis(width: int, ticks: Ticks, margin: int) -> tuple[str, ...]:
    """The line and, where there are ticks, the row of their labels.

    Both begin `margin` cells left of the corner: there the first label may reach.
    """
    return _drawn(width, 1, ticks, ((0, ""),), margin)[1:]


def _drawn(width: int, height: int, x: Ticks, y: Ticks, margin: int) -> tuple[str, ...]:
    """The rows of a frame around `width` x `height` blank cells of data."""
    plotext.clear_figure()  # there is one figure for all; this one is read at once
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
