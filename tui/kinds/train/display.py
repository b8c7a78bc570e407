"""What is shown of a training besides its screen: printed, in the list of runs, while it runs."""

from __future__ import annotations

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import Measured, TrainReport
from clr_tui.engine.log.events import EpochFinished, Evaluated
from clr_tui.engine.metrics import ACCURACY, Metric
from clr_tui.engine.settings.config import RunConfig, Train
from clr_tui.engine.words import exact_lr
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.cli.text_blocks import drawn, wrapped
from clr_tui.tui.kinds.parts import Display
from clr_tui.tui.kinds.train.plan import length, sketch
from clr_tui.tui.kinds.train.view import ending_words, training_charts
from clr_tui.tui.text import figures, numbers
from clr_tui.tui.text.chart_options import ChartOptions
from clr_tui.tui.text.event_lines import EventLines
from clr_tui.tui.text.status import optimizer_parts

EPOCH_ROWS = 20
"""Rows of the epoch table; a longer training shows every second, third, ... epoch."""


def title(config: RunConfig) -> list[str]:
    """The optimizer, the batch size, the policy and its bounds."""
    job = config.asked(Train)
    bounds = f"{exact_lr(job.base_lr)}…{exact_lr(job.max_lr)}"
    known = bool(config.task.model)
    schedule = f"{job.policy} {bounds}" if known else bounds
    return [*optimizer_parts(job.optimizer, config.task), schedule]


def charts(history: RunHistory, _report: TrainReport) -> list[Chart]:
    """Learning rate, loss and primary metric."""
    return list(training_charts(history, ChartOptions(x="epoch")))


def preview(history: RunHistory, _alive: bool) -> Chart:
    """The primary metric; the loss until there is any."""
    _, loss, metric = training_charts(history, ChartOptions(x="epoch"))
    return metric if metric.series else loss


def lines(history: RunHistory, report: TrainReport, width: int) -> list[str]:
    """The charts, the epochs, what was measured, where the cycle is."""
    told: list[str] = []
    for chart, height in zip(charts(history, report), (8, 12, 12), strict=True):
        told += [*drawn(chart, width, height), ""]
    told += [*_epochs(history), ""]
    told += _measured("validation, last", report.final_validation, report.metric)
    told += _measured("validation, best", report.best_validation, report.metric)
    told += _measured("test, last", report.test_last, report.metric)
    told += _measured("test, best on validation", report.test_best, report.metric)
    if report.status == "running":
        told.append(f"now: {report.phase}")
    if words := ending_words(history):
        told += wrapped(words, width)
    return told


def _epochs(history: RunHistory) -> list[str]:
    trial = history.trial
    if trial is None or not trial.epochs:
        return ["no epoch was finished"]
    validation = {
        one.epoch: one
        for one in trial.evaluations
        if one.part == "validation" and one.checkpoint is None
    }
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
    """`wide`: cells of the metric's name in the heading."""
    loss = numbers.loss(measured.loss if measured else None)
    train = figures.figure(metric, epoch.train_value(metric.name))
    validation = figures.figure(metric, measured.value(metric.name) if measured else None)
    return (
        f"{epoch.epoch:>7}  {numbers.loss(epoch.train_loss):>10}  {loss:>15}"
        f"  {train:>{max(9, wide + 6)}}  {validation:>{max(14, wide + 11)}}"
        f"  {numbers.duration(epoch.seconds):>7}{'  best' if epoch.epoch == best else ''}"
    )


def _measured(what: str, measured: Measured | None, metric: Metric) -> list[str]:
    if measured is None:
        return []
    epoch = "" if measured.epoch is None else f"  epoch {measured.epoch}"
    return [
        f"{what:<25} {figures.figure(metric, measured.value(metric))}  loss"
        f" {numbers.loss(measured.loss).strip()}{epoch}"
    ]


DISPLAY = Display(
    title=title,
    charts=charts,
    lines=lines,
    preview=preview,
    progress=EventLines,
    sketch=sketch,
    length=length,
)
