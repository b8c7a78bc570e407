"""What a followed run tells on stderr, a line at a time."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from typing import TextIO

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import Compare, RangeTest
from clr_tui.engine.words import many
from clr_tui.tui.kinds.compare.progress import ComparisonLines, comparison_standing
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain

SILENCE = 10.0
"""Seconds without a line after which work that is not on a terminal says where it is; a sweep is
short and has no other lines: it says so every second."""


class ProgressLines:
    """Prints what happens, and where the work stands about once a second.

    Args:
        stream: where to, usually stderr. When it is closed, nothing more is printed.
        in_place: whether the line that says where the work stands may be overwritten by the next
            one: on a terminal only.
        clock: seconds, monotonic.
    """

    def __init__(
        self, stream: TextIO, *, in_place: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream: TextIO | None = stream
        self._in_place = in_place
        self._clock = clock
        self._last_line = clock()
        self._standing = 0
        self._shown = ""
        self._comparison = ComparisonLines()

    def show(self, history: RunHistory, events: Iterable[ev.AnyEvent]) -> None:
        """Print what `events`, which `history` has taken in already, tell."""
        for event in events:
            text = self._comparison.line_of(event, history) if _compares(history) else None
            if text is None:
                text = line_of(event, history)
            if text:
                self.say(text)
        text = standing(history)
        if text and text != self._shown and self._due(history):
            self._shown = text
            self._stand(text)

    def say(self, text: str) -> None:
        """Print one line that stays."""
        self._write(self._wiped() + plain(text) + "\n")

    def end(self) -> None:
        """Leave the cursor at the start of an empty line."""
        self._write(self._wiped())

    def _due(self, history: RunHistory) -> bool:
        if self._in_place:
            return True
        sweep = isinstance(history.config.job, RangeTest)
        every = 1.0 if sweep or not history.trials else SILENCE
        return self._clock() - self._last_line >= every

    def _stand(self, text: str) -> None:
        if not self._in_place:
            self.say(text)
            return
        wiped = self._wiped()
        text = plain(text)[: shutil.get_terminal_size().columns - 1]
        self._write(wiped + text)
        self._standing = len(text)

    def _wiped(self) -> str:
        """Blanks over the line that stands, and back to its start: no escape code is needed."""
        blanks = f"\r{' ' * self._standing}\r" if self._standing else ""
        self._standing = 0
        return blanks

    def _write(self, text: str) -> None:
        if self._stream is None or not text:
            return
        self._last_line = self._clock()
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # closed, or nobody reads it: the run is what matters
            self._stream = None


def _compares(history: RunHistory) -> bool:
    return isinstance(history.config.job, Compare)


def standing(history: RunHistory) -> str:
    """Where the work stands, in one line; empty before there is anything to say."""
    if history.finished is not None:
        return ""
    if history.progress is not None and not history.trials:
        progress = history.progress
        return f"{progress.what} {numbers.of_total(progress.done, progress.total)}"
    if _compares(history):
        return comparison_standing(history)
    trial = history.trial
    if trial is None or not len(trial.step):
        return ""
    parts = [f"step {numbers.of_total(int(trial.step[-1]) + 1, trial.total_steps)}"]
    if len(history.trials) > 1:
        parts.insert(0, f"seed {trial.seed}")
    parts.append(f"lr {numbers.lr(float(trial.lr[-1]))}")
    parts.append(f"loss {numbers.loss(float(trial.loss[-1]))}")
    if trial.images_per_second is not None:
        parts.append(f"{numbers.rate(trial.images_per_second)} images/s")
    if trial.left is not None:
        parts.append(f"left {numbers.duration(trial.left)}")
    return "  ".join(parts)


def line_of(event: ev.AnyEvent, history: RunHistory) -> str:
    """What `event` is worth a line for; empty where it is not."""
    if isinstance(event, ev.EpochFinished):
        return _epoch(event, history)
    if isinstance(event, ev.TaskReady):
        return _task(event)
    if isinstance(event, ev.RunStarted):
        return f"{event.run} started"
    if isinstance(event, ev.DeviceChosen):
        return f"on {event.name} ({event.device}, {event.precision})"
    if isinstance(event, ev.Note):
        return f"{'warning' if event.level == 'warning' else 'note'}: {event.text}"
    if isinstance(event, ev.TrialStarted):
        return _trial(event, history)
    return _incident(event)


def _incident(event: ev.AnyEvent) -> str:
    if isinstance(event, ev.Diverged):
        return f"step {event.step}, lr {numbers.lr(event.lr)}: {event.reason}"
    if isinstance(event, ev.NonFinite):
        return f"step {event.step}, lr {numbers.lr(event.lr)}: the loss is not finite"
    if isinstance(event, ev.BoundsChanged) and event.step > 0:
        return (
            f"from step {event.step} on the bounds are {numbers.exact_lr(event.base_lr)} and"
            f" {numbers.exact_lr(event.max_lr)}"
        )
    if isinstance(event, ev.Paused):
        return "paused"
    if isinstance(event, ev.Continued):
        return "goes on"
    if isinstance(event, ev.CheckpointSaved) and event.reason in ("asked", "stopped"):
        return f"checkpoint saved: {event.path}"
    if isinstance(event, ev.CommandRefused):
        return f"{event.command} was refused: {event.reason}"
    return ""


def _task(event: ev.TaskReady) -> str:
    side = event.image_size
    return (
        f"{event.name}: {numbers.count(event.train)} training, {numbers.count(event.validation)}"
        f" validation and {numbers.count(event.test)} test images of {side}x{side},"
        f" {len(event.classes)} classes; {event.model} with {numbers.count(event.trainable)}"
        f" trainable parameters; {many(event.steps_per_epoch, 'step')} an epoch"
    )


def _trial(event: ev.TrialStarted, history: RunHistory) -> str:
    job = history.config.job
    if not isinstance(job, RangeTest) or job.seeds < 2:
        return ""
    return f"sweep {event.trial + 1} of {job.seeds}, seed {event.seed}"


def _epoch(event: ev.EpochFinished, history: RunHistory) -> str:
    trial = history.trials.get(event.trial)
    measured = [
        e
        for e in (trial.evaluations if trial else [])
        if e.epoch == event.epoch and e.part == "validation"
    ]
    total = trial.total_steps // trial.steps_per_epoch if trial and trial.steps_per_epoch else None
    parts = [f"epoch {numbers.of_total(event.epoch, total or event.epoch)}"]
    parts.append(f"train loss {numbers.loss(event.train_loss)}")
    if measured:
        parts.append(f"validation loss {numbers.loss(measured[-1].loss)}")
        parts.append(f"accuracy {numbers.percent(measured[-1].accuracy)}")
    parts.append(f"best {numbers.percent(event.best_accuracy)} in epoch {event.best_epoch}")
    return "  ".join(parts)
