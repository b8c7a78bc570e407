"""Logs of other tools as recordings: as they are, as a range test, several as a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING, ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.opening import config_of
from clr_tui.engine.analysis.foreign.run_names import run_name
from clr_tui.engine.analysis.foreign.text_log import TextLog
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.logged_comparison import (
    LoggedValues,
    comparison_of,
    group_and_seed,
)
from clr_tui.engine.analysis.recordings.logged_sweep import range_test_of
from clr_tui.engine.analysis.recordings.recorded import Recording, recording_of
from clr_tui.engine.analysis.recordings.replay_times import in_time
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import Note, RunFinished
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.regular import stamp_of
from clr_tui.engine.settings.config import MAX_TRIALS


def read_foreign(log: ForeignLog) -> Recording:
    """Reads the log of another tool up to its present end, to be replayed in its own time.

    It counts as done, since nothing more will come of what was read, unless its format says how the
    run ended.

    Raises:
        UserError: it cannot be read, or holds no values yet.
    """
    if isinstance(log, TextLog):
        log.take_as_it_is()
    whole = Batch(more=True)
    while whole.more:
        batch = log.poll()
        if batch.reset:
            whole = Batch()
        whole.events += batch.events
        whole.corrupt += batch.corrupt
        whole.more = batch.more
    if not whole.events:
        raise UserError(f"'{log.path}' holds no values yet")
    events = in_time(whole.events)
    if not any(isinstance(event, RunFinished) for event in events):
        events.append(RunFinished(time=events[-1].time, outcome="done"))
    recording = recording_of(config_of(log), events, log.path)
    recording.batch.corrupt = whole.corrupt
    return recording


def as_range_test(recording: Recording, mapping: Mapping = NO_MAPPING) -> Recording | None:
    """The log of another tool as a range test; None if it is none (`range_test_of`)."""
    columns = _history_of(recording).logged
    name, path = recording.config.subject, recording.path
    made = range_test_of(columns, name, written(path), mapping)
    if made is None:
        return None
    config, events = made
    notes = [event for event in recording.events if isinstance(event, Note)]
    found = recording_of(config, [events[0], *notes, *events[1:]], path)
    found.batch.corrupt = recording.batch.corrupt
    return found


def as_comparison(logs: Sequence[ForeignLog], path: Path) -> Recording | None:
    """Several logs as a comparison; None if they are none (`comparison_of`)."""
    names = [group_and_seed(log.name) for log in logs]
    if len(logs) > MAX_TRIALS or any(seed is None for _, seed in names):
        return None  # before reading them
    runs = [LoggedValues(log.name, _history_of(read_foreign(log)).logged) for log in logs]
    made = comparison_of(runs, run_name(path), written(path))
    return None if made is None else recording_of(*made, path)


def fitting_kind(logs: Sequence[LoggedValues]) -> str:
    """The kind of run that logs of other tools could be shown as; empty if as they are only."""
    if len(logs) == 1:
        made = range_test_of(logs[0].columns, logs[0].name, 0.0)
    else:
        made = comparison_of(logs, "", 0.0)
    return "" if made is None else made[0].kind


def _history_of(recording: Recording) -> RunHistory:
    history = RunHistory(recording.config)
    history.feed(recording.batch)
    return history


def written(path: Path) -> float:
    """When a file was last written, Unix time in seconds; 0 if it is gone."""
    stamp = stamp_of(path)
    return 0.0 if stamp is None else stamp[2] / 1e9
