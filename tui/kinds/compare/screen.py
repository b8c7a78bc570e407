"""The screen of comparisons: mean curves with bands above a ranking of the optimizers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.types import CSSPathType

from clr_tui.engine.analysis.comparison.comparison_report import compare_report
from clr_tui.engine.analysis.comparison.comparison_results import CompareReport, TrialReport
from clr_tui.engine.analysis.comparison.seed_curves import entry_curves
from clr_tui.engine.analysis.comparison.sensitivity_results import Sensitivity
from clr_tui.engine.analysis.recordings.curves_csv import curves_csv
from clr_tui.engine.analysis.recordings.rates_csv import rates_csv
from clr_tui.engine.analysis.recordings.steps_csv import steps_csv
from clr_tui.engine.log.commands import StopTrial
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.metrics import LOSS
from clr_tui.engine.settings.config import Compare, RunConfig
from clr_tui.engine.settings.rate_grid import on_grid
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.cli.printing import json_text
from clr_tui.tui.exporting import charts_svg
from clr_tui.tui.keys import GRID, bindings_for
from clr_tui.tui.kinds.compare.progress import comparison_status_words, waiting_for_rates
from clr_tui.tui.kinds.compare.ranking import ranking, ranking_markdown
from clr_tui.tui.kinds.compare.ranking_table import Ranking
from clr_tui.tui.kinds.compare.sensitivity_view import (
    is_complete,
    sensitivity_chart,
    styles_by_rate,
    toggled_optimizer,
    words_in_order,
)
from clr_tui.tui.kinds.compare.target import move_target, read_target, suggest_target, target_text
from clr_tui.tui.kinds.compare.target_dialog import TargetDialog
from clr_tui.tui.kinds.compare.trial_screen import TrialScreen
from clr_tui.tui.kinds.compare.view import CompareOptions, comparison_chart
from clr_tui.tui.screens.confirm import ConfirmScreen
from clr_tui.tui.screens.export_dialog import Exports
from clr_tui.tui.screens.run_screen import RunScreen
from clr_tui.tui.sources import LiveSource, ReplaySource, Source, TrialSource
from clr_tui.tui.text import figures
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.lines import Line
from clr_tui.tui.text.names import STOPPING_TRIAL
from clr_tui.tui.widgets.chart_view import ChartView


class ComparisonScreen(RunScreen):
    """A comparison, live or recorded."""

    CSS_PATH: ClassVar[CSSPathType | None] = [
        "../../screens/run_screen.tcss",
        Path(__file__).with_suffix(".tcss"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = bindings_for(GRID)
    key_screen = "compare"
    first_unit = "epoch"
    export_words = (
        ".svg or .png the chart as shown, .md the table, .json the result, .csv every step, "
        "curves.csv the curves by epoch"
    )

    def __init__(self, source: Source, config: RunConfig, run: RunDir | None) -> None:
        super().__init__(source, config, run)
        job = config.asked(Compare)
        self.key_screen = GRID if on_grid(job) else "compare"
        if on_grid(job):
            self.export_words = f"{self.export_words}, rates.csv the rates"
        self._own_target = job.target
        self.options = CompareOptions(target=self._own_target)
        self.expanded: frozenset[int] = frozenset()
        self._by_rate: bool | None = None
        """As the user chose; until then by rate once there is a result at every rate."""

    def compose_body(self) -> ComposeResult:
        """The chart above the table."""
        with Vertical(id="body"):
            yield ChartView(id="chart")
            yield Ranking(id="ranking")

    @property
    def report(self) -> CompareReport:
        """The result so far."""
        return self.history.cached(
            compare_report, target=self.options.target, live=not self.status.ended
        )

    @property
    def table(self) -> Ranking:
        """The ranking."""
        return self.query_one(Ranking)

    @property
    def sensitivity(self) -> Sensitivity | None:
        """The final metric by rate, if the comparison has a grid of rates and shows it."""
        found = self.report.sensitivity
        if found is None:
            return None
        by_rate = is_complete(found) if self._by_rate is None else self._by_rate
        return found if by_rate else None

    def _chart(self, options: CompareOptions, *, legend: bool) -> Chart:
        found, waiting = self.sensitivity, self.waiting()
        if found is None:
            return comparison_chart(self.history, options, waiting=waiting, legend=legend)
        job = self.config.asked(Compare)
        return sensitivity_chart(found, job, options, waiting=waiting, legend=legend)

    def show_history(self) -> None:
        """Draws the table, and the chart with the selected entry in front."""
        table, found = self.table, self.sensitivity
        self.set_class(found is not None, "-by-rate")
        heading, rows = ranking(
            self.report,
            table.line_width,
            hidden=self.options.hidden,
            expanded=self.expanded,
            styles=styles_by_rate(found, len(self.report.entries)) if found is not None else None,
        )
        table.show(heading, rows)
        row = table.selected
        options = replace(self.options, selected=row.entry if row is not None else None)
        self.show_charts({"chart": self._chart(options, legend=False)})

    def status_words(self) -> str:
        """How many trials have ended, and how long the rest will take."""
        return comparison_status_words(self.history, self.status)

    def waiting(self) -> str:
        """The progress of tuning, or what else there is to wait for."""
        return waiting_for_rates(self.history, self.status.state) or super().waiting()

    def verdict(self) -> list[Line]:
        """Why the selected trial failed, then the verdict on the optimizers or the grid."""
        if not self.history.trials:
            return []
        found, row = self.sensitivity, self.table.selected
        if found is None:
            return [*self._reason(), *self.words(self.report.verdict)]
        sentences = words_in_order(found, row.entry if row is not None else None)
        return [*self._reason(), *(line for words in sentences for line in self.words(words))]

    def _reason(self) -> list[Line]:
        """Why the trial under the cursor failed or was stopped."""
        label, trials = self._selected()
        row = self.table.selected
        if row is None or row.trial is None or not trials or not trials[0].reason:
            return []
        trial = trials[0]
        failed = " failed" if trial.state == "failed" else ""
        words = f"{label}, seed {trial.seed}{failed}: {trial.reason.rstrip('.')}."
        return self.words(words, "diverged")

    def _selected(self) -> tuple[str, list[TrialReport]]:
        """The label of the entry under the cursor, and its trials or the one selected."""
        row = self.table.selected
        if row is None:
            return "", []
        entry = next((one for one in self.report.entries if one.entry == row.entry), None)
        trials = entry.trials if entry is not None else []
        label = plain(entry.label) if entry is not None else ""
        return label, [trial for trial in trials if row.trial in (None, trial.trial)]

    def remarks(self) -> list[str]:
        """The caveats of the result."""
        return self.report.remarks if self.history.trials else []

    def on_row_list_moved(self) -> None:
        """Redraws for the row that is now selected."""
        self.show_all()

    def on_row_list_opened(self) -> None:
        """Opens the row that was clicked twice."""
        self.action_open_row()

    def action_select(self, by: int) -> None:
        """Selects the row above or below."""
        self.table.move(by)

    def action_open_row(self) -> None:
        """Shows or hides the trials of an optimizer, or opens a trial."""
        row = self.table.selected
        if row is None:
            self.say("There is nothing to open yet.")
        elif row.trial is None:
            self.expanded ^= {row.entry}
            self.show_history()
        else:
            self._open_trial(row.trial)

    def _open_trial(self, number: int) -> None:
        trial = self.history.trials.get(number)
        if trial is None:
            self.say("This trial has not started yet.")
            return
        source: Source
        if isinstance(self.source, ReplaySource):
            source = self.source.of_trial(number)
        else:
            assert self.run_dir is not None
            source = TrialSource(LiveSource(self.run_dir), number)
        self.app.push_screen(TrialScreen(source, self.config, self.run_dir, self.history, trial))

    def action_hide(self) -> None:
        """Hides the selected optimizer's curve, or shows it again."""
        if (row := self.table.selected) is None:
            return
        if (found := self.sensitivity) is not None:
            self._redraw(toggled_optimizer(found, self.options, row.entry))
        else:
            self._redraw(self.options.toggled_entry(row.entry))

    def _redraw(self, options: CompareOptions) -> None:
        self.options = options
        self.show_all()

    def action_by_rate(self) -> None:
        """Switches between the curves and the final metric by rate."""
        self._by_rate = self.sensitivity is None
        self.show_all()

    def action_follow_newest(self) -> None:
        """Follows the newest part of x, unless that is the learning rate."""
        if not self._shows_only("no part of x is newer than others"):
            super().action_follow_newest()

    def _shows_only(self, what: str) -> bool:
        """Whether the chart is by rate, where a key for curves does nothing: says so."""
        if self.sensitivity is None:
            return False
        self.say(f"By rate, {what}: press f for the curves.")
        return True

    def action_cycle_part(self) -> None:
        """Shows validation, training or both."""
        if not self._shows_only("the chart shows the final result alone"):
            self._redraw(self.options.next_part())

    def action_toggle_quantity(self) -> None:
        """Switches between the primary metric and the loss."""
        if not self._shows_only(f"the chart shows the {figures.name(self.history.primary)} alone"):
            self._redraw(self.options.toggled_quantity())

    def action_cycle_x(self) -> None:
        """Switches between epochs, steps and seconds, skipping what the log does not have."""
        if self._shows_only("x is the learning rate"):
            return
        curves = [trial for entry in entry_curves(self.history) for trial in entry.trials]
        options = self.options.next_x()
        while options.x != "epoch" and not any((curve.x(options.x) > 0).any() for curve in curves):
            options = options.next_x()
        if options.x == self.options.x:
            self.say("This run has neither steps nor seconds: x stays the epoch.")
        else:
            self._redraw(options)

    def action_toggle_seeds(self) -> None:
        """Shows or hides the curve of every seed."""
        self._redraw(replace(self.options, seeds=not self.options.seeds))

    def action_toggle_bands(self) -> None:
        """Shows or hides the bands of the means."""
        self._redraw(replace(self.options, bands=not self.options.bands))

    def action_toggle_y(self) -> None:
        """Switches the loss between linear and logarithmic."""
        if self.sensitivity is not None and self.history.primary != LOSS:
            name = figures.name(self.history.primary)
            self.say(f"Only a loss has a logarithmic axis, and this chart shows the {name}.")
            return
        if self.sensitivity is None and self.options.quantity != "loss":
            self.say("Only the loss has a logarithmic axis: press a to show it.")
            return
        self._redraw(replace(self.options, log_y=not self.options.log_y))

    def action_move_target(self, points: int) -> None:
        """Moves the target by `points` steps; the first press suggests one."""
        target = self.options.target
        if target is not None:
            self._set_target(move_target(target, points, self.history.primary))
            return
        target = suggest_target(entry_curves(self.history), self.history.primary)
        if target is not None:
            self._set_target(target)
        else:
            name = figures.name(self.history.primary)
            self.say(f"There is no {name} yet to base a target on: press g to type one.")

    def _set_target(self, target: float | None) -> None:
        self._redraw(replace(self.options, target=target))
        if target is None:
            return
        metric = self.history.primary
        name, words = figures.name(metric), target_text(target, metric)
        if self.sensitivity is not None:
            self.say(f"Target {words} {name} on validation: press f for the curves.")
        elif self.options.quantity == "loss":
            self.say(f"Target {words} {name}: press a to show the {name}.")

    def action_type_target(self) -> None:
        """Asks for the target."""
        dialog = TargetDialog(self.options.target, self._own_target, self.history.primary)
        self.app.push_screen(dialog, self._typed)

    def _typed(self, text: str | None) -> None:
        if text is not None:
            target = read_target(text, self.history.primary)
            self._set_target(self._own_target if target is None else target)

    def action_stop_trial(self) -> None:
        """Stops the selected trial, or the optimizer's running ones, after a confirmation."""
        if not self.require_live():
            return
        label, trials = self._selected()
        running = [trial for trial in trials if trial.state == "running"]
        if not running:
            row = self.table.selected
            alone = row is not None and row.trial is not None
            whose = "This trial is not" if alone else f"No trial of {label or 'it'} is"
            self.say(f"{whose} running.")
            return
        one = f"{label}, seed {running[0].seed}"
        question = one if len(running) == 1 else f"{len(running)} trials of {label}"
        stop = partial(self._stop_trials, [trial.trial for trial in running])
        dialog = ConfirmScreen(f"Stop {question}?", "stop", STOPPING_TRIAL)
        self.app.push_screen(dialog, stop)

    def _stop_trials(self, trials: list[int], confirmed: bool | None) -> None:
        for trial in trials if confirmed else ():
            if not self.order(StopTrial(trial=trial), "Stopping after the current step."):
                return

    def exports(self) -> Exports:
        """The chart as SVG; curves, steps and rates as CSV; the table; the report as JSON."""
        chart, found = self._chart(self.options, legend=True), self.report.sensitivity
        by_rate: Exports = {} if found is None else {"rates.csv": lambda: rates_csv(found)}
        return {
            ".svg": lambda: charts_svg(self.as_zoomed([chart]), self.title_words()),
            ".md": lambda: ranking_markdown(self.report),
            ".json": lambda: json_text(self.report),
            ".csv": lambda: steps_csv(self.history),
            "curves.csv": lambda: curves_csv(self.history),
            **by_rate,
        }
