"""Trials that are played, not done: an executor without processes, in step with a clock by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from clr_tui.engine.comparing.executor import Loss, Order, TrialEvent, TrialLost, TrialWork
from clr_tui.engine.comparing.halving import Halving
from clr_tui.engine.comparing.past_trials import PastTrials
from clr_tui.engine.comparing.scheduler import CompareContext, run_comparison
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Command, Pause, Stop
from clr_tui.engine.log.events import (
    AnyEvent,
    Continued,
    EpochFinished,
    Evaluated,
    Event,
    Outcome,
    Paused,
    PoolReady,
    Resumed,
    Steps,
    TrialFinished,
    TrialStarted,
)
from clr_tui.engine.metrics import ACCURACY
from clr_tui.engine.settings.config import (
    Compare,
    EntryConfig,
    OptimizerConfig,
    RunConfig,
    TaskConfig,
)
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.range_test import sweep_lr
from clr_tui.engine.training.session import Result
from clr_tui.engine.training.stopwatch import Stopwatch

PER_EPOCH = 4
SWEEP_STEPS = 100
SEED = 7
POLL = 0.2


class HandClock:
    """Stands still but for `now += ...`."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def valley(lr: float) -> float:
    """A loss that falls to its minimum at a rate of 0.1, and explodes beyond."""
    return 2.3 - 0.5 * max(0.0, math.log10(lr / 1e-5)) + 30 * max(0.0, lr - 0.1)


def flat(lr: float) -> float:
    return 2.3


@dataclass
class _Played:
    work: TrialWork
    steps: int = 0
    begun: bool = False
    held: bool = False
    orders: list[Order] = field(default_factory=list)


class Killed(BaseException):
    """The worker is killed."""


class FakeExecutor:
    """Each poll moves every trial by an epoch, or tells of its beginning."""

    def __init__(self, jobs: int, clock: HandClock) -> None:
        self.jobs = jobs
        self.submitted: list[TrialWork] = []
        self.ordered: list[tuple[int, Order]] = []
        self.most = 0
        """Trials that were ever under way at once."""
        self.closed = False
        self.fails: dict[int, str] = {}
        """Trial -> why it fails with its first step."""
        self.dies: dict[int, int] = {}
        """Trial -> after how many steps its process is killed; 0: before its first word."""
        self.spared: dict[int, int] = {}
        """Trial -> after how many deaths it lives."""
        self.cause: Loss = "killed"
        """Of these deaths."""
        self.points: dict[int, int] = {}
        """Trial -> the steps after which it can be continued."""
        self.silent: set[int] = set()
        """Trials that never say a word."""
        self.slow_to_pause: set[int] = set()
        self.curves: dict[int, Callable[[float], float]] = {}
        """Entry -> loss by rate in its sweep."""
        self.accuracies: dict[int, Callable[[int], float]] = {}
        """Entry -> validation accuracy by epoch, from 1."""
        self.at_poll: dict[int, Callable[[], None]] = {}
        self.polls = 0
        self._clock = clock
        self._running: dict[int, _Played] = {}

    def submit(self, work: TrialWork) -> None:
        assert not self.closed
        self.submitted.append(work)
        self._running[work.trial] = _Played(work)
        self.most = max(self.most, len(self._running))
        assert len(self._running) <= self.jobs

    def order(self, trial: int, order: Order) -> None:
        self.ordered.append((trial, order))
        if trial in self._running:
            self._running[trial].orders.append(order)

    def limit(self, jobs: int) -> None:
        assert len(self._running) <= jobs
        self.jobs, self.most = jobs, 0

    def close(self) -> None:
        self.closed = True

    def poll(self, seconds: float) -> list[TrialEvent]:
        self._clock.now += seconds
        self.at_poll.pop(self.polls, lambda: None)()
        self.polls += 1
        assert self.polls < 10_000, "it never ends"
        told: list[TrialEvent] = []
        for trial, played in list(self._running.items()):
            for event in self._move(played):
                told.append(TrialEvent(trial, event))
                if isinstance(event, TrialLost | TrialFinished):
                    del self._running[trial]
        return told

    def _move(self, played: _Played) -> list[AnyEvent | TrialLost]:
        work = played.work
        if self.dies.get(work.trial) == played.steps and self.spared.get(work.trial) != 0:
            self.spared[work.trial] = self.spared.get(work.trial, 1000) - 1
            return [TrialLost("its process was killed (SIGKILL)", self.cause)]
        if work.trial in self.silent:
            return []
        obeyed = self._obey(played)
        if obeyed is not None:
            return obeyed
        if played.held:
            return []
        if not played.begun:
            played.begun = True
            point = self.points.get(work.trial, 0) if work.train else 0
            if work.logged is None:
                return [self._start(work)]
            assert point <= work.logged
            played.steps = point
            resumed = Resumed(trial=work.trial, step=point)
            return [resumed] if point else [resumed, self._start(work)]
        if work.trial in self.fails:
            return [_end(work, "failed", played.steps, self.fails[work.trial])]
        if work.sweep is not None:
            return self._swept(played)
        return self._epoch(played)

    def _obey(self, played: _Played) -> list[AnyEvent | TrialLost] | None:
        if not played.orders or not played.begun:
            return None
        if played.work.trial in self.slow_to_pause:
            self.slow_to_pause.discard(played.work.trial)
            return None
        order = played.orders.pop(0)
        if isinstance(order, Stop):
            reason = order.reason or "stopped by request"
            return [_end(played.work, "stopped", played.steps, reason)]
        played.held = isinstance(order, Pause)
        return [Paused() if played.held else Continued()]

    def _start(self, work: TrialWork) -> TrialStarted:
        total = SWEEP_STEPS if work.train is None else work.train.epochs * PER_EPOCH
        return TrialStarted(
            trial=work.trial,
            seed=work.seed,
            entry=work.entry,
            label=work.label,
            role=work.role,
            total_steps=total,
            steps_per_epoch=PER_EPOCH,
        )

    def _epoch(self, played: _Played) -> list[AnyEvent | TrialLost]:
        work, config = played.work, played.work.train
        assert config is not None
        steps = list(range(played.steps, played.steps + PER_EPOCH))
        played.steps += PER_EPOCH
        epoch = played.steps // PER_EPOCH
        told: list[AnyEvent | TrialLost] = [
            Steps(
                trial=work.trial, step=steps, lr=[config.max_lr] * PER_EPOCH, loss=[1.0] * PER_EPOCH
            ),
            *self._evaluated(work, epoch, played.steps),
            EpochFinished(
                trial=work.trial,
                epoch=epoch,
                step=played.steps,
                train_loss=1.0,
                train_metrics={"accuracy": 0.5},
                seconds=1.0,
                best_epoch=1,
                best_value=0.5,
            ),
        ]
        if epoch == config.epochs:
            told.append(_end(work, "done", played.steps))
        return told

    def _evaluated(self, work: TrialWork, epoch: int, step: int) -> list[AnyEvent | TrialLost]:
        if work.entry not in self.accuracies:
            return []
        metrics = {"accuracy": self.accuracies[work.entry](epoch)}
        at = {"trial": work.trial, "step": step, "epoch": epoch}
        return [Evaluated(part="validation", loss=1.0, metrics=metrics, **at)]

    def _swept(self, played: _Played) -> list[AnyEvent | TrialLost]:
        work, config = played.work, played.work.sweep
        assert config is not None
        rates = [sweep_lr(config, step, SWEEP_STEPS) for step in range(SWEEP_STEPS)]
        curve = self.curves.get(work.entry, valley)
        wobble = [0.02 * math.sin(12.9898 * step) for step in range(SWEEP_STEPS)]
        played.steps = SWEEP_STEPS
        return [
            Steps(
                trial=work.trial,
                step=list(range(SWEEP_STEPS)),
                lr=rates,
                loss=[curve(lr) + w for lr, w in zip(rates, wobble, strict=True)],
                elapsed=12.5,
            ),
            _end(work, "done", SWEEP_STEPS),
        ]


