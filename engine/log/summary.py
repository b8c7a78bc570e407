"""One-line summaries for lists of runs, cheap enough for thousands of runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from clr_tui.engine.by_name import named
from clr_tui.engine.errors import UserError
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.decoding import UNREADABLE, LineDecoder
from clr_tui.engine.log.events import (
    AnyEvent,
    Continued,
    Logged,
    Paused,
    Progress,
    RunFinished,
    RunResumed,
    RunStarted,
    Steps,
    TaskReady,
    TrialStarted,
)
from clr_tui.engine.log.last_words import end_in_output
from clr_tui.engine.log.line_tail import last_lines
from clr_tui.engine.log.liveness import host_of
from clr_tui.engine.log.rundir import RunDir, short_task_name
from clr_tui.engine.log.silence import Pace
from clr_tui.engine.log.standing import Head, Standing, last_of
from clr_tui.engine.log.state import LIVING, State, state_of
from clr_tui.engine.log.void import without_void
from clr_tui.engine.metrics import ACCURACY
from clr_tui.engine.regular import Stamp, open_regular, stamp_of
from clr_tui.engine.settings.config import JOBS, RunConfig

_TAIL_BYTES = 4 << 10
"""Bytes that hold the end of a finished run."""
_WINDOWS = (64 << 10, 512 << 10, 4 << 20)
"""Bytes searched, one after another, for the first trial and the last steps: decoding many images
writes many lines, and so does a long pause."""


@dataclass(frozen=True)
class RunSummary:
    """A run at a glance."""

    id: str
    kind: str
    task: str
    model: str
    created: float
    """Unix time, seconds."""
    status: State
    message: str
    """A sentence on why it failed, stopped or was lost; else empty."""
    progress: float | None = None
    """0 to 1; None if unknown."""
    path: str = ""
    """Of the log of another tool, which is listed as if it were a run; empty for a run of ours."""
    headline: str = ""
    """The result or the progress, in a few words."""
    finished_at: float | None = None
    """Unix time, seconds; None if it has not finished."""
    silent_seconds: float | None = None
    """For how long it is silent, if it lives and is: see `engine.log.silence`."""
    host: str = ""
    """Of the worker of a silent run, if that is not this host."""


_finished: dict[Path, tuple[Stamp, RunSummary]] = {}
_heads: dict[tuple[Path, float], Head] = {}
"""By path and creation time: the id of a removed run can be reused."""


def summarise(run: RunDir, wall: Callable[[], float] = time.time) -> RunSummary:
    """Summarises `run` from the head of its log and its last 64 KiB or so; `wall` is Unix time.

    The summary of a finished run is cached until its log changes. Never fails: a run whose files
    cannot be read is summarised as lost, with the reason.
    """
    try:
        config = run.config()
    except UserError as error:
        return _unreadable(run, error.message)
    # Checked before reading: a run that ends in between has then written its last event.
    stamp = stamp_of(run.events_path)
    cached = _finished.get(run.path)
    if cached is not None and cached[0] == stamp:
        return cached[1]
    alive = run.alive
    try:
        summary = _read(run, config, alive, wall())
    except OSError as error:
        return _unreadable(run, f"its log cannot be read: {error.strerror}", config)
    if summary.finished_at is not None and stamp is not None:
        _finished[run.path] = (stamp, summary)
    return summary


def _read(run: RunDir, config: RunConfig, alive: bool, now: float) -> RunSummary:
    try:
        fd = open_regular(run.events_path)
    except FileNotFoundError:
        return _summary(run, config, alive, [], None)
    try:
        end = os.fstat(fd).st_size
        events = _decoded(last_lines(fd, end, _TAIL_BYTES))
        if _finish(events) is not None:
            return _summary(run, config, alive, events, None)
        events = without_void(_latest(fd, end, config))
        head = _head((run.path, config.created), fd)
        summary = _summary(run, config, alive, events, head)
        silence = _silence(summary, events, now)
        host = "" if silence is None else host_of(run.path)
        return replace(summary, silent_seconds=silence, host=host)
    finally:
        os.close(fd)


def _silence(summary: RunSummary, events: Sequence[AnyEvent], now: float) -> float | None:
    if summary.status not in LIVING:
        return None
    pace = Pace()
    for event in events:
        pace.take(event)
    return pace.silence(now)


def _latest(fd: int, end: int, config: RunConfig) -> list[AnyEvent]:
    """Reads the last events, as far back as one that shows the progress.

    A long pause writes nothing but reports of the device's load, which can fill any one window.
    """
    telling = _standing(config).telling
    events: list[AnyEvent] = []
    for window in _WINDOWS:
        events = _decoded(last_lines(fd, end, window))
        if last_of(events, telling, Progress, RunStarted) or window >= end:
            break
    return events


def _decoded(lines: list[bytes]) -> list[AnyEvent]:
    events, decode = [], LineDecoder()
    for line in lines:
        with suppress(*UNREADABLE):
            events.append(decode(line))
    return events


def _finish(events: Sequence[AnyEvent]) -> RunFinished | None:
    """How the run ended; None if it did not or was resumed since."""
    last = last_of(events, RunFinished, RunStarted, RunResumed, TrialStarted, Steps, Logged)
    return last if isinstance(last, RunFinished) else None


def _head(key: tuple[Path, float], fd: int) -> Head | None:
    """None until a trial starts."""
    if key in _heads:
        return _heads[key]
    for window in _WINDOWS:
        text = os.pread(fd, window, 0)
        lines = text.split(b"\n")[:-1]
        begun = [line for line in lines if b'"trial-started"' in line]
        if (first := last_of(_decoded(begun[:1]), TrialStarted)) is not None:
            ready = [line for line in lines if b'"task-ready"' in line]
            task = last_of(_decoded(ready[:1]), TaskReady)
            _heads[key] = Head(first, ACCURACY if task is None else task.primary)
            return _heads[key]
        if len(text) < window:
            break
    return None


def _summary(
    run: RunDir, config: RunConfig, alive: bool, events: Sequence[AnyEvent], head: Head | None
) -> RunSummary:
    finish = _finish(events)
    telling = last_of(events, Paused, Continued, Steps, Logged, RunStarted, RunResumed)
    paused = isinstance(telling, Paused)
    outcome = finish.outcome if finish else None
    has_worker = JOB_KINDS[config.kind].has_worker
    began = head is not None or not has_worker
    status = state_of(outcome, alive=alive, paused=paused, began=began)
    if finish is not None:
        headline, message = finish.headline, finish.message
        progress = 1.0 if status == "done" else None
    else:
        standing, work = _standing(config), last_of(events, Progress)
        progress = standing.progress(config, events, head)
        headline = f"{work.what}, {work.done} of {work.total}" if work else ""
        if began:
            headline = standing.words(config, events, head)
        lost = "the worker ended without a final event: its worker.log may say why"
        if status == "lost" and (how := end_in_output(run.log_path)):
            lost = f"the worker was {how}: its worker.log has more"
        if not has_worker:
            lost = "its process ended without run.finish(): killed, or out of memory"
        message = lost if status == "lost" else ""
    return RunSummary(
        id=run.id,
        kind=config.kind,
        task=_task_name(config),
        model=config.task.model_name,
        created=config.created,
        status=status,
        progress=progress,
        headline=headline,
        message=message,
        finished_at=None if finish is None else finish.time,
    )


def _standing(config: RunConfig) -> Standing:
    standing: Standing = named(JOB_KINDS[config.kind].standing)
    return standing


def _task_name(config: RunConfig) -> str:
    """The run's own name if such runs have one, else a short name of its task."""
    return str(getattr(config.job, "name", short_task_name(config.task)))


def _unreadable(run: RunDir, message: str, config: RunConfig | None = None) -> RunSummary:
    return RunSummary(
        id=run.id,
        kind=next((kind for kind in JOBS if run.id.startswith(f"{kind}-")), next(iter(JOBS))),
        task="" if config is None else _task_name(config),
        model="" if config is None else config.task.model_name,
        created=0.0 if config is None else config.created,
        status="lost",
        message=message,
    )
