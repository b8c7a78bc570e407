"""Opens the logs of other tools."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from clr_tui.engine.analysis.foreign.first_bytes import HEAD_BYTES, first_bytes
from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING, ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.formats import FORMATS
from clr_tui.engine.analysis.foreign.nature import nature_of
from clr_tui.engine.analysis.foreign.run_names import distinct_names
from clr_tui.engine.by_name import named
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import RunConfig, TaskConfig
from clr_tui.engine.settings.logged_config import LoggedRun

MAX_RUNS = 2_000


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


def find_logs(paths: Sequence[Path], mapping: Mapping = NO_MAPPING) -> Found:
    """Opens logs like `open_logs`, and says what was left out: of very many, the oldest.

    A pattern such as `runs/*/metrics.csv`, which a shell did not expand, stands for its files.

    Raises:
        UserError: a path does not exist, cannot be read, or is of no known format.
    """
    logs: dict[tuple[Path, str], ForeignLog] = {}
    for path in _expanded(paths):
        for log in _open(path, mapping):
            logs.setdefault((log.path.absolute(), log.name), log)
    found, notes = list(logs.values()), []
    if len(found) > MAX_RUNS:
        left_out = len(found) - MAX_RUNS
        found = sorted(found, key=lambda log: _written(log.path))[left_out:]
        notes.append(f"{left_out} of {len(logs)} runs, those written longest ago, are left out")
        found = [log for log in logs.values() if log in found]
    for log, name in zip(
        found, distinct_names([log.name for log in found], [log.path for log in found]), strict=True
    ):
        log.name = name
    return Found(found, notes)


def _expanded(paths: Sequence[Path]) -> list[Path]:
    expanded: list[Path] = []
    for path in paths:
        matches = [] if os.path.lexists(path) else sorted(glob.glob(str(path), recursive=True))
        expanded += map(Path, matches) if matches else [path]
    return expanded


def _written(path: Path) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


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
