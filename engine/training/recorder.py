"""From losses on the device to `steps` events, without waiting for the device at every step."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from clr_tui.engine.log.events import Evaluated, Event, NonFinite, Steps
from clr_tui.engine.training.stopwatch import Stopwatch

FLUSH_SECONDS = 0.25
_RATE_CHUNKS = 8
"""Images per second are those of the latest chunks: some two seconds."""

Watch = Callable[[int, float, float], "str | None"]
"""(step, lr, loss) of each step, in order -> why the trial must end with this step, or None."""


@dataclass(frozen=True)
class End:
    """The watch ended the trial with this step."""

    step: int
    lr: float
    reason: str


class _Row(NamedTuple):
    step: int
    lr: float
    loss: float
    correct: int


class _Waiting(NamedTuple):
    """As `_Row`, the values still on the device."""

    step: int
    lr: float
    loss: Tensor
    correct: Tensor
    images: int
    """Of which so many are right."""


class Recorder:
    """Collects the steps of one trial and writes them in chunks.

    On the CPU a loss is there at once, and every one is looked at as it comes. On an accelerator
    they are fetched when a chunk is due; steps that were made beyond the one at which the watch
    ended the trial are dropped then, so that what is recorded does not depend on timing.

    Args:
        emit: takes each event.
        trial: its number.
        total_steps: of the trial.
        batch_size: images a step.
        stopwatch: of the trial.
        eager: look at each loss as it comes; right where that needs no synchronisation.
        watch: decides on an early end.
        accuracy: whether `steps` events have the column of training accuracies, and
            `epoch_means` are asked for: in trainings, not in sweeps.
        steps_beyond: steps that the run has after this trial, for the estimate of time left.
    """

    def __init__(
        self,
        emit: Callable[[Event], object],
        *,
        trial: int,
        total_steps: int,
        batch_size: int,
        stopwatch: Stopwatch,
        eager: bool,
        watch: Watch,
        accuracy: bool,
        steps_beyond: int = 0,
    ) -> None:
        self.end: End | None = None
        self.steps = 0
        """Recorded so far."""
        self._emit = emit
        self._trial = trial
        self._total = total_steps
        self._beyond = steps_beyond
        self._batch_size = batch_size
        self._stopwatch = stopwatch
        self._eager = eager
        self._watch = watch
        self._with_accuracy = accuracy
        self._waiting: list[_Waiting] = []
        self._rows: list[_Row] = []
        self._evaluations: list[_Waiting] = []
        self._all_finite = True
        self._epoch: list[_Row] = []
        self._written_at = stopwatch.elapsed
        self._warm: tuple[int, float] | None = None
        self._chunks: deque[tuple[int, float]] = deque(maxlen=_RATE_CHUNKS)

    def add(self, step: int, lr: float, loss: Tensor, correct: Tensor) -> None:
        """Takes the results of a step, as of `Trainee.step`. Sets `end` where it is due."""
        self._waiting.append(_Waiting(step, lr, loss, correct, self._batch_size))
        if self._eager:
            self._fetch()
        if self.end or self._stopwatch.elapsed - self._written_at >= FLUSH_SECONDS:
            self.flush()

    def add_evaluation(
        self, step: int, lr: float, loss: Tensor, correct: Tensor, *, images: int
    ) -> None:
        """Takes a measurement on the subset, made after `step` steps; written with its chunk.

        Args:
            step, lr, loss, correct: as of `evaluate`.
            images: of the subset.
        """
        self._evaluations.append(_Waiting(step, lr, loss, correct, images))

    def flush(self) -> None:
        """Fetches and writes all that was taken so far."""
        self._fetch()
        now = self._stopwatch.elapsed
        if self._rows:
            self._write_rows(now)
        self._written_at = now
        self._write_evaluations()

    def leave_out_since_flush(self) -> None:
        """The time since the last flush was not spent on steps (but on validation, say)."""
        self._written_at = self._stopwatch.elapsed

    def epoch_means(self) -> tuple[float | None, float | None]:
        """Mean training loss and accuracy of the steps since the last call; None if not finite."""
        rows, self._epoch = self._epoch, []
        if not rows:
            return None, None
        loss = math.fsum(row.loss for row in rows) / len(rows) if _all_finite(rows) else None
        return loss, sum(row.correct for row in rows) / (len(rows) * self._batch_size)

    def _fetch(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        if self._eager:
            values = [(float(w.loss), int(w.correct)) for w in waiting]
        else:
            values = _to_host(waiting)
        for w, (loss, correct) in zip(waiting, values, strict=True):
            if self.end:
                return
            self._rows.append(_Row(w.step, w.lr, loss, correct))
            reason = self._watch(w.step, w.lr, loss)
            if reason is not None:
                self.end = End(w.step, w.lr, reason)

    def _write_rows(self, now: float) -> None:
        rows, self._rows = self._rows, []
        if self._with_accuracy:
            self._epoch += rows
        self.steps += len(rows)
        self._chunks.append((len(rows), now - self._written_at))
        if self._all_finite and not _all_finite(rows):
            self._all_finite = False
            first = next(row for row in rows if not math.isfinite(row.loss))
            self._emit(NonFinite(trial=self._trial, step=first.step, lr=first.lr))
        self._emit(
            Steps(
                trial=self._trial,
                step=[row.step for row in rows],
                lr=[row.lr for row in rows],
                loss=[finite(row.loss) for row in rows],
                accuracy=[row.correct / self._batch_size for row in rows]
                if self._with_accuracy
                else None,
                elapsed=now,
                images_per_second=self._images_per_second(),
                left=self._left(now),
            )
        )

    def _write_evaluations(self) -> None:
        evaluations, self._evaluations = self._evaluations, []
        for w, (loss, correct) in zip(evaluations, _to_host(evaluations), strict=True):
            if self.end and w.step > self.end.step:
                return
            self._emit(
                Evaluated(
                    trial=self._trial,
                    step=w.step,
                    part="subset",
                    loss=finite(loss),
                    accuracy=correct / w.images,
                    lr=w.lr,
                )
            )

    def _images_per_second(self) -> float | None:
        steps = sum(n for n, _ in self._chunks)
        seconds = sum(s for _, s in self._chunks)
        return steps * self._batch_size / seconds if seconds > 0 else None

    def _left(self, now: float) -> float | None:
        """Seconds to the end of the run at the pace so far, the slow first chunk left out."""
        steps, seconds = self._warm or (0, 0.0)
        pace = (now - seconds) / max(1, self.steps - steps)
        self._warm = self._warm or (self.steps, now)
        return pace * (self._total - self.steps + self._beyond) if pace > 0 else None


def finite(value: float) -> float | None:
    """The value, or None where it is not finite: what events want."""
    return value if math.isfinite(value) else None


def _all_finite(rows: list[_Row]) -> bool:
    return all(math.isfinite(row.loss) for row in rows)


def _to_host(waiting: list[_Waiting]) -> list[tuple[float, int]]:
    """Losses and counts, in one copy for all of them.

    Counts go as float32, which not every device has a wider type than, and which is exact up to
    2^24 images: more than a batch or a subset has.
    """
    if not waiting:
        return []
    losses = torch.stack([w.loss for w in waiting])
    correct = torch.stack([w.correct for w in waiting]).to(losses.dtype)
    return [(loss, int(count)) for loss, count in torch.stack([losses, correct], dim=1).tolist()]
