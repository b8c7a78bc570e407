"""The screen of logged runs."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.types import CSSPathType

from clr_tui.engine.analysis.logged_report import logged_report
from clr_tui.tui.cli.printing import json_text
from clr_tui.tui.exporting import charts_svg
from clr_tui.tui.keys import bindings_for
from clr_tui.tui.kinds.logged.view import charts_of
from clr_tui.tui.screens.export_dialog import Exports
from clr_tui.tui.screens.run_screen import RunScreen
from clr_tui.tui.text.lines import Line
from clr_tui.tui.widgets.chart_view import ChartView


class LoggedScreen(RunScreen):
    """A run of somebody's own loop, or the log of another tool."""

    CSS_PATH: ClassVar[CSSPathType | None] = [
        "../../screens/run_screen.tcss",
        Path(__file__).with_suffix(".tcss"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("logged")
    key_screen = "logged"

    def compose_body(self) -> ComposeResult:
        """Lays out the charts."""
        with Vertical(id="charts"):
            yield ChartView(id="first-chart")

    def show_history(self) -> None:
        """Draws the charts."""
        self.show_charts({"first-chart": charts_of(self.history, self.waiting())[0]})

    def verdict(self) -> list[Line]:
        """Nothing yet."""
        return []

    def exports(self) -> Exports:
        """The charts as SVG, the report as JSON."""
        return {
            ".svg": lambda: charts_svg(charts_of(self.history, self.waiting()), self.title_words()),
            ".json": lambda: json_text(logged_report(self.history, live=not self.status.ended)),
        }
