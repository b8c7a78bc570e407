"""The screen of trainings: learning rate, loss and primary metric on one x-axis."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace
from textual.binding import BindingType
from textual.types import CSSPathType

from clr_tui.engine.analysis.recordings.steps_csv import steps_csv
from clr_tui.engine.analysis.report import train_report
from clr_tui.engine.analysis.used_optimizer import own_optimizer
from clr_tui.engine.settings.config import Compare, Train
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.cli.printing import json_text
from clr_tui.tui.exporting import charts_svg
from clr_tui.tui.keys import bindings_for
from clr_tui.tui.kinds.compare.proposal import after_training
from clr_tui.tui.kinds.train.view import (
    ending_sentence,
    training_charts,
    training_panel,
    training_sentence,
)
from clr_tui.tui.screens.curve_screen import CurveScreen
from clr_tui.tui.screens.export_dialog import Exports
from clr_tui.tui.text.chart_options import TRAINING_X
from clr_tui.tui.text.lines import Line


class TrainingScreen(CurveScreen):
    """A training, live or recorded."""

    CSS_PATH: ClassVar[CSSPathType | None] = [
        "../../screens/run_screen.tcss",
        Path(__file__).with_suffix(".tcss"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("train")
    key_screen = "train"
    x_axes = TRAINING_X
    charts = ("lr-chart", "loss-chart", "metric-chart")

    def _charts(self) -> tuple[Chart, Chart, Chart]:
        return training_charts(
            self.history, self.options, waiting=self.waiting(), ended=self.status.ended
        )

    def show_history(self) -> None:
        """Draws the three charts and the panel."""
        self.show_charts(dict(zip(self.charts, self._charts(), strict=True)))
        self.show_panel(training_panel(self.history, self.options, ended=self.status.ended))

    def verdict(self) -> list[Line]:
        """The result so far, and a caveat about a training that ended in mid-cycle."""
        sentence = training_sentence(self.history, ended=self.status.ended)
        lines = self.words(sentence) if self.history.trials else []
        ending = ending_sentence(self.history)
        return lines + self.words(ending, "suggestion") if ending else lines

    def comparison(self) -> Compare:
        """The article's optimizers, and this one as it was trained, with its latest bounds."""
        job = self.config.asked(Train)
        base_lr, max_lr = self.history.bounds or (job.base_lr, job.max_lr)
        return after_training(
            replace(job, base_lr=base_lr, max_lr=max_lr),
            own_optimizer=own_optimizer(self.history) != "",
        )

    def exports(self) -> Exports:
        """The three charts as SVG, the steps as CSV, the report as JSON."""
        return {
            ".svg": lambda: charts_svg(self.as_zoomed(self._charts()), self.title_words()),
            ".csv": lambda: steps_csv(self.history),
            ".json": lambda: json_text(train_report(self.history, live=not self.status.ended)),
        }
