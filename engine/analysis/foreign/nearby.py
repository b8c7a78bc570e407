"""Finds the logs of other tools in a working directory, without reading much."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from clr_tui.engine.analysis.foreign import trainer_state
from clr_tui.engine.analysis.foreign.database_paths import is_run_folder
from clr_tui.engine.analysis.foreign.folders import folders_below, name_below
from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING
from clr_tui.engine.analysis.foreign.tensorboard_paths import is_event_file
from clr_tui.engine.analysis.foreign.text_folder import may_be_log, opener_of
from clr_tui.engine.analysis.foreign.wandb_paths import is_wandb_file
from clr_tui.engine.errors import UserError

MOST_ENTRIES = 3_000
"""Files and folders that are looked at: the list of runs must not wait for a whole disk."""
MOST_LOGS = 30
"""Those that were written last are kept."""
_MOST_HEADS = 100
"""Files of text of which the first bytes are read."""
_RUN = "run.json"


class NearbyLog(NamedTuple):
    """A log of another tool."""

    path: Path
    """The file, or the folder of the run."""
    name: str
    """The path below the working directory."""
    format: str
    """Such as "TensorBoard"."""
    written: float
    """When it was written last, Unix time in seconds."""


def logs_nearby(root: Path) -> list[NearbyLog]:
    """The logs in a folder and the folders in it, those written last first.

    Of very many files only those nearest to `root` are found. Runs of ours are left out.
    """
    found: dict[Path, NearbyLog] = {}
    for path, title, file in _logs_below(root):
        inside_another = any(parent in found for parent in path.parents)
        if not inside_another:  # whose log it is a part of
            written = _written(file)
            if path not in found or written > found[path].written:
                found[path] = NearbyLog(path, name_below(path, root), title, written)
    return sorted(found.values(), key=lambda log: -log.written)[:MOST_LOGS]


def _logs_below(root: Path) -> Iterator[tuple[Path, str, Path]]:
    """The path of a log, its format, and a file of it."""
    heads = 0
    for folder, files in folders_below(root, MOST_ENTRIES):
        if _RUN in files:
            continue
        if is_run_folder(folder, files):
            yield folder, "MLflow", folder / "metrics"
        for name in files:
            file = folder / name
            if is_event_file(name):
                yield folder, "TensorBoard", file
            elif is_wandb_file(name):
                yield folder, "W&B", file
            elif name == trainer_state.NAME:
                yield trainer_state.folder_of(folder, root), trainer_state.TITLE, file
            elif may_be_log(name) and heads < _MOST_HEADS:
                heads += 1
                if title := _format_of(file):
                    yield file, title, file


def _format_of(path: Path) -> str:
    """The format of a file of text; empty if it is no log of a training."""
    open_log = opener_of(path)
    if open_log is None:
        return ""
    try:
        return open_log(path, NO_MAPPING)[0].format
    except UserError:  # it is gone by now
        return ""


def _written(path: Path) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
