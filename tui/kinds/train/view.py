"""The three charts of a training, on one x-axis, and its panel of figures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from clr_tui.engine.analysis.centred_mean import GrowingMean
from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.log.events import Evaluated
from clr_tui.engine.metrics import Metric
from clr_tui.engine.policies import (
    Phase,
    lr_at,
    phase,
    shape_of,
    step_size_steps,
    whole_cycle_epochs,
)
from clr_tui.engine.settings.config import Train
from clr_tui.tui.charts.chart import Axis, Chart, HLine, Mark, Series
from clr_tui.tui.charts.scale import Floats
from clr_tui.tui.fitting import truncate
from clr_tui.tui.text import figures, numbers
from clr_tui.tui.text.chart_options import ChartOptions, XAxis
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.device_lines import device_lines
from clr_tui.tui.text.lines import BLANK, LABEL_WIDTH, Line, row
from clr_tui.tui.text.schedule_preview import NOMINAL_STEPS
from clr_tui.tui.text.status import nothing_finite

AHEAD_POINTS = 400
"""Points of the schedule ahead: more than a chart has columns, so that corners stay sharp."""
_MARGIN = 0.08
"""Margin above and below the learning rates and the metric, as a fraction of their span."""
WAITING = "The loss of every step will appear here."
VALIDATION = "val"
"""Short, so that all three names of the legend fit beside the title at 80 columns."""
_LABELS: dict[XAxis, str] = {"epoch": "epoch", "step": "step", "seconds": "seconds", "lr": "epoch"}


@dataclass(frozen=True)
class Plan:
    """The schedule of a training: everything that the rate of a step depends on."""

    config: Train
    base_lr: float
    max_lr: float
    steps_per_epoch: int
    total_steps: int
    known: bool = True
    """Whether `config` is complete: a log without its run.json has bounds, but no policy."""

    @property
    def step_size(self) -> float:
        """Half a cycle, in steps."""
        return step_size_steps(self.config.step_size_epochs, self.steps_per_epoch)

    def lr(self, step: int) -> float:
        """The rate of `step`."""
        return lr_at(
            self.config.policy,
            step,
            base_lr=self.base_lr,
            max_lr=self.max_lr,
            step_size=self.step_size,
            total_steps=self.total_steps,
            **shape_of(self.config),
        )

    def phase(self, step: int) -> Phase:
        """Where in its cycles the training is after `step` steps."""
        return phase(
            self.config.policy,
            step,
            step_size=self.step_size,
            total_steps=self.total_steps,
            **shape_of(self.config),
        )


def plan_of(history: RunHistory) -> Plan:
    """The current schedule."""
    config = history.config.asked(Train)
    trial = history.trial or TrialHistory(0)
    known = bool(history.config.task.model)
    base_lr, max_lr = history.bounds or (config.base_lr, config.max_lr)
    if trial.total_steps > 0:
        each = max(trial.steps_per_epoch, 1)
        return Plan(config, base_lr, max_lr, each, trial.total_steps, known)
    epochs = config.epochs
    if config.whole_cycles:
        epochs = whole_cycle_epochs(config.policy, epochs, config.step_size_epochs)
    each = NOMINAL_STEPS
    if history.task is not None:
        each = history.task.steps_per_epoch
    elif trial.epochs:  # an imported curve
        each = trial.epochs[-1].step // max(trial.epochs[-1].epoch, 1)
    return Plan(config, base_lr, max_lr, max(each, 1), max(epochs * each, 1), known)


def training_charts(
    history: RunHistory, options: ChartOptions, waiting: str = WAITING, *, ended: bool = False
) -> tuple[Chart, Chart, Chart]:
    """Learning rate, loss and primary metric of a training, from top to bottom.

    The x-axis `lr` counts as `epoch`. The loss chart shows `waiting` before the first step.
    """
    trial, plan = history.trial or TrialHistory(0), plan_of(history)
    scale = _Scale.of(trial, plan, options.x)
    x = Axis(lo=0.0, hi=scale.end, name=_LABELS[options.x])
    return (
        _lr_chart(trial, plan, scale, x, options.y_log),
        _loss_chart(trial, scale, x, options, nothing_finite(history) or waiting),
        _metric_chart(
            trial,
            history.primary,
            scale,
            replace(x, label=_LABELS[options.x]),
            ended or history.finished is not None,
        ),
    )


@dataclass(frozen=True)
class _Scale:
    """Maps steps to the chosen x."""

    x: XAxis
    steps_per_epoch: int
    known_steps: Floats
    known_seconds: Floats
    end: float | None

    @classmethod
    def of(cls, trial: TrialHistory, plan: Plan, x: XAxis) -> _Scale:
        steps = trial.step.astype(np.float64) + 1
        scale = cls(x, plan.steps_per_epoch, steps, trial.seconds, None)
        end = float(scale.at(np.array([float(plan.total_steps)]))[0])
        return replace(scale, end=end if math.isfinite(end) and end > 0 else None)

    def at(self, steps: Floats) -> Floats:
        """x after `steps` steps, shape (n,); seconds to come are extrapolated."""
        if self.x == "step":
            return steps
        if self.x != "seconds":
            return steps / self.steps_per_epoch
        if not len(self.known_steps):
            return np.full(len(steps), np.nan)
        inside = np.interp(
            steps,
            np.concatenate(([0.0], self.known_steps)),
            np.concatenate(([0.0], self.known_seconds)),
        )
        last, pace = self.known_steps[-1], self.known_seconds[-1] / self.known_steps[-1]
        return np.asarray(inside + np.maximum(steps - last, 0.0) * pace)


def _lr_chart(trial: TrialHistory, plan: Plan, scale: _Scale, x: Axis, log: bool) -> Chart:
    if math.isnan(plan.max_lr) and not len(trial):
        return Chart(title="learning rate", empty="This recording has no learning rates.")
    series: list[Series] = []
    marks: list[Mark] = []
    if len(trial):
        walked = scale.at(trial.step.astype(np.float64))
        series.append(Series(walked, trial.lr, "walked", "lr", label="rate"))
        at = scale.at(np.array([float(change.step) for change in trial.bounds if change.step > 0]))
        marks = [Mark(float(place), label="bounds", colour="muted") for place in at]
    first = int(trial.step[-1]) + 1 if len(trial) else 0
    # What a scheduler of torch will do is not known here.
    steps = np.zeros(0) if plan.config.scheduler else _ahead(plan, first)
    rates = np.array([plan.lr(int(step)) for step in steps])
    name = "ahead" if len(steps) else ""
    series.append(Series(scale.at(steps), rates, name, "lr-ahead", faint=True, label=""))
    return Chart(
        series=tuple(series),
        x=x,
        y=rate_axis(np.concatenate((trial.lr, rates, [plan.base_lr, plan.max_lr])), log=log),
        # Their names and values are in the panel: words here would cover the schedule.
        hlines=(HLine(plan.max_lr, "", "max"), HLine(plan.base_lr, "", "base")),
        marks=tuple(marks),
        title="learning rate (log)" if log else "learning rate",
        empty="The schedule will appear here.",
    )


def rate_axis(rates: Floats, *, log: bool = False) -> Axis:
    """An axis that `rates` fill up to a small margin, so that narrow cycles keep their shape."""
    rates = rates[np.isfinite(rates) & (rates > 0)]
    if not len(rates):
        return Axis(log=log)
    lo, hi = float(rates.min()), float(rates.max())
    if log:
        room = max((hi / lo) ** _MARGIN, 1.1)
        return Axis(log=True, lo=lo / room, hi=hi * room)
    span = hi - lo if hi > lo * (1 + 1e-9) else hi
    return Axis(lo=max(lo - _MARGIN * span, 0.0), hi=hi + _MARGIN * span)


def _ahead(plan: Plan, done: int) -> Floats:
    """The steps at which to draw the rest of the schedule, including the corners of cycles."""
    last = plan.total_steps - 1
    if done > last or not plan.known:
        return np.zeros(0)
    first = max(done - 1, 0)
    even = np.linspace(first, last, min(AHEAD_POINTS, last - first + 1))
    corners = np.arange(0, last + 1, plan.step_size)[-AHEAD_POINTS:]
    return np.unique(np.round(np.concatenate((even, corners[corners >= first]))))


def _loss_chart(
    trial: TrialHistory, scale: _Scale, x: Axis, options: ChartOptions, waiting: str
) -> Chart:
    title = options.loss_title
    if not (len(trial) or trial.epochs):
        return Chart(x=x, title=title, empty=waiting)
    if len(trial):
        at, raw = scale.at(trial.step.astype(np.float64)), trial.loss
        smoothed = _smoothed(trial, options.smoothing)
        series = [Series(at, raw, "raw", "raw", faint=True), Series(at, smoothed, "train", "loss")]
    else:  # an imported curve has only epochs
        at = scale.at(np.array([float(epoch.step) for epoch in trial.epochs]))
        raw = smoothed = _column([epoch.train_loss for epoch in trial.epochs])
        title = "loss by epoch (log)" if options.y_log else "loss by epoch"
        series = [Series(at, raw, "train", "loss")]
    measured = _measured(trial)
    losses = _column([event.loss for event in measured])
    if len(losses):
        series.append(Series(_places(measured, scale), losses, VALIDATION, "validation", "points"))
    marks = []
    if trial.diverged is not None:
        place = scale.at(np.array([float(trial.diverged.step)]))
        marks.append(Mark(float(place[0]), label="diverged", colour="diverged"))
    lo, hi = _loss_limits(raw, smoothed, losses, options.y_log)
    return Chart(
        series=tuple(series),
        x=x,
        y=Axis(log=options.y_log, lo=lo, hi=hi),
        marks=tuple(marks),
        title=title,
        empty=waiting,
    )


def _smoothed(trial: TrialHistory, weight: float) -> Floats:
    """The losses of its steps without noise, and without a lag behind them."""
    return trial.cached(_mean_of, weight).of(trial.loss)


def _mean_of(_trial: TrialHistory, weight: float) -> GrowingMean:
    return GrowingMean(weight)


def _loss_limits(
    raw: Floats, smoothed: Floats, measured: Floats, log: bool
) -> tuple[float | None, float | None]:
    """Limits that cover the curves and the middle 99 % of the raw losses."""
    usual = raw[np.isfinite(raw)]
    if not len(usual):
        return None, None
    percentiles = np.percentile(usual, [0.5, 99.5])
    shown = np.concatenate(
        (percentiles, smoothed[np.isfinite(smoothed)], measured[np.isfinite(measured)])
    )
    if log:
        shown = shown[shown > 0]
    if not len(shown):
        return None, None
    return float(shown.min()), float(shown.max())


def _metric_chart(
    trial: TrialHistory, metric: Metric, scale: _Scale, x: Axis, ended: bool
) -> Chart:
    waiting = f"Validation {figures.name(metric)} will appear here after the first epoch."
    if ended:
        waiting = "The run ended before its first epoch did."
    epochs, measured = trial.epochs, _measured(trial)
    ends = scale.at(np.array([float(epoch.step) for epoch in epochs]))
    unit = figures.scale(metric)
    train = unit * _column([epoch.train_value(metric.name) for epoch in epochs])
    validation = unit * _column([event.value(metric.name) for event in measured])
    series = []
    if len(train):
        series.append(Series(ends, train, "train", "raw"))
    marks = []
    if len(validation):
        places = _places(measured, scale)
        series.append(Series(places, validation, VALIDATION, "validation"))
        series.append(Series(places, validation, "", "validation", "points"))
        if np.any(np.isfinite(validation)):
            best = int(np.nanargmax(metric.sign * validation))
            label = f"best {figures.bare(metric, validation[best] / unit)}"
            marks.append(Mark(float(places[best]), float(validation[best]), label, "best"))
    lo, hi = _limits(np.concatenate((train, validation)), metric)
    return Chart(
        series=tuple(series),
        x=x,
        y=Axis(lo=lo, hi=hi),
        marks=tuple(marks),
        title=figures.title(metric),
        empty=waiting,
    )


def _limits(values: Floats, metric: Metric) -> tuple[float | None, float | None]:
    """Limits with room for a word around the values; for shares whole tens of per cent."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None, None
    if metric.unit != "share":
        low, high = float(known.min()), float(known.max())
        room = _MARGIN * (high - low) or _MARGIN * abs(high) or 1.0
        return low - room, high + room
    lo = math.floor((float(known.min()) - 1) / 10) * 10
    hi = math.ceil((float(known.max()) + 1) / 10) * 10
    return max(0.0, float(lo)), min(100.0, float(max(hi, lo + 10)))


