"""The screen of range tests: loss against learning rate, with bounds that keys move."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType

from clr_tui.engine.analysis.recordings.steps_csv import steps_csv
from clr_tui.engine.analysis.report import Bounds, RangeReport, range_report
from clr_tui.engine.analysis.used_optimizer import own_optimizer
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.settings.config import FACTOR, Compare, RangeTest, RunConfig, Train
from clr_tui.engine.words import exact_lr
from clr_tui.tui.cli.printing import json_text
from clr_tui.tui.exporting import charts_svg
from clr_tui.tui.keys import bindings_for
from clr_tui.tui.kinds.compare.proposal import after_range_test
from clr_tui.tui.kinds.range_test.view import (
    RangeScale,
    bounds_of,
    next_suggestion,
    range_chart,
    range_panel,
)
from clr_tui.tui.screens.bounds_dialog import BoundsDialog
from clr_tui.tui.screens.curve_screen import CurveScreen
from clr_tui.tui.screens.export_dialog import Exports
from clr_tui.tui.sources import Source
from clr_tui.tui.text.bounds import Which, step_bound
from clr_tui.tui.text.chart_options import RANGE_TEST_X
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.lines import Line
from clr_tui.tui.widgets.chart_view import ChartView
from clr_tui.tui.widgets.panel import Panel

OWN_OPTIMIZER = (
    "This range test swept the optimizer that its task makes, which a comparison cannot train."
)
NOTHING_TO_VERIFY = (
    "No rate is recommended, so there is none to verify. Press c to compare rates of your own: "
    "lr grid:1e-4..0.1x7, for example."
)
NO_BOUNDS = "There are no bounds yet: press b to type them, or u to use a rule's."


class RangeTestScreen(CurveScreen):
    """A range test, live or recorded; its bounds follow the recommendation until they are moved."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("range-test")
    key_screen = "range-test"
    x_axes = RANGE_TEST_X
    charts = ("loss-chart",)
    remembered = ("x", "y_log")  # the rules read the smoothed curve: another one is asked for anew

    def __init__(self, source: Source, config: RunConfig, run: RunDir | None) -> None:
        super().__init__(source, config, run)
        self._asked = config.asked(RangeTest)
        self.options = replace(self.options, smoothing=self._asked.smoothing)
        self.bounds: Bounds | None = None
        self.selected: Which = "max"
        self.moved = False
        self.rule: str | None = None

    @property
    def report(self) -> RangeReport:
        """The result so far, with the smoothing of the chart."""
        return self.history.cached(
            range_report, smoothing=self.options.smoothing, live=not self.status.ended
        )

    def show_history(self) -> None:
        """Draws the chart and the panel."""
        report = self.report
        if not self.moved:
            self.bounds = report.bounds
        chart = range_chart(
            self.history,
            bounds=self.bounds,
            selected=self.selected,
            options=self.options,
            suggestions=[] if report.verdict.kind == "running" else report.suggestions,
            best=report.best,
            empty=self.waiting(),
        )
        self.show_charts({"loss-chart": chart})
        panel = self.query_one("#panel", Panel)
        self.show_panel(
            range_panel(
                self.history,
                self.bounds,
                self.selected,
                report,
                ended=self.status.ended,
                width=panel.content_size.width,
                height=panel.content_size.height,
            )
        )

    def verdict(self) -> list[Line]:
        """The verdict on the curve, and what to do next."""
        judgement = self.report.verdict
        if judgement.kind == "running" and not self.history.trials:
            return []
        lines = self.words(plain(judgement.sentence))
        if self.status.state in ("failed", "lost"):
            return lines  # the lines above say what to do about it
        advice = plain(judgement.advice)
        if judgement.kind == "recommended":
            keys = "←→ move the bounds, u uses the next rule's"
            more = ", t trains with CLR between them, v verifies max_lr"
            keys += f"{more if self.repeatable else ''}."
            advice = f"{advice} {keys}".strip()
        if judgement.kind == "uncertain" and self.repeatable:
            advice += " v trains at such a grid."
        if "run again" in advice.lower() or "run it again" in advice.lower():
            advice += " r opens its settings."
        return lines + self.words(advice, "muted") if advice else lines

    def _set(self, bounds: Bounds) -> None:
        self.bounds, self.moved = bounds, True
        self.show_history()

    def action_move_bound(self, columns: int) -> None:
        """Moves the selected bound by `columns` chart columns."""
        if self.bounds is None:
            self.say(NO_BOUNDS)
            return
        width = self.query_one(ChartView).content_size.width
        factor = RangeScale.of(self.history, self.options.x).column(width) ** self.part_share
        moved = step_bound(self.bounds, self.selected, columns, factor)
        if moved == self.bounds:
            self.say("This bound cannot move further: the bounds must not cross.")
            return
        self._set(moved)

    def action_other_bound(self) -> None:
        """Selects the other bound."""
        self.selected = "base" if self.selected == "max" else "max"
        self.show_history()

    def action_type_bounds(self) -> None:
        """Asks for both bounds."""
        self.app.push_screen(BoundsDialog(self.bounds), self._typed)

    def _typed(self, bounds: Bounds | None) -> None:
        if bounds is not None:
            self._set(bounds)

    def action_next_rule(self) -> None:
        """Uses the bounds of the next rule that has a value."""
        rules = self.report.suggestions
        if not self.moved:
            # The bounds are the recommended rule's already.
            self.rule = next((one.rule for one in rules if one.recommended), None)
        taken = next_suggestion(rules, self.rule)
        bounds = bounds_of(taken, FACTOR) if taken is not None else None
        if taken is None or bounds is None:
            self.say("No rule has a value yet: wait until the curve has a shape.")
            return
        self.rule = taken.rule
        self._set(bounds)
        words = f"{taken.rule}: {exact_lr(bounds.base_lr)} to {exact_lr(bounds.max_lr)}"
        recommended = " (recommended)" if taken.recommended else ""
        caution = f", {taken.caution}" if taken.caution else ""
        self.say(plain(f"Bounds by {words}{recommended}{caution}."))

    def action_launch_training(self) -> None:
        """Opens the dialog that starts a training between the bounds."""
        if not self.repeatable:
            self.say("This recording does not name its task, so there is nothing to train.")
        elif self.bounds is None:
            self.say(f"Training needs bounds. {NO_BOUNDS}")
        else:
            from clr_tui.tui.kinds.range_test.train_dialog import TrainDialog

            dialog = TrainDialog(self.config, self.bounds, self.history)
            self.app.push_screen(dialog, self._launch)

    def _launch(self, job: Train | None) -> None:
        if job is not None:
            self.say("Starting the training ...")
            self.app.launch(
                self.config.task, job, self.parent_id, lambda error: self.say(error.message)
            )

    def action_verify(self) -> None:
        """Opens the dialog that starts a comparison at rates around the recommended one."""
        if not self.repeatable:
            self.say("This recording does not name its task, so there is nothing to train.")
        elif own_optimizer(self.history):
            self.say(OWN_OPTIMIZER)
        elif self.report.verdict.kind == "running":
            self.say("There is nothing to verify yet: the recommendation comes with the verdict.")
        elif self.report.best is None:
            self.say(NOTHING_TO_VERIFY)
        else:
            from clr_tui.tui.kinds.range_test.verify_dialog import VerifyDialog

            self.app.push_screen(VerifyDialog(self.history, self.report), self._launch_verification)

    def _launch_verification(self, job: Compare | None) -> None:
        if job is not None:
            self.say("Starting the verification ...")
            self.app.launch(
                self.config.task, job, self.parent_id, lambda error: self.say(error.message)
            )

    def comparison(self) -> Compare:
        """The article's optimizers, and this one cycling between its bounds."""
        bounds = (self.bounds.base_lr, self.bounds.max_lr) if self.bounds is not None else None
        of_settings = own_optimizer(self.history) == ""
        return after_range_test(self._asked.optimizer if of_settings else None, bounds)

    def exports(self) -> Exports:
        """The chart as SVG, the steps as CSV, the report as JSON."""
        chart = range_chart(
            self.history,
            bounds=self.bounds,
            selected=self.selected,
            options=self.options,
            best=self.report.best,
            empty=self.waiting(),
        )
        return {
            ".svg": lambda: charts_svg(self.as_zoomed([chart]), self.title_words()),
            ".csv": lambda: steps_csv(self.history),
            ".json": lambda: json_text(self.report),
        }
