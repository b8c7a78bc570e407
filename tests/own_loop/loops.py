"""Training loops as programs of their own, and what is in their logs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from clr_tui.engine.log.events import Event, Logged, RunFinished
from clr_tui.engine.log.rundir import RunDir, list_runs
from clr_tui.engine.log.tail import read_events

E = TypeVar("E", bound=Event)
PATIENCE = 120.0


class Program:
    """A script in a folder of its own, whose runs are in `runs` there."""

    def __init__(self, folder: Path, source: str, **environment: str) -> None:
        self.script = folder / "train.py"
        self.script.write_text(textwrap.dedent(source))
        self.runs = folder / "runs"
        self._environment = {
            **os.environ,
            "CLR_TUI_RUNS": str(self.runs),
            "OMP_NUM_THREADS": "1",
            **environment,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments, str(self.script)],
            env=self._environment,
            cwd=self.script.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments, str(self.script)],
            env={**self._environment, **more},
            cwd=self.script.parent,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    @property
    def only_run(self) -> RunDir:
        (run,) = list_runs(self.runs)
        return run


def events(run: RunDir, kind: type[E]) -> list[E]:
    batch = read_events(run.events_path)
    assert batch.corrupt == 0
    return [event for event in batch.events if isinstance(event, kind)]


def column(run: RunDir, name: str) -> list[tuple[int, float | None]]:
    """The steps and values of a name in the order of the log."""
    return [
        pair
        for event in events(run, Logged)
        if name in event.values
        for pair in zip(event.step, event.values[name], strict=True)
    ]


def ending(run: RunDir) -> RunFinished:
    (end,) = events(run, RunFinished)
    return end


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        pause.wait(0.02)
