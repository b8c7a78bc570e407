"""Where a living run stands, from the last events of its log: how far it is, in a few words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from clr_tui.engine.log.events import (
    AnyEvent,
    EpochFinished,
    Evaluated,
    Overall,
    Steps,
    TrialStarted,
)
from clr_tui.engine.metrics import Metric
from clr_tui.engine.settings.config import RangeTest, RunConfig
from clr_tui.engine.words import many

T = TypeVar("T")


class Head(NamedTuple):
    """What the first events of a log tell."""

    first: TrialStarted
    """The first trial: how long trials are."""
    primary: Metric
    """How epochs are judged."""


class Standing(NamedTuple):
    """How a kind of run tells how far it is.

    Both functions take what was asked, the last events, and what the first ones tell.
    """

    telling: type[AnyEvent]
    """The event that says how far it is."""
    progress: Callable[[RunConfig, Sequence[AnyEvent], Head | None], float | None]
    """0 to 1; None where nothing says. The first trial may not have begun."""
    words: Callable[[RunConfig, Sequence[AnyEvent], Head], str]
    """Empty where nothing says."""


def last_of(events: Sequence[AnyEvent], *kinds: type[T]) -> T | None:
    """The last event of one of these types."""
    return next((event for event in reversed(events) if isinstance(event, kinds)), None)


def _by_sweeps(config: RunConfig, events: Sequence[AnyEvent], head: Head | None) -> float | None:
    """All sweeps of a range test are of one length."""
    return _part(events, head, config.asked(RangeTest).seeds)


def _by_steps(_config: RunConfig, events: Sequence[AnyEvent], head: Head | None) -> float | None:
    return _part(events, head, 1)


def _part(events: Sequence[AnyEvent], head: Head | None, trials: int) -> float | None:
    steps = last_of(events, Steps)
    if head is None or steps is None or not steps.step or head.first.total_steps <= 0:
        return None
    done = steps.trial + min(1.0, (steps.step[-1] + 1) / head.first.total_steps)
    return max(0.0, min(1.0, done / max(1, trials)))


def _sweep(config: RunConfig, events: Sequence[AnyEvent], _head: Head) -> str:
    steps = last_of(events, Steps)
    if steps is None or not steps.step:
        return ""
    seeds = config.asked(RangeTest).seeds
    trial = f"seed {steps.trial + 1} of {seeds}, " if seeds > 1 else ""
    return f"{trial}step {steps.step[-1]}{_loss(steps)}"


def _epoch(_config: RunConfig, events: Sequence[AnyEvent], head: Head) -> str:
    """The epoch that a training is in, and its last figure on validation."""
    steps = last_of(events, Steps)
    if steps is None or not steps.step:
        return ""
    epoch = steps.step[-1] // max(1, head.first.steps_per_epoch) + 1
    measured = [e for e in events if isinstance(e, Evaluated) and e.part == "validation"]
    value = measured[-1].value(head.primary.name) if measured else None
    if value is None:
        ended = last_of(events, EpochFinished)
        value = None if ended is None else ended.best_value
    if value is None:
        return f"epoch {epoch}{_loss(steps)}"
    return f"epoch {epoch}, {head.primary.text(value)}"


def _loss(steps: Steps) -> str:
    return "" if steps.loss[-1] is None else f", loss {steps.loss[-1]:.3g}"


def _by_trials(_config: RunConfig, events: Sequence[AnyEvent], _head: Head | None) -> float | None:
    overall = last_of(events, Overall)
    return None if overall is None else max(0.0, min(1.0, overall.fraction))


def _trials(_config: RunConfig, events: Sequence[AnyEvent], head: Head) -> str:
    """How many trials have ended. Who leads cannot be told from the end of a log."""
    overall = last_of(events, Overall)
    if overall is None:
        return ""
    ended = overall.done + overall.failed + overall.stopped
    if head.first.role == "sweep" and not ended + overall.running:
        return "tuning learning rates"
    failed = f", {overall.failed} failed" if overall.failed else ""
    return f"{ended} of {many(overall.total, 'trial')}{failed}"


SWEEPS = Standing(Steps, _by_sweeps, _sweep)
TRAINING = Standing(Steps, _by_steps, _epoch)
COMPARISON = Standing(Overall, _by_trials, _trials)
