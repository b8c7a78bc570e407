"""The history of a run, built from its events: the source of every chart, panel and report."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, Union

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.logged import LoggedColumns
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.silence import Pace
from clr_tui.engine.log.void import is_void
from clr_tui.engine.metrics import ACCURACY, Metric, known_by_name, primary_of
from clr_tui.engine.settings.config import (
    MAX_TRIALS,
    Compare,
    RangeTest,
    RunConfig,
    Train,
)

if TYPE_CHECKING:
    from clr_tui.engine.log.tail import Batch


_Number = TypeVar("_Number", np.float64, np.int64)
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

ColumnValues = Union[Sequence[Union[float, None]], Floats]  # noqa: UP007


_METRIC = "metric "
"""Prefix of the columns of metrics, so that no metric name collides with another column."""
_SMALLEST_CAPACITY = 32
_ROOMY_TRIALS = 100
"""Trials beyond so many reserve little: together they would take much."""
_INITIAL_CAPACITY = 1 << 18
"""Steps to reserve at the start if so many are planned: columns of 2 MB, whose unused part takes no
memory (NumPy asks for huge pages beyond that)."""


class _Memoized(ABC):
    """Caches what functions compute from it until it changes."""

    def __init__(self) -> None:
        self._made: dict[object, tuple[Hashable, Any]] = {}

    @property
    @abstractmethod
    def state(self) -> Hashable:
        """Differs after every change that invalidates cached results."""

    def cached(
        self,
        make: Callable[Concatenate[Any, _Arguments], _Result],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """Returns `make(self, ...)`, called again only after a change or for other arguments.

        Keeps the last result of each function.
        """
        key = self.state, args, tuple(kwargs.items())
        known = self._made.get(make)
        if known is None or known[0] != key:
            known = self._made[make] = key, make(self, *args, **kwargs)
        result: _Result = known[1]
        return result


class TrialHistory(_Memoized):
    """One sweep or training: its steps as columns, and its other events.

    Columns have one entry per step. They are read-only views of buffers that grow by doubling: a
    view keeps its values and its length.
    """

    def __init__(
        self, trial: int, started: ev.TrialStarted | None = None, *, roomy: bool = True
    ) -> None:
        super().__init__()
        if started is None:  # its line was lost, or it has not started
            started = ev.TrialStarted(trial=trial, seed=0, total_steps=0, steps_per_epoch=0)
        self.trial = trial
        self.seed = started.seed
        self.label = started.label
        self.entry = started.entry
        """In a comparison: the index of the entry in the configuration, from 0."""
        self.role = started.role
        """In a comparison: `sweep` if the trial tunes the rate of the entry."""
        self.own_optimizer = started.own_optimizer
        """The class of the optimizer if a user's task made it, "" if not, None if unknown."""
        self.total_steps = started.total_steps
        """Planned; 0 if unknown."""
        self.steps_per_epoch = started.steps_per_epoch
        """0 if unknown."""
        self.outcome: ev.Outcome | None = None
        """None while the trial runs."""
        self.reason = ""
        self.evaluations: list[ev.Evaluated] = []
        self.epochs: list[ev.EpochFinished] = []
        self.bounds: list[ev.BoundsChanged] = []
        self.checkpoints: list[ev.CheckpointSaved] = []
        self.diverged: ev.Diverged | None = None
        self.non_finite: ev.NonFinite | None = None
        self.samples_per_second: float | None = None
        self.eta_seconds: float | None = None
        """Estimate until the end of the run; in a comparison, of the trial."""
        self.with_run = False
        """In a comparison: whether it was stopped only because the run was."""
        self.interrupted = False
        """In a comparison: whether its process was lost, and it waits to be run again."""
        self._rewinds = 0
        self._length = 0
        room = min(self.total_steps, _INITIAL_CAPACITY) if roomy else 0
        self._step: Ints = np.empty(max(room, _SMALLEST_CAPACITY), np.int64)
        self._columns: dict[str, Floats] = {}
        """Only of quantities that some chunk contained: the others take no memory."""

    def __len__(self) -> int:
        return self._length

    def __bool__(self) -> bool:
        return True  # even without steps

    @property
    def total_epochs(self) -> int | None:
        """Planned; None if unknown."""
        if self.steps_per_epoch <= 0 or self.total_steps <= 0:
            return None
        return (2 * self.total_steps + self.steps_per_epoch) // (2 * self.steps_per_epoch)

    @property
    def steps_logged(self) -> int:
        """The steps of which everything is in the log: at the end of an epoch, its results too."""
        steps = len(self)
        epochs_begun = steps // self.steps_per_epoch if self.steps_per_epoch > 0 else 0
        lacks_results = epochs_begun > len(self.epochs) and steps % self.steps_per_epoch == 0
        return steps - 1 if lacks_results else steps

    @property
    def has_diverged(self) -> bool:
        """Whether the trial ended early because of its loss."""
        return self.diverged is not None or self.non_finite is not None

    def validations(self) -> dict[int, ev.Evaluated]:
        """Evaluations of the current model on the validation part, by epoch."""
        return {
            e.epoch: e
            for e in self.evaluations
            if e.part == "validation" and e.checkpoint is None and e.epoch is not None
        }

    @property
    def step(self) -> Ints:
        """Step numbers from 0, strictly increasing; shape (n,)."""
        view = self._step[: self._length]
        view.flags.writeable = False
        return view

    @property
    def lr(self) -> Floats:
        """Learning rates; shape (n,)."""
        return self._column("lr")

    @property
    def effective_lr(self) -> Floats:
        """The rates in effect of an optimizer that finds its own, else NaN; shape (n,)."""
        return self._column("effective_lr")

    @property
    def loss(self) -> Floats:
        """Raw batch losses, NaN where not finite; shape (n,)."""
        return self._column("loss")

    @property
    def metric_names(self) -> list[str]:
        """The names of the metrics that were measured on batches."""
        return [name.removeprefix(_METRIC) for name in self._columns if name.startswith(_METRIC)]

    def metric(self, name: str) -> Floats:
        """A metric of the batches, NaN if not measured; shape (n,)."""
        return self._column(_METRIC + name)

    @property
    def seconds(self) -> Floats:
        """Seconds of training at the end of each step, interpolated in a chunk; shape (n,).

        NaN if the log has no times (an imported curve).
        """
        return self._column("seconds")

    def _column(self, name: str) -> Floats:
        if name not in self._columns:
            return np.broadcast_to(np.nan, self._length)
        view = self._columns[name][: self._length]
        view.flags.writeable = False
        return view

    def append(self, chunk: ev.Steps) -> bool:
        """Appends a chunk of steps; False, and no change, if its columns are inconsistent."""
        n = len(chunk.step)
        columns: list[ColumnValues] = [chunk.lr, chunk.loss, *chunk.metrics.values()]
        columns += [chunk.effective_lr] if chunk.effective_lr else []
        if n == 0 or any(len(column) != n for column in columns):
            return False
        steps = _step_numbers(chunk.step)
        before = int(self._step[self._length - 1]) if self._length else -1
        if steps[0] <= before or (n > 1 and not (steps[1:] > steps[:-1]).all()):
            return False
        start, end = self._length, self._length + n
        self._reserve(end)
        self._step[start:end] = steps
        self._length = end
        self._put("lr", start, chunk.lr)
        self._put("loss", start, chunk.loss)
        self._put("effective_lr", start, chunk.effective_lr or None)
        for name in dict.fromkeys([*self.metric_names, *chunk.metrics]):
            self._put(_METRIC + name, start, chunk.metrics.get(name))
        self._put("seconds", start, self._times(start, n, chunk.elapsed))
        self.samples_per_second, self.eta_seconds = chunk.samples_per_second, chunk.eta_seconds
        return True

    def _put(self, name: str, start: int, values: ColumnValues | None) -> None:
        """Writes a column from `start` to the end; None is a column of NaN."""
        column = self._columns.get(name)
        if column is None:
            if values is None:
                return
            column = self._columns[name] = np.empty(len(self._step))
            column[:start] = np.nan
        # None becomes NaN.
        column[start : self._length] = np.nan if values is None else np.asarray(values, np.float64)

    def _times(self, start: int, n: int, elapsed: float) -> Floats | None:
        if elapsed <= 0:
            return None
        seconds = self._columns.get("seconds")
        last = float(seconds[start - 1]) if start and seconds is not None else np.nan
        before = 0.0 if math.isnan(last) else last
        return before + (elapsed - before) * np.arange(1, n + 1) / n

    def _reserve(self, length: int) -> None:
        if length <= len(self._step):
            return
        room = max(length, 2 * len(self._step))
        self._step = _enlarged(self._step, self._length, room)
        for name, column in self._columns.items():
            self._columns[name] = _enlarged(column, self._length, room)

    @property
    def state(self) -> Hashable:
        """Differs after every epoch, evaluation and end, but not after each step."""
        read = len(self.epochs), len(self.evaluations), self.outcome, self.reason
        return self._rewinds, self.interrupted, *read

    def outlive_worker(self) -> None:
        """Waits for the run's next worker, unless the trial ended by itself."""
        if self.with_run:
            self.outcome, self.reason, self.with_run = None, "", False
        self.interrupted = self.outcome is None

    def rewind(self, step: int, total_steps: int | None = None) -> None:
        """Discards what came after the first `step` steps, as `events.Resumed` says."""
        self._rewinds += 1
        self.interrupted = False
        self.total_steps = total_steps or self.total_steps
        self._length = int(np.searchsorted(self.step, step))
        # New steps overwrite the discarded ones, but existing views must keep their values.
        self._step = self._step.copy()
        self._columns = {name: column.copy() for name, column in self._columns.items()}
        self.evaluations = [e for e in self.evaluations if not is_void(e, step)]
        self.epochs = [e for e in self.epochs if not is_void(e, step)]
        self.bounds = [e for e in self.bounds if not is_void(e, step)]
        self.checkpoints = [e for e in self.checkpoints if not is_void(e, step)]
        if self.diverged and is_void(self.diverged, step):
            self.diverged = None
        if self.non_finite and is_void(self.non_finite, step):
            self.non_finite = None
        self.outcome, self.reason, self.eta_seconds = None, "", None


