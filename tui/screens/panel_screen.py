"""The base of run screens that show figures in a panel beside the charts."""

from __future__ import annotations

from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.settings.config import RunConfig
from clr_tui.tui.screens.run_screen import RunScreen
from clr_tui.tui.sources import Source
from clr_tui.tui.text.lines import Line
from clr_tui.tui.widgets.panel import Panel


class PanelScreen(RunScreen):
    """A run screen whose panel `#panel` holds the run's figures below those at the cursor."""

    def __init__(self, source: Source, config: RunConfig, run: RunDir | None) -> None:
        super().__init__(source, config, run)
        self._figures: list[Line] = []

    def show_panel(self, lines: list[Line]) -> None:
        """Shows the figures of the run, below those at the cursor."""
        self._figures = lines
        panel = self.query_one("#panel", Panel)
        panel.set_lines([*self.readings_in_rows(panel.content_size.width), *lines])

    def show_readings(self) -> None:
        """Shows what is read at the cursor."""
        super().show_readings()
        self.show_panel(self._figures)

    def readings_in_message(self) -> bool:
        """Whether there is no panel for them."""
        return not self.query_one("#panel", Panel).display
