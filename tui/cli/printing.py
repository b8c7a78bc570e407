"""The result of a run on stdout: text with charts in it, or one JSON object."""

from __future__ import annotations

import json as jsonlib
import shutil
import sys
import textwrap
from typing import Any

from clr_tui.engine.analysis.comparison.comparison_report import compare_report
from clr_tui.engine.analysis.comparison.comparison_results import CompareReport
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import (
    Measured,
    RangeReport,
    TrainReport,
    range_report,
    to_json,
    train_report,
)
from clr_tui.engine.analysis.sweep.suggest import Suggestion
from clr_tui.engine.log.events import EpochFinished, Evaluated
from clr_tui.engine.settings.config import Compare, RangeTest, Train
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.cli.text_blocks import drawn, wrapped
from clr_tui.tui.kinds.compare.printing import comparison_charts, comparison_lines
from clr_tui.tui.text import numbers
from clr_tui.tui.text.chart_options import ChartOptions
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.status import title_of

NARROW, USUAL, WIDE = 40, 100, 160
"""Columns of the printed result: at least, where there is no terminal, at most."""
EPOCH_ROWS = 20
"""Rows of the epoch table; a longer training shows every second, third, ... epoch."""
AnyReport = RangeReport | TrainReport | CompareReport


def print_result(
    history: RunHistory, *, alive: bool, json: bool, target: float | None = None
) -> AnyReport:
    """Print what the run has come to, and return it.

    Args:
        history: all that its log tells.
        alive: whether its worker lives.
        json: one JSON object instead of text. Of a run without a step, text says nothing here.
        target: as for `report_of`.
    """
    report = report_of(history, alive=alive, target=target)
    if json:
        print(json_text(report))
    elif any(len(trial) or trial.epochs for trial in history.trials.values()):
        print("\n".join(result_lines(history, report, columns())))
    sys.stdout.flush()
    return report


def report_of(history: RunHistory, *, alive: bool, target: float | None = None) -> AnyReport:
    """The report that the run's kind has.

    Args:
        history: all that its log tells.
        alive: whether its worker lives.
        target: accuracy, 0 to 1, the way to which a comparison's report tells; None: the run's own.
    """
    job = history.config.job
    if isinstance(job, Compare):
        return compare_report(history, target=target, live=alive)
    if isinstance(job, Train):
        return train_report(history, live=alive)
    return range_report(history, smoothing=smoothing_of(history), live=alive)


def smoothing_of(history: RunHistory) -> float:
    """The smoothing that the run itself goes by: an imported curve is smoothed already."""
    job = history.config.job
    return job.smoothing if isinstance(job, RangeTest) else ChartOptions().smoothing


def json_text(report: AnyReport | dict[str, Any]) -> str:
    """One JSON object, without a line end."""
    found = report if isinstance(report, dict) else to_json(report)
    return jsonlib.dumps(found, indent=2, allow_nan=False)


def columns() -> int:
    """How wide to print: the terminal's width or $COLUMNS, within reason."""
    return min(max(shutil.get_terminal_size((USUAL, 24)).columns, NARROW), WIDE)


def result_lines(history: RunHistory, report: AnyReport, width: int) -> list[str]:
    """The result as lines of at most `width` cells, without any escape code."""
    head = wrapped(f"{plain(report.run)}  {title_of(history.config, history)}", width)
    if isinstance(report, RangeReport):
        return [*head, "", *_range_test(history, report, width)]
    if isinstance(report, CompareReport):
        return [*head, "", *comparison_lines(history, report, width)]
    return [*head, "", *_training(history, report, width)]


def charts_of(history: RunHistory, report: AnyReport) -> list[Chart]:
    """The charts of a run, from top to bottom, as the screen shows them at first."""
    options = ChartOptions(smoothing=smoothing_of(history))
    if isinstance(report, RangeReport):
        from clr_tui.tui.kinds.range_test.view import range_chart

        return [
            range_chart(
                history, bounds=report.bounds, options=options, suggestions=report.suggestions
            )
        ]
    if isinstance(report, CompareReport):
        return comparison_charts(history, report)
    from clr_tui.tui.kinds.train.view import training_charts

    return list(training_charts(history, ChartOptions(x="epoch")))


