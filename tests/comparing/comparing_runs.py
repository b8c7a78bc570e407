"""Comparisons on the digits by real processes, small enough for a test."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fake_executor import entry

from clr_tui.engine import worker
from clr_tui.engine.log.events import (
    AnyEvent,
    EpochFinished,
    Evaluated,
    Event,
    Steps,
    TrialFinished,
    TrialStarted,
)
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.settings.config import Compare, EntryConfig, OptimizerConfig, TaskConfig

PATIENCE = 120.0
PER_EPOCH = 19  # 1,259 images in batches of 64
ADAM = entry("adam", lr=0.001)
CLR = entry("sgd+clr", lr=0.3, policy="triangular")
LONG = Compare(entries=[ADAM, CLR], seeds=2, epochs=2000, step_size_epochs=1, jobs=2)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        pause.wait(0.05)


def events_of(run: RunDir) -> list[AnyEvent]:
    return read_events(run.events_path).events


def events_of_type(run: RunDir, kind: type[Event]) -> list[Event]:
    return [e for e in events_of(run) if isinstance(e, kind)]


def new_run(runs: Path, job: Compare, folder: Path | None = None, **task: object) -> RunDir:
    return create_run(
        runs,
        task=TaskConfig(**{"device": "cpu", **task}),  # only there are trials the same anywhere
        job=job,
        version="0",
        folder="" if folder is None else str(folder),
    )


def by_path(path: str) -> EntryConfig:
    return EntryConfig(label=path, optimizer=OptimizerConfig(name=path), lr=0.01)


@contextmanager
def restored_process_state() -> Iterator[None]:
    """`worker.main` in this process: its signal handlers and paths are taken off again."""
    numbers = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
    handlers = [signal.getsignal(number) for number in numbers]
    paths = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = paths
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)


def do(run: RunDir) -> int:
    """The whole run, its worker in this process; the exit code."""
    with restored_process_state():
        return worker.main([str(run.path)])


def curve(events: list[AnyEvent], trial: int) -> dict[str, list[object]]:
    """All that a trial computed, none of what depends on time."""
    steps = [e for e in events if isinstance(e, Steps) and e.trial == trial]
    columns = {
        name: [value for e in steps for value in getattr(e, name)]
        for name in ("step", "lr", "loss")
    }
    columns["accuracy"] = [v for e in steps for v in e.metrics.get("accuracy", [])]
    columns["evaluated"] = [
        (e.part, e.step, e.loss, e.value("accuracy"), e.epoch, e.checkpoint)
        for e in events
        if isinstance(e, Evaluated) and e.trial == trial
    ]
    columns["epochs"] = [
        (e.epoch, e.train_loss, e.train_value("accuracy"), e.best_epoch, e.best_value)
        for e in events
        if isinstance(e, EpochFinished) and e.trial == trial
    ]
    return columns


def check_event_order(events: list[AnyEvent]) -> None:
    """No event is lost or doubled, and each trial's come in order."""
    assert [e.seq for e in events] == list(range(len(events)))
    for trial in {e.trial for e in events if isinstance(e, TrialStarted)}:
        own = [e for e in events if getattr(e, "trial", None) == trial]
        own = own[: next(i for i, e in enumerate(own) if isinstance(e, TrialFinished)) + 1]
        kinds = [type(e) for e in own]
        assert kinds[0] is TrialStarted
        assert kinds.count(TrialStarted) == 1
        assert kinds.count(TrialFinished) == 1
        steps = [s for e in own if isinstance(e, Steps) for s in e.step]
        assert steps == list(range(own[-1].step))
        epochs = [e.epoch for e in own if isinstance(e, EpochFinished)]
        assert epochs == list(range(1, len(epochs) + 1))


def children(pid: int) -> list[int]:
    """The processes that `pid` started and that live."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        state = _stat(path)
        if state is not None and state[1] == pid:
            found.append(int(path.parent.name))
    return found


def lives(pid: int) -> bool:
    state = _stat(Path(f"/proc/{pid}/stat"))
    return state is not None and state[0] != "Z"


def _stat(path: Path) -> tuple[str, int] | None:
    """State and parent."""
    try:
        fields = path.read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
