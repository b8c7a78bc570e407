"""The base of screens with charts that share an x axis: a cursor on them, and zoom by keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.charts.cursor import moved_cursor, place_near, with_cursor
from clr_tui.tui.charts.scale import MAX_VALUE, MIN_VALUE, Scale
from clr_tui.tui.charts.ticks import nice_step
from clr_tui.tui.charts.zoom import (
    containing,
    is_whole,
    most_points,
    moved,
    newest_part,
    newest_x,
    resized,
    shared_x,
    zoomed,
)
from clr_tui.tui.keys import Tool, is_allowed
from clr_tui.tui.screens.foreground_screen import ForegroundScreen
from clr_tui.tui.text import numbers
from clr_tui.tui.text.lines import Line
from clr_tui.tui.text.readings import amount_of_x, reading_line, reading_rows
from clr_tui.tui.widgets.chart_view import ChartView

_STRIDE = 0.1
"""How far an arrow key moves the part of x that is shown, as a share of it."""
_FIRST_NEWEST = 0.25
"""The part of x that is followed if all of it was shown, as a share of what there is."""
_FEWEST = 2
"""A part of x is not narrowed to fewer points of a curve."""
NOTHING_TO_READ = "There are no values to read yet."
NOTHING_TO_ZOOM = "There are no curves to zoom into yet."


class ChartScreen(ForegroundScreen[None]):
    """A screen with charts; those whose x has the same name share a cursor and a part of x.

    Subclasses pass all their charts to `show_charts`, as they are without cursor and zoom, and show
    `readings_in_lines` or `readings_in_rows` when `show_readings` is called.
    """

    key_screen: str
    key_tool: Tool | None = None
    """What the arrow keys move."""
    resting_tool: Tool | None = None
    """What they move while there is neither a cursor nor a zoom in use."""

    def __init__(self) -> None:
        super().__init__()
        self.cursor_at: float | None = None
        """The x of the cursor; None while there is none."""
        self.part: Scale | None = None
        """The part of x that is shown; None for all of it."""
        self.newest_span: float | None = None
        """The length of the newest part of x that is followed (see `Scale.span`); None if not."""
        self.log_x = False
        self.base_charts: dict[str, Chart] = {}
        """The charts by widget, without cursor and zoom."""

    def say(self, text: str) -> None:
        """Shows a sentence for some seconds."""
        raise NotImplementedError

    def show_readings(self) -> None:
        """Shows what is read at the cursor, or no longer shows it, and the keys in use."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action is among those of the keys that are in use."""
        return is_allowed(action, self.key_screen, self.key_tool)

    def show_charts(self, charts: Mapping[str, Chart]) -> None:
        """Shows charts in the widgets with these ids."""
        before, self.base_charts = self._x_name, dict(charts)
        if before and self._x_name != before:
            # Another x: neither the place of the cursor nor the part has a meaning on it.
            self.part = self.newest_span = self.cursor_at = None
            self.key_tool = self.resting_tool
            self.log_x = False
            self.show_readings()
        self._draw()

    def readings_in_rows(self, width: int) -> list[Line]:
        """Returns what the curves are at the cursor, a row for each; nothing without one."""
        if self.cursor_at is None:
            return []
        return reading_rows(self._sharing(), self.cursor_at, self._x_name, width)

    def readings_in_lines(self, width: int) -> list[Line]:
        """Returns the same in as few lines as it takes."""
        if self.cursor_at is None:
            return []
        return reading_line(self._sharing(), self.cursor_at, self._x_name, width)

    @property
    def part_share(self) -> float:
        """The share of x that is shown, above 0 and at most 1."""
        whole, shown = self._whole, self._part_shown
        return shown.span / whole.span if whole is not None and shown is not None else 1.0

    @property
    def _x_name(self) -> str:
        """The name of the x that cursor and zoom are about: that of the first chart with one."""
        return next(filter(None, map(_name_of, self.base_charts.values())), "")

    def _sharing(self) -> list[Chart]:
        """Returns the charts with that x, which is logarithmic if the user said so."""
        sharing = [one for one in self.base_charts.values() if _name_of(one) == self._x_name]
        return _on_log_x(sharing) if self.log_x else sharing

    @property
    def _whole(self) -> Scale | None:
        return shared_x(self._sharing())

    @property
    def _part_shown(self) -> Scale | None:
        """The part of x that is shown now."""
        whole = self._whole
        if whole is None:
            return None
        if self.newest_span is not None:
            newest = newest_x(self._sharing())
            return whole if newest is None else newest_part(whole, newest, self.newest_span)
        return whole if self.part is None else self.part

    def as_zoomed(self, charts: Sequence[Chart]) -> list[Chart]:
        """Returns charts with the x, and the part of it, that is shown."""
        sharing = [one for one in charts if _name_of(one) == self._x_name]
        shared = iter(_on_log_x(sharing) if self.log_x else sharing)
        found = [next(shared) if _name_of(one) == self._x_name else one for one in charts]
        whole, shown = self._whole, self._part_shown
        if whole is None or shown is None or is_whole(whole, shown):
            return found
        return [zoomed(one, shown) if _name_of(one) == self._x_name else one for one in found]

    def _draw(self) -> None:
        words = numbers.place(self.cursor_at) if self.cursor_at is not None else ""
        charts = self.as_zoomed(list(self.base_charts.values()))
        for name, chart in zip(self.base_charts, charts, strict=True):
            if self.cursor_at is not None and _name_of(chart) == self._x_name:
                chart = with_cursor(chart, self.cursor_at, words)
            self.query_one(f"#{name}", ChartView).set_chart(chart)

    def _columns(self) -> int:
        """Returns the columns of the widest chart's data."""
        return max((view.data_columns for view in self.query(ChartView)), default=1)

    def _use(self, tool: Tool | None) -> None:
        self.key_tool = self.resting_tool if tool is None else tool
        self.show_readings()

    def rest_on(self, tool: Tool | None) -> None:
        """Gives the arrow keys a meaning for as long as nothing else uses them."""
        if self.key_tool == self.resting_tool:
            self.key_tool = tool
        self.resting_tool = tool
        self.show_readings()

    def action_show_cursor(self) -> None:
        """Shows the cursor, in the middle of the curves that are shown, and moves it by keys."""
        shown, newest = self._part_shown, newest_x(self._sharing())
        if self.cursor_at is None and shown is not None and newest is not None:
            end = float(np.clip(shown.fraction(newest), 0.0, 1.0))
            self.cursor_at = place_near(self._sharing(), shown.value(end / 2))
        if self.cursor_at is None:
            self.say(NOTHING_TO_READ)
            return
        self._draw()
        self._use("cursor")

    def action_hide_cursor(self) -> None:
        """Hides the cursor."""
        self.cursor_at = None
        self._draw()
        self._use(None)

    def action_move_cursor(self, columns: int) -> None:
        """Moves the cursor by about `columns` columns, from value to value."""
        whole, shown = self._whole, self._part_shown
        if self.cursor_at is None or whole is None or shown is None:
            return
        charts = self._sharing()
        self.cursor_at = moved_cursor(charts, self.cursor_at, columns, shown, self._columns())
        inside = containing(whole, shown, self.cursor_at)
        if inside != shown:
            self.part, self.newest_span = inside, None
        self._draw()
        self.show_readings()

    def action_zoom(self) -> None:
        """Lets the arrow keys choose a part of x."""
        if newest_x(self._sharing()) is None:
            self.say(NOTHING_TO_ZOOM)
            return
        self._use("zoom")

    def action_end_zoom(self) -> None:
        """Gives the arrow keys back; the part of x stays."""
        self._use("cursor" if self.cursor_at is not None else None)

    def action_resize_part(self, direction: int) -> None:
        """Halves (1) or doubles (-1) the part of x that is shown."""
        whole, shown = self._whole, self._part_shown
        if whole is None or shown is None:
            return
        factor = 0.5 if direction > 0 else 2.0
        part = resized(whole, shown, factor, self.cursor_at)
        if self.newest_span is not None:
            part = newest_part(whole, newest_x(self._sharing()) or 0.0, factor * self.newest_span)
        if direction > 0 and most_points(self._sharing(), part) < _FEWEST:
            self.say("This is the narrowest part: half of it would hold a single value.")
            return
        if self.newest_span is not None:
            self.newest_span = min(factor * self.newest_span, whole.span)
        self._show_part(part)

    def action_move_part(self, strides: int) -> None:
        """Moves the part of x by tenths of its width."""
        whole, shown = self._whole, self._part_shown
        if whole is None or shown is None:
            return
        if is_whole(whole, shown):
            self.say("All of x is shown: ↑ shows half of it, which these keys then move.")
            return
        self.newest_span = None
        self._show_part(moved(whole, shown, _STRIDE * strides))

    def action_show_all_of_x(self) -> None:
        """Ends the zoom."""
        if self.part is None and self.newest_span is None:
            self.say("All of x is shown.")
            return
        self.newest_span = None
        self._show_part(None)

    def action_follow_newest(self) -> None:
        """Follows the newest part of x, as long as the one that is shown; again: holds it."""
        whole, shown, newest = self._whole, self._part_shown, newest_x(self._sharing())
        if whole is None or shown is None or newest is None:
            self.say(NOTHING_TO_ZOOM)
            return
        if self.newest_span is not None:
            self.newest_span = None
            self._show_part(shown)
            self.say("The part of x is held: f follows the newest again, Z shows all of it.")
            return
        self.newest_span = shown.span
        if is_whole(whole, shown):
            share = float(whole.fraction(newest)) * _FIRST_NEWEST
            self.newest_span = nice_step(share * whole.span) if share > 0 else whole.span
        self._show_part(None)
        amount = amount_of_x(self.newest_span, self._x_name, log=whole.log)
        self.say(f"Following the newest {amount}: z and ↑↓ for less or more, f holds it.")

    def action_toggle_log_x(self) -> None:
        """Switches x between linear and logarithmic."""
        if any(chart.x.log for chart in self.base_charts.values()):
            self.say(f"The {self._x_name} has a logarithmic axis as it is.")
            return
        if not self.log_x and shared_x(_on_log_x(self._sharing())) is None:
            self.say("There is no value above 0 for a logarithmic axis.")
            return
        self.log_x = not self.log_x
        self.part = self.newest_span = None
        self._draw()
        self.show_readings()

    def _show_part(self, part: Scale | None) -> None:
        whole = self._whole
        everything = part is None or (whole is not None and is_whole(whole, part))
        if self.newest_span is None:
            self.part = None if everything else part
        self._draw()
        self.show_readings()


def _name_of(chart: Chart) -> str:
    return chart.x.name or chart.x.label


def _on_log_x(charts: list[Chart]) -> list[Chart]:
    """Returns the charts with a logarithmic x, which begins at the least place above 0 of any."""
    firsts = []
    for chart in charts:
        for series in chart.series:
            first = np.searchsorted(series.places, MIN_VALUE)
            firsts += [x for x in series.places[first : first + 1].tolist() if x <= MAX_VALUE]
    lo = min(firsts, default=None)
    return [
        replace(
            chart,
            x=replace(
                chart.x,
                log=True,
                lo=lo,
                label=chart.x.label.replace(_name_of(chart), f"{_name_of(chart)} (log)", 1),
                name=_name_of(chart),
            ),
        )
        for chart in charts
    ]
