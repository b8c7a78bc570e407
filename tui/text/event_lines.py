"""The events of a run as lines of text."""

from __future__ import annotations

import math
from typing import ClassVar

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import SpentTime
from clr_tui.engine.log import events as ev
from clr_tui.engine.metrics import LOSS
from clr_tui.engine.settings.durations import duration
from clr_tui.engine.words import exact_lr, many, plural
from clr_tui.tui.text import figures, numbers
from clr_tui.tui.text.device_lines import samples_of


class EventLines:
    """Describes the events of one run, in the order of its log; kinds of run add their own."""

    silence: ClassVar[float] = 10.0
    """Seconds without a line after which progress is printed."""

    def line_of(self, event: ev.AnyEvent, history: RunHistory) -> str:
        """Describe `event`, which `history` already contains; empty if not worth a line."""
        if isinstance(event, ev.EpochFinished):
            return _epoch(event, history)
        if isinstance(event, ev.TaskReady):
            return _task(event, own=bool(history.config.task.task))
        if isinstance(event, ev.RunStarted):
            return f"{event.run} started"
        if isinstance(event, ev.RunResumed):
            return f"resumed: {event.reason}" if event.reason else "resumed"
        if isinstance(event, ev.DeviceChosen):
            return _device(event, own=bool(history.config.task.task))
        if isinstance(event, ev.Note):
            return f"{'warning' if event.level == 'warning' else 'note'}: {event.text}"
        if isinstance(event, ev.TimePlanned):
            return f"time: {time_words(event)}"
        return _incident(event)

    def progress_line(self, history: RunHistory) -> str:
        """Return the progress in one line; empty before there is any."""
        if history.finished is not None:
            return ""
        if history.progress is not None and not history.began:
            progress = history.progress
            if progress.total == 1:
                return f"{progress.what} ..."
            return f"{progress.what} {numbers.of_total(progress.done, progress.total)}"
        return self.at_work(history)

    def at_work(self, history: RunHistory) -> str:
        """Return the progress once there are trials."""
        trial = history.trial
        if trial is None or not len(trial.step):
            return ""
        parts = [f"step {numbers.of_total(int(trial.step[-1]) + 1, trial.total_steps)}"]
        if len(history.trials) > 1:
            parts.insert(0, f"seed {trial.seed}")
        parts.append(f"lr {numbers.lr(float(trial.lr[-1]))}")
        if math.isfinite(effective := float(trial.effective_lr[-1])):
            parts.append(f"in effect {numbers.lr(effective)}")
        parts.append(f"loss {numbers.loss(float(trial.loss[-1]))}")
        if trial.samples_per_second is not None:
            parts.append(f"{numbers.throughput(trial.samples_per_second)} {samples_of(history)}/s")
        if trial.eta_seconds is not None:
            parts.append(f"left {numbers.duration(trial.eta_seconds)}")
        return "  ".join(parts)


def _incident(event: ev.AnyEvent) -> str:
    if isinstance(event, ev.Diverged):
        return f"step {event.step}, lr {numbers.lr(event.lr)}: {event.reason}"
    if isinstance(event, ev.NonFinite):
        return f"step {event.step}, lr {numbers.lr(event.lr)}: the loss is not finite"
    if isinstance(event, ev.BoundsChanged) and event.step > 0:
        return (
            f"from step {event.step} the bounds are {exact_lr(event.base_lr)} and"
            f" {exact_lr(event.max_lr)}"
        )
    if isinstance(event, ev.Resumed):
        return f"trial {event.trial} continues from step {event.step}"
    if isinstance(event, ev.Paused):
        return "paused"
    if isinstance(event, ev.Continued):
        return "continued"
    if isinstance(event, ev.CheckpointSaved) and event.reason in ("asked", "stopped"):
        return f"checkpoint saved: {event.path}"
    if isinstance(event, ev.CommandRefused):
        return f"{event.command} was refused: {event.reason}"
    return ""


def _device(event: ev.DeviceChosen, *, own: bool) -> str:
    """A user's `own` task may choose another precision than the device's: its line says it."""
    precision = "" if own else f", {event.precision}"
    return f"on {event.name} ({event.device}{precision})"


def time_words(time: ev.TimePlanned | SpentTime) -> str:
    """Return what a time to spend was used for: "5 sweeps of 1 200 steps, 4m52s of 5m used"."""
    used = f"{duration(round(time.used))} of {duration(time.seconds)} used"
    if time.steps is None:
        return f"{many(time.seeds, 'seed')}, {used}"
    steps = f"{numbers.count(time.steps)} {plural('step', time.steps)}"
    return f"{many(time.seeds, 'sweep')} of {steps}, {used}"


def _task(event: ev.TaskReady, *, own: bool) -> str:
    side = event.image_size
    size = "" if side is None else f" of {side}x{side}"
    precision = f" in {event.precision}" if own and event.precision else ""
    classes = "" if event.classes is None else f", {len(event.classes)} classes"
    return (
        f"{event.name}: {numbers.count(event.train)} training, {numbers.count(event.validation)}"
        f" validation and {numbers.count(event.test)} test {event.samples}{size}{classes};"
        f" {event.model} with {numbers.count(event.trainable)}"
        f" trainable parameters{precision}; {many(event.steps_per_epoch, 'step')} per epoch"
        f"{_left_out(event)}"
    )


def _left_out(event: ev.TaskReady) -> str:
    """How many samples do not fill a batch; others in each epoch, as the order is random."""
    left = event.train - event.steps_per_epoch * event.batch_size
    return f", which leave out {many(left, event.samples.removesuffix('s'))}" if left > 0 else ""


def _epoch(event: ev.EpochFinished, history: RunHistory) -> str:
    trial = history.trials.get(event.trial)
    measured = [
        e
        for e in (trial.evaluations if trial else [])
        if e.epoch == event.epoch and e.part == "validation"
    ]
    metric = history.primary
    total = trial.total_steps // trial.steps_per_epoch if trial and trial.steps_per_epoch else None
    parts = [f"epoch {numbers.of_total(event.epoch, total or event.epoch)}"]
    parts.append(f"train loss {numbers.loss(event.train_loss)}")
    if measured:
        parts.append(f"validation loss {numbers.loss(measured[-1].loss)}")
        if metric != LOSS:
            value = figures.figure(metric, measured[-1].value(metric.name))
            parts.append(f"{metric.name} {value}")
    best = figures.figure(metric, event.best_value)
    parts.append(f"best {best} in epoch {event.best_epoch}")
    return "  ".join(parts)
