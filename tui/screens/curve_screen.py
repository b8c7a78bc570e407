"""What the screens of a range test and of a training share: charts beside a panel of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from clr_tui.tui.screens.run_screen import RunScreen
from clr_tui.tui.text.chart_options import ChartOptions, XAxis
from clr_tui.tui.widgets.chart_view import ChartView
from clr_tui.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from clr_tui.engine.log.rundir import RunDir
    from clr_tui.engine.settings.config import Compare, RunConfig
    from clr_tui.tui.sources import Source


class CurveScreen(RunScreen):
    """Charts under one another, and beside them the panel. Subclasses say what is on them."""

    x_axes: ClassVar[tuple[XAxis, ...]]
    charts: ClassVar[tuple[str, ...]]
    """Ids of the charts, from the top."""

    def __init__(self, source: Source, config: RunConfig, run: RunDir | None) -> None:
        super().__init__(source, config, run)
        self.options = ChartOptions(x=self.x_axes[0])

    def compose_body(self) -> ComposeResult:
        """The charts beside their panel."""
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
            end = "as smooth as it gets" if direction > 0 else "the raw curve"
            self.say(f"This is {end} (smoothing {options.smoothing:g}).")
            return
        self._redraw(options)

    def action_toggle_y(self) -> None:
        """Switches the loss between linear and logarithmic."""
        self._redraw(self.options.toggled_y())

    def action_cycle_x(self) -> None:
        """Takes the next x-axis."""
        self._redraw(self.options.next_x(self.x_axes))

    def action_compare(self) -> None:
        """Opens the form as a comparison of optimizers on this task."""
        if not self.repeatable:
            self.say("This recording does not say what was trained: there is nothing to compare.")
        else:
            title = f"compare optimizers on the task of {self.config.id}"
            job = self.comparison()
            self.app.new_run(self.config.task, job, self.parent_id, title=title)

    def comparison(self) -> Compare:
        """The comparison that this run suggests."""
        raise NotImplementedError
