"""The `trainer_state.json` of Hugging Face's Trainer, which each checkpoint has."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.json_rows import Row
from clr_tui.engine.analysis.foreign.run_names import run_name
from clr_tui.engine.analysis.foreign.whole_log import Content, WholeLog, decoded
from clr_tui.engine.regular import Stamp, read_regular, stamp_of

NAME = "trainer_state.json"
TITLE = "Hugging Face Trainer"
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")
_SETTINGS = (
    "max_steps",
    "num_train_epochs",
    "train_batch_size",
    "logging_steps",
    "eval_steps",
    "save_steps",
    "best_metric",
    "best_model_checkpoint",
)
_LONGEST = 512 << 20


def open_trainer_state(path: Path, mapping: Mapping) -> list[ForeignLog]:
    """Opens such a file, or the folder that a Trainer writes its checkpoints to, as one run.

    In a folder the newest checkpoint holds.
    """
    find = _Newest(path).find if path.is_dir() else lambda: path
    return [WholeLog(path, run_name(path), TITLE, find, content_of, mapping)]


def is_trainer_state(path: Path, head: bytes) -> bool:
    """Whether it is such a file."""
    return path.name == NAME and path.is_file()


def folder_of(folder: Path, root: Path) -> Path:
    """The folder of the run that a folder with such a file belongs to, within `root`."""
    is_checkpoint = _CHECKPOINT.fullmatch(folder.name) is not None and folder != root
    return folder.parent if is_checkpoint else folder


def content_of(value: Any) -> Content:
    """The rows and settings of a decoded file; raises ValueError if it is no such file."""
    rows = value.get("log_history") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        raise ValueError("no log_history")
    settings = {name: str(value[name]) for name in _SETTINGS if value.get(name) is not None}
    return Content([row for row in rows if isinstance(row, dict)], settings)


def _states_in(folder: Path) -> dict[Path, int]:
    """The files in a folder and its checkpoints, with the steps in their names, -1 for none."""
    found = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                match = _CHECKPOINT.fullmatch(entry.name)
                state = Path(entry.path, NAME)
                if match and entry.is_dir(follow_symlinks=False) and state.is_file():
                    found[state] = int(match[1])
                elif entry.name == NAME and entry.is_file(follow_symlinks=False):
                    found[Path(entry.path)] = -1
    except OSError:
        return {}
    return found


class _Newest:
    """Finds the file of a folder that says most.

    That is the one written last; but where files were copied, their times say nothing: one that
    goes on where it ends is newer.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamps: dict[Path, Stamp] = {}
        self._found: Path | None = None

    def find(self) -> Path | None:
        """The file; None if there is none."""
        states = _states_in(self._folder)
        stamps = {path: stamp for path in states if (stamp := stamp_of(path)) is not None}
        if not stamps:
            return self._found
        if stamps != self._stamps:
            self._stamps = stamps
            self._found = _saying_most(states, stamps)
        return self._found


def _saying_most(states: dict[Path, int], stamps: dict[Path, Stamp]) -> Path:
    best = max(stamps, key=lambda path: (stamps[path][2], states[path]))
    last = max(stamps, key=lambda path: states[path])
    for other in {last, *(path for path in stamps if states[path] < 0)} - {best}:
        rows, more = _rows_of(best), _rows_of(other)
        if len(more) > len(rows) and more[: len(rows)] == rows:
            best = other
    return best


def _rows_of(path: Path) -> list[Row]:
    """The rows of a file; none if it cannot be read now."""
    try:
        return content_of(decoded(read_regular(path, _LONGEST))).rows
    except (OSError, ValueError, RecursionError):
        return []
