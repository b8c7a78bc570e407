"""What is shown of a training outside its screen: printed, in lists, in the form."""

from __future__ import annotations

import numpy as np

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import Measured, TrainReport
from clr_tui.engine.log.events import EpochFinished, Evaluated
from clr_tui.engine.log.state import ENDED, State
from clr_tui.engine.metrics import ACCURACY, Metric
from clr_tui.engine.policies import whole_cycle_epochs
from clr_tui.engine.settings.config import RunConfig, Train
from clr_tui.engine.words import exact_lr, many
from clr_tui.tui.charts.chart import Axis, Chart, HLine, Series
from clr_tui.tui.cli.plain_text import chart_lines, wrap
from clr_tui.tui.kinds.registry import Display
from clr_tui.tui.kinds.train.view import (
    ending_sentence,
    rate_axis,
    training_charts,
    training_sentence,
)
from clr_tui.tui.text import figures, numbers
from clr_tui.tui.text.chart_options import ChartOptions
from clr_tui.tui.text.event_lines import EventLines
from clr_tui.tui.text.page import Table
from clr_tui.tui.text.schedule_preview import MAX_EPOCHS, TOO_MANY, schedule
from clr_tui.tui.text.status import optimizer_parts, status_of, waiting_words

EPOCH_ROWS = 20
"""Rows of the epoch table; longer trainings show every second, third, ... epoch."""


def title(config: RunConfig, history: RunHistory) -> list[str]:
    """The optimizer, the batch size, the policy and its bounds."""
    job = config.asked(Train)
    bounds = f"{exact_lr(job.base_lr)}…{exact_lr(job.max_lr)}"
    known = f"{job.schedule} {bounds}" if config.task.model else bounds
    return [*optimizer_parts(job.optimizer, history), known]


def charts(history: RunHistory, report: TrainReport) -> list[Chart]:
    """Learning rate, loss and primary metric."""
    return list(_charts(history, report.status))


def preview(history: RunHistory, alive: bool) -> Chart:
    """The primary metric, or the loss until it has been measured."""
    _, loss, metric = _charts(history, status_of(history, alive=alive).state)
    return metric if metric.series else loss


def _charts(history: RunHistory, state: State) -> tuple[Chart, Chart, Chart]:
    waiting = waiting_words(history, state)
    return training_charts(history, ChartOptions(x="epoch"), waiting, ended=state in ENDED)


def lines(history: RunHistory, report: TrainReport, width: int) -> list[str]:
    """The charts, the epochs, the results, and where in its cycle the training ended."""
    printed: list[str] = []
    for chart, height in zip(charts(history, report), (8, 12, 12), strict=True):
        printed += [*chart_lines(chart, width, height), ""]
    printed += [*_epochs(history), ""]
    printed += [_result(what, one, report.metric) for what, one in _results(report)]
    if report.status == "running":
        printed.append(f"now: {report.phase}")
    if words := ending_sentence(history):
        printed += wrap(words, width)
    return printed


def conclusions(history: RunHistory, report: TrainReport) -> list[str]:
    """The result in words, and where in its cycle the training ended."""
    words = training_sentence(history, ended=report.status in ENDED)
    return [sentence for sentence in (words, ending_sentence(history)) if sentence]


def tables(_history: RunHistory, report: TrainReport) -> list[Table]:
    """Loss and metric at the end, and at the best epoch."""
    rows = tuple(
        (
            what,
            figures.figure(report.metric, one.value(report.metric)).strip(),
            numbers.loss(one.loss).strip(),
            "" if one.epoch is None else str(one.epoch),
        )
        for what, one in _results(report)
    )
    columns = "", figures.name(report.metric), "loss", "epoch"
    return [Table("Results", columns, rows, right=frozenset({1, 2, 3}))]


def _results(report: TrainReport) -> list[tuple[str, Measured]]:
    results = {
        "validation, last": report.final_validation,
        "validation, best": report.best_validation,
        "test, last": report.test_last,
        "test, best on validation": report.test_best,
    }
    return [(what, one) for what, one in results.items() if one is not None]


def _epochs(history: RunHistory) -> list[str]:
    trial = history.trial
    if trial is None or not trial.epochs:
        return ["no epoch was finished"]
    validation = trial.validations()
    metric = history.primary
    short = "acc" if metric == ACCURACY else figures.name(metric)
    lines = [
        f"{'epoch':>7}  {'train loss':>10}  {'validation loss':>15}  {f'train {short}':>9}"
        f"  {f'validation {short}':>14}  {'time':>7}"
    ]
    every = -(-len(trial.epochs) // EPOCH_ROWS)
    best = trial.epochs[-1].best_epoch
    lines += [
        _epoch(one, validation.get(one.epoch), best, metric, len(short))
        for i, one in enumerate(trial.epochs)
        if i % every == every - 1 or one.epoch == best or i == len(trial.epochs) - 1
    ]
    return lines


def _epoch(
    epoch: EpochFinished, measured: Evaluated | None, best: int, metric: Metric, wide: int
) -> str:
    """One row; `wide` is the width of the metric's name in the heading."""
    loss = numbers.loss(measured.loss if measured else None)
    train = figures.figure(metric, epoch.train_value(metric.name))
    validation = figures.figure(metric, measured.value(metric.name) if measured else None)
    return (
        f"{epoch.epoch:>7}  {numbers.loss(epoch.train_loss):>10}  {loss:>15}"
        f"  {train:>{max(9, wide + 6)}}  {validation:>{max(14, wide + 11)}}"
        f"  {numbers.duration(epoch.seconds):>7}{'  best' if epoch.epoch == best else ''}"
    )


def _result(what: str, measured: Measured, metric: Metric) -> str:
    value, loss = figures.figure(metric, measured.value(metric)), numbers.loss(measured.loss)
    epoch = "" if measured.epoch is None else f"  epoch {measured.epoch}"
    return f"{what:<25} {value}  loss {loss.strip()}{epoch}"


def sketch(job: Train) -> Chart:
    """The learning rate between its bounds."""
    if job.epochs > MAX_EPOCHS:
        return TOO_MANY
    if job.scheduler:
        return Chart(empty=f"The rate that {job.schedule} sets is drawn as the training runs.")
    epochs = job.epochs
    if job.whole_cycles:
        epochs = whole_cycle_epochs(job.policy, epochs, job.step_size_epochs)
    at, lr = schedule(job.policy, job.base_lr, job.max_lr, epochs, job)
    return Chart(
        series=(Series(at, lr, colour="lr"),),
        x=Axis(label="epoch", lo=0.0, hi=float(epochs)),
        y=rate_axis(np.array([*lr, job.base_lr, job.max_lr])),
        hlines=(HLine(job.base_lr, "base", "base"), HLine(job.max_lr, "max", "max")),
        title="learning rate of the training",
    )


def length(job: Train) -> str:
    """The length that the epochs are rounded up to, if they end in mid-cycle."""
    whole = whole_cycle_epochs(job.policy, job.epochs, job.step_size_epochs)
    if whole == job.epochs:
        return ""
    ends = f"{many(job.epochs, 'epoch')} {'ends' if job.epochs == 1 else 'end'} in mid-cycle"
    if not job.whole_cycles:
        return f"{ends}, as in the run that these settings are from."
    return f"{ends}: rounded up to {whole}, whole cycles."


DISPLAY = Display(
    title=title,
    charts=charts,
    lines=lines,
    preview=preview,
    progress=EventLines,
    sketch=sketch,
    length=length,
    conclusions=conclusions,
    tables=tables,
)
