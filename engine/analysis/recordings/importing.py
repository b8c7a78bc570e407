"""Makes a run of a recording, so that it is listed, compared and replayed like any other."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from clr_tui.engine.analysis.arrays import finite_or_none
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.foreign_recording import written
from clr_tui.engine.analysis.recordings.recorded import Recording
from clr_tui.engine.by_name import named
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.events import AnyEvent, Logged, Note, RunFinished, RunStarted, Steps
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.removal import remove_run
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.version import package_version

MAX_VALUES = 100_000
"""Values in one event, whose line readers must be able to hold."""


def import_recording(runs: Path, recording: Recording) -> RunDir:
    """Writes a recording to the folder of runs.

    Its settings, values and times are those of the recording; a note says where it came from. Of a
    run's folder only the log is taken, not its checkpoints.

    Raises:
        UserError: the folder cannot be written, or its disk is full; nothing stays behind.
    """
    asked = recording.config
    run = create_run(
        runs,
        task=asked.task,
        job=asked.job,
        version=package_version(),
        folder=asked.folder,
    )
    try:
        lock = acquire(run.lock_path)
        try:
            _write(run, recording)
        finally:
            os.close(lock)
    except BaseException:
        remove_run(run)
        raise
    return run


def _write(run: RunDir, recording: Recording) -> None:
    events = recording.events
    # A log without times ends when it was written last.
    times = [event.time for event in events]
    shift = written(recording.path) - max(times) if times and max(times) < _EARLIEST else 0.0
    now = times[0] + shift if times else written(recording.path)
    writer = EventWriter(run.events_path, clock=lambda: now)
    try:
        writer.write(RunStarted(run=run.id, kind=run.config().kind, version=package_version()))
        source = os.path.abspath(recording.path)
        writer.write(Note(level="info", text=f"imported from {source}"))
        for event in _to_write(events, _headline(recording)):
            now = event.time + shift
            writer.write(event)
    finally:
        writer.close()


_EARLIEST = 1e6
"""Unix time before which no training was logged: such times count from the start of a recording."""


def _headline(recording: Recording) -> str:
    """The result in a few words, for lists of runs."""
    place = JOB_KINDS[recording.config.kind].headline
    history = RunHistory(recording.config)
    history.feed(recording.batch)
    return str(named(place)(history)) if place and history.has_results else ""


def _to_write(events: Sequence[AnyEvent], headline: str) -> Iterator[AnyEvent]:
    """The events without arrays, in lines of a moderate length."""
    for event in events:
        if isinstance(event, RunStarted):
            continue
        if isinstance(event, RunFinished) and not event.headline:
            yield msgspec.structs.replace(event, headline=headline)
        elif isinstance(event, Logged):
            yield from _plain_logged(event)
        elif isinstance(event, Steps):
            yield msgspec.structs.replace(
                event,
                step=list(event.step),
                lr=list(event.lr),
                loss=list(event.loss),
                effective_lr=list(event.effective_lr),
                metrics={name: list(values) for name, values in event.metrics.items()},
            )
        else:
            yield event


def _plain_logged(event: Logged) -> Iterator[Logged]:
    step = np.asarray(event.step, np.int64)
    at = np.fmax.accumulate(np.asarray(event.at, np.float64)) if len(event.at) else None
    if at is not None:
        at = np.where(np.isfinite(at), at, event.time)
    columns = {name: np.asarray(values, np.float64) for name, values in event.values.items()}
    rows = max(MAX_VALUES // max(len(columns), 1), 1)
    for start in range(0, len(step), rows):
        part = slice(start, start + rows)
        yield msgspec.structs.replace(
            event,
            step=step[part].tolist(),
            at=[] if at is None else at[part].tolist(),
            values={
                name: [finite_or_none(value) for value in column[part].tolist()]
                for name, column in columns.items()
            },
        )
