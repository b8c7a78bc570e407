"""Finds the logs of lines and of JSON in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from clr_tui.engine.analysis.foreign import trainer_state
from clr_tui.engine.analysis.foreign.csv_log import is_csv_of_a_training, open_csv_log
from clr_tui.engine.analysis.foreign.first_bytes import HEAD_BYTES, first_bytes
from clr_tui.engine.analysis.foreign.folders import FEW, MANY, folders_below
from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.json_lines import (
    is_json_lines_of_a_training,
    open_json_lines,
)
from clr_tui.engine.errors import UserError

_MAX_HEADS = 50_000
"""Files of which the first bytes are read."""
_ALWAYS = (".csv", ".tsv", ".jsonl", ".ndjson")
_IF_LOG = (".txt", ".log", ".json")
"""Endings of files whose name must also say that they are logs."""
_LOG_WORDS = ("log", "scalars")


class _Kind(NamedTuple):
    recognises: Callable[[Path, bytes], bool]
    open: Callable[[Path, Mapping], list[ForeignLog]]


_KINDS = (
    _Kind(is_csv_of_a_training, open_csv_log),
    _Kind(is_json_lines_of_a_training, open_json_lines),
)


def has_text_logs(path: Path, head: bytes) -> bool:
    """Whether a path is a folder in which such logs are, at whatever depth."""
    return not head and path.is_dir() and next(_found(path, FEW), None) is not None


def open_text_logs(path: Path, mapping: Mapping) -> list[ForeignLog]:
    """Opens all such logs in a folder and in the folders in it.

    One without a column of the mapping is left out, unless all are: then raises UserError.
    """
    logs: list[ForeignLog] = []
    error: UserError | None = None
    for place, open_log in sorted(_found(path, MANY), key=lambda found: found[0]):
        try:
            logs += open_log(place, mapping)
        except UserError as reason:
            error = reason
    if not logs and error is not None:
        raise error
    return logs


def _found(
    root: Path, most: int
) -> Iterator[tuple[Path, Callable[[Path, Mapping], list[ForeignLog]]]]:
    """The logs below a folder, each with the function that opens it."""
    heads = 0
    trainers: set[Path] = set()
    for folder, files in folders_below(root, most):
        if trainer_state.NAME in files:
            trainer = trainer_state.folder_of(folder, root)
            if trainer not in trainers:
                trainers.add(trainer)
                yield trainer, trainer_state.open_trainer_state
        for name in files:
            if not may_be_log(name):
                continue
            heads += 1
            if heads > _MAX_HEADS:
                return
            if (opener := opener_of(folder / name)) is not None:
                yield folder / name, opener


def opener_of(path: Path) -> Callable[[Path, Mapping], list[ForeignLog]] | None:
    """The function that opens a file of text as the log of a training; None if it is none."""
    try:
        head = first_bytes(path, HEAD_BYTES)
    except UserError:  # a pipe, not readable, or gone
        return None
    return next((kind.open for kind in _KINDS if kind.recognises(path, head)), None)


def may_be_log(name: str) -> bool:
    """Whether a file of that name may be a log of text."""
    lower = name.lower()
    if lower.endswith(_ALWAYS):
        return True
    return lower.endswith(_IF_LOG) and any(word in lower for word in _LOG_WORDS)
