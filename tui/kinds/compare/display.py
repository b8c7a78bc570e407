"""What is shown of a comparison outside its screen: printed, in lists, in the form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clr_tui.engine.analysis.comparison.comparison_results import CompareReport
from clr_tui.engine.analysis.comparison.seed_curves import planned_epochs
from clr_tui.engine.analysis.comparison.sensitivity import sensitivity_of
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.curves_csv import curves_csv
from clr_tui.engine.analysis.recordings.rates_csv import rates_csv
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import Compare, Policy, RunConfig
from clr_tui.engine.settings.durations import duration
from clr_tui.engine.settings.entries import tuned_entries
from clr_tui.engine.settings.rate_grid import (
    at_each_rate,
    is_around,
    on_grid,
    split_around,
    stand_in,
)
from clr_tui.engine.words import exact_lr, many
from clr_tui.tui.charts.chart import Axis, Chart, Series
from clr_tui.tui.kinds.compare.entry_style import role_of
from clr_tui.tui.kinds.compare.printing import comparison_lines, pairs_table
from clr_tui.tui.kinds.compare.progress import ComparisonLines
from clr_tui.tui.kinds.compare.ranking import ranking_markdown, ranking_table, verdict_and_remarks
from clr_tui.tui.kinds.compare.sensitivity_view import is_complete, sensitivity_chart
from clr_tui.tui.kinds.compare.view import CompareOptions, comparison_chart
from clr_tui.tui.kinds.registry import Display
from clr_tui.tui.kinds.train.view import rate_axis
from clr_tui.tui.text.page import Table
from clr_tui.tui.text.schedule_preview import MAX_EPOCHS, TOO_MANY, schedule
from clr_tui.tui.text.status import status_of, waiting_words

MAX_SCHEDULES = 8


def title(config: RunConfig, _history: RunHistory) -> list[str]:
    """The number of epochs, and that of seeds or the time for them."""
    job = config.asked(Compare)
    rates = {number for group in on_grid(job)[:1] for number in group.entries}
    words = [many(len(rates), "rate")] if rates else []
    seeds = many(job.seeds, "seed") if job.time is None else f"time {duration(job.time)}"
    return [many(planned_epochs(job), "epoch"), *words, seeds]


def charts(history: RunHistory, report: CompareReport) -> list[Chart]:
    """The primary metric on validation, and below it the loss; on top the final metric by rate."""
    waiting = waiting_words(history, report.status, "epoch")
    job, options = history.config.asked(Compare), CompareOptions()
    by_rate = report.sensitivity
    return [
        *([sensitivity_chart(by_rate, job, options, waiting=waiting)] if by_rate else []),
        comparison_chart(history, CompareOptions(target=report.target), waiting=waiting),
        comparison_chart(history, CompareOptions(quantity="loss"), waiting=waiting),
    ]


def preview(history: RunHistory, alive: bool) -> Chart:
    """The final metric by rate once that is complete, else the primary metric on validation."""
    job = history.config.asked(Compare)
    options = CompareOptions(target=job.target)
    waiting = waiting_words(history, status_of(history, alive=alive).state, "epoch")
    by_rate = sensitivity_of(history, live=alive)
    if by_rate is not None and is_complete(by_rate):
        return sensitivity_chart(by_rate, job, options, waiting=waiting)
    return comparison_chart(history, options, waiting=waiting)


def files(history: RunHistory, report: CompareReport) -> dict[str, Callable[[], str]]:
    """The curves and the rates of a grid as CSV, and the ranking table as Markdown."""
    return {
        "curves_csv": lambda: curves_csv(history),
        "rates_csv": lambda: _rates_csv(report),
        "markdown": lambda: ranking_markdown(report),
    }


def conclusions(_history: RunHistory, report: CompareReport) -> list[str]:
    """The verdict and the remarks."""
    return verdict_and_remarks(report)


def tables(_history: RunHistory, report: CompareReport) -> list[Table]:
    """The ranking, and the difference of every pair."""
    return [ranking_table(report), pairs_table(report)]


def _rates_csv(report: CompareReport) -> str:
    if report.sensitivity is None:
        raise UserError(f"--rates-csv is for a grid of rates, which '{report.run}' does not have")
    return rates_csv(report.sensitivity)


def what_next(run: str, report: CompareReport) -> str:
    """Exporting the figures."""
    table = "--rates-csv" if report.sensitivity is not None else "--curves-csv"
    return f"`clr-tui export {run} {table} FILE --markdown FILE` saves its results"


def sketch(job: Compare) -> Chart:
    """The shapes of the schedules, as fractions of their highest rates: these are not known yet."""
    epochs = planned_epochs(job)
    if epochs > MAX_EPOCHS:
        return TOO_MANY
    shapes: dict[tuple[Policy, float], int] = {}
    for entry in job.entries:
        if entry.scheduler:  # torch's, and unknown here
            continue
        top = job.lr_of(entry)
        low = entry.base_lr / top if top and entry.base_lr else 1 / job.factor
        shape = entry.policy, 1.0 if entry.policy == "constant" else low
        shapes[shape] = shapes.get(shape, 0) + 1
    series = []
    for place, ((policy, low), count) in enumerate(list(shapes.items())[:MAX_SCHEDULES]):
        at, lr = schedule(policy, low, 1.0, epochs, job)
        series.append(Series(at, lr, f"{count} {policy}", role_of(place)))
    return Chart(
        series=tuple(series),
        x=Axis(label="epoch", lo=0.0, hi=float(epochs)),
        y=rate_axis(np.array([0.0, *(y for one in series for y in one.y)])),
        title="learning rate, fraction of its highest",
        empty="No optimizers, no learning rates.",
    )


def length(job: Compare) -> str:
    """The number of trials and epochs, and the range tests that come first."""
    where = f" around what {split_around(str(job.rates))[0]} recommends" if is_around(job) else ""
    job = at_each_rate(stand_in(job))
    epochs, trials = planned_epochs(job), job.trials if job.time is None else len(job.entries)
    rounded = f" ({job.epochs} would end in mid-cycle)" if epochs != job.epochs else ""
    words = f"{many(trials, 'trial')} of {many(epochs, 'epoch')}{rounded}"
    if job.time is not None:
        words += f" for each seed, and as many seeds as fit in {duration(job.time)}"
    if groups := on_grid(job):
        rates = many(len(groups[0].entries), "rate")
        return f"{many(len(groups), 'optimizer')} at {rates}{where}: {words}."
    tuned = tuned_entries(job)
    if len(tuned) == 1:
        words += f"; first a range test for the rate of {tuned[0].label}"
    elif tuned:
        words += f"; first {len(tuned)} range tests, one for each rate to tune"
    return f"{words}.{_rates_not_in_text(job)}"


def _rates_not_in_text(job: Compare) -> str:
    """The rates that the labels of the entries do not show."""
    at: dict[float, list[str]] = {}
    for entry in job.entries:
        lr = job.lr_of(entry)
        if lr is not None and "lr=" not in entry.label:
            at.setdefault(lr, []).append(entry.label)
    return "".join(
        f" As given: {', '.join(names)} at lr {exact_lr(lr)}." for lr, names in at.items()
    )


DISPLAY = Display(
    title=title,
    charts=charts,
    lines=comparison_lines,
    preview=preview,
    progress=ComparisonLines,
    files=files,
    what_next=what_next,
    sketch=sketch,
    length=length,
    conclusions=conclusions,
    tables=tables,
)
