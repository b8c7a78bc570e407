"""Opens the logs of other tools."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from clr_tui.engine.analysis.foreign.first_bytes import HEAD_BYTES, first_bytes
from clr_tui.engine.analysis.foreign.folders import last_written
from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING, ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.formats import FORMATS
from clr_tui.engine.analysis.foreign.nature import nature_of
from clr_tui.engine.analysis.foreign.run_names import distinct_names
from clr_tui.engine.by_name import named
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import RunConfig, TaskConfig
from clr_tui.engine.settings.logged_config import LoggedRun

MAX_RUNS = 2_000
"""Logs that are opened together."""


class Found(NamedTuple):
    """The logs that were found."""

    logs: list[ForeignLog]
    notes: list[str]
    """Sentences about what was left out."""


class UnknownFormatError(UserError):
    """A file or folder is no log of a known format."""


def open_logs(paths: Sequence[Path], mapping: Mapping = NO_MAPPING) -> list[ForeignLog]:
    """Opens logs of other tools: one for each run in these files and folders.

    Raises:
        UserError: a path does not exist, cannot be read, or is of no known format.
    """
    return find_logs(paths, mapping).logs


def find_logs(paths: Sequence[Path], mapping: Mapping = NO_MAPPING, most: int = MAX_RUNS) -> Found:
    """Opens logs like `open_logs`, of more than `most` those that were written last.

    Raises:
        UserError: a path does not exist, cannot be read, or is of no known format.
    """
    every: dict[tuple[Path, str], ForeignLog] = {}
    for path in paths:
        for log in _open(path, mapping):
            every.setdefault((log.path.absolute(), log.name), log)
    logs, notes = list(every.values()), []
    left_out = len(logs) - most
    if left_out > 0:
        newest = sorted(range(len(logs)), key=lambda i: last_written(logs[i].path))[left_out:]
        logs = [logs[i] for i in sorted(newest)]
        notes.append(f"{left_out} of {len(every)} runs, those written longest ago, are left out")
    names = distinct_names([log.name for log in logs], [log.path for log in logs])
    for log, name in zip(logs, names, strict=True):
        log.name = name
    return Found(logs, notes)


def _open(path: Path, mapping: Mapping) -> list[ForeignLog]:
    is_folder = os.path.isdir(path)
    head = b"" if is_folder else first_bytes(path, HEAD_BYTES)
    logs: list[ForeignLog] = []
    for row in FORMATS:
        if row.recognises(path, head):
            logs += named(row.reader)(path, mapping)
            if not is_folder:
                break
    if logs:
        return logs
    raise UnknownFormatError(_unknown(path, head, is_folder))


def _unknown(path: Path, head: bytes, is_folder: bool) -> str:
    looked_for = ", ".join(row.looked_for for row in FORMATS if row.title != "text logs")
    if is_folder:
        return f"there is no log of a known format in '{path}': looked for {looked_for}"
    return (
        f"'{path}' is no log of a known format: it is {nature_of(head)}; looked for {looked_for}; "
        "in a CSV or JSON, --x and --y name the columns"
    )


def config_of(log: ForeignLog) -> RunConfig:
    """The configuration under which such a log is shown."""
    return RunConfig(
        id=log.name,
        created=0.0,
        version="",
        task=TaskConfig(data="", model=""),
        job=LoggedRun(name=log.name, source=log.format, config=dict(log.settings)),
    )
