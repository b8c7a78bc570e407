"""The chart widget; it sends only what changed."""

from __future__ import annotations

from dataclasses import replace

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from clr_tui.tui.charts.axis_limits import GUTTER, x_range, y_range
from clr_tui.tui.charts.cells import Grid, changed_spans
from clr_tui.tui.charts.chart import Axis, Chart, same_chart
from clr_tui.tui.charts.draw import draw_grid
from clr_tui.tui.charts.palette import Palette
from clr_tui.tui.charts.scale import Limits
from clr_tui.tui.charts.ticks import StickyLimits
from clr_tui.tui.textual_internals import install_lean_updates
from clr_tui.tui.widgets.roles import palette_of


class ChartView(Widget):
    """Shows a chart and repaints only cells that differ from those last painted.

    Limits that follow the data stay the same, and widen in steps, while the chart shows the same
    thing (the same axes, by label and kind). An x axis's own limits are usually a plan, such as the
    length of a sweep: they are used unchanged until they move, as an estimate of seconds does. The
    limits of the y axis always follow the data.
    """

    can_focus = False

    DEFAULT_CSS = "ChartView { width: 1fr; height: 1fr; }"

    def __init__(self, chart: Chart | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chart = chart if chart is not None else Chart()
        self._x_limits = StickyLimits()
        self._y_limits = StickyLimits()
        self._x_plan: tuple[float | None, float | None] | None = None
        self._x_moves = False
        self._cells: Grid | None = None
        """The cells last drawn; None if they must be redrawn."""

    @property
    def chart(self) -> Chart:
        """The chart being shown."""
        return self._chart

    @property
    def palette(self) -> Palette:
        """The palette for this terminal and theme."""
        return palette_of(self.app)

    @property
    def data_columns(self) -> int:
        """The columns of its data area, at least 1, if the y axis has labels of the usual width."""
        return max(self.size.width - 1 - GUTTER, 1)

    def on_mount(self) -> None:
        """Installs lean updates, and repaints when the theme changes."""
        install_lean_updates()
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)

    def _theme_changed(self, _theme: object) -> None:
        self._cells = None
        self.refresh()

    def set_chart(self, chart: Chart) -> None:
        """Shows `chart`; sends nothing if it looks the same."""
        if _kind(chart) != _kind(self._chart):
            self._x_limits.reset()
            self._y_limits.reset()
            self._x_plan, self._x_moves = None, False
        before, self._chart = self._chart, chart
        old = self._cells if self.is_attached else None
        if old is None or (old.width, old.height) != self.size:
            # Not painted yet, or about to be repainted: drawn when its rows are requested.
            self._cells = None
            self.refresh()
        elif not same_chart(before, chart):
            self._cells = self._draw(self.size)
            spans = changed_spans(old, self._cells)
            if spans:
                self.refresh(*(Region(start, y, end - start, 1) for y, start, end in spans))

    def render_line(self, y: int) -> Strip:
        """Renders row `y`."""
        cells = self._cells
        if cells is None or (cells.width, cells.height) != self.size:
            cells = self._cells = self._draw(self.size)
        if y >= cells.height:
            return Strip.blank(self.size.width, self.rich_style)
        palette, base = self.palette, self.rich_style
        segments = [Segment(text, base + palette.style(ink)) for text, ink in cells.row(y)]
        return Strip(segments, self.size.width)

    def _draw(self, size: Size) -> Grid:
        chart = self._chart
        if not chart.zoomed:
            chart = replace(chart, x=self._held_x(chart))
        y = _held(chart.y, y_range(chart, size.width), self._y_limits)
        held = replace(chart, y=y, zoomed=False)
        return draw_grid(held, size.width, size.height, self.palette)

    def _held_x(self, chart: Chart) -> Axis:
        plan = chart.x.lo, chart.x.hi
        if None in plan:
            return _held(chart.x, x_range(chart), self._x_limits)
        self._x_moves |= self._x_plan is not None and plan != self._x_plan
        self._x_plan = plan
        return _held(chart.x, x_range(chart), self._x_limits) if self._x_moves else chart.x


def _kind(chart: Chart) -> tuple[object, ...]:
    part = (chart.x.lo, chart.x.hi) if chart.zoomed else None
    return chart.x.label, chart.x.log, part, chart.y.label, chart.y.log


def _held(axis: Axis, found: Limits | None, limits: StickyLimits) -> Axis:
    """Returns `axis` with sticky limits."""
    if found is None:
        return axis
    lo, hi = limits.fit(*found, log=axis.log)
    return replace(axis, lo=lo, hi=hi)