def _end(work: TrialWork, outcome: Outcome, step: int, reason: str = "") -> TrialFinished:
    return TrialFinished(trial=work.trial, outcome=outcome, step=step, reason=reason)


def entry(label: str, *, lr: float | None = 0.1, policy: str = "constant") -> EntryConfig:
    optimizer = OptimizerConfig(name=label.partition("+")[0], momentum=0.0)
    return EntryConfig(label=label, optimizer=optimizer, policy=policy, lr=lr)


def entries(*labels: str) -> list[EntryConfig]:
    return [entry(label) for label in labels]


DEFAULTS = {"adam": 0.001, "sgd": 0.01}


def default_rate(wanted: EntryConfig) -> float:
    name = wanted.optimizer.name
    if name not in DEFAULTS:
        raise UserError(f"optimizer '{name}' has no rate of its own", "optimizers")
    return DEFAULTS[name]


class Played:
    """A comparison with all its ends in hand."""

    def __init__(self, config: Compare, jobs: int = 2) -> None:
        self.config = config
        self.clock = HandClock()
        self.spent = Stopwatch(self.clock)
        self.executor = FakeExecutor(jobs, self.clock)
        self.stop = StopFlag()
        self.events: list[Event] = []
        self.forgotten: list[int] = []
        self._due: list[Command] = []

    def order(self, *commands: Command) -> None:
        self._due += commands

    def order_at(self, poll: int, *commands: Command) -> None:
        self.executor.at_poll[poll] = lambda: self.order(*commands)

    def poll(self) -> list[Command]:
        due, self._due = self._due, []
        return due

    def emit(self, event: Event) -> None:
        seq = len(self.events)
        self.events.append(msgspec.structs.replace(event, seq=seq, time=self.clock.now))

    def run(self, past: PastTrials | None = None) -> Result:
        stage = CompareContext(
            config=RunConfig(
                id="compare-tiny-1",
                created=0.0,
                version="0",
                task=TaskConfig(batch_size=10, seed=SEED),
                job=self.config,
            ),
            executor=self.executor,
            pool=PoolReady(jobs=self.executor.jobs, threads=1, devices=["cpu"]),
            emit=self.emit,
            control=Control(self.poll, self.stop, self.emit, spent=self.spent),
            steps_per_epoch=PER_EPOCH,
            sweep_steps=SWEEP_STEPS,
            metric="accuracy",
            halving=Halving(self.config, self.config.epochs, ACCURACY)
            if self.config.halving
            else None,
            past=past,
            forget=self.forgotten.append,
            default_rate=default_rate,
            clock=self.clock,
        )
        return run_comparison(stage, self.config)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def ends(self) -> dict[int, Outcome]:
        return {e.trial: e.outcome for e in self.of(TrialFinished)}
