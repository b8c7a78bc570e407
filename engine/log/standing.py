"""The progress of a living run, from the last events of its log."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from clr_tui.engine.log.events import (
    AnyEvent,
    EpochFinished,
    Evaluated,
    Logged,
    Overall,
    Steps,
    TrialStarted,
)
from clr_tui.engine.metrics import Metric
from clr_tui.engine.settings.config import RangeTest, RunConfig
from clr_tui.engine.words import many

T = TypeVar("T")


class Head(NamedTuple):
    """What the first events of a log say."""

    first: TrialStarted
    """The first trial, which gives the length of all."""
    primary: Metric
    """The metric that epochs are judged by."""


class Standing(NamedTuple):
    """How to read the progress of one kind of run.

    Both functions take the configuration, the last events, and what the first ones say.
    """

    telling: type[AnyEvent]
    """The event that shows the progress."""
    progress: Callable[[RunConfig, Sequence[AnyEvent], Head | None], float | None]
    """0 to 1; None if unknown. Called even before the first trial starts."""
    words: Callable[[RunConfig, Sequence[AnyEvent], Head | None], str]
    """Empty if unknown. Called once the first trial has started, if the kind has trials."""


def last_of(events: Sequence[AnyEvent], *kinds: type[T]) -> T | None:
    """Returns the last event of one of these types."""
    return next((event for event in reversed(events) if isinstance(event, kinds)), None)


def _by_steps(config: RunConfig, events: Sequence[AnyEvent], head: Head | None) -> float | None:
    """One trial, or the sweeps of a range test, which all have the same length."""
    steps = last_of(events, Steps)
    if head is None or steps is None or not steps.step or head.first.total_steps <= 0:
        return None
    if getattr(config.job, "time", None) is not None:  # the end of a log need not say the plan
        spent, left = steps.time - head.first.time, steps.eta_seconds
        return None if left is None or spent <= 0 else spent / (spent + left)
    trials = getattr(config.job, "seeds", 1)
    done = steps.trial + min(1.0, (steps.step[-1] + 1) / head.first.total_steps)
    return max(0.0, min(1.0, done / max(1, trials)))


def _sweep(config: RunConfig, events: Sequence[AnyEvent], _head: Head | None) -> str:
    steps = last_of(events, Steps)
    if steps is None or not steps.step:
        return ""
    job, trial = config.asked(RangeTest), ""
    if job.time is not None:
        trial = f"seed {steps.trial + 1}, "
    elif job.seeds > 1:
        trial = f"seed {steps.trial + 1} of {job.seeds}, "
    return f"{trial}step {steps.step[-1]}{_loss(steps)}"


def _epoch(_config: RunConfig, events: Sequence[AnyEvent], head: Head | None) -> str:
    steps = last_of(events, Steps)
    if head is None or steps is None or not steps.step:
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


def _trials(_config: RunConfig, events: Sequence[AnyEvent], head: Head | None) -> str:
    """How many trials have ended. The end of a log does not say who leads."""
    overall = last_of(events, Overall)
    if overall is None:
        return ""
    ended = overall.done + overall.failed + overall.stopped
    if head is not None and head.first.role == "sweep" and not ended + overall.running:
        return "tuning learning rates"
    failed = f", {overall.failed} failed" if overall.failed else ""
    return f"{ended} of {many(overall.total, 'trial')}{failed}"


def _unknown_length(
    _config: RunConfig, _events: Sequence[AnyEvent], _head: Head | None
) -> float | None:
    """A loop does not say how long it will be."""
    return None


def logged_words(name: str, value: float | None, step: int, x: str = "step") -> str:
    """The result of a logged run in a few words: "loss 0.123, step 800"."""
    finite = value is not None and math.isfinite(value)
    return f"{name} {f'{value:.3g}' if finite else 'not finite'}, {x} {step}"


def _logged(_config: RunConfig, events: Sequence[AnyEvent], _head: Head | None) -> str:
    """The last value of the most telling name in the last events, and the last step."""
    rows = [event for event in events if isinstance(event, Logged) and event.step]
    if not rows:
        return ""
    last = {name: event.values[name][-1] for event in rows for name in event.values}
    name = telling_name(list(last))
    return logged_words(name, last[name], rows[-1].step[-1], rows[-1].x)


_NO_RESULTS = ("lr", "learning_rate", "epoch", "step", "time", "grad_norm")


def telling_name(names: Sequence[str]) -> str:
    """The name, of at least one, whose value says most about a run: the loss, if there is one."""

    def rank(name: str) -> tuple[bool, bool, bool]:
        low = name.casefold()
        return low != "loss", "loss" not in low, low.startswith(_NO_RESULTS)

    return min(names, key=rank)


SWEEPS = Standing(Steps, _by_steps, _sweep)
TRAINING = Standing(Steps, _by_steps, _epoch)
COMPARISON = Standing(Overall, _by_trials, _trials)
LOGGED = Standing(Logged, _unknown_length, _logged)
