"""The frame of a chart: axis lines, tick marks and tick labels, as plotext draws them.

A frame depends on whole cells and words only, so it is drawn once and kept: while limits hold
still a new frame of data costs nothing here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from plotext._figure import _figure_class

Ticks = tuple[tuple[int, str], ...]
"""Each a cell of the data area, counted from its left or from its bottom, and a label."""


@lru_cache(maxsize=64)
def frame(width: int, height: int, x_ticks: Ticks, y_ticks: Ticks) -> tuple[str, ...]:
    """The rows of a frame around `width` x `height` cells of data, those left blank.

    Below the data there are the axis line and the row of tick labels; left of it the tick labels,
    right-aligned to the longest one, and the axis line.

    plotext's figure class is used, not its module: that draws on one global figure, which two
    charts on a screen would share. Ticks are given in cells for the same reason as the data is
    not: plotext puts a value in the nearest cell, the dots of a curve lie within cells.
    """
    labels = max((len(label) for _, label in y_ticks), default=0)
    figure: Any = _figure_class()
    figure._limit_size(False, False)
    figure.plot_size(labels + 1 + width, height + 1 + bool(x_ticks))
    figure.xlim(0, max(width - 1, 1))
    figure.ylim(0, max(height - 1, 1))
    figure.xaxes(True, False)
    figure.yaxes(True, False)
    figure.xticks([cell for cell, _ in x_ticks], [label for _, label in x_ticks])
    figure.yticks([cell for cell, _ in y_ticks], [label.rjust(labels) for _, label in y_ticks])
    figure.scatter([0], [0], marker=" ")  # without data there are no axes
    figure.monitor.build_plot()
    # The matrix of characters itself; its lowest row comes first.
    return tuple("".join(row) for row in reversed(figure.monitor.matrix.marker))