def _step_numbers(step: Sequence[int]) -> Ints:
    if isinstance(step, range):  # numpy would iterate over it
        return np.arange(step.start, step.stop, dtype=np.int64)
    return np.asarray(step, np.int64)


def _enlarged(column: NDArray[_Number], used: int, room: int) -> NDArray[_Number]:
    larger = np.empty(room, column.dtype)
    larger[:used] = column[:used]
    return larger


class RunHistory(_Memoized):
    """The state of a run after the events so far, ready for charts and reports.

    Feed it the batches of a `LogTail` or single events, in the order of the log.
    """

    def __init__(self, config: RunConfig) -> None:
        super().__init__()
        self._asked = config
        self.version = 0
        """Increases with every change, so that a screen knows when to draw."""
        self._clear()

    def _clear(self) -> None:
        self.config = self._asked
        """What was asked for; with a time to spend, with the counts that the run chose."""
        job = self._asked.job
        if isinstance(job, Compare) and job.time is not None:  # not known yet
            self.config = replace(self._asked, job=replace(job, seeds=1))
        self.time: ev.TimePlanned | None = None
        """Of a run with a time to spend."""
        self.started: ev.RunStarted | None = None
        self.resumed: list[ev.RunResumed] = []
        self.away = 0.0
        """Seconds between the last event of a worker and the first one of the next, in all; less
        those by which the clock was set back."""
        self.device: ev.DeviceChosen | None = None
        self.task: ev.TaskReady | None = None
        self.progress: ev.Progress | None = None
        """Work before or between trials; None while a trial makes steps."""
        self.notes: list[ev.Note] = []
        self.refused: list[ev.CommandRefused] = []
        self._seen: dict[str, None] | None = None
        """Metrics measured so far, in order; None before the first evaluation."""
        self.trials: dict[int, TrialHistory] = {}
        """In the order they started."""
        self.logged = LoggedColumns()
        """Of somebody's own loop."""
        self.usages: list[ev.DeviceUsage] = []
        self._usage: ev.DeviceUsage | None = None
        self._usage_of: dict[str, ev.DeviceUsage] = {}
        """The newest load of each device."""
        self.pool: ev.PoolReady | None = None
        """Comparisons only, like the next three."""
        self.rates: dict[int, ev.RateChosen] = {}
        """By entry."""
        self.ended_early: dict[int, ev.EntryEnded] = {}
        """By entry: the rates of a grid that were ended."""
        self.overall: ev.Overall | None = None
        self.paused = False
        self.finished: ev.RunFinished | None = None
        self.corrupt = 0
        """Lines that could not be read or whose columns are inconsistent."""
        self.missing = 0
        """Lines that are not there, as a gap in the numbers of the events shows."""
        self.unknown: Counter[str] = Counter()
        """Counts of events of types that this version does not know."""
        self.newer_schema: int | None = None
        self.pace = Pace()
        self.first_time: float | None = None
        """Unix time of the first event, seconds."""
        self.last_time: float | None = None

    @property
    def host(self) -> str:
        """Where its newest worker is or was; empty if unknown."""
        newest = self.resumed[-1] if self.resumed else self.started
        return newest.host if newest else ""

    @property
    def state(self) -> Hashable:
        """Differs after every event."""
        return self.version

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of the task, the primary one first; if it is unknown, those seen, by name.

        Before the first evaluation of an unknown task: accuracy, the most common one.
        """
        if self.task is not None:
            return self.task.metrics
        return [ACCURACY] if self._seen is None else [known_by_name(n) for n in self._seen]

    @property
    def primary(self) -> Metric:
        """The metric that picks the best epoch and ranks optimizers."""
        return primary_of(self.metrics)

    @property
    def trial(self) -> TrialHistory | None:
        """The newest trial."""
        return next(reversed(self.trials.values()), None)

    @property
    def began(self) -> bool:
        """Whether a trial has started, or a loop has logged a value."""
        return bool(self.trials or self.logged.names)

    @property
    def has_results(self) -> bool:
        """Whether there is a step, an epoch or a logged value to show."""
        trials = self.trials.values()
        return any(len(trial) or trial.epochs for trial in trials) or bool(self.logged.names)

    @property
    def usage(self) -> ev.DeviceUsage | None:
        """The newest load: of the process, and of all its devices together."""
        return self._usage

    @property
    def precision(self) -> str:
        """The precision that the model computes in; empty if it is not known."""
        if self.task is not None and self.task.precision:
            return self.task.precision
        # A user's task may choose another one than the device's.
        return self.device.precision if self.device and not self.config.task.task else ""

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The latest (base_lr, max_lr) of the training."""
        changes = self.trial.bounds if self.trial else []
        if changes:
            return changes[-1].base_lr, changes[-1].max_lr
        job = self.config.job
        return (job.base_lr, job.max_lr) if isinstance(job, Train) else None

    def feed(self, batch: Batch) -> bool:
        """Applies the result of a poll of the log; True if anything changed."""
        before = self.version
        if batch.reset:
            self._clear()
            self.version += 1
        for event in batch.events:
            self.apply(event)
        if batch.corrupt or batch.missing or batch.unknown or batch.newer_schema is not None:
            self.corrupt += batch.corrupt
            self.missing += batch.missing
            self.unknown += batch.unknown
            self.newer_schema = batch.newer_schema or self.newer_schema
            self.version += 1
        return self.version != before

    def apply(self, event: ev.Event) -> None:
        """Applies one event."""
        self.version += 1
        if self.first_time is None:
            self.first_time = event.time
        if self.last_time is not None and (
            isinstance(event, ev.RunResumed) or event.time < self.last_time
        ):
            self.away += event.time - self.last_time
        self.last_time = event.time
        self.pace.take(event)
        if isinstance(event, ev.Steps):  # by far the most frequent
            self.progress = None
            self.corrupt += not self._trial(event.trial).append(event)
        elif not self._apply_to_trial(event):
            self._apply_to_run(event)

    @property
    def worker(self) -> ev.RunStarted | ev.RunResumed | None:
        """The first event of the worker that wrote last; None if the log has none."""
        return self.resumed[-1] if self.resumed else self.started

    def _trial(self, number: int) -> TrialHistory:
        """Returns the trial, creating it if the line that started it was lost."""
        if number not in self.trials:
            self.trials[number] = TrialHistory(number, roomy=False)
        return self.trials[number]

    def _apply_to_trial(self, event: ev.Event) -> bool:
        match event:
            case ev.TrialStarted():
                self.progress = None
                roomy = len(self.trials) < _ROOMY_TRIALS
                self.trials[event.trial] = TrialHistory(event.trial, event, roomy=roomy)
            case ev.Evaluated():
                self._trial(event.trial).evaluations.append(event)
                self._seen = (self._seen or {}) | dict.fromkeys(event.metrics)
            case ev.EpochFinished():
                self._trial(event.trial).epochs.append(event)
            case ev.BoundsChanged():
                self._trial(event.trial).bounds.append(event)
            case ev.CheckpointSaved():
                self._trial(event.trial).checkpoints.append(event)
            case ev.Diverged():
                self._trial(event.trial).diverged = event
            case ev.NonFinite():
                self._trial(event.trial).non_finite = event
            case ev.TrialInterrupted():
                self._trial(event.trial).interrupted = True
            case ev.TrialFinished():
                trial = self._trial(event.trial)
                trial.outcome, trial.reason, trial.eta_seconds = event.outcome, event.reason, None
                trial.with_run = event.with_run
            case ev.Resumed():
                self._trial(event.trial).rewind(event.step, event.total_steps)
                self.finished = None
            case _:
                return False
        return True

    def _apply_to_run(self, event: ev.Event) -> None:
        match event:
            case ev.RunStarted():
                self.started = event
            case ev.RunResumed():
                self.resumed.append(event)
                self.finished, self.paused, self.progress = None, False, None
                for trial in self.trials.values():
                    trial.outlive_worker()
                self._extend(event.epochs)
            case ev.Progress():
                self.progress = event
            case ev.Note():
                self.notes.append(event)
            case ev.DeviceChosen():
                self.device = event
            case ev.TaskReady():
                self.task = event
            case ev.Logged():
                self.corrupt += not self.logged.append(event)
            case ev.DeviceUsage():
                self.usages.append(event)
                self._usage = self._together(event)
            case ev.PoolReady():
                self.pool = event
                self._usage_of = {d: u for d, u in self._usage_of.items() if d in event.devices}
            case ev.RateChosen():
                self.rates[event.entry] = event
            case ev.EntryEnded():
                self.ended_early[event.entry] = event
            case ev.Overall():
                self.overall = event
            case ev.TimePlanned():
                self._plan(event)
            case ev.CommandRefused():
                self.refused.append(event)
            case ev.Paused():
                self.paused = True
            case ev.Continued():
                self.paused = False
            case ev.RunFinished():
                self.finished, self.paused, self.progress = event, False, None

    def _together(self, usage: ev.DeviceUsage) -> ev.DeviceUsage:
        """A load with the memory of all devices, and their mean utilisation."""
        if usage.memory_used is not None:
            self._usage_of[usage.device] = usage
        devices = list(self._usage_of.values())
        if not devices:
            return usage
        shares = [each.utilisation for each in devices if each.utilisation is not None]
        return replace(
            usage,
            memory_used=sum(each.memory_used or 0 for each in devices),
            memory_total=sum(each.memory_total or 0 for each in devices) or None,
            utilisation=sum(shares) / len(shares) if shares else None,
        )

    def _extend(self, epochs: int | None) -> None:
        job = self.config.job
        if epochs is not None and isinstance(job, Train):
            self.config = replace(self.config, job=replace(job, epochs=epochs))

    def _plan(self, event: ev.TimePlanned) -> None:
        self.time = event
        job, seeds = self.config.job, max(1, min(event.seeds, MAX_TRIALS))
        if isinstance(job, RangeTest):
            job = replace(job, time=event.seconds, seeds=seeds, steps=event.steps)
        elif isinstance(job, Compare):
            job = replace(job, time=event.seconds, seeds=seeds)
        self.config = replace(self.config, job=job)
