"""The base of the range test's and the training's screens: charts beside a panel."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.settings.config import Compare, RunConfig
from clr_tui.tui.screens.panel_screen import PanelScreen
from clr_tui.tui.sources import Source
from clr_tui.tui.text.chart_options import ChartOptions, XAxis, options_in, view_of
from clr_tui.tui.widgets.chart_view import ChartView
from clr_tui.tui.widgets.panel import Panel


class CurveScreen(PanelScreen):
    """Charts below one another beside a panel; subclasses fill them."""

    x_axes: ClassVar[tuple[XAxis, ...]]
    charts: ClassVar[tuple[str, ...]]
    """Ids of the charts, top to bottom."""
    remembered: ClassVar[tuple[str, ...]] = ("x", "y_log", "smoothing")
    """The options that are remembered for each run."""

    def __init__(self, source: Source, config: RunConfig, run: RunDir | None) -> None:
        super().__init__(source, config, run)
        self.options = ChartOptions(x=self.x_axes[0])
        self._usual = self.options

    def on_mount(self) -> None:
        """Shows the charts as they were viewed last."""
        self._usual = self.options
        if self._view_key:
            view = self.app.views.view_of(self._view_key)
            self.options = options_in(view, self.options, self.remembered, self.x_axes)
            self.log_x = view.get("log_x") is True

    def on_unmount(self) -> None:
        """Remembers the view."""
        if self._view_key:
            view = view_of(self.options, self._usual, self.remembered)
            with suppress(OSError):  # a full disk, or a home that is read-only, is no trouble here
                log_x = {"log_x": True} if self.log_x else {}
                self.app.views.remember(self._view_key, view | log_x)

    @property
    def _view_key(self) -> str:
        """By what the view is remembered; empty for a trial, which shares its comparison's log."""
        path = self.source.path if self.noun == "run" else None
        return "" if path is None else os.path.abspath(path)

    def compose_body(self) -> ComposeResult:
        """Lays out the charts and the panel."""
        with Horizontal(id="body"):
            with Vertical(id="charts"):
                for name in self.charts:
                    yield ChartView(id=name)
            yield Panel(id="panel")

    def _redraw(self, options: ChartOptions) -> None:
        self.options = options
        self.show_all()

    def action_smoothing(self, direction: int) -> None:
        """Smooths more (1) or less (-1)."""
        options = self.options.smoother(direction)
        if options == self.options:
            end = "the smoothest setting" if direction > 0 else "the raw curve"
            self.say(f"This is {end} (smoothing {options.smoothing:g}).")
            return
        self._redraw(options)

    def action_toggle_y(self) -> None:
        """Switches the loss axis between linear and logarithmic."""
        self._redraw(self.options.toggled_y())

    def action_cycle_x(self) -> None:
        """Switches to the next x axis."""
        self._redraw(self.options.next_x(self.x_axes))

    def action_compare(self) -> None:
        """Opens the form as a comparison of optimizers on this task."""
        if not self.repeatable:
            self.say("This recording does not name its task, so there is nothing to compare.")
        else:
            title = f"compare optimizers on the task of {self.config.id}"
            job = self.comparison()
            self.app.new_run(self.config.task, job, self.parent_id, title=title)

    def comparison(self) -> Compare:
        """Returns the comparison that this run suggests."""
        raise NotImplementedError