def _range_test(history: RunHistory, report: RangeReport, width: int) -> list[str]:
    (chart,) = charts_of(history, report)
    lines = [*drawn(chart, width, 24), "", *_rules(report.suggestions, width), ""]
    lines += wrapped(f"{report.verdict.sentence} {report.verdict.advice}".strip(), width)
    if report.bounds is not None:
        base, top = numbers.lr(report.bounds.base_lr), numbers.lr(report.bounds.max_lr)
        lines.append(f"bounds  base_lr {base}  max_lr {top}")
    return lines


def _rules(suggestions: list[Suggestion], width: int) -> list[str]:
    lines = [f"  {'rule':<15} {'max_lr':>7}  formula"]
    for one in suggestions:
        mark = ">" if one.recommended else " "
        text = f"{mark} {one.rule:<15} {numbers.lr(one.lr)}  "
        said = one.formula
        if one.low is not None:
            said += f", base_lr {numbers.lr(one.low)}"
        if one.caution:
            said += f" - {one.caution}"
        indent = " " * len(text)
        lines += textwrap.wrap(
            text + plain(said), width, subsequent_indent=indent, drop_whitespace=True
        )
    return lines


def _training(history: RunHistory, report: TrainReport, width: int) -> list[str]:
    from clr_tui.tui.kinds.train.view import ending_words

    lines: list[str] = []
    for chart, height in zip(charts_of(history, report), (8, 12, 12), strict=True):
        lines += [*drawn(chart, width, height), ""]
    lines += [*_epochs(history), ""]
    lines += _measured("validation, last", report.final_validation)
    lines += _measured("validation, best", report.best_validation)
    lines += _measured("test, last", report.test_last)
    lines += _measured("test, best on validation", report.test_best)
    if report.status == "running":
        lines.append(f"now: {report.phase}")
    if words := ending_words(history):
        lines += wrapped(words, width)
    return lines


def _epochs(history: RunHistory) -> list[str]:
    trial = history.trial
    if trial is None or not trial.epochs:
        return ["no epoch was finished"]
    validation = {
        one.epoch: one
        for one in trial.evaluations
        if one.part == "validation" and one.checkpoint is None
    }
    lines = [
        f"{'epoch':>7}  {'train loss':>10}  {'validation loss':>15}  {'train acc':>9}"
        f"  {'validation acc':>14}  {'time':>7}"
    ]
    every = -(-len(trial.epochs) // EPOCH_ROWS)
    best = trial.epochs[-1].best_epoch
    lines += [
        _epoch(one, validation.get(one.epoch), best)
        for i, one in enumerate(trial.epochs)
        if i % every == every - 1 or one.epoch == best or i == len(trial.epochs) - 1
    ]
    return lines


def _epoch(epoch: EpochFinished, measured: Evaluated | None, best: int) -> str:
    loss = numbers.loss(measured.loss if measured else None)
    accuracy = numbers.percent(measured.accuracy if measured else None)
    return (
        f"{epoch.epoch:>7}  {numbers.loss(epoch.train_loss):>10}  {loss:>15}"
        f"  {numbers.percent(epoch.train_accuracy):>9}  {accuracy:>14}"
        f"  {numbers.duration(epoch.seconds):>7}{'  best' if epoch.epoch == best else ''}"
    )


def _measured(what: str, measured: Measured | None) -> list[str]:
    if measured is None:
        return []
    epoch = "" if measured.epoch is None else f"  epoch {measured.epoch}"
    return [
        f"{what:<25} {numbers.percent(measured.accuracy)}  loss"
        f" {numbers.loss(measured.loss).strip()}{epoch}"
    ]
