"""Which files TensorBoard's are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from clr_tui.engine.analysis.foreign.folders import FEW, folders_below


def is_event_file(name: str) -> bool:
    """Whether TensorBoard would read a file of that name."""
    return "tfevents" in name


def is_tensorboard(path: Path, head: bytes) -> bool:
    """Whether a path is an event file, or a folder that has one in it, at whatever depth."""
    if os.path.isdir(path):
        return next(folders_of_runs(path, FEW), None) is not None
    return is_event_file(path.name)


def folders_of_runs(root: Path, most: int) -> Iterator[Path]:
    """The folders with event files, `root` and those in it; see `folders_below`."""
    return (folder for folder, files in folders_below(root, most) if any(map(is_event_file, files)))
