"""When the events of a recording happened, counted from its beginning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clr_tui.engine.log.events import AnyEvent


def recorded_times(events: Sequence[AnyEvent]) -> list[float]:
    """Returns seconds since the first event, never falling.

    A clock that was set back goes on from there. Time in which the run had no worker, until it was
    resumed, does not count.
    """
    from clr_tui.engine.log.events import RunResumed

    times: list[float] = []
    latest, start = 0.0, events[0].time if events else 0.0
    for event in events:
        if isinstance(event, RunResumed) or event.time - start < latest:
            start = event.time - latest
        latest = event.time - start
        times.append(latest)
    return times
