"""What `clr-tui watch` shows: runs of ours and the logs of other tools, while they grow."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from clr_tui.engine.analysis.foreign.folders import last_written
from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.opening import config_of, find_logs
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import Note
from clr_tui.engine.log.rundir import RunDir, list_runs
from clr_tui.tui.exporting import run_called
from clr_tui.tui.sources import ForeignSource, LiveSource, NamedSource

MOST = 30
"""Logs that are shown together: more curves could not be told apart."""
FIRST_BYTES = 1 << 20
"""Bytes that are read before the screen appears; they hold the settings, if any do."""


def find_watched(runs: Path, names: Sequence[str], mapping: Mapping) -> list[NamedSource]:
    """Opens runs of ours and logs of other tools.

    Args:
        runs: the folder of runs.
        names: ids or folders of runs, files, folders and patterns such as `runs/*`; what lies in
            the working directory if there are none. Of more than `MOST` logs those that were
            written last are opened.
        mapping: which columns to read of the logs of other tools.

    Raises:
        UserError: one of them does not exist, is no log, or cannot be read.
    """
    own: list[RunDir] = []
    paths: list[Path] = []
    for name in names or ["."]:
        for path in _matching(name):
            run = _own_run(path)
            if run is not None:
                own.append(run)
            elif os.path.isdir(path) and (runs_here := list_runs(path)):
                own += runs_here[:MOST]
            elif os.path.exists(path):
                paths.append(path)
            else:
                own.append(run_called(runs, name))
    found = [NamedSource(run.id, LiveSource(run), run.config()) for run in own]
    return [*found, *open_sources(paths, mapping)]


def open_sources(paths: Sequence[Path], mapping: Mapping) -> list[NamedSource]:
    """Opens logs of other tools; raises UserError if one is none, or cannot be read."""
    logs = find_logs(paths, mapping, MOST)
    return [_source_of(log, logs.notes if log is logs.logs[0] else []) for log in logs.logs]


def _source_of(log: ForeignLog, notes: Sequence[str]) -> NamedSource:
    first = log.poll(FIRST_BYTES)  # its settings are known only now
    at = first.events[0].time if first.events else last_written(log.path)
    first.events[:0] = [Note(level="warning", text=note, time=at) for note in notes]
    return NamedSource(log.name, ForeignSource(log, first), config_of(log))


def _matching(name: str) -> Iterator[Path]:
    """The paths that a pattern stands for, if the shell has left one; else the path itself."""
    path = Path(os.path.expanduser(name))
    if os.path.exists(path) or not glob.has_magic(name):
        yield path
        return
    found = sorted(glob.glob(str(path), recursive=True))
    if not found:
        raise UserError(f"no file or folder matches '{name}'")
    yield from map(Path, found)


def _own_run(path: Path) -> RunDir | None:
    """The run whose folder or log this is."""
    folder = path.parent if path.name == "events.jsonl" else path
    run = RunDir(Path(os.path.abspath(folder)))
    return run if os.path.isfile(run.config_path) else None
