"""Turning losses on the device into `steps` events, without waiting for the device at each step."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from clr_tui.engine.log.events import Evaluated, Event, NonFinite, Steps
from clr_tui.engine.metrics import Metric
from clr_tui.engine.tasks.measure import Counted
from clr_tui.engine.training.stopwatch import Stopwatch

FLUSH_SECONDS = 0.25
_RATE_CHUNKS = 8
"""Chunks to compute samples per second from: some two seconds."""

StopRule = Callable[[int, float, float], "str | None"]
"""(step, lr, loss) of each step, in order -> why the trial must end with this step, or None."""


@dataclass(frozen=True)
class EarlyStop:
    """The step with which the watch ended the trial."""

    step: int
    lr: float
    reason: str


Quotient = tuple[float, float]
"""A metric as total and count: its value is their quotient."""


class _StepRow(NamedTuple):
    step: int
    lr: float
    loss: float
    metrics: Sequence[Quotient]
    effective_lr: float | None


class _PendingStep(NamedTuple):
    """Like `_StepRow`, with values still on the device."""

    step: int
    lr: float
    loss: Tensor
    metrics: Sequence[Counted]
    effective_lr: float | Tensor | None = None


class Recorder:
    """Collects the steps of one trial and writes them in chunks.

    On the CPU each loss is fetched at once. On an accelerator losses are fetched when a chunk is
    due; steps after the one with which the watch ends the trial are then dropped, so that the log
    does not depend on timing.

    Args:
        eager: fetch each loss at once; use it where that needs no synchronisation.
        watch: decides on an early end.
        metrics: of the task, in its order.
        means: whether to record metrics, for `steps` events and `epoch_means`: in trainings, not in
            sweeps.
        steps_beyond: steps of the run after this trial, to estimate the time left.
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
        watch: StopRule,
        metrics: Sequence[Metric],
        means: bool,
        steps_beyond: int = 0,
    ) -> None:
        self.end: EarlyStop | None = None
        self.steps = 0
        """Recorded so far."""
        self._emit = emit
        self._trial = trial
        self._total = total_steps
        self._beyond = steps_beyond
        self._batch_size = batch_size
        self.stopwatch = stopwatch
        self._eager = eager
        self._watch = watch
        self._names = [metric.name for metric in metrics]
        self._with_means = means
        self._waiting: list[_PendingStep] = []
        self._rows: list[_StepRow] = []
        self._evaluations: list[_PendingStep] = []
        self._all_finite = True
        self._epoch: list[_StepRow] = []
        self._written_at = stopwatch.elapsed
        self._warm: tuple[int, float] | None = None
        self._chunks: deque[tuple[int, float]] = deque(maxlen=_RATE_CHUNKS)

    def add(
        self,
        step: int,
        lr: float,
        loss: Tensor,
        metrics: Sequence[Counted],
        effective_lr: float | Tensor | None = None,
    ) -> None:
        """Takes the results of `Trainee.step`. Sets `end` if the watch ends the trial.

        Args:
            effective_lr: see `adapted_rate`.
        """
        kept = metrics if self._with_means else ()
        self._waiting.append(_PendingStep(step, lr, loss, kept, effective_lr))
        if self._eager:
            self._fetch()
        if self.end or self.stopwatch.elapsed - self._written_at >= FLUSH_SECONDS:
            self.flush()

    def add_evaluation(
        self, step: int, lr: float, loss: Tensor, metrics: Sequence[Counted]
    ) -> None:
        """Takes the results of `evaluate` on the subset after `step` steps."""
        self._evaluations.append(_PendingStep(step, lr, loss, metrics))

    def flush(self) -> None:
        """Fetches and writes everything taken so far."""
        self._fetch()
        now = self.stopwatch.elapsed
        if self._rows:
            self._write_rows(now)
        self._written_at = now
        self._write_evaluations()

    def exclude_since_flush(self) -> None:
        """Excludes the time since the last flush, such as for validation, from the pace."""
        self._written_at = self.stopwatch.elapsed

    def epoch_means(self) -> tuple[float | None, dict[str, float | None]]:
        """Mean training loss and metrics of the steps since the last call; None if not finite."""
        rows, self._epoch = self._epoch, []
        if not rows:
            return None, {}
        loss = math.fsum(row.loss for row in rows) / len(rows) if _all_finite(rows) else None
        sums = [
            (_total(total for total, _ in column), _total(count for _, count in column))
            for column in zip(*(row.metrics for row in rows), strict=True)
        ]
        return loss, values(self._names, sums)

    def state_dict(self) -> dict[str, Any]:
        """Everything but steps not written yet, as tensors and plain values: call `flush` before.

        What was written of the epoch that runs, for `epoch_means`, is in columns of float64.
        """
        counted = [[list(pair) for pair in row.metrics] for row in self._epoch]
        return {
            "steps": self.steps,
            "elapsed": self.stopwatch.elapsed,
            "all_finite": self._all_finite,
            "warm": self._warm,
            "chunks": list(self._chunks),
            "losses": torch.tensor([row.loss for row in self._epoch], dtype=torch.float64),
            "metrics": torch.tensor(counted, dtype=torch.float64),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores the state that `state_dict` returned; the stopwatch counts on from there."""
        self.steps, self._all_finite = state["steps"], state["all_finite"]
        self._warm, self._chunks = state["warm"], deque(state["chunks"], maxlen=_RATE_CHUNKS)
        losses, metrics = state["losses"].tolist(), state["metrics"].tolist()
        self._epoch = [
            _StepRow(0, 0.0, loss, [(total, count) for total, count in counted], None)
            for loss, counted in zip(losses, metrics, strict=True)
        ]
        self.stopwatch.set_to(state["elapsed"])
        self._written_at = self.stopwatch.elapsed

    def _fetch(self) -> None:
        waiting, self._waiting = self._waiting, []
        for row in map(_row, waiting) if self._eager else _to_host(waiting):
            if self.end:
                return
            self._rows.append(row)
            reason = self._watch(row.step, row.lr, row.loss)
            if reason is not None:
                self.end = EarlyStop(row.step, row.lr, reason)

    def _write_rows(self, now: float) -> None:
        rows, self._rows = self._rows, []
        if self._with_means:
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
                effective_lr=_effective(rows),
                metrics=self._columns(rows),
                elapsed=now,
                samples_per_second=self._samples_per_second(),
                eta_seconds=self._eta_seconds(now),
            )
        )

    def _columns(self, rows: Sequence[_StepRow]) -> dict[str, list[float | None]]:
        columns = zip(*(row.metrics for row in rows), strict=True)
        named = zip(self._names, columns, strict=False)  # none in sweeps
        return {name: [_value(quotient) for quotient in column] for name, column in named}

    def _write_evaluations(self) -> None:
        evaluations, self._evaluations = self._evaluations, []
        for row in _to_host(evaluations):
            if self.end and row.step > self.end.step:
                return
            self._emit(
                Evaluated(
                    trial=self._trial,
                    step=row.step,
                    part="subset",
                    loss=finite(row.loss),
                    metrics=values(self._names, row.metrics),
                    lr=row.lr,
                )
            )

    def _samples_per_second(self) -> float | None:
        steps = sum(n for n, _ in self._chunks)
        seconds = sum(s for _, s in self._chunks)
        return steps * self._batch_size / seconds if seconds > 0 else None

    def _eta_seconds(self, now: float) -> float | None:
        """Seconds to the end of the run at the pace so far, without the slow first chunk."""
        steps, seconds = self._warm or (0, 0.0)
        pace = (now - seconds) / max(1, self.steps - steps)
        self._warm = self._warm or (self.steps, now)
        return pace * (self._total - self.steps + self._beyond) if pace > 0 else None


def finite(value: float) -> float | None:
    """The value, or None if it is not finite, as in events."""
    return value if math.isfinite(value) else None


def values(names: Sequence[str], quotients: Sequence[Quotient]) -> dict[str, float | None]:
    """The metrics by name, from totals and counts; None if not finite."""
    return {name: _value(quotient) for name, quotient in zip(names, quotients, strict=True)}


def _value(quotient: Quotient) -> float | None:
    total, count = quotient
    return finite(total / count) if count else None


def _total(numbers: Iterable[float]) -> float:
    """An exact sum, independent of order; NaN if a number is not finite."""
    found = list(numbers)
    return math.fsum(found) if all(map(math.isfinite, found)) else math.nan


def _all_finite(rows: list[_StepRow]) -> bool:
    return all(math.isfinite(row.loss) for row in rows)


def on_host(metrics: Sequence[Counted]) -> list[Quotient]:
    """Totals and counts as numbers; waits for the device."""
    return [(float(total), float(count)) for total, count in metrics]


def _row(w: _PendingStep) -> _StepRow:
    return _StepRow(w.step, w.lr, float(w.loss), on_host(w.metrics), _number(w.effective_lr))


def _number(value: float | Tensor | None) -> float | None:
    return None if value is None else float(value)


def _effective(rows: Sequence[_StepRow]) -> list[float | None]:
    """The column of effective rates; empty if there are none."""
    if all(row.effective_lr is None for row in rows):
        return []
    return [None if row.effective_lr is None else finite(row.effective_lr) for row in rows]


def _to_host(waiting: list[_PendingStep]) -> list[_StepRow]:
    """Like `_row`, in one copy for all, and one for their effective rates.

    Totals are copied as float32, as not every device has a wider type; it counts exactly up to
    2^24, more samples than a batch or a subset has.
    """
    if not waiting:
        return []
    there = [
        [w.loss, *(number for c in w.metrics for number in c if isinstance(number, Tensor))]
        for w in waiting
    ]
    columns = [torch.stack(column).float() for column in zip(*there, strict=True)]
    rates = [w.effective_lr.reshape(()) for w in waiting if isinstance(w.effective_lr, Tensor)]
    fetched = iter(torch.stack(rates).tolist() if rates else [])
    rows = []
    for w, (loss, *numbers) in zip(waiting, torch.stack(columns, dim=1).tolist(), strict=True):
        left = iter(numbers)
        metrics = [
            (next(left), next(left) if isinstance(c, Tensor) else float(c)) for _, c in w.metrics
        ]
        effective = next(fetched) if isinstance(w.effective_lr, Tensor) else w.effective_lr
        rows.append(_StepRow(w.step, w.lr, loss, metrics, effective))
    return rows
