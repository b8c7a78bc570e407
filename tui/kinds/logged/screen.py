"""The screen of a logged run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.types import CSSPathType

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.logged_report import logged_report
from clr_tui.engine.analysis.recordings.foreign_recording import fitting_kind
from clr_tui.engine.analysis.recordings.logged_comparison import LoggedValues
from clr_tui.engine.analysis.recordings.logged_csv import logged_csv
from clr_tui.engine.analysis.run_columns import load_columns, run_columns
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.settings.config import RunConfig
from clr_tui.tui.cli.printing import json_text
from clr_tui.tui.exporting import charts_svg
from clr_tui.tui.kinds.logged.curves import RunCurves
from clr_tui.tui.kinds.logged.grid_screen import GridScreen
from clr_tui.tui.kinds.logged.groups import ChartGroup
from clr_tui.tui.kinds.logged.panel import setting_lines, value_lines
from clr_tui.tui.kinds.logged.run_settings import run_settings
from clr_tui.tui.screens.export_dialog import Exports
from clr_tui.tui.screens.run_screen import UNPACED_SECONDS
from clr_tui.tui.sources import Source
from clr_tui.tui.text.lines import BLANK, Line
from clr_tui.tui.text.status import offer_words
from clr_tui.tui.widgets.panel import Panel


class LoggedScreen(GridScreen):
    """A run of somebody's own loop, or the log of another tool."""

    CSS_PATH: ClassVar[CSSPathType | None] = [
        "../../screens/run_screen.tcss",
        Path(__file__).with_suffix(".tcss"),
    ]
    pausing = "Pausing when the loop asks for its next batch; press space to continue."
    export_words = ".svg or .png all charts, .csv every value, .json a summary"

    def __init__(self, source: Source, config: RunConfig, run: RunDir | None) -> None:
        super().__init__(source, config, run)
        self._values = RunCurves("", self.history.logged)
        self._load = RunCurves("", self.history.logged)

    def all_runs(self) -> list[RunCurves]:
        """The run alone."""
        found = run_columns(self.history)
        self._values.columns = found[0].columns if found else self.history.logged
        if not self.by_load:
            return [self._values]
        self._load.columns = load_columns(self.history)
        self._load.since = self.history.first_time
        return [self._load, self._values]

    def figures(self, runs: Sequence[RunCurves], page: Sequence[ChartGroup]) -> list[Line]:
        """The last and best values, then the settings."""
        width = self.query_one("#panel", Panel).content_size.width
        values = [line for run in runs for line in value_lines(page, run, width)]
        settings = setting_lines(run_settings(self.config), width)
        return [*values, BLANK, *settings] if values else settings

    def remarks(self) -> list[str]:
        """What else the log of another tool could be shown as."""
        if not self.config.foreign or self.run_dir is not None or self.source.replay:
            return []
        words = offer_words(self.history.cached(_fitting_kind))
        return [f"{words[0].upper()}{words[1:]}."] if words else []

    def _shares_cores(self) -> bool:
        history, usage = self.history, self.history.usage
        if self.run_dir is None or (usage is not None and usage.memory_used is not None):
            return False  # another machine's, maybe, or its device is not the CPU
        return (history.last_time or 0.0) - (history.first_time or 0.0) > UNPACED_SECONDS

    def exports(self) -> Exports:
        """The charts as SVG, the values as CSV, the report as JSON."""
        return {
            ".svg": lambda: charts_svg(self.shown_charts(), self.title_words()),
            ".csv": lambda: logged_csv(self.history),
            ".json": lambda: json_text(logged_report(self.history, live=not self.status.ended)),
        }


def _fitting_kind(history: RunHistory) -> str:
    return fitting_kind([LoggedValues("", history.logged)])
