"""The base of screens with a grid of charts made from the names of values."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from msgspec.structs import replace as replace_fields
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Input

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.settings.config import RunConfig
from clr_tui.tui.charts.chart import Axis, Chart
from clr_tui.tui.charts.ticks import StickyLimits
from clr_tui.tui.keys import bindings_for
from clr_tui.tui.kinds.logged.arrangement import Shape, counts_for, page_of, shape_of, usual_count
from clr_tui.tui.kinds.logged.chart_grid import ChartGrid, place_id
from clr_tui.tui.kinds.logged.curves import RunCurves, XAxis
from clr_tui.tui.kinds.logged.filter_bar import FilterBar
from clr_tui.tui.kinds.logged.groups import ChartGroup, chart_groups
from clr_tui.tui.kinds.logged.options import GridOptions, options_of, view_of
from clr_tui.tui.kinds.logged.view import XScale, axes_of, group_chart, usual_axis, x_scale
from clr_tui.tui.screens.panel_screen import PanelScreen
from clr_tui.tui.screens.run_screen import POLL_SECONDS
from clr_tui.tui.sources import Source
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.lines import Line
from clr_tui.tui.text.name_filter import Term, filtered, read_filter
from clr_tui.tui.widgets.panel import Panel

DRAWING_SECONDS = 0.5
"""Least seconds between two drawings of new values."""
SAVE_SECONDS = 1.0
"""Seconds after the last change of a view until it is written."""
NO_LOAD = "This log does not say how busy the machine was."
NO_PANEL = "The terminal is too narrow for the panel."
LEAST_WIDTH = 60
"""Columns of the smallest terminal that has room for charts and a panel."""
MOST_EXPORTED = 60
"""Charts in one SVG."""


class GridScreen(PanelScreen):
    """Charts in a grid beside a panel, filtered by name; subclasses say of which runs."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("logged")
    AUTO_FOCUS = ""
    key_screen = "logged"
    first_unit = "value"
    panel_from: ClassVar[int] = 140
    """Columns of the terminal from which on the panel is shown."""

    def __init__(self, source: Source, config: RunConfig, run: RunDir | None) -> None:
        super().__init__(source, config, run)
        self.options = GridOptions()
        self.by_load = False
        """Whether the charts show the load of the machine."""
        self.groups: list[ChartGroup] = []
        """All charts that the filter lets through, in their order."""
        self._shape = Shape(1, 1)
        self._page = range(0)
        self._page_size = 1
        self._terms: list[Term] = []
        self._filter_mistake = ""
        self._x_limits = StickyLimits()
        self._x_of: object = None
        """What the limits of x are those of."""
        self._saving: Timer | None = None

    def all_runs(self) -> list[RunCurves]:
        """Returns the runs, or their load if that is asked for, also those that are filtered out.

        A run that is shown alone has no name.
        """
        raise NotImplementedError

    def figures(self, runs: Sequence[RunCurves], page: Sequence[ChartGroup]) -> list[Line]:
        """Returns the lines of the panel, for these runs and the charts of this page."""
        raise NotImplementedError

    def view_key(self) -> str:
        """Returns by what the view is remembered; empty: not at all."""
        return "" if self.source.path is None else os.path.abspath(self.source.path)

    def compose_body(self) -> ComposeResult:
        """Lays out the filter, the charts and the panel."""
        yield FilterBar()
        with Horizontal(id="body"):
            yield ChartGrid(id="charts")
            yield Panel(id="panel")

    def on_mount(self) -> None:
        """Shows the charts as they were viewed last."""
        key, views = self.view_key(), self.app.views
        if key:
            self.options = options_of(views.view_of(key))
            self.log_x = self.options.log_x
            if views.damage:
                self.say(views.damage)
        bar = self.query_one(FilterBar)
        bar.value = self.options.words
        bar.close()
        self._read_filter()

    def on_unmount(self) -> None:
        """Remembers the view."""
        self._save()

    def show(self, options: GridOptions) -> None:
        """Draws with other options, which are remembered."""
        self.options = options
        self.show_all()
        if self._saving is not None:
            self._saving.stop()
        self._saving = self.set_timer(SAVE_SECONDS, self._save)

    def _save(self) -> None:
        options = replace_fields(self.options, log_x=self.log_x)
        if key := self.view_key():
            with suppress(OSError):  # a full disk, or a home that is read-only, is no trouble here
                self.app.views.remember(key, view_of(options))

    def _drawing_pause(self, took: float) -> float:
        # Charts are drawn at most so often, which halves the bytes of a loop that logs faster.
        return max(super()._drawing_pause(took), DRAWING_SECONDS - POLL_SECONDS / 2)

    def show_history(self) -> None:
        """Draws the charts of the page, and the panel."""
        self.set_class(not self._has_panel(), "-no-panel")
        runs = self.all_runs()
        styles = [number for number, run in enumerate(runs) if run.name]
        runs, styles, self.groups = self._filtered(runs, styles)
        self._place()
        page = [self.groups[number] for number in self._page]
        x = self._x(runs)
        named = not self._has_panel()
        charts = [group_chart(group, runs, self.options, x, styles, legend=named) for group in page]
        if not charts:
            charts = [Chart(empty=self._nothing())]
        self.show_charts(
            {place_id(place): self._in_place(chart, place, x) for place, chart in enumerate(charts)}
        )
        self.show_panel(self.figures(runs, page))

    def _filtered(
        self, runs: list[RunCurves], styles: list[int]
    ) -> tuple[list[RunCurves], list[int], list[ChartGroup]]:
        """Leaves out what the filter does not let through."""
        groups = self._groups_of(runs)
        if not self._terms:
            return runs, styles, groups
        names = [(group.title, curve.name) for group in groups for curve in group.curves]
        named = [run for run in runs if run.name]
        texts = ["\n".join(dict.fromkeys(pair)) for pair in names]
        charts, kept = filtered(self._terms, texts, [run.name for run in named])
        if named:
            runs = [run for run, keep in zip(named, kept, strict=True) if keep]
            styles = [style for style, keep in zip(styles, kept, strict=True) if keep]
        shown = {name for (_, name), keep in zip(names, charts, strict=True) if keep}
        return runs, styles, self._groups_of(runs, shown)

    def _groups_of(
        self, runs: Sequence[RunCurves], shown: set[str] | None = None
    ) -> list[ChartGroup]:
        names = dict.fromkeys(name for run in runs for name in run.columns.names)
        kept = [name for name in names if shown is None or name in shown]
        groups = chart_groups(kept)
        return [group for group in groups if (group.sort == "system") == self.by_load]

    def _place(self) -> None:
        """Decides which charts are on the page, and in which shape."""
        grid, total = self.query_one(ChartGrid), len(self.groups)
        width, height = grid.content_size
        self._page_size = 1 if self.enlarged else min(self._at_once(), max(total, 1))
        self._shape = shape_of(self._page_size, width, height) or Shape(1, 1)
        self._page = page_of(self._chosen(), self._page_size, total)
        count = max(len(self._page), 1)
        grid.place_charts(count, self._shape, self._chosen() - self._page.start)

    def _at_once(self) -> int:
        """Returns how many charts are shown at once."""
        width, height = self.query_one(ChartGrid).content_size
        if not self.options.at_once:
            return usual_count(width, height)
        return max(n for n in counts_for(width, height) if n <= self.options.at_once)

    def _chosen(self) -> int:
        """Returns the number of the chosen chart."""
        keys = [group.key for group in self.groups]
        return keys.index(self.options.chosen) if self.options.chosen in keys else 0

    @property
    def enlarged(self) -> bool:
        """Whether the chosen chart has all the room."""
        return self.resting_tool == "chart"

    def _axis(self, runs: Sequence[RunCurves]) -> XAxis:
        if self.by_load:
            return "time"
        if self.options.x in axes_of(runs):
            return self.options.x
        return usual_axis(runs)

    def _x(self, runs: Sequence[RunCurves]) -> XScale:
        names = [curve.name for group in self.groups for curve in group.curves]
        x = x_scale(runs, names, self._axis(runs))
        if (x.name, self.by_load, x.log) != self._x_of:
            self._x_of = x.name, self.by_load, x.log
            self._x_limits.reset()
        return x

    def _in_place(self, chart: Chart, place: int, x: XScale) -> Chart:
        """Gives a chart the x axis of all, whose label the lowest charts show."""
        lowest = place + self._shape.columns >= len(self._page)
        axis = Axis(label=x.name if lowest else "", log=x.log, name=x.name)
        if x.ends is None:
            return replace(chart, x=axis)
        lo, hi = self._x_limits.fit(*x.ends, log=x.log)
        return replace(chart, x=replace(axis, lo=lo, hi=hi), zoomed=True)

    def _nothing(self) -> str:
        """Says why there is no chart."""
        if self.by_load:
            return NO_LOAD
        if self._terms and self.history.began:
            return f"No chart matches '{plain(self.options.words.strip())}'. esc in / shows all."
        return self.waiting()

    def readings_in_message(self) -> bool:
        """Whether there is no panel for them."""
        return not self._has_panel()

    def _has_panel(self) -> bool:
        wanted = self.options.panel
        least = self.panel_from if wanted is None else LEAST_WIDTH
        return wanted is not False and self.size.width >= least

    def verdict(self) -> list[Line]:
        """Which charts are shown, and the names of the next ones."""
        words = [f"smoothing {self.options.smoothing:g}"] if self.options.smoothing < 1 else []
        if self._filter_mistake:
            return self.words(self._filter_mistake, "suggestion")
        total = len(self.groups)
        if len(self._page) < total:
            first, last = self._page.start + 1, self._page.stop
            shown = f"{first} to {last}" if last > first else f"{first}"
            rest = [*self.groups[last:], *self.groups[: first - 1]]
            names = ", ".join(group.title for group in rest)
            words.insert(0, f"chart{'s' * (last > first)} {shown} of {total}, then {names}")
        return self.words(" · ".join(reversed(words)), "muted")[: 1 if self.notices() else 2]

    def on_panel_resized(self, event: Panel.Resized) -> None:
        """Fits the panel's lines to its new width."""
        if event.panel.id == "panel":
            self.call_after_refresh(self.show_all)

    def on_chart_grid_resized(self) -> None:
        """Fits the charts to the new size."""
        self.call_after_refresh(self.show_all)

    def on_chart_grid_clicked(self, event: ChartGrid.Clicked) -> None:
        """Chooses the chart, or enlarges it."""
        if event.place < len(self._page) and not self.enlarged:
            self._choose(self._page[event.place])
            if event.twice:
                self.action_enlarge()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filters while the user types."""
        event.stop()
        self.show(replace_fields(self.options, words=event.value[:1000]))
        self._read_filter()
        self.show_all()

    def _read_filter(self) -> None:
        """Reads the filter; a pattern that is none filters nothing, and is said."""
        try:
            self._terms, self._filter_mistake = read_filter(self.options.words), ""
        except UserError as error:
            self._terms, self._filter_mistake = [], f"{plain(error.message)}."

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Gives the keys back to the charts, which stay filtered."""
        event.stop()
        self.action_leave_filter()

    def action_filter(self) -> None:
        """Lets the user type a filter."""
        self.query_one(FilterBar).open()

    def action_leave_filter(self) -> None:
        """Gives the keys back to the charts."""
        self.query_one(FilterBar).close()

    def action_clear_filter(self) -> None:
        """Shows all charts and runs again."""
        bar = self.query_one(FilterBar)
        bar.value = ""
        bar.close()

    def action_choose(self, right: int, down: int) -> None:
        """Chooses another chart, on another page if need be."""
        self._choose(self._chosen() + right + down * self._shape.columns)

    def _choose(self, number: int) -> None:
        if not self.groups:
            self.say("There is no chart to choose yet.")
            return
        number = min(max(number, 0), len(self.groups) - 1)
        self.show(replace_fields(self.options, chosen=self.groups[number].key))

    def action_enlarge(self) -> None:
        """Gives the chosen chart all the room."""
        if len(self.groups) < 2:
            self.say("This is the only chart." if self.groups else "There is no chart yet.")
            return
        self.rest_on("chart")
        self.show_all()

    def action_leave_chart(self) -> None:
        """Shows the other charts again."""
        self.rest_on(None)
        self.show_all()

    def action_more_charts(self, direction: int) -> None:
        """Shows more charts at once (1), after the most the fewest, or fewer (-1)."""
        counts = counts_for(*self.query_one(ChartGrid).content_size)
        least = next((n for n in counts if n >= len(self.groups)), counts[-1])
        counts = [n for n in counts if n <= least]
        at = counts.index(min(self._at_once(), least)) + direction
        if self.enlarged:
            self.rest_on(None)
        if len(counts) == 1:
            self.say(
                "There is no room for more charts." if self.groups else "There is no chart yet."
            )
            return
        self.show(replace_fields(self.options, at_once=counts[at % len(counts)]))

    def action_scroll_output(self, pages: int) -> None:
        """Scrolls the output if it is shown, else shows the charts before or after these."""
        if self._output_from is not None:
            super().action_scroll_output(pages)
        else:
            self._choose(self._page.start + pages * self._page_size)

    def action_output_end(self, end: bool) -> None:
        """Goes to the end of the output if it is shown, else to the last chart; or to the first."""
        if self._output_from is not None:
            super().action_output_end(end)
        else:
            self._choose(len(self.groups) - 1 if end else 0)

    def action_toggle_panel(self) -> None:
        """Shows or hides the panel."""
        if self.size.width < LEAST_WIDTH:
            self.say(NO_PANEL)
            return
        self.show(replace_fields(self.options, panel=not self._has_panel()))

    def action_toggle_load(self) -> None:
        """Switches between the values and the load of the machine."""
        self.by_load = not self.by_load
        if self.by_load and not self._groups_of(self.all_runs()):
            self.by_load = False
            self.say(NO_LOAD)
            return
        self.show_all()

    def action_smoothing(self, direction: int) -> None:
        """Smooths more (1) or less (-1)."""
        options = self.options.smoother(direction)
        if options == self.options:
            end = "the smoothest setting" if direction > 0 else "the raw curve"
            self.say(f"This is {end} (smoothing {options.smoothing:g}).")
            return
        self.show(options)

    def action_toggle_y(self) -> None:
        """Switches the chosen chart between a linear and a logarithmic y axis."""
        if self.groups:
            self.show(self.options.toggled_y(self.groups[self._chosen()].key))
        else:
            self.say("There is no chart yet.")

    def action_toggle_log_x(self) -> None:
        """Switches x between linear and logarithmic."""
        super().action_toggle_log_x()
        self.show(replace_fields(self.options, log_x=self.log_x))

    def action_cycle_x(self) -> None:
        """Switches to the next x axis on which there are values."""
        if self.by_load:
            self.say("The load of the machine is shown over time: d shows the values again.")
            return
        runs = self.all_runs()
        axes = axes_of(runs) or ("step",)
        axis = axes[(axes.index(self._axis(runs)) + 1) % len(axes)]
        if len(axes) == 1:
            self.say("This log has neither epochs, times nor rates: x stays the step.")
        else:
            self.show(replace_fields(self.options, x=axis))

    def shown_charts(self) -> list[Chart]:
        """Returns the charts of all pages as they are shown, for export."""
        runs = self.all_runs()
        styles = [number for number, run in enumerate(runs) if run.name]
        runs, styles, groups = self._filtered(runs, styles)
        x = self._x(runs)
        charts = [group_chart(one, runs, self.options, x, styles) for one in groups[:MOST_EXPORTED]]
        return self.as_zoomed([replace(chart, x=Axis(label=x.name, log=x.log)) for chart in charts])