def _measured(trial: TrialHistory) -> list[Evaluated]:
    """Validations of the current model, not of a checkpoint, in order."""
    return [
        event for event in trial.evaluations if event.part == "validation" and not event.checkpoint
    ]


def _places(events: list[Evaluated], scale: _Scale) -> Floats:
    return scale.at(np.array([float(event.step) for event in events]))


def _column(values: list[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def training_panel(
    history: RunHistory, options: ChartOptions | None = None, *, ended: bool = False
) -> list[Line]:
    """The figures beside the charts, most important first."""
    trial = history.trial or TrialHistory(0)
    return [
        *_place_lines(trial, plan_of(history)),
        BLANK,
        *_loss_lines(trial, options or ChartOptions()),
        BLANK,
        *_metric_lines(trial, history.primary),
        BLANK,
        *device_lines(history, ended=ended),
    ]


def _place_lines(trial: TrialHistory, plan: Plan) -> list[Line]:
    done = int(trial.step[-1]) + 1 if len(trial) else 0
    if trial.epochs and not len(trial):  # an imported curve
        done = trial.epochs[-1].step
    epochs = math.ceil(plan.total_steps / plan.steps_per_epoch)
    epoch = min(done // plan.steps_per_epoch + 1, epochs)
    stepped = trial.total_steps > 0
    started = stepped or done > 0
    cycle = cycle_text(plan.phase(done)) if started and plan.known else numbers.UNKNOWN
    if plan.config.scheduler:
        cycle = "none, a scheduler of torch"
    rate = float(trial.lr[-1]) if len(trial) else None
    step = numbers.of_total(done, plan.total_steps) if stepped else numbers.of_total(None, None)
    return [
        row("epoch", numbers.of_total(epoch if started else None, epochs)),
        row("step", step),
        row("policy", plan.config.schedule if plan.known else numbers.UNKNOWN),
        row("cycle", cycle, "lr"),
        row("lr", numbers.lr(rate).strip(), "lr"),
        *_effective_line(trial),
        row("max_lr", numbers.lr(plan.max_lr), "max"),
        row("base_lr", numbers.lr(plan.base_lr), "base"),
    ]


def _effective_line(trial: TrialHistory) -> list[Line]:
    """The rate in effect, of an optimizer that finds its own."""
    effective = float(trial.effective_lr[-1]) if len(trial) else math.nan
    return [row("in effect", numbers.lr(effective).strip())] if math.isfinite(effective) else []


def _loss_lines(trial: TrialHistory, options: ChartOptions) -> list[Line]:
    raw = None
    smoothed = trial.epochs[-1].train_loss if trial.epochs else None
    if len(trial):
        raw = float(trial.loss[-1])
        smoothed = float(_smoothed(trial, options.smoothing)[-1])
    measured = _measured(trial)
    losses = (smoothed, measured[-1].loss if measured else None, raw)
    train, validation, last = (numbers.loss(loss).strip() for loss in losses)
    return [
        row("loss", train.ljust(8), "loss", f"raw {last}"),
        row("", validation.ljust(8), "validation", "validation"),
    ]


def cycle_text(where: Phase) -> str:
    """The phase in a few words: "2 of 4, falling"; at the end "2 of 2, complete" or "cut short"."""
    if where.direction == "constant":
        return "none, constant rate"
    if not where.cycles:
        return "none, complete" if where.finished else f"none, {where.direction}"
    place = f"{where.cycle} of {where.cycles}"
    if not where.finished:
        return f"{place}, {where.direction}"
    return f"{place}, complete" if where.whole else f"{place}, cut short"


def _metric_lines(trial: TrialHistory, metric: Metric) -> list[Line]:
    train = best = None
    when = ""
    if trial.epochs:
        last = trial.epochs[-1]
        train, best = last.train_value(metric.name), last.best_value
        when = f"epoch {last.best_epoch}"
    measured = _measured(trial)
    validation = measured[-1].value(metric.name) if measured else None

    def figure(value: float | None) -> str:
        return figures.brief(metric, value).ljust(8)

    lines = [
        row(truncate(figures.name(metric), LABEL_WIDTH - 1), figure(train), "text", "train"),
        row("", figure(validation), "validation", "validation"),
        row("best", figure(best), "best", when),
    ]
    tests = [event for event in trial.evaluations if event.part == "test"]
    for number, event in enumerate(tests):
        whose = f"{plain(event.checkpoint)} epoch" if event.checkpoint else ""
        tested = figure(event.value(metric.name))
        lines.append(row("" if number else "test", tested, "accuracy", whose))
    return lines


def ending_sentence(history: RunHistory) -> str:
    """A caveat if the training ended in mid-cycle; else empty."""
    trial, plan = history.trial, plan_of(history)
    if history.finished is None or trial is None or not len(trial) or not plan.known:
        return ""
    done = int(trial.step[-1]) + 1
    where = plan.phase(done)
    if plan.config.policy == "constant" or (done >= plan.total_steps and where.whole):
        return ""
    name = figures.name(history.primary)
    if not where.cycles:
        return f"It ended before its schedule did, {where.direction}: {name} is not final {name}."
    return (
        f"It ended in the middle of cycle {where.cycle} of {where.cycles}: {name} in mid-cycle, "
        f"while the rate is high, is not final {name}."
    )


def training_sentence(history: RunHistory, *, ended: bool = False) -> str:
    """A sentence on the progress or result of the training; `ended`: the run is over."""
    ended = ended or history.finished is not None
    trial, metric = history.trial or TrialHistory(0), history.primary
    tests = {event.checkpoint: event for event in trial.evaluations if event.part == "test"}
    parts = []
    if (last := tests.get("last")) is not None:
        parts.append(f"{figures.brief(metric, last.value(metric.name))} last weights")
    if (best := tests.get("best")) is not None:
        when = f" (epoch {best.epoch})" if best.epoch is not None else ""
        parts.append(f"{figures.brief(metric, best.value(metric.name))} best weights{when}")
    if parts:
        return f"Test {figures.name(metric)}: {', '.join(parts)}."
    if not trial.epochs:
        waiting = len(trial) and not ended
        words = f"Validation {figures.name(metric)} is measured after the first epoch."
        return words if waiting else ""
    epoch = trial.epochs[-1]
    best_of = "Best" if ended else "Best so far"
    value = figures.brief(metric, epoch.best_value)
    return f"{best_of} {value} on validation, epoch {epoch.best_epoch}."
