"""What the callbacks have recorded, and what a screen would send meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from clr_tui.engine.log.commands import Command, send
from clr_tui.engine.log.events import Event, Logged, RunFinished
from clr_tui.engine.log.rundir import RunDir, list_runs
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.settings.logged_config import LoggedRun

E = TypeVar("E", bound=Event)
PATIENCE = 120.0


def only_run(runs: Path) -> RunDir:
    (run,) = list_runs(runs)
    return run


def events(run: RunDir, kind: type[E]) -> list[E]:
    return [event for event in read_events(run.events_path).events if isinstance(event, kind)]


def column(run: RunDir, name: str) -> dict[int, float | None]:
    """The values of a name by step."""
    return {
        step: value
        for event in events(run, Logged)
        if name in event.values
        for step, value in zip(event.step, event.values[name], strict=True)
    }


def names(run: RunDir) -> set[str]:
    return {name for event in events(run, Logged) for name in event.values}


def ending(run: RunDir) -> RunFinished:
    (end,) = events(run, RunFinished)
    return end


def settings(run: RunDir) -> dict[str, str]:
    return run.config().asked(LoggedRun).config


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        pause.wait(0.02)


def order(runs: Path, recording: Any, command: Command) -> None:
    """Sends a command as a screen does, and waits until the training's process has it."""
    steering = recording.run._steering
    send(only_run(runs), command)
    wait_until(lambda: bool(steering._queue) or steering.reason is not None)
