"""Leaving out the events that are void because their trial was resumed from before them."""

from __future__ import annotations

from collections.abc import Sequence

from clr_tui.engine.log.events import (
    AnyEvent,
    BoundsChanged,
    CheckpointSaved,
    Diverged,
    EpochFinished,
    Evaluated,
    NonFinite,
    Resumed,
    Steps,
    TrialFinished,
)


def without_void(events: Sequence[AnyEvent]) -> list[AnyEvent]:
    """The events that count, in order; those that resumed a trial are among them.

    Says the same as `RunHistory`, which reads whole logs; this is for pieces of one. A chunk of
    steps that reaches beyond the step from which its trial was resumed is left out as a whole:
    a worker writes all steps before it saves the state that it can be resumed from.
    """
    resumed: dict[int, int] = {}
    kept: list[AnyEvent] = []
    for event in reversed(events):
        if isinstance(event, Resumed):
            resumed[event.trial] = min(event.step, resumed.get(event.trial, event.step))
        elif is_void(event, resumed.get(getattr(event, "trial", -1))):
            continue
        kept.append(event)
    return kept[::-1]


def is_void(event: AnyEvent, step: int | None) -> bool:
    """Whether an event of a trial is void that was later resumed from `step`; None: it was not."""
    if step is None:
        return False
    if isinstance(event, Steps):
        return bool(event.step) and event.step[-1] >= step
    if isinstance(event, Evaluated):
        return event.step > step or event.part == "test"
    if isinstance(event, EpochFinished | CheckpointSaved):
        return event.step > step
    if isinstance(event, BoundsChanged | NonFinite | Diverged):
        return event.step >= step
    return isinstance(event, TrialFinished)
