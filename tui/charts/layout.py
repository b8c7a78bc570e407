"""How the cells of a chart are divided."""

from __future__ import annotations

from dataclasses import dataclass

from clr_tui.tui.charts.axis_limits import GUTTER, MIN_WIDTH_FOR_GUTTER
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.charts.scale import Scale
from clr_tui.tui.charts.ticks import Tick, ticks

_LOW_HEIGHT = 12
"""Below this height a chart without an x label has no numbers on the x axis: it is one of several
that share it."""
_COLUMNS_PER_TICK = 9
_COLUMNS_PER_DECADE = 7


@dataclass(frozen=True)
class Layout:
    """The rows and columns of a chart, in cells; None for a row that is left out."""

    left: int
    top: int
    width: int
    height: int
    """The size of the data area, whose corner is (`left`, `top`)."""
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
    """Divides `width` x `height` cells, both at least 1; a small chart has no frame."""
    names = [s.name for s in chart.series] + [area.name for area in chart.areas]
    named = bool(chart.full_title or chart.y.label or any(names))
    framed = width >= 16 and height >= 5
    title = 0 if named and height >= 4 else None
    top = 0 if title is None else 1
    low = height < _LOW_HEIGHT
    numbered = framed and (
        not low or bool(chart.x.label or any(line.label for line in chart.vlines))
    )
    labelled = framed and bool(chart.x.label) and height >= 16
    inner = height - top - framed - numbered - labelled
    y_ticks: tuple[Tick, ...] = ()
    left = 0
    if framed:
        if y is not None:
            rows_per_tick = 2 if inner < 16 else 3 if inner < 24 else 4
            y_ticks = tuple(ticks(y.lo, y.hi, log=y.log, most=max(2, inner // rows_per_tick)))
        longest = max((len(tick.label) for tick in y_ticks), default=0)
        left = 1 + (max(GUTTER, longest) if width >= MIN_WIDTH_FOR_GUTTER else longest)
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


def x_ticks(x: Scale, width: int) -> list[Tick]:
    """Returns the ticks of an x axis `width` cells wide."""
    each = _COLUMNS_PER_DECADE if x.log else _COLUMNS_PER_TICK
    return ticks(x.lo, x.hi, log=x.log, most=max(2, width // each))
