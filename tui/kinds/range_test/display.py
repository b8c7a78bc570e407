"""What is shown of a range test outside its screen: printed, in lists, in the form."""

from __future__ import annotations

import textwrap

import numpy as np

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import RangeReport, range_report
from clr_tui.engine.analysis.sweep.suggest import Suggestion
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import RangeTest, RunConfig
from clr_tui.engine.settings.durations import duration
from clr_tui.tui.charts.chart import Axis, Chart, Series
from clr_tui.tui.cli.plain_text import chart_lines, wrap
from clr_tui.tui.kinds.range_test.view import range_chart
from clr_tui.tui.kinds.registry import Display
from clr_tui.tui.text import numbers
from clr_tui.tui.text.chart_options import ChartOptions
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.event_lines import EventLines, time_words
from clr_tui.tui.text.page import Table
from clr_tui.tui.text.schedule_preview import POINTS
from clr_tui.tui.text.status import optimizer_parts, waiting_words


class SweepLines(EventLines):
    """Lines of a sweep, which is short and has no epochs: its progress, every second."""

    silence = 1.0

    def line_of(self, event: ev.AnyEvent, history: RunHistory) -> str:
        """Like every run's, and which of several sweeps starts."""
        seeds = history.config.asked(RangeTest).seeds
        if isinstance(event, ev.TrialStarted) and seeds > 1:
            return f"sweep {event.trial + 1} of {seeds}, seed {event.seed}"
        return super().line_of(event, history)


def title(config: RunConfig, history: RunHistory) -> list[str]:
    """The optimizer, the batch size, and the number of seeds if several, or the time for them."""
    job = config.asked(RangeTest)
    seeds = [f"seeds {job.seeds}"] if job.seeds > 1 else []
    if job.time is not None:
        seeds = [f"time {duration(job.time)}"]
    return optimizer_parts(job.optimizer, history) + seeds


def charts(history: RunHistory, report: RangeReport) -> list[Chart]:
    """The loss against the learning rate, with the recommended bounds and the rules."""
    options = ChartOptions(smoothing=history.config.asked(RangeTest).smoothing)
    return [
        range_chart(
            history,
            bounds=report.bounds,
            options=options,
            suggestions=report.suggestions,
            best=report.best,
            empty=waiting_words(history, report.status),
        )
    ]


def preview(history: RunHistory, alive: bool) -> Chart:
    """The curve with the recommended bounds."""
    report = range_report(history, live=alive)
    options = ChartOptions(smoothing=report.smoothing, x="lr")
    empty = waiting_words(history, report.status)
    return range_chart(history, bounds=report.bounds, options=options, empty=empty)


def what_next(run: str, report: RangeReport) -> str:
    """Training between the recommended bounds, or verifying them, if there are any."""
    if report.best is None:
        return ""
    if report.bounds is None:
        return f"`clr-tui compare --lr around:{run}` trains at a grid of rates"
    verify = f"`clr-tui compare --lr around:{run}` verifies max_lr"
    return f"`clr-tui train --from {run}` trains between these bounds; {verify}"


def lines(history: RunHistory, report: RangeReport, width: int, height: int = 24) -> list[str]:
    """The chart, of `height` lines, what the rules say, the verdict, the bounds."""
    (chart,) = charts(history, report)
    return [*chart_lines(chart, width, height), "", *findings(report, width)]


def findings(report: RangeReport, width: int) -> list[str]:
    """What the rules say, the verdict, the bounds."""
    printed = [*_rules(report.suggestions, width), ""]
    printed += wrap(f"{report.verdict.sentence} {report.verdict.advice}".strip(), width)
    if report.bounds is not None:
        base, top = numbers.lr(report.bounds.base_lr), numbers.lr(report.bounds.max_lr)
        printed.append(f"bounds  base_lr {base}  max_lr {top}")
    if report.time is not None:
        printed.append(f"time    {time_words(report.time)}")
    return printed


def conclusions(_history: RunHistory, report: RangeReport) -> list[str]:
    """The verdict and its advice."""
    return [f"{report.verdict.sentence} {report.verdict.advice}".strip()]


def tables(_history: RunHistory, report: RangeReport) -> list[Table]:
    """The recommended bounds, and what each rule says."""
    bounds = report.bounds
    rates = () if bounds is None else ((_rate(bounds.base_lr), _rate(bounds.max_lr)),)
    rules = tuple(
        (
            one.rule,
            _rate(one.lr),
            _rate(one.low),
            ", ".join(filter(None, (one.formula, one.caution))),
        )
        for one in report.suggestions
    )
    return [
        Table("Bounds", ("base_lr", "max_lr"), rates),
        Table("Rules", ("rule", "max_lr", "base_lr", "formula"), rules, right=frozenset({1, 2})),
    ]


def _rate(lr: float | None) -> str:
    return "" if lr is None else numbers.short_lr(lr)


def _rules(suggestions: list[Suggestion], width: int) -> list[str]:
    lines = [f"  {'rule':<15} {'max_lr':>7}  formula"]
    for one in suggestions:
        mark = ">" if one.recommended else " "
        text = f"{mark} {one.rule:<15} {numbers.lr(one.lr)}  "
        sentence = one.formula
        if one.low is not None:
            sentence += f", base_lr {numbers.lr(one.low)}"
        if one.caution:
            sentence += f" - {one.caution}"
        lines += textwrap.wrap(text + plain(sentence), width, subsequent_indent=" " * len(text))
    return lines


def sketch(job: RangeTest) -> Chart:
    """The learning rate of the sweep."""
    length, unit = (job.epochs, "epoch") if job.steps is None else (float(job.steps), "step")
    if job.time is not None:
        length, unit = 1.0, "part of the sweep"
    part = np.linspace(0.0, 1.0, POINTS)
    lr = job.start_lr * (job.end_lr / job.start_lr) ** part
    return Chart(
        series=(Series(part * length, lr, colour="lr"),),
        x=Axis(label=unit, lo=0.0, hi=length),
        y=Axis(log=True, lo=job.start_lr, hi=job.end_lr),
        title="learning rate of the sweep (log)",
    )


def length(job: RangeTest) -> str:
    """How a time to spend is spent."""
    if job.time is None:
        return ""
    return f"As long and as many sweeps as fit in {duration(job.time)}, after a few timed steps."


DISPLAY = Display(
    title=title,
    charts=charts,
    lines=lines,
    preview=preview,
    progress=SweepLines,
    what_next=what_next,
    sketch=sketch,
    length=length,
    conclusions=conclusions,
    tables=tables,
)
