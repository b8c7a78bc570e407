"""Real runs of the engine: a worker as `clr-tui` starts it, and its log."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TypeVar

from clr_tui.engine.log.events import Event, RunFinished
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import read_events

LONGEST = 900.0
E = TypeVar("E", bound=Event)


def own_cache(folder: Path) -> None:
    """Redirects the image cache, to keep the user's own unchanged."""
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")


def finish(run: RunDir) -> list[Event]:
    """Starts the worker, waits for its end, and returns its events."""
    launch(run)
    return wait_for(run)


def wait_for(run: RunDir) -> list[Event]:
    """Returns all events of a finished run."""
    end = time.monotonic() + LONGEST
    while run.alive and time.monotonic() < end:
        time.sleep(0.02)
    told: list[Event] = list(read_events(run.events_path).events)
    finished = of(told, RunFinished)
    if not finished or finished[-1].outcome != "done":
        words = finished[-1].message if finished else "it did not end"
        raise SystemExit(f"the run {run.id} failed: {words}; see its worker.log")
    return told


def of(told: list[Event], kind: type[E]) -> list[E]:
    """Returns the events of one type."""
    return [event for event in told if isinstance(event, kind)]
